/**
 * Chance that a seed repeats: what went wrong once by bad luck goes wrong again, and can be looked at.
 *
 * @module
 */

/**
 * Makes a generator of numbers from 0 up to, but never, 1. The same seed gives the same numbers in the same
 * order on every machine. Not for secrets: whoever sees a few can tell the next (mulberry32).
 *
 * @param seed a whole number; its lowest 32 bits count
 *
 * @example
 * ```ts
 * import { seeded } from "./random.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const [one, other] = [seeded(7), seeded(7)];
 * assertEquals([one(), one(), one()], [other(), other(), other()]);
 * ```
 */
export function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = state + 0x6d2b79f5 | 0;
    let mixed = Math.imul(state ^ state >>> 15, state | 1);
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61);
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32;
  };
}
