/**
 * Work for later, which is dropped when the time for all of it is over.
 *
 * @module
 */

/** What setTimeout takes; more would come at once. */
const LONGEST = 2 ** 31 - 1;

/**
 * Does things at a time each, in the order of their times; what has the same time, in the order in which it
 * was given. One timer for all: timers of their own know no part of a millisecond, and overtake each other.
 *
 * @example
 * ```ts
 * import { Later } from "./later.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const done: string[] = [];
 * {
 *   using later = new Later();
 *   const now = performance.now();
 *   later.add(now + 500, () => done.push("never"));
 *   await new Promise<void>((resolve) => later.add(now + 5, resolve));
 * }
 * assertEquals(done, []);
 * ```
 */
export class Later implements Disposable {
  readonly #waiting: { due: number; work: () => void }[] = [];
  #timer?: ReturnType<typeof setTimeout>;
  /** What the timer was set for. */
  #first?: object;

  /** @param most how many may wait at once; 10,000 unless told */
  constructor(readonly most: number = 10_000) {}

  /**
   * Does `work` at a time, as exactly as timers are, or at once when the time has come.
   *
   * @param due in milliseconds of `performance.now()`
   * @returns false when too much is waiting already: it will not be done
   */
  add(due: number, work: () => void): boolean {
    const late = due <= performance.now();
    if (!late && this.#waiting.length >= this.most) return false;
    // most come in the order of their times
    const at = this.#waiting.findLastIndex((earlier) => earlier.due <= due) + 1;
    this.#waiting.splice(at, 0, { due, work });
    if (late) this.#run();
    else this.#wind();
    return true;
  }

  #run(): void {
    try {
      while (this.#waiting.length > 0 && this.#waiting[0]!.due <= performance.now()) {
        this.#waiting.shift()!.work();
      }
    } finally {
      this.#wind();
    }
  }

  /** Sets the timer for the first of what waits. */
  #wind(): void {
    const [first] = this.#waiting;
    if (first === this.#first) return;
    this.#first = first;
    clearTimeout(this.#timer);
    if (!first) return;
    const wait = Math.ceil(first.due - performance.now());
    this.#timer = setTimeout(() => {
      this.#first = undefined;
      this.#run();
    }, Math.min(wait, LONGEST));
  }

  /** Drops all that waits. */
  [Symbol.dispose](): void {
    this.#waiting.length = 0;
    this.#wind();
  }
}
