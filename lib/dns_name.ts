/**
 * Domain names, as text and as bytes. In a message a name is a row of labels, each after a byte that tells
 * its length, and ends with a label of length 0, the root. A name that stood in the message before may be
 * replaced by a pointer to it: two bytes, of which the first two bits are set.
 *
 * As text a name is absolute and ends in a dot; a dot or backslash inside a label has a backslash before
 * it, and a byte that is no printable ASCII is `\DDD`, its decimal number.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc1035#section-3.1 RFC 1035, 3.1} and 4.1.4, compression
 * @see {@link https://www.rfc-editor.org/rfc/rfc8499 RFC 8499}, what the words of DNS mean
 * @module
 */

/** A message, or a part of one, that does not follow RFC 1035. */
export class DnsFormatError extends Error {
  override name = "DnsFormatError";
}

const LONGEST_LABEL = 63;
/** The most bytes of a name, with its length bytes and the final 0. */
const LONGEST_NAME = 255;
const POINTER = 0b1100_0000;

/**
 * Reads the name that begins at `at` in a message, and tells where it ends.
 *
 * A pointer must lead to before the part of the name that it ends: pointers in a circle are refused so, and
 * without counting.
 *
 * @throws {DnsFormatError} when the name is cut off, too long, or a pointer does not lead back
 *
 * @example
 * ```ts
 * import { readName } from "./dns_name.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const text = new TextEncoder().encode("\x02uw\x03edu\0\x03www");
 * const bytes = new Uint8Array([...text, 0xc0, 0]); // and a pointer to byte 0
 * assertEquals(readName(bytes, 0), { name: "uw.edu.", next: 8 });
 * assertEquals(readName(bytes, 8), { name: "www.uw.edu.", next: 14 });
 * ```
 */
export function readName(message: Uint8Array, at: number): { name: string; next: number } {
  let name = "", length = 1, start = at;
  let next: number | undefined;
  for (;;) {
    const size = byteAt(message, at);
    if ((size & POINTER) === POINTER) {
      const target = (size & ~POINTER) << 8 | byteAt(message, at + 1);
      next ??= at + 2;
      if (target >= start) {
        throw new DnsFormatError(`the pointer at byte ${at} leads to byte ${target}, not back`);
      }
      at = start = target;
      continue;
    }
    if (size > LONGEST_LABEL) {
      throw new DnsFormatError(`the label at byte ${at} is of unknown kind`);
    }
    if (size === 0) return { name: name || ".", next: next ?? at + 1 };
    length += 1 + size;
    if (length > LONGEST_NAME) throw new DnsFormatError(`the name is over ${LONGEST_NAME} bytes`);
    byteAt(message, at + size);
    for (const byte of message.subarray(at + 1, at + 1 + size)) name += written(byte);
    name += ".";
    at += 1 + size;
  }
}

function byteAt(message: Uint8Array, at: number): number {
  const byte = message[at];
  if (byte === undefined) throw new DnsFormatError(`the message ends in a name, at byte ${at}`);
  return byte;
}

function written(byte: number): string {
  const character = String.fromCharCode(byte);
  if (byte <= 0x20 || byte >= 0x7f) return "\\" + String(byte).padStart(3, "0");
  return '.\\";()@$'.includes(character) ? "\\" + character : character;
}

/**
 * The labels of a name that is written as text; none for the root.
 *
 * @throws {DnsFormatError} when a label is empty or over 63 bytes, the name over 255, or not in ASCII
 *
 * @example
 * ```ts
 * import { labelsOf } from "./dns_name.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const labels = labelsOf("first\\.last.uw.edu").map((label) => String.fromCharCode(...label));
 * assertEquals(labels, ["first.last", "uw", "edu"]);
 * ```
 */
export function labelsOf(name: string): number[][] {
  if (name === ".") return [];
  const labels: number[][] = [[]];
  // the final dot ends the last label; any other begins a new one
  for (const [part] of name.replace(/(?<!(?<!\\)(?:\\\\)*\\)\.$/, "").matchAll(PART)) {
    if (part === ".") labels.push([]);
    else labels.at(-1)!.push(byteOf(part, name));
  }
  let length = 1;
  for (const label of labels) {
    length += 1 + label.length;
    const fault = label.length === 0
      ? "has an empty label"
      : label.length > LONGEST_LABEL
      ? `has a label of over ${LONGEST_LABEL} bytes`
      : length > LONGEST_NAME && `is over ${LONGEST_NAME} bytes long`;
    if (fault) throw new DnsFormatError(`the name ${JSON.stringify(name.slice(0, 300))} ${fault}`);
  }
  return labels;
}

const PART = /\\\d{3}|\\[^]|[^]/gu;

function byteOf(part: string, name: string): number {
  const decimal = /^\\(\d{3})$/.exec(part)?.[1];
  const code = decimal ? Number(decimal) : part.codePointAt(part.length > 1 ? 1 : 0)!;
  const most = decimal ? 255 : 0x7e;
  if (code <= most && part !== "\\" && (decimal || code > 0x20)) return code;
  throw new DnsFormatError(
    `the name ${JSON.stringify(name.slice(0, 300))} is not in ASCII: write it as xn--…`,
  );
}

/** Whether two names are the same: the case of letters does not matter (RFC 4343). */
export function sameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
