/**
 * A wait that can be cut short.
 *
 * @module
 */

/**
 * Waits so many milliseconds, or until the signal is aborted; it never throws. `deadline.ts` is cheaper
 * and up to 200 ms late: this is for a pace that must be kept.
 *
 * @returns whether all of the time has passed
 *
 * @example
 * ```ts
 * import { pause } from "./pause.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await pause(5), true);
 * assertEquals(await pause(60_000, AbortSignal.abort()), false);
 * ```
 */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<boolean> {
  if (signal?.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const cut = () => {
      clearTimeout(timer);
      resolve(false);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", cut);
      resolve(true);
    }, milliseconds);
    signal?.addEventListener("abort", cut, { once: true });
  });
}
