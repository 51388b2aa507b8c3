/**
 * A DNS message: a header of 12 bytes, the question, and three sections of records: answers, who is
 * responsible, and what may be of use besides. Questions and replies have the same form.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc1035#section-4 RFC 1035, 4}; the EDNS record, by which a
 * client tells that it takes more than 512 bytes over UDP:
 * {@link https://www.rfc-editor.org/rfc/rfc6891 RFC 6891}
 * @module
 */

import { nameBytes, readData, typeCode, typeName, writeData } from "./dns_data.ts";
import { DnsFormatError, labelsOf, readName } from "./dns_name.ts";

export { DnsFormatError };

/** What is asked: which records of which name. */
export interface Question {
  name: string;
  type: string;
  /** 1 is the internet, all that is in use. */
  class: number;
}

/** A record: what is known of a name, and for how many seconds it may be kept. */
export interface DnsRecord extends Question {
  ttl: number;
  /** As in a zone file. */
  data: string;
}

/** A question or a reply. */
export interface Message {
  /** Chosen by who asks, and repeated in the reply: 0 to 65,535. */
  id: number;
  response: boolean;
  opcode: number;
  authoritative: boolean;
  truncated: boolean;
  recursionDesired: boolean;
  recursionAvailable: boolean;
  /** 0 NOERROR, 3 NXDOMAIN and so on: see {@linkcode CODES}. */
  code: number;
  questions: Question[];
  answers: DnsRecord[];
  authority: DnsRecord[];
  additional: DnsRecord[];
  /** The EDNS record, which stands among the additional ones: how many bytes may come over UDP. */
  edns?: { size: number; version: number };
}

/** What a reply's code means, by its number. */
export const CODES = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"];

/** The name of a reply's code: `NXDOMAIN`, `RCODE9`. */
export function codeName(code: number): string {
  return CODES[code] ?? (code === 16 ? "BADVERS" : `RCODE${code}`);
}

/** The most bytes of a message over TCP, and over UDP without EDNS. */
export const MOST_BYTES = 65_535;
export const MOST_UDP_BYTES = 512;

const OPT = 41;

/**
 * Reads a message. Every length in it is checked, and pointers lead only back: the work is bounded by the
 * number of bytes.
 *
 * @throws {DnsFormatError} that tells what is wrong, and where
 *
 * @example
 * ```ts
 * import { decodeMessage, encodeMessage, questionFor } from "./dns_message.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const question = questionFor("uw.edu", "MX", { id: 7 });
 * assertEquals(decodeMessage(encodeMessage(question)), question);
 * ```
 */
