/**
 * Header fields hold ASCII only; other characters stand in them as encoded words: `=?utf-8?Q?Gr=C3=B6=C3=9Fe?=`.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc2047 RFC 2047}
 * @module
 */

const WORD = /=\?([^?\s*]{1,40})(?:\*[^?\s]{0,40})?\?([bq])\?([^?\s]*)\?=/gi;

/**
 * Decodes the encoded words in the value of a header field, to be shown. Words that follow each other are put
 * together without the space between, and so are bytes of one character that stand in two of them. What cannot be
 * decoded stays as it is. The result may hold control characters: show it with `visible`.
 *
 * @example
 * ```ts
 * import { decodeWords } from "./encoded_word.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(decodeWords("=?utf-8?Q?Gr=C3=B6=C3=9Fe?= =?utf-8?B?IDEw?= m"), "Größe 10 m");
 * assertEquals(decodeWords("=?iso-8859-1?Q?a_=E4?=, =?what?Q?b?="), "a ä, =?what?Q?b?=");
 * ```
 */
export function decodeWords(text: string): string {
  let result = "", end = 0;
  let run: { charset: string; bytes: number[]; written: string } | undefined;
  const flush = () => {
    if (run) result += decoded(run.charset, run.bytes) ?? run.written;
    run = undefined;
  };
  for (const found of text.matchAll(WORD)) {
    const [written, charset, encoding, payload] = found as unknown as [
      string,
      string,
      string,
      string,
    ];
    const between = text.slice(end, found.index);
    const bytes = encoding.toLowerCase() === "b" ? fromBase64(payload) : fromQ(payload);
    const known = bytes && decoderOf(charset) !== undefined;
    const adjacent = run !== undefined && /^[ \t]*$/.test(between);
    if (known && adjacent && run!.charset.toLowerCase() === charset.toLowerCase()) {
      for (const byte of bytes) run!.bytes.push(byte);
      run!.written += between + written;
    } else {
      flush();
      if (!known || !adjacent) result += between;
      if (known) run = { charset, bytes: [...bytes], written };
      else result += written;
    }
    end = found.index + written.length;
  }
  flush();
  return result + text.slice(end);
}

function decoderOf(charset: string): TextDecoder | undefined {
  try {
    return new TextDecoder(charset);
  } catch {
    return undefined;
  }
}

function decoded(charset: string, bytes: number[]): string | undefined {
  return decoderOf(charset)?.decode(Uint8Array.from(bytes));
}

function fromBase64(payload: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromBase64(payload);
  } catch {
    return undefined;
  }
}

/** `_` is a space, `=C3` a byte, anything else itself. */
function fromQ(payload: string): Uint8Array | undefined {
  const bytes: number[] = [];
  for (const [part] of payload.matchAll(/=[0-9a-f]{2}|[^]/gi)) {
    if (part.length === 3) bytes.push(parseInt(part.slice(1), 16));
    else if (part === "_") bytes.push(0x20);
    else if (part.charCodeAt(0) < 0x80) bytes.push(part.charCodeAt(0));
    else return undefined;
  }
  return Uint8Array.from(bytes);
}
