/**
 * What is wrong with an echo, and which mistake makes it so.
 *
 * @module
 */

import { seeded } from "../random.ts";
import { Mismatch } from "./check.ts";
import { type Exchange, type Heard, heard, show } from "./exchange.ts";

/** The likely mistake for what came then, where what came is right but not all. */
export type Hints = Partial<Record<Heard["then"], string>>;

/**
 * Sends bytes and expects the same back, while the stream stays open.
 *
 * @throws {Mismatch} with the likely mistake
 */
export async function expectEcho(
  exchange: Exchange,
  message: Uint8Array | string,
  hints: Hints = {},
): Promise<void> {
  const bytes = typeof message === "string" ? new TextEncoder().encode(message) : message;
  const [, answer] = await Promise.all([exchange.send(bytes), exchange.hear(bytes.length)]);
  compareEcho(bytes, answer, hints);
}

/** Throws a {@linkcode Mismatch} when an answer is not what was sent. */
export function compareEcho(sent: Uint8Array, answer: Heard, hints: Hints = {}): void {
  const at = firstDifference(sent, answer.bytes);
  if (at === undefined) return;
  const likely = echoMistake(sent, answer) ?? hints[answer.then] ?? CUT[answer.then];
  if (sent.length <= 80) {
    throw new Mismatch({ sent: show(sent), expected: show(sent), got: heard(answer), likely });
  }
  const size = `${sent.length} bytes`;
  const got = at === answer.bytes.length
    ? `the first ${at} bytes${
      heard({ ...answer, bytes: new Uint8Array() }).replace(/^/, ", then ")
    }`
    : `from byte ${at} on ${show(answer.bytes.subarray(at, at + 12))}, not ${
      show(sent.subarray(at, at + 12))
    }`;
  throw new Mismatch({ sent: size, expected: `the same ${size}`, got, likely });
}

function firstDifference(one: Uint8Array, other: Uint8Array): number | undefined {
  const length = Math.min(one.length, other.length);
  for (let at = 0; at < length; at++) if (one[at] !== other[at]) return at;
  return one.length === other.length ? undefined : length;
}

const CUT: Hints = {
  silent:
    "it stops before all is echoed: read and write in a loop until the client has ended its side",
  ended: 'it closes before all is echoed: go on until recv gives b"" (read gives null)',
  reset:
    "it closes with bytes unread, so the system resets the connection: read until the end first",
};

/**
 * The mistake that makes an echo other than what was sent; `undefined` when all that came is right, but it is
 * not all.
 *
 * @example
 * ```ts
 * import { echoMistake } from "./echo_mistakes.ts";
 * import { assertMatch } from "@std/assert";
 *
 * const bytes = (text: string) => new TextEncoder().encode(text);
 * const mistake = echoMistake(bytes("hello"), { bytes: bytes("hello\0\0\0"), then: "more" });
 * assertMatch(mistake!, /whole buffer/);
 * ```
 */
export function echoMistake(sent: Uint8Array, { bytes }: Heard): string | undefined {
  const at = firstDifference(sent, bytes);
  if (at === undefined || at === bytes.length) return undefined;
  const rest = bytes.subarray(at, at + FEW);
  if (rest.every((byte) => byte === 0)) {
    return "it sends its whole buffer, with the zeros behind what came: send only as many bytes as were received";
  }
  // of much, what stands far from the difference tells nothing
  const from = sent.length > FEW ? at : 0;
  const was = latin(sent.subarray(from, from + FEW)), is = latin(bytes.subarray(from, from + FEW));
  const likely = at === sent.length ? addition(was, is, rest) : alteration(was, is);
  return likely ?? recoded(sent, bytes, at) ?? loss(sent, bytes, at);
}

const FEW = 8 * 1024;

