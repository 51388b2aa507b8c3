/**
 * The day in whatever way a program writes it.
 *
 * @module
 */

/** What is said of a day; months count from 1. */
export interface DateParts {
  year?: number;
  month?: number;
  day?: number;
}

/** What a text says of the day. */
export interface DateRead {
  /** What it may mean: 03/04/2026 is in March or in April. */
  dates: DateParts[];
  /** 0 for Sunday. */
  weekday?: number;
}

const MONTHS = [
  "jan|january|januar|jänner",
  "feb|february|februar",
  "mar|march|mär|märz",
  "apr|april",
  "may|mai",
  "jun|june|juni",
  "jul|july|juli",
  "aug|august",
  "sep|sept|september",
  "oct|october|okt|oktober",
  "nov|november",
  "dec|december|dez|dezember",
];
const WEEKDAYS = [
  "sun|sunday|sonntag",
  "mon|monday|montag",
  "tue|tues|tuesday|dienstag",
  "wed|wednesday|mittwoch",
  "thu|thur|thurs|thursday|donnerstag",
  "fri|friday|freitag",
  "sat|saturday|samstag|sonnabend",
];

const indexOf = (names: string[], name: string) =>
  names.findIndex((each) => each.split("|").includes(name.toLowerCase()));
const regular = (...parts: string[]) => new RegExp(parts.join(""), "iu");

const MONTH = `(?<!\\p{L})(${MONTHS.join("|")})(?!\\p{L})`;
const DAY = "(?<!\\d)(\\d{1,2})(?:st|nd|rd|th)?(?!\\d)", BETWEEN = "[-\\s.,/]{0,3}";
const DAY_MONTH = regular(DAY, BETWEEN, "(?:of )?", MONTH, `(?:${BETWEEN}(\\d\\d)(?!\\d))?`);
const MONTH_DAY = regular(MONTH, BETWEEN, DAY);
const WEEKDAY = regular(`(?<!\\p{L})(${WEEKDAYS.join("|")})(?!\\p{L})`);
const THREE = /(?<!\d\.?)(\d{1,4})([-./, _]\s*)(\d{1,2})\2(\d{1,4})(?!\.?\d)/;
// six digits may be many things, unless they are all that there is besides the time
const DIGITS = /(?<![\d.])\d{8}(?!\d)|(?<=^\s*)\d{6}(?=\s*$)/;
const TWO = /(?<!\d[./]?)(\d{1,2})(?:\.(\d{1,2})\.|\/(\d{1,2}))(?![\d./])/;
const YEAR = /(?<!\d)(?:19|20)\d\d(?!\d)/;

/**
 * Finds the day in a text: numbers in any order, or a month's name in English or German; and the weekday.
 *
 * @example
 * ```ts
 * import { readDates } from "./date_text.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(readDates("Wed Nov 25 2026"), { dates: [{ year: 2026, month: 11, day: 25 }], weekday: 3 });
 * assertEquals(readDates("3/4/2026").dates.length, 2);
 * assertEquals(readDates("soon").dates, []);
 * ```
 */
export function readDates(words: string): DateRead {
  // as Chinese, Japanese and Korean write it
  const text = words.replace(/(\d+)\s*[年년]\s*(\d+)\s*[月월]\s*(\d+)\s*[日일]/g, "$1-$2-$3 ");
  const name = WEEKDAY.exec(text)?.[1];
  return {
    dates: numbered(text) ?? named(text) ?? rest(text),
    ...(name !== undefined && { weekday: indexOf(WEEKDAYS, name) }),
  };
}

function numbered(text: string): DateParts[] | undefined {
  const three = THREE.exec(text);
  if (three) return orders([three[1]!, three[3]!, three[4]!]);
  const digits = DIGITS.exec(text)?.[0] ?? "";
  const cuts = digits.length === 8 ? [[4, 6], [2, 4]] : digits.length === 6 ? [[2, 4]] : [];
  const all = cuts.flatMap(([one, two]) =>
    orders([digits.slice(0, one), digits.slice(one, two), digits.slice(two)]) ?? []
  );
  return all.length > 0 ? all : undefined;
}

/** What three numbers may mean; `undefined` when they are no date. */
function orders([one, two, three]: [string, string, string]): DateParts[] | undefined {
  const all = [[three, two, one], [three, one, two], [one, two, three], [one, three, two]]
    .filter(([year, month, day]) =>
      (year!.length === 4 || year!.length === 2) && month!.length <= 2 && day!.length <= 2
    )
    .map((parts) => parts.map(Number) as [number, number, number])
    .map(([year, month, day]) => ({ year: year < 100 ? 2000 + year : year, month, day }))
    .filter(possible);
  return all.length > 0 ? all : undefined;
}

const possible = ({ month = 1, day = 1 }: DateParts) =>
  month >= 1 && month <= 12 && day >= 1 && day <= 31;

function named(text: string): DateParts[] | undefined {
  const long = YEAR.exec(text)?.[0];
  const all: DateParts[] = [];
  const add = (name: string, day: string, short?: string) => {
    const year = long ?? (short && `20${short}`);
    const parts = { month: indexOf(MONTHS, name) + 1, day: Number(day) };
    all.push(year ? { year: Number(year), ...parts } : parts);
  };
  const dayFirst = DAY_MONTH.exec(text), monthFirst = MONTH_DAY.exec(text);
  if (dayFirst) add(dayFirst[2]!, dayFirst[1]!, dayFirst[3]);
  if (monthFirst) add(monthFirst[1]!, monthFirst[2]!);
  const found = all.filter(possible);
  return found.length > 0 ? found : undefined;
}

/** A day without a year, or a year alone. */
function rest(text: string): DateParts[] {
  const [, one, dotted, slashed] = TWO.exec(text) ?? [];
  if (one !== undefined) {
    const first = Number(one), second = Number(dotted ?? slashed);
    return [{ month: second, day: first }, { month: first, day: second }].filter(possible);
  }
  const year = YEAR.exec(text)?.[0];
  return year === undefined ? [] : [{ year: Number(year) }];
}
