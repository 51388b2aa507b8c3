/**
 * Work for later, which is dropped when the time for all of it is over.
 *
 * @module
 */

/**
 * Does things after a while each, in the order of their times.
 *
 * @example
 * ```ts
 * import { Later } from "./later.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const done: string[] = [];
 * {
 *   using later = new Later();
 *   later.add(500, () => done.push("never"));
 *   await new Promise<void>((resolve) => later.add(5, resolve));
 * }
 * assertEquals(done, []);
 * ```
 */
export class Later implements Disposable {
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();

  /** @param most how many may wait at once; 10,000 unless told */
  constructor(readonly most: number = 10_000) {}

  /**
   * Does `work` in so many milliseconds, as exactly as timers are, or at once for 0 or less.
   *
   * @returns false when too much is waiting already: it will not be done
   */
  add(milliseconds: number, work: () => void): boolean {
    if (milliseconds <= 0) {
      work();
      return true;
    }
    if (this.#timers.size >= this.most) return false;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, milliseconds);
    this.#timers.add(timer);
    return true;
  }

  /** Drops all that waits. */
  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