/** All came, and then more. */
function addition(was: string, is: string, rest: Uint8Array): string {
  if (/^b'/.test(is)) return REPR;
  if (/^[\r\n]+$/.test(latin(rest))) {
    return "it adds an end of line: send what came and nothing else";
  }
  if (is.startsWith(was + was)) return "it sends everything twice";
  const old = [...latin(rest)].every((character) => was.includes(character));
  return old
    ? "it sends what an earlier read left in its buffer: send only as many bytes as were received"
    : "it sends more than it got: send what came and nothing else";
}

/** Bytes are lost or replaced in the way of text. */
export const DECODED =
  "it reads the bytes as text, and what is no UTF-8, or cut in the middle of a character, is lost: do not decode, " +
  "send the bytes";
const RECODED =
  "it reads the bytes as text of one encoding (latin1), and sends it in another (UTF-8): do not decode, send the bytes";

const REPR =
  "it sends Python's way to show bytes, b'…': send the bytes themselves, not str() of them";

/** Something else came. */
function alteration(was: string, is: string): string | undefined {
  if (/^b'/.test(is)) return REPR;
  if (is.includes("\xef\xbf\xbd") && !was.includes("\xef\xbf\xbd")) {
    return DECODED;
  }
  if (was.toLowerCase() === is.toLowerCase()) return "it changes upper and lower case";
  const oneEnd = (text: string) => text.replace(/\r\n?|\n/g, "\n");
  if (oneEnd(was) === oneEnd(is)) {
    return "it changes the ends of lines: do not open the socket as text";
  }
  if (was.includes("\0") && was.replaceAll("\0", "").startsWith(is.replaceAll("\0", ""))) {
    return "bytes of the value 0 are lost: they are no end of anything";
  }
  if (was.trim() !== was && was.trim().startsWith(is.slice(0, 32).trim())) {
    return "it cuts off blanks at the ends: do not strip, they are part of the message";
  }
  if (is.endsWith(was)) {
    return "it sends something of its own first, such as a greeting: an echo says nothing else";
  }
}

/** Only bytes that are no ASCII are lost, or each of them comes as two. */
function recoded(sent: Uint8Array, bytes: Uint8Array, at: number): string | undefined {
  let next = at;
  for (const byte of bytes.subarray(at)) {
    while (next < sent.length && sent[next] !== byte && sent[next]! > 127) next++;
    if (sent[next++] !== byte) {
      // the first byte of two may be the one that was sent
      const from = at > 0 && sent[at - 1]! > 127 ? at - 1 : at;
      const utf8 = new TextEncoder().encode(latin(sent.subarray(from, from + FEW)));
      const is = bytes.subarray(from, from + utf8.length);
      return is.every((byte, index) => byte === utf8[index]) ? RECODED : undefined;
    }
  }
  return DECODED;
}

/** What comes at the difference stands further on in what was sent. */
function loss(sent: Uint8Array, bytes: Uint8Array, at: number): string | undefined {
  const mark = bytes.subarray(at, at + 16);
  if (mark.length < 16) return undefined;
  for (let next = at + 1; next + mark.length <= sent.length; next++) {
    if (sent[next] !== mark[0] || !mark.every((byte, index) => sent[next + index] === byte)) {
      continue;
    }
    return `${
      next - at
    } bytes are lost in the middle: send and write may take only a part, and tell how ` +
      "much; send the rest in a loop (sendall does)";
  }
}

/**
 * One character for each byte.
 *
 * @example
 * ```ts
 * import { latin } from "./echo_mistakes.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(latin(new Uint8Array([65, 228])), "Aä");
 * ```
 */
export function latin(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

/**
 * Bytes of all values without any order that repeats, the same each time (xorshift32).
 *
 * @example
 * ```ts
 * import { mixedBytes } from "./echo_mistakes.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(mixedBytes(5), mixedBytes(5));
 * ```
 */
export function mixedBytes(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = Math.imul(seed, 0x9e3779b1) | 1;
  for (let at = 0; at < words.length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[at] = state;
  }
  return new Uint8Array(words.buffer, 0, length);
}

/**
 * Letters without any order that repeats, the same each time.
 *
 * @example
 * ```ts
 * import { letters } from "./echo_mistakes.ts";
 * import { assertMatch } from "@std/assert";
 *
 * assertMatch(letters(16), /^[a-z]{16}$/);
 * ```
 */
export function letters(length: number, seed = 1): string {
  const next = seeded(seed);
  return String.fromCharCode(...Array.from({ length }, () => 97 + Math.floor(next() * 26)));
}
