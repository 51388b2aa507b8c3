/**
 * The current time in whatever way a program writes it.
 *
 * @module
 */

import { type DateParts, readDates } from "./date_text.ts";

/** What a text says about the time. */
export interface TimeRead {
  /** How many seconds it is ahead of the given time, or behind when negative; `undefined` when it has no time. */
  off?: number;
  /** Whether seconds are missing from what is a time otherwise. */
  lacks?: "seconds";
}

/** A time of day that a text may mean. */
interface Clock {
  /** Seconds since midnight. */
  seconds: number;
  /** Minutes east of Greenwich, where it says so. */
  zone?: number;
  /** The text without it. */
  rest: string;
}

/** Time zones differ by quarters of an hour. */
export const QUARTER = 900;
export const DAY = 86_400;

// in the languages of Western Europe, Russian, Chinese, Japanese and Korean
const HOUR = "h|hrs?|hours?|uhr|std|stunden?|heures?|horas?|or[ae]|uur|ч|час(?:а|ов)?|[时時시点點]";
const MINUTE = "m|mins?|minut[eo]s?|minuten|minuti|мин|минут[аы]?|[分분]|['′]";
const AND = "(?:(?:und|and|et|y|e|en|и)\\s+)?";
const HOURS = String.raw`\s*(?::|${HOUR})[.,]?\s*${AND}`;
const MINUTES = String.raw`\s*(?:${MINUTE})[.,]?\s*${AND}`;
const WORDS = String.raw`\s*(?:h|uhr)?,?\s*(?:und|and)\s*|[:.]|[\s,]+(?=\d\d?\s*s)`;

/** Hours, minutes and seconds, in the order in which they are looked for. */
const CLOCKS = [
  /(?<![\d:])(\d{1,2}):(\d{1,2}):(\d{1,2}(?!\d)(?:[.,]\d{1,9})?)/g,
  new RegExp(`(?<!\\d)(\\d{1,2})${HOURS}(\\d{1,2})(?:${MINUTES}|${WORDS})(\\d{1,2})(?!\\d)`, "gi"),
  // in a row of numbers, such as year, month, day, hours, minutes, each may be the first; an address is no row
  /(?<!\d|(?<!\d{4})\.)(?=(?<all>(\d{1,2})([-._/,;| ]\s*)(\d{1,2})\3(\d{1,2}))(?!\.?\d))/g,
  /(?<=(?<![\d.])(?:\d{8}|\d{6})?T?)(\d\d)(\d\d)(\d\d)(?!\d)/g,
];
const HOURS_MINUTES = /(?<!\d)(?:[01]?\d|2[0-3])\s*(?::|h|uhr|[时時시点點])\s*[0-5]\d(?!\d)/i;
const HALF = /^\s*([apπμ])\.?\s?[mμ](?!\p{L})\.?/iu;
const HALF_IN_FRONT = /(上午|午前|오전|下午|午後|오후)\s*$/;
const AFTERNOON = /^(?:p|μ|下午|午後|오후)$/i;
const OFFSET = String.raw`([+-])(\d{1,2})(?:(?::?)(\d\d))?(?![\d./-]|:\d)`;
const BEHIND = new RegExp(`^\\s*(?:(?:UTC|GMT)?\\s*${OFFSET}|(?:Z|UTC|GMT)\\b)`);
const ANYWHERE = new RegExp(`\\b(?:UTC|GMT)\\b(?:\\s*${OFFSET})?`);

/**
 * Finds the time in a text, with hours, minutes and seconds, however it is written, or as seconds since 1970, and
 * tells how far off it is. It may be in the zone that it names, else in the local one or in UTC. A date and a
 * weekday, when there are any, count as well.
 *
 * @param now milliseconds since 1970
 * @param local minutes that the local zone is east of Greenwich
 *
 * @example
 * ```ts
 * import { readTime } from "./time_text.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const now = Date.UTC(2026, 10, 25, 9, 30, 10);
 * assertEquals(readTime("Wed Nov 25 09:30:12 2026\n", now).off, 2);
 * assertEquals(readTime("25.11.2026, 10 Uhr 30 und 5 Sekunden", now, 60).off, -5);
 * assertEquals(readTime("1795599005.25", now).off, -4.75);
 * assertEquals(readTime("soon", now), {});
 * ```
 */
