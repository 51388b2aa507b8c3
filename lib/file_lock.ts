/**
 * The end of a file's lock.
 *
 * @module
 */

/**
 * Gives back the lock that `lock` or `tryLock` took, and closes the file. A close alone gives it back only when
 * nobody else has the file open, and a program that this one has just started has, up to the moment when the
 * system puts the new program in the place of this one's copy (`fork`, then `exec`; `flock(2)`).
 *
 * @example
 * ```ts
 * import { closeLocked } from "./file_lock.ts";
 * import { assert } from "@std/assert";
 *
 * const path = Deno.makeTempFileSync();
 * const file = await Deno.open(path, { write: true });
 * assert(await file.tryLock(true));
 * closeLocked(file);
 * const again = await Deno.open(path, { write: true });
 * assert(await again.tryLock(true));
 * closeLocked(again);
 * ```
 */
export function closeLocked(file: Deno.FsFile): void {
  try {
    file.unlockSync();
  } catch {
    // not locked, or on a disk that has no locks: nothing to give back
  } finally {
    file.close();
  }
}
