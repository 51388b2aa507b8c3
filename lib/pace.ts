/**
 * At most one thing at a time in each place: Slack takes one message a second per channel.
 *
 * @module
 */

/**
 * Remembers when each key was last used, and tells how long it has to rest.
 *
 * @example
 * ```ts
 * import { Pace } from "./pace.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const pace = new Pace(60_000);
 * assertEquals(pace.due("#bot"), 0);
 * pace.mark("#bot");
 * assertEquals([pace.due("#bot") > 0, pace.due("#general")], [true, 0]);
 * ```
 */
export class Pace {
  readonly #milliseconds: number;
  readonly #free = new Map<string, number>();

  /** @param milliseconds between two uses of one key */
  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds;
  }

  /** How many milliseconds are left until the key may be used; 0 when it may be now. */
  due(key: string): number {
    return Math.max(0, (this.#free.get(key) ?? 0) - performance.now());
  }

  /** The key is used now. */
  mark(key: string): void {
    const now = performance.now();
    // those that may be used again need not be remembered
    for (const [other, free] of this.#free) {
      if (free > now) break;
      this.#free.delete(other);
    }
    this.#free.delete(key);
    this.#free.set(key, now + this.#milliseconds);
  }
}
