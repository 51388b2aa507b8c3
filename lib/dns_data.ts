/**
 * What a DNS record says: the data of each type, as bytes and as the text that a zone file and `dig` have
 * for it, such as `10 mail.example.com.` for an MX record.
 *
 * A type that is not known here is written as {@link https://www.rfc-editor.org/rfc/rfc3597 RFC 3597} says:
 * `\# 4 c0a80108`.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc1035#section-3.3 RFC 1035, 3.3}; AAAA: RFC 3596; SRV: RFC
 * 2782; CAA: {@link https://www.rfc-editor.org/rfc/rfc8659 RFC 8659}
 * @module
 */

import { DnsFormatError, labelsOf, readName } from "./dns_name.ts";

/** One part of a record's data. `name` may be compressed, `target` must not be (RFC 2782, RFC 3597). */
type Field = "ip4" | "ip6" | "name" | "target" | "u8" | "u16" | "u32" | "tag" | "rest" | "strings";

/** The types that are known by name: their numbers, and what their data is made of. */
export const TYPES: Record<string, { code: number; fields: Field[] }> = {
  A: { code: 1, fields: ["ip4"] },
  NS: { code: 2, fields: ["name"] },
  CNAME: { code: 5, fields: ["name"] },
  SOA: { code: 6, fields: ["name", "name", "u32", "u32", "u32", "u32", "u32"] },
  PTR: { code: 12, fields: ["name"] },
  MX: { code: 15, fields: ["u16", "name"] },
  TXT: { code: 16, fields: ["strings"] },
  AAAA: { code: 28, fields: ["ip6"] },
  SRV: { code: 33, fields: ["u16", "u16", "u16", "target"] },
  CAA: { code: 257, fields: ["u8", "tag", "rest"] },
};

const NAMES = new Map(
  Object.entries({ ...TYPES, OPT: { code: 41 }, ANY: { code: 255 } })
    .map(([name, { code }]) => [code, name]),
);
const CODES = new Map(Array.from(NAMES, ([code, name]) => [name, code]));

/** The name of a type's number, `TYPE65` for one that is not known. */
export function typeName(code: number): string {
  return NAMES.get(code) ?? `TYPE${code}`;
}

/**
 * The number of a type's name.
 *
 * @throws {DnsFormatError} that tells which names there are
 */
export function typeCode(name: string): number {
  const code = CODES.get(name.toUpperCase()) ?? Number(/^TYPE(\d{1,5})$/i.exec(name)?.[1]);
  if (code <= 0xffff) return code;
  throw new DnsFormatError(`there is no record type ${name}, only ${[...CODES.keys()].join(", ")}`);
}

/**
 * Reads the data of a record as text.
 *
 * @param message the whole message, since names in the data may point to what stands before
 * @throws {DnsFormatError} when the data does not fill `length` bytes exactly
 *
 * @example
 * ```ts
 * import { readData } from "./dns_data.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(readData(new Uint8Array([192, 168, 1, 8]), 0, 4, "A"), "192.168.1.8");
 * assertEquals(readData(new Uint8Array([2, 0x68, 0x69]), 0, 3, "TXT"), '"hi"');
 * ```
 */
export function readData(message: Uint8Array, at: number, length: number, type: string): string {
  const end = at + length;
  if (end > message.length) throw new DnsFormatError(`the message ends in ${type} data`);
  const take = (size: number): Uint8Array => {
    if (at + size > end) throw new DnsFormatError(`${type} data is too short: ${length} bytes`);
    return message.subarray(at, at += size);
  };
  const number = (size: number) => take(size).reduce((sum, byte) => sum * 256 + byte, 0);
  const read: Record<Field, () => string> = {
    ip4: () => take(4).join("."),
    ip6: () => shortIp6(take(16)),
    name: () => {
      const { name, next } = readName(message, at);
      at = next;
      return name;
    },
    target: () => read.name(),
    u8: () => String(number(1)),
    u16: () => String(number(2)),
    u32: () => String(number(4)),
    tag: () => {
      const tag = String.fromCharCode(...take(number(1)));
      if (/^[a-z0-9]+$/i.test(tag)) return tag;
      throw new DnsFormatError(`${type} data has a tag of other than letters and digits`);
    },
    rest: () => quote(take(end - at)),
    strings: () => {
      const texts: string[] = [];
      do texts.push(quote(take(number(1)))); while (at < end);
      return texts.join(" ");
    },
  };
  const fields = TYPES[type]?.fields;
  if (!fields) return `\\# ${length} ${hex(take(length))}`.trimEnd();
  const text = fields.map((field) => read[field]()).join(" ");
  if (at !== end) throw new DnsFormatError(`${type} data is not of ${length} bytes`);
  return text;
}

/** Where data is written to: plain bytes, and names that may be compressed. */
export interface DataWriter {
  bytes(bytes: Iterable<number>): void;
  name(name: string, compress: boolean): void;
}

/**
 * Writes the data of a record from its text.
 *
 * @throws {DnsFormatError} when the text is not that of the type
 */
