/**
 * What TOP gives of a mail.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc1939#section-7 RFC 1939, 7}
 * @module
 */

/**
 * The header of a mail, the empty line behind it, and so many lines of its body.
 *
 * @param bytes with CR LF at the end of each line
 *
 * @example
 * ```ts
 * import { topOf } from "./pop3_top.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const mail = new TextEncoder().encode("Subject: a\r\n\r\none\r\ntwo\r\n");
 * assertEquals(new TextDecoder().decode(topOf(mail, 1)), "Subject: a\r\n\r\none\r\n");
 * ```
 */
export function topOf(bytes: Uint8Array<ArrayBuffer>, lines: number): Uint8Array<ArrayBuffer> {
  let left = lines, inBody = false;
  for (let at = 0; at < bytes.length;) {
    if (inBody && left-- === 0) return bytes.subarray(0, at);
    const end = bytes.indexOf(10, at) + 1 || bytes.length;
    // an empty line is CR LF and nothing else
    inBody ||= end - at <= 2;
    at = end;
  }
  return bytes;
}
