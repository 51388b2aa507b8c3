/**
 * The header of a mail: fields up to the first empty line, each `Name: value`, long ones on several lines.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc5322#section-2.2 RFC 5322, 2.2}
 * @module
 */

/** A field of a header, as it stands there. */
export interface HeaderField {
  name: string;
  /** Unfolded: on one line, spaces at both ends gone. */
  value: string;
  /** Where it begins, and where its last line end is over. */
  start: number;
  end: number;
}

/** More fields are not looked at, nor more bytes. */
const MOST_FIELDS = 2_000;
const LONGEST_HEADER = 1024 * 1024;

const LF = 10, CR = 13;
const decoder = new TextDecoder();

/**
 * Where the body begins: behind the first empty line, or at the end when there is none.
 *
 * @example
 * ```ts
 * import { headerLength } from "./mail_header.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(headerLength(new TextEncoder().encode("Subject: a\r\n\r\nbody")), 14);
 * ```
 */
export function headerLength(mail: Uint8Array): number {
  for (let at = 0; at < mail.length;) {
    const next = mail.indexOf(LF, at) + 1;
    if (next === 0) return mail.length;
    const line = next - at;
    if (line === 1 || line === 2 && mail[at] === CR) return next;
    at = next;
  }
  return mail.length;
}

/**
 * The fields of a header, in their order. Bytes that are not UTF-8 become U+FFFD; lines that are no field are
 * left out.
 *
 * @param mail all of it, or its header
 *
 * @example
 * ```ts
 * import { headerFields } from "./mail_header.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const mail = new TextEncoder().encode("Subject: two\r\n lines\r\nTo: ada\r\n\r\nbody: none\r\n");
 * const fields = headerFields(mail).map(({ name, value }) => [name, value]);
 * assertEquals(fields, [["Subject", "two lines"], ["To", "ada"]]);
 * ```
 */
export function headerFields(mail: Uint8Array): HeaderField[] {
  const header = mail.subarray(0, Math.min(headerLength(mail), LONGEST_HEADER));
  const fields: HeaderField[] = [];
  for (let start = 0; start < header.length && fields.length < MOST_FIELDS;) {
    let end = lineEnd(header, start);
    // a line that begins with a space goes on with the field above it
    while (end < header.length && (header[end] === 0x20 || header[end] === 0x09)) {
      end = lineEnd(header, end);
    }
    const text = decoder.decode(header.subarray(start, end));
    const colon = text.indexOf(":");
    const name = text.slice(0, Math.max(0, colon)).trimEnd();
    if (/^[\x21-\x39\x3b-\x7e]+$/.test(name)) {
      fields.push({ name, value: unfolded(text.slice(colon + 1)), start, end });
    }
    start = end;
  }
  return fields;
}

function unfolded(text: string): string {
  return text.replace(/\r?\n(?=[ \t])/g, "").trim();
}

function lineEnd(bytes: Uint8Array, from: number): number {
  return bytes.indexOf(LF, from) + 1 || bytes.length;
}

/** The value of the first field of a name, in whichever case; `undefined` when there is none. */
export function fieldValue(fields: HeaderField[], name: string): string | undefined {
  const wanted = name.toLowerCase();
  return fields.find((field) => field.name.toLowerCase() === wanted)?.value;
}
