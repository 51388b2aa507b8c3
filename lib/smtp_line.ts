/**
 * The lines of SMTP as a server reads them: they end in CR LF, and in nothing else.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc5321#section-2.3.8 RFC 5321, 2.3.8}
 * @module
 */

import { LimitError, type ReadOptions, type SocketReader, UnexpectedEof } from "./reader.ts";

const MiB = 1024 * 1024;

/** A line, or the rest of one that was too long: then it is empty. */
export interface WireLine {
  line: Uint8Array;
  tooLong: boolean;
}

/**
 * The next line that ends in CR LF, without them; no other end counts. Of a line that is too long nothing is kept,
 * and what follows it is read as if nothing had been wrong. `null` at the end of the stream, also in the middle of
 * a line.
 *
 * @param limit the most bytes, CR LF included
 * @throws {LimitError} for a line without an end, of more than 1 MiB
 *
 * @example
 * ```ts
 * import { readWireLine } from "./smtp_line.ts";
 * import { SocketReader } from "./reader.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const encode = (text: string) => new TextEncoder().encode(text);
 * const reader = SocketReader.from(encode("much too long\r\na\nb\r\nrest"));
 * assertEquals((await readWireLine(reader, 10))?.tooLong, true);
 * assertEquals((await readWireLine(reader, 10))?.line, encode("a\nb"));
 * assertEquals(await readWireLine(reader, 10), null);
 * ```
 */
export async function readWireLine(
  reader: SocketReader,
  limit: number,
  options: ReadOptions = {},
): Promise<WireLine | null> {
  for (let skipped = 0, tooLong = false;;) {
    try {
      const line = await reader.readUntil("\r\n", { ...options, limit: limit - 2 });
      if (line === null) return null;
      return { line: tooLong ? new Uint8Array() : line, tooLong };
    } catch (error) {
      if (error instanceof UnexpectedEof) return null;
      if (!(error instanceof LimitError)) throw error;
      // no CR LF begins in these bytes, not even at the last: see readUntil
      reader.tryExactly(limit - 2);
      skipped += limit;
      if (skipped > MiB) throw new LimitError("a line", MiB);
      tooLong = true;
    }
  }
}
