/**
 * Memory that all clients of a server share: each may send something long, but not all at the same time.
 *
 * @module
 */

/**
 * Counts bytes that are in use.
 *
 * @example
 * ```ts
 * import { ByteBudget } from "./byte_budget.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const budget = new ByteBudget(100);
 * assertEquals([budget.take(60), budget.take(60)], [true, false]);
 * budget.give(60);
 * assertEquals(budget.take(60), true);
 * ```
 */
export class ByteBudget {
  #left: number;

  /** @param bytes how many may be in use at once */
  constructor(bytes: number) {
    this.#left = bytes;
  }

  /** Takes so many bytes; false when there are not as many left, and then none is taken. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  /** Gives bytes back that were taken before. */
  give(bytes: number): void {
    this.#left += bytes;
  }
}
