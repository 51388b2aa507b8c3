/**
 * The current time in whatever way a program writes it.
 *
 * @module
 */

/** What a text says about the time. */
export interface TimeRead {
  /** How far it is from the given time in seconds, apart from time zones; `undefined` when no time is in it. */
  off?: number;
}

const DAY = 86_400, QUARTER = 900;

/**
 * Finds the time in a text: with hours, minutes and seconds, as in `time.ctime()`, ISO 8601 or RFC 1123, or as
 * seconds or milliseconds since 1970. Time zones differ by quarters of an hour, so of a time of day only what is
 * within a quarter counts; a year, when there is one, must be that of now in some zone.
 *
 * @param now milliseconds since 1970
 *
 * @example
 * ```ts
 * import { readTime } from "./time_text.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const now = Date.UTC(2026, 10, 25, 9, 30, 10);
 * assertEquals(readTime("Wed Nov 25 14:30:12 2026\n", now).off, 2);
 * assertEquals(readTime("1795599005.25", now).off, -4.75);
 * assertEquals(readTime("soon", now), {});
 * ```
 */
export function readTime(text: string, now: number): TimeRead {
  const seconds = now / 1000;
  const clock = /(?<!\d)(\d{1,2}):(\d\d):(\d\d(?:[.,]\d{1,9})?)(?!\d)/.exec(text) ??
    /\d{8}T(\d\d)(\d\d)(\d\d)/.exec(text);
  if (clock) {
    const [, hours, minutes, rest] = clock;
    if (Number(hours) > 23 || Number(minutes) > 59 || parseFloat(rest!) >= 61) return {};
    const years = text.match(/(?<!\d)(?:19|20)\d\d(?=\D|$|\d{4}T)/g) ?? [];
    const near = [seconds - DAY, seconds + DAY].map((at) => new Date(at * 1000).getUTCFullYear());
    if (years.length > 0 && !years.some((year) => near.includes(Number(year)))) {
      return { off: Infinity };
    }
    const said = Number(minutes) * 60 + Number(rest!.replace(",", "."));
    const off = (said - seconds) % QUARTER;
    return { off: off > QUARTER / 2 ? off - QUARTER : off < -QUARTER / 2 ? off + QUARTER : off };
  }
  const number = /(?<![\d.])(\d{9,10}(?:\.\d+)?|\d{12,13})(?![\d])/.exec(text)?.[1];
  if (number === undefined) return {};
  return { off: Number(number) / (/^\d{12,13}$/.test(number) ? 1000 : 1) - seconds };
}
