/**
 * Text and frames in memory, as a socket gives them: in pieces of 64 KiB that end anywhere.
 *
 * @module
 */

import type { Source } from "../../lib/reader.ts";

const PIECE = 64 * 1024;

/** How many lines or frames are read in one run. */
export const COUNT = 100_000;

/** Lines of 80 bytes, their ends included. */
export function lines(): Uint8Array<ArrayBuffer> {
  return repeated(new TextEncoder().encode("x".repeat(79) + "\n"));
}

/** Messages of `size` bytes, each after its length in four bytes. */
export function frames(size: number): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(4 + size).fill(7);
  new DataView(frame.buffer).setUint32(0, size);
  return repeated(frame);
}

/** One period of the repetition that both ends on a border and is some pieces long. */
function repeated(part: Uint8Array): Uint8Array<ArrayBuffer> {
  const times = Math.ceil(16 * PIECE / part.length);
  const all = new Uint8Array(times * part.length);
  for (let at = 0; at < all.length; at += part.length) all.set(part, at);
  return all;
}

/** A source that gives `period` again and again, `total` bytes of it. */
export function source(period: Uint8Array, total: number): Source {
  let given = 0;
  return {
    read(into) {
      const at = given % period.length;
      const count = Math.min(into.length, PIECE, period.length - at, total - given);
      if (count === 0) return Promise.resolve(null);
      into.set(period.subarray(at, at + count));
      given += count;
      return Promise.resolve(count);
    },
  };
}

/** Repeats a run for 300 ms, since code is compiled while it runs, then for 500 ms that count. */
export async function measure(run: () => Promise<number>): Promise<void> {
  await repeat(run, 300);
  console.log(JSON.stringify({ rate: await repeat(run, 500) }));
}

/** How many lines or frames are read per second. */
async function repeat(run: () => Promise<number>, milliseconds: number): Promise<number> {
  const start = performance.now();
  for (let runs = 1;; runs++) {
    const count = await run();
    if (count !== COUNT) throw new Error(`${count} were read, not ${COUNT}`);
    const took = performance.now() - start;
    if (took >= milliseconds) return runs * COUNT / took * 1000;
  }
}
