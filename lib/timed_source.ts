/**
 * A stream that remembers when its bytes came.
 *
 * @module
 */

import type { Source } from "./reader.ts";

/**
 * Stands between a connection and a reader, which may wait for more before it gives what it has.
 *
 * @example
 * ```ts
 * import { TimedSource } from "./timed_source.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const source = new TimedSource({ read: () => Promise.resolve(1) }, () => 12);
 * await source.read(new Uint8Array(1));
 * assertEquals(source.arrived, 12);
 * ```
 */
export class TimedSource implements Source {
  /** When the last bytes came; NaN before the first. */
  arrived = NaN;
  readonly #source: Source;
  readonly #now: () => number;

  /** @param now tells the time */
  constructor(source: Source, now: () => number) {
    this.#source = source;
    this.#now = now;
  }

  async read(into: Uint8Array): Promise<number | null> {
    const count = await this.#source.read(into);
    if (count) this.arrived = this.#now();
    return count;
  }
}
