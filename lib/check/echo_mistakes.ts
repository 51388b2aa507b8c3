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
  const [was, is] = [latin(sent), latin(bytes)];
  const rest = bytes.subarray(at);
  if (rest.every((byte) => byte === 0)) {
    return "it sends its whole buffer, with the zeros behind what came: send only as many bytes as were received";
  }
  if (/^b'/.test(is) || is.includes(`b'${was}`)) {
    return "it sends Python's way to show bytes, b'…': send the bytes themselves, not str() of them";
  }
  if (at === sent.length) {
    if (/^[\r\n]+$/.test(latin(rest))) {
      return "it adds an end of line: send what came and nothing else";
    }
    if (is.startsWith(was + was)) return "it sends everything twice";
    if (rest.every((byte) => sent.includes(byte))) {
      return "it sends what an earlier read left in its buffer: send only as many bytes as were received";
    }
    return "it sends more than it got: send what came and nothing else";
  }
  if (is.includes("\xef\xbf\xbd") && !was.includes("\xef\xbf\xbd")) {
    return "it reads the bytes as text, and what is no UTF-8, or cut in the middle of a character, is lost: " +
      "do not decode, send the bytes";
  }
  if (was.toLowerCase() === is.toLowerCase()) return "it changes upper and lower case";
  if (was.replace(/\r\n?|\n/g, "\n") === is.replace(/\r\n?|\n/g, "\n")) {
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
  const next = was.indexOf(is.slice(at, at + 16), at);
  if (next > 0 && is.length - at >= 16) {
    return `${
      next - at
    } bytes are lost in the middle: send and write may take only a part, and tell how ` +
      "much; send the rest in a loop (sendall does)";
  }
  return undefined;
}

function latin(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes.subarray(0, 16 * 1024 * 1024));
}

/** Bytes of all values without any order that repeats, the same each time (xorshift32). */
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

/** Letters without any order that repeats, the same each time. */
export function letters(length: number, seed = 1): string {
  const next = seeded(seed);
  return String.fromCharCode(...Array.from({ length }, () => 97 + Math.floor(next() * 26)));
}
