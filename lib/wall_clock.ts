/**
 * What time it is, to a microsecond.
 *
 * `Date.now()` gives whole milliseconds. `performance.now()` is finer, but counts from the start of the
 * process and does not notice when somebody sets the clock. Together they are right and fine: measured here,
 * `performance.timeOrigin + performance.now()` is ahead of `Date.now()` by the cut-off fraction, from 0 to 1 ms,
 * and goes on alone when the clock is set.
 *
 * @module
 */

/** Where the time comes from; a test may have another. */
export interface TimeSources {
  /** Whole milliseconds since 1970, rounded down. */
  coarse(): number;
  /** Milliseconds since some moment, as fine as there are. */
  fine(): number;
  /** About when that moment was, in milliseconds since 1970. */
  origin: number;
}

/**
 * Makes a clock. Each look at it holds the fine time within the millisecond that the coarse time tells, so that
 * it follows when the clock is set.
 *
 * @returns a function that gives milliseconds since 1970, with a fraction; it is exact to some 0.25 µs, the
 * step of such a number, and after the clock was set to a millisecond
 *
 * @example
 * ```ts
 * import { wallClock } from "./wall_clock.ts";
 * import { assert } from "@std/assert";
 *
 * const now = wallClock();
 * assert(Math.abs(now() - Date.now()) < 1000);
 * ```
 */
export function wallClock(
  sources: TimeSources = {
    coarse: () => Date.now(),
    fine: () => performance.now(),
    origin: performance.timeOrigin,
  },
): () => number {
  let { origin } = sources;
  return () => {
    // the process may be held up between two looks: what is true lies between the first and the last
    const least = sources.coarse();
    const fine = sources.fine();
    const most = sources.coarse() + 1;
    // the clock was set back between the two
    if (most <= least) origin = most - 1 - fine;
    else origin = Math.min(Math.max(origin, least - fine), most - fine);
    return origin + fine;
  };
}