export function readTime(
  text: string,
  now: number,
  local = -new Date(now).getTimezoneOffset(),
): TimeRead {
  const offs = clocksIn(text).map((clock) => nearest(clock, now / 1000, local));
  if (offs.length > 0) return { off: smallest(offs) };
  const since = SINCE_1970.exec(text)?.[0];
  if (since !== undefined) return { off: inSeconds(since) - now / 1000 };
  return HOURS_MINUTES.test(text) ? { lacks: "seconds" } : {};
}

/** With nine or ten digits before the point; without a point also in thousandths and less, as programs count. */
const SINCE_1970 = /(?<![\d.])(?:\d{9,10}(?:\.\d+)?|\d{13}|\d{16}|\d{19})(?![\d.]*\d)/;

const inSeconds = (since: string) =>
  Number(since) / (/^\d{13,}$/.test(since) ? 10 ** (since.length - 10) : 1);

const smallest = (offs: number[]) => offs.sort((a, b) => Math.abs(a) - Math.abs(b))[0]!;

/** The times of day of the first way to write one that occurs. */
function clocksIn(text: string): Clock[] {
  // tm_hour=9 and "hour": 9 are 9; what is longer is no time, and would take long
  const bare = text.slice(0, 1_000).replace(/(?<![\p{L}_"'])[\p{L}_"']+\s*[=:]\s*(?=\d)/gu, " ");
  // a date beside hours and minutes is no time
  for (const pattern of HOURS_MINUTES.test(text) ? CLOCKS.slice(0, 2) : CLOCKS) {
    const clocks = [...bare.matchAll(pattern)].flatMap((found) => clockOf(text, bare, found) ?? []);
    if (clocks.length > 0) return clocks;
  }
  return [];
}

function clockOf(text: string, bare: string, found: RegExpExecArray): Clock | undefined {
  const all = found.groups?.all ?? found[0];
  const [hours, minutes, seconds] = all.match(/\d{1,2}(?:[.,]\d{3,9})?/g)!
    .map((each) => Number(each.replace(",", "."))) as [number, number, number];
  let behind = bare.slice(found.index + all.length);
  const before = bare.slice(0, found.index);
  const half = HALF.exec(behind) ?? HALF_IN_FRONT.exec(before);
  behind = behind.replace(HALF, "");
  const offset = BEHIND.exec(behind);
  behind = behind.slice(offset?.[0].length ?? 0);
  if (hours > (half ? 12 : 23) || minutes > 59 || seconds >= 61) return undefined;
  const afternoon = AFTERNOON.test(half?.[1] ?? "") ? 12 : 0;
  const zone = zoneOf(offset ?? ANYWHERE.exec(text));
  return {
    seconds: ((half ? hours % 12 : hours) + afternoon) * 3600 + minutes * 60 + seconds,
    ...(zone !== undefined && { zone }),
    rest: `${before} ${behind}`,
  };
}

function zoneOf(found: RegExpExecArray | null): number | undefined {
  if (!found) return undefined;
  const [, sign, hours = "0", minutes = "0"] = found;
  return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

/** How far off a time of day is in its zone; where it names none, in the local one, unless it fits UTC better. */
function nearest(clock: Clock, now: number, local: number): number {
  if (clock.zone !== undefined) return offIn(clock, now, clock.zone);
  const here = offIn(clock, now, local), universal = offIn(clock, now, 0);
  const apartFromDays = (off: number) => Math.abs(off - Math.round(off / DAY) * DAY);
  const fits = apartFromDays(universal) < Math.min(apartFromDays(here), QUARTER / 2);
  return fits ? universal : here;
}

/** How far off a time of day is, on the day that is with it, in a zone so many minutes east. */
function offIn({ seconds, rest }: Clock, now: number, zone: number): number {
  const { dates, weekday } = readDates(rest);
  const there = now + zone * 60;
  // midnight may be between
  const offs = [there - DAY, there, there + DAY].flatMap((day) =>
    (dates.length > 0 ? dates : [{}]).map((date) => {
      const midnight = filledIn(date, day);
      return midnight + toWeekday(midnight, weekday) * DAY + seconds - there;
    })
  );
  return smallest(offs);
}

/** The midnight at which a day begins, of which not all may be known. */
function filledIn({ year, month, day }: DateParts, like: number): number {
  const other = new Date(like * 1000);
  return Date.UTC(
    year ?? other.getUTCFullYear(),
    (month ?? other.getUTCMonth() + 1) - 1,
    day ?? other.getUTCDate(),
  ) / 1000;
}

/** How many days it is to the nearest day of that name. */
function toWeekday(midnight: number, weekday?: number): number {
  if (weekday === undefined) return 0;
  return (weekday - new Date(midnight * 1000).getUTCDay() + 10) % 7 - 3;
}
