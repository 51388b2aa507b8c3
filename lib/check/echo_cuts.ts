/**
 * Mistakes after which a server echoes the beginning of a conversation only: what one check has found out explains
 * whatever is missing in those that follow.
 *
 * @module
 */

import type { Hints } from "./echo_mistakes.ts";

export const ONE_RECV =
  'it reads once: one recv gives what is there, not all that will come; read in a loop until recv gives b""';
export const SHORT_READ =
  'it stops at a read that is shorter than its buffer: a short read is no sign of the end, b"" (null) is';
export const NO_TEXT =
  "bytes that are no UTF-8 end the conversation: do not decode, send the bytes";

/**
 * The same mistake, in whatever way an answer ends too early.
 *
 * @example
 * ```ts
 * import { always } from "./echo_cuts.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(Object.keys(always("it stops")), ["silent", "ended", "reset"]);
 * ```
 */
export const always = (likely: string): Hints => ({ silent: likely, ended: likely, reset: likely });

/**
 * The reason for an answer that is cut: the one that is known, else the given ones.
 *
 * @example
 * ```ts
 * import { always, cutBy, ONE_RECV } from "./echo_cuts.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const hints = { silent: "it waits for more" };
 * assertEquals(cutBy({ known: new Set() }, hints), hints);
 * assertEquals(cutBy({ known: new Set([ONE_RECV]) }, hints), always(ONE_RECV));
 * ```
 */
export function cutBy({ known }: { known: Set<string> }, hints: Hints = {}): Hints {
  const likely = [ONE_RECV, SHORT_READ].find((each) => known.has(each));
  return likely ? always(likely) : hints;
}

/**
 * As {@linkcode cutBy}, where what was sent is no UTF-8.
 *
 * @example
 * ```ts
 * import { bytesCutBy, NO_TEXT } from "./echo_cuts.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(bytesCutBy({ known: new Set() }), {});
 * assertEquals(bytesCutBy({ known: new Set([NO_TEXT]) }).ended, NO_TEXT);
 * ```
 */
export function bytesCutBy({ known }: { known: Set<string> }): Hints {
  return cutBy({ known }, known.has(NO_TEXT) ? { ended: NO_TEXT, reset: NO_TEXT } : {});
}

/**
 * Whether the bytes from 0 to 255 may have ended there because they are no UTF-8 from 128 on: who reads so many at a
 * time that a later read has the first of them has echoed all reads before.
 *
 * @example
 * ```ts
 * import { isCutByDecoding } from "./echo_cuts.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([0, 16, 100, 128, 144].map(isCutByDecoding), [true, false, true, true, false]);
 * ```
 */
export function isCutByDecoding(length: number): boolean {
  return length === 0 || (length > 64 && length <= 128);
}
