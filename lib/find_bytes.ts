/**
 * Finds bytes in bytes. `indexOf` of texts is faster in general, but takes as long as both lengths multiplied
 * where the same bytes come again and again, as the zeros of a disk's image do.
 *
 * @module
 */

/**
 * Gives what finds all places of `wanted` that do not overlap, in a time that grows with the lengths only: after a
 * mismatch it goes on from what is known to have matched (Knuth, Morris and Pratt).
 *
 * @param wanted at least one byte
 *
 * @example
 * ```ts
 * import { finderOf } from "./find_bytes.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const find = finderOf(new TextEncoder().encode("tick"));
 * assertEquals(find(new TextEncoder().encode("tictick tock tick")), [3, 13]);
 * ```
 */
export function finderOf(wanted: Uint8Array): (bytes: Uint8Array) => number[] {
  // for each length: how long the longest shorter start is with which that part ends
  const shorter = new Uint32Array(wanted.length + 1);
  for (let at = 1, length = 0; at < wanted.length; at++) {
    while (length > 0 && wanted[at] !== wanted[length]) length = shorter[length]!;
    if (wanted[at] === wanted[length]) length++;
    shorter[at + 1] = length;
  }
  return (bytes) => {
    const places: number[] = [];
    for (let at = 0, length = 0; at < bytes.length; at++) {
      while (length > 0 && bytes[at] !== wanted[length]) length = shorter[length]!;
      if (length === 0) {
        // what the system searches for is found soonest
        at = bytes.indexOf(wanted[0]!, at);
        if (at < 0) break;
      }
      if (++length < wanted.length) continue;
      places.push(at + 1 - length);
      length = 0;
    }
    return places;
  };
}
