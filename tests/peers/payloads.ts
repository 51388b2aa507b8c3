/**
 * What is sent.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";

export const encode = (text: string) => new TextEncoder().encode(text);

/** Random bytes. */
export function random(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  }
  return bytes;
}

/** Random characters of one to four bytes, `length` of them. */
export function randomText(length: number): string {
  const letters = [..."abcdefghij äöüßéñ€日本語😀🚀"];
  return Array.from(random(length), (byte) => letters[byte % letters.length]).join("");
}

export const MEBIBYTE = 1024 * 1024;

/** Like assertEquals, which takes minutes to show how a MiB differs. */
export function assertSame(actual: Uint8Array, expected: Uint8Array): void {
  assertEquals(actual.length, expected.length);
  const at = actual.findIndex((byte, index) => byte !== expected[index]);
  assert(at < 0, `byte ${at} is ${actual[at]}, not ${expected[at]}`);
}
