/**
 * Patience where too many files are open: a server's connections are files too, and they come and go.
 *
 * @module
 */

import { pause } from "./pause.ts";

/**
 * Does what opens a file; while too many are open, again and again.
 *
 * @param patience for how long at most, in milliseconds; 3,000 unless told
 * @throws what `work` throws, and that too many files are open when the time is up
 *
 * @example
 * ```ts
 * import { onceFree } from "./once_free.ts";
 * import { assert } from "@std/assert";
 *
 * const text = await onceFree(() => Deno.readTextFile("/etc/passwd"));
 * assert(text.length > 0);
 * ```
 */
export async function onceFree<T>(work: () => Promise<T>, patience = 3_000): Promise<T> {
  const due = performance.now() + patience;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const full = (error as { code?: string }).code === "EMFILE";
      if (!full || performance.now() > due) throw error;
    }
    await pause(20);
  }
}