export function writeData(text: string, type: string, writer: DataWriter): void {
  const words = wordsOf(text);
  const next = () => {
    const word = words.shift();
    if (word === undefined) throw new DnsFormatError(`${type} data is not whole: ${text}`);
    return word;
  };
  const number = (size: number) => {
    const word = next();
    const value = /^\d{1,10}$/.test(word) ? Number(word) : Infinity;
    if (value >= 256 ** size) throw new DnsFormatError(`${type} data has a wrong number: ${word}`);
    for (let place = size - 1; place >= 0; place--) writer.bytes([value / 256 ** place & 255]);
  };
  const counted = (bytes: number[]) => {
    if (bytes.length > 255) throw new DnsFormatError("a string has at most 255 bytes: cut it up");
    writer.bytes([bytes.length, ...bytes]);
  };
  const write: Record<Field, () => void> = {
    ip4: () => writer.bytes(ip4Bytes(next())),
    ip6: () => writer.bytes(ip6Bytes(next())),
    name: () => writer.name(next(), true),
    target: () => writer.name(next(), false),
    u8: () => number(1),
    u16: () => number(2),
    u32: () => number(4),
    tag: () => {
      const tag = next();
      if (!/^[a-z0-9]+$/i.test(tag)) throw new DnsFormatError(`${tag} is no tag for ${type} data`);
      counted(unquote(tag));
    },
    rest: () => writer.bytes(unquote(next())),
    strings: () => {
      do counted(unquote(next())); while (words.length > 0);
    },
  };
  const fields = TYPES[type]?.fields;
  if (fields) { for (const field of fields) write[field](); }
  else writer.bytes(unknownBytes(words.splice(0), text));
  if (words.length > 0) throw new DnsFormatError(`${type} data has too much: ${words.join(" ")}`);
}

/** The words of a record's text; a quoted string is one word, with its quotes. */
function wordsOf(text: string): string[] {
  const words = text.match(/"(?:[^"\\]|\\[^])*"|(?:[^\s"\\]|\\[^])+|["\\]/g) ?? [];
  if (words.some((word) => word === '"' || word === "\\")) {
    throw new DnsFormatError(`a quote is not closed in ${text}`);
  }
  return words;
}

function quote(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    if (byte < 0x20 || byte >= 0x7f) text += "\\" + String(byte).padStart(3, "0");
    else text += (byte === 0x22 || byte === 0x5c ? "\\" : "") + String.fromCharCode(byte);
  }
  return `"${text}"`;
}

function unquote(word: string): number[] {
  const inner = word.startsWith('"') ? word.slice(1, -1) : word;
  const bytes: number[] = [];
  for (const [part] of inner.matchAll(/\\\d{3}|\\[^]|[^]/gu)) {
    if (/^\\\d{3}$/.test(part)) bytes.push(Number(part.slice(1)));
    else bytes.push(...new TextEncoder().encode(part.length > 1 ? part.replace(/^\\/, "") : part));
  }
  if (bytes.some((byte) => byte > 255)) throw new DnsFormatError(`\\256 is no byte in ${word}`);
  return bytes;
}

function ip4Bytes(word: string): number[] {
  const bytes = word.split(".").map((part) => /^(0|[1-9]\d{0,2})$/.test(part) ? Number(part) : 256);
  if (bytes.length === 4 && bytes.every((byte) => byte < 256)) return bytes;
  throw new DnsFormatError(`${word} is no IPv4 address`);
}

/**
 * The 16 bytes of an IPv6 address.
 *
 * @throws {DnsFormatError} when it is none
 */
export function ip6Bytes(word: string): number[] {
  try {
    if (!/^[\da-f:.]*$/i.test(word)) throw new TypeError("other characters");
    const short = new URL(`http://[${word}]/`).hostname.slice(1, -1);
    const [head, tail] = short.split("::").map((half) => half.split(":").filter(Boolean));
    const zeros = Array(8 - head!.length - (tail?.length ?? 0)).fill("0");
    return [...head!, ...zeros, ...tail ?? []]
      .map((group) => parseInt(group, 16))
      .flatMap((group) => [group >> 8, group & 255]);
  } catch {
    throw new DnsFormatError(`${word} is no IPv6 address`);
  }
}

function shortIp6(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, at) => bytes[2 * at]! << 8 | bytes[2 * at + 1]!);
  const long = groups.map((group) => group.toString(16)).join(":");
  // a URL has the shortest form, with :: for the longest row of zeros (RFC 5952)
  return new URL(`http://[${long}]/`).hostname.slice(1, -1);
}

function unknownBytes(words: string[], text: string): number[] {
  const digits = words.slice(2).join("");
  if (
    words[0] !== "\\#" || Number(words[1]) * 2 !== digits.length || !/^[\da-f]*$/i.test(digits)
  ) throw new DnsFormatError(`write data of an unknown type as \\# LENGTH HEX, not ${text}`);
  return (digits.match(/../g) ?? []).map((pair) => parseInt(pair, 16));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The labels of a name as bytes, each after its length, and the final 0: a name without compression. */
export function nameBytes(name: string): number[] {
  return [...labelsOf(name).flatMap((label) => [label.length, ...label]), 0];
}
