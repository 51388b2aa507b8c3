/**
 * Names of mailboxes as IMAP writes them: ASCII as it is, `&` as `&-`, anything else as `&` and `-` around
 * UTF-16 in base64 (with `,` in place of `/`). Servers that speak UTF-8 (IMAP4rev2) send names as they are.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc3501#section-5.1.3 RFC 3501, 5.1.3}
 * @module
 */

/**
 * Writes a name in modified UTF-7.
 *
 * @throws {TypeError} when the name holds half of a surrogate pair
 *
 * @example
 * ```ts
 * import { encodeMailboxName } from "./modified_utf7.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(encodeMailboxName("Entwürfe & more"), "Entw&APw-rfe &- more");
 * ```
 */
export function encodeMailboxName(name: string): string {
  if (!name.isWellFormed()) throw new TypeError("the name holds half of a character");
  return name.replace(/&|[^\x20-\x7e]+/g, (part) => {
    if (part === "&") return "&-";
    const bytes = new Uint8Array(2 * part.length);
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < part.length; at++) view.setUint16(2 * at, part.charCodeAt(at));
    return `&${bytes.toBase64({ omitPadding: true }).replaceAll("/", ",")}-`;
  });
}

/**
 * Reads a name in modified UTF-7; one that is not written so, as of a server that speaks UTF-8, is given back as
 * it is.
 *
 * @example
 * ```ts
 * import { decodeMailboxName } from "./modified_utf7.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(decodeMailboxName("Entw&APw-rfe &- more"), "Entwürfe & more");
 * assertEquals(decodeMailboxName("Entwürfe & more"), "Entwürfe & more");
 * ```
 */
export function decodeMailboxName(written: string): string {
  if (!/^(?:[\x20-\x25\x27-\x7e]|&[A-Za-z0-9+,]*-)*$/.test(written)) return written;
  try {
    const name = written.replace(
      /&([^-]*)-/g,
      (_, base64: string) => base64 === "" ? "&" : utf16(base64),
    );
    // two ways to write one name would be two names for one mailbox
    return encodeMailboxName(name) === written ? name : written;
  } catch {
    return written;
  }
}

function utf16(base64: string): string {
  const bytes = Uint8Array.fromBase64(base64.replaceAll(",", "/"));
  return new TextDecoder("utf-16be", { fatal: true, ignoreBOM: true }).decode(bytes);
}
