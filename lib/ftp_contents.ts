/**
 * What FTP sends of a file. In TYPE A, which the standard wants at first, every line ends in CR LF on its way,
 * whatever the file has.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc959#section-3.1.1.1 RFC 959, 3.1.1.1}
 * @module
 */

const CR = 13, LF = 10;

/**
 * The bytes of a file, piece by piece; each piece is only good until the next.
 *
 * @param from where to begin, in bytes
 * @param binary as they are (TYPE I), or in lines (TYPE A): with a CR before each LF that has none
 *
 * @example
 * ```ts
 * import { contents } from "./ftp_contents.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const path = await Deno.makeTempFile();
 * await Deno.writeTextFile(path, "one\ntwo\r\n");
 * using file = await Deno.open(path);
 * let text = "";
 * for await (const piece of contents(file, 0, false)) text += new TextDecoder().decode(piece);
 * assertEquals(text, "one\r\ntwo\r\n");
 * await Deno.remove(path);
 * ```
 */
export async function* contents(
  file: Pick<Deno.FsFile, "seek" | "read">,
  from: number,
  binary: boolean,
): AsyncGenerator<Uint8Array> {
  await file.seek(from, Deno.SeekMode.Start);
  const buffer = new Uint8Array(128 * 1024);
  let before: number | undefined;
  for (let count; (count = await file.read(buffer)) !== null;) {
    const piece = buffer.subarray(0, count);
    yield binary ? piece : withCrLf(piece, before);
    before = piece.at(-1) ?? before;
  }
}

/** `before` is the byte that came before these. */
function withCrLf(bytes: Uint8Array, before: number | undefined): Uint8Array {
  const text = new Uint8Array(2 * bytes.length);
  let at = 0;
  for (const byte of bytes) {
    if (byte === LF && before !== CR) text[at++] = CR;
    text[at++] = before = byte;
  }
  return text.subarray(0, at);
}