export function decodeMessage(bytes: Uint8Array): Message {
  if (bytes.length < 12) throw new DnsFormatError(`${bytes.length} bytes are no DNS message`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint16(2);
  let at = 12;
  const within = (size: number) => {
    if (at + size > bytes.length) {
      throw new DnsFormatError(`the message ends in a record, at ${at}`);
    }
    return at += size;
  };
  const question = (): Question => {
    const { name, next } = readName(bytes, at);
    at = next;
    within(4);
    return { name, type: typeName(view.getUint16(at - 4)), class: view.getUint16(at - 2) };
  };
  let edns: Message["edns"];
  let code = flags & 15;
  const records = (count: number): DnsRecord[] => {
    const found: DnsRecord[] = [];
    while (count-- > 0) {
      const asked = question();
      const start = within(6);
      const ttl = view.getUint32(start - 6);
      const length = view.getUint16(start - 2);
      const data = readData(bytes, at, length, asked.type);
      within(length);
      if (asked.type !== typeName(OPT)) {
        found.push({ ...asked, ttl, data });
        continue;
      }
      if (edns || asked.name !== ".") {
        throw new DnsFormatError("the EDNS record is not as it must be");
      }
      // its fields are used for other things: the class tells the size, the time to live the rest
      edns = { size: asked.class, version: ttl >> 16 & 255 };
      code |= ttl >>> 24 << 4;
    }
    return found;
  };
  const questions = Array.from({ length: Math.min(view.getUint16(4), bytes.length) }, question);
  const [answers, authority, additional] = [6, 8, 10].map((place) =>
    records(view.getUint16(place))
  );
  if (at < bytes.length) throw new DnsFormatError(`${bytes.length - at} bytes follow the message`);
  return {
    id: view.getUint16(0),
    response: (flags & 0x8000) !== 0,
    opcode: flags >> 11 & 15,
    authoritative: (flags & 0x0400) !== 0,
    truncated: (flags & 0x0200) !== 0,
    recursionDesired: (flags & 0x0100) !== 0,
    recursionAvailable: (flags & 0x0080) !== 0,
    code,
    questions,
    answers: answers!,
    authority: authority!,
    additional: additional!,
    ...(edns && { edns }),
  };
}

/**
 * Writes a message; names that stand in it already are replaced by pointers. Records that do not fit are
 * left out from the first of them on, and the message is then marked as truncated.
 *
 * @param limit the most bytes; 65,535 unless told, which is what TCP can carry
 * @throws {DnsFormatError} when a name or a record's data is not well formed
 */
export function encodeMessage(message: Message, limit: number = MOST_BYTES): Uint8Array {
  const bytes: number[] = Array(12).fill(0);
  const places = new Map<string, number>();
  const u16 = (value: number) => bytes.push(value >> 8 & 255, value & 255);
  const writer = {
    bytes: (data: Iterable<number>) => void bytes.push(...data),
    name(name: string, compress: boolean) {
      if (!compress) return this.bytes(nameBytes(name));
      const labels = labelsOf(name);
      for (let index = 0; index < labels.length; index++) {
        const rest = JSON.stringify(labels.slice(index));
        const place = places.get(rest);
        if (place !== undefined) return void u16(0xc000 | place);
        if (bytes.length < 0x4000) places.set(rest, bytes.length);
        bytes.push(labels[index]!.length, ...labels[index]!);
      }
      bytes.push(0);
    },
  };
  const question = (asked: Question) => {
    writer.name(asked.name, true);
    u16(typeCode(asked.type));
    u16(asked.class);
  };
  for (const asked of message.questions) question(asked);
  const sections = [message.answers, message.authority, message.additional];
  const counts = [0, 0, 0];
  const { edns } = message;
  const most = limit - (edns ? 11 : 0);
  const full = sections.some((records, section) =>
    records.some((record) => {
      const before = bytes.length;
      question(record);
      u16(record.ttl >>> 16);
      u16(record.ttl);
      u16(0);
      const start = bytes.length;
      writeData(record.data, record.type, writer);
      const length = bytes.length - start;
      bytes[start - 2] = length >> 8;
      bytes[start - 1] = length & 255;
      if (bytes.length > most || length > 0xffff) return bytes.length = before, true;
      counts[section]!++;
      return false;
    })
  );
  if (edns) {
    bytes.push(0, 0, OPT);
    u16(edns.size);
    bytes.push(message.code >> 4 & 255, edns.version, 0, 0, 0, 0);
    counts[2]!++;
  }
  const encoded = Uint8Array.from(bytes);
  const view = new DataView(encoded.buffer);
  const flags = [
    [message.response, 0x8000],
    [message.authoritative, 0x0400],
    [message.truncated || full, 0x0200],
    [message.recursionDesired, 0x0100],
    [message.recursionAvailable, 0x0080],
  ] as const;
  view.setUint16(0, message.id);
  view.setUint16(
    2,
    flags.reduce((sum, [set, bit]) => set ? sum | bit : sum, message.opcode << 11) |
      message.code & 15,
  );
  [message.questions.length, ...counts].forEach((count, at) => view.setUint16(4 + 2 * at, count));
  return encoded;
}

/** The message that asks one question, of the internet class; the id is random unless told. */
export function questionFor(
  name: string,
  type: string,
  options: { id?: number; edns?: Message["edns"] } = {},
): Message {
  const { id = crypto.getRandomValues(new Uint16Array(1))[0]!, edns } = options;
  return {
    id,
    response: false,
    opcode: 0,
    authoritative: false,
    truncated: false,
    recursionDesired: true,
    recursionAvailable: false,
    code: 0,
    questions: [{ name: name.endsWith(".") ? name : `${name}.`, type, class: 1 }],
    answers: [],
    authority: [],
    additional: [],
    ...(edns && { edns }),
  };
}
