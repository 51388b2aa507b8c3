/**
 * Which mails a client means: `1`, `2:4`, `1,3:*`.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc3501#section-9 RFC 3501, 9}: sequence-set
 * @module
 */

import { ImapSyntaxError } from "./imap_line.ts";

/**
 * Reads a set of numbers, as ranges in ascending order that do not touch each other.
 *
 * @param last what `*` stands for: the highest number in use
 * @throws {ImapSyntaxError} when it is none
 *
 * @example
 * ```ts
 * import { parseSequence } from "./imap_sequence.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseSequence("7:*,3,1:2", 9), [[1, 3], [7, 9]]);
 * ```
 */
export function parseSequence(text: string, last: number): [from: number, to: number][] {
  const ranges = text.split(",").map((range): [number, number] => {
    const found = /^(\d{1,10}|\*)(?::(\d{1,10}|\*))?$/.exec(range);
    const [one, other] = [found?.[1], found?.[2] ?? found?.[1]].map((number) =>
      number === "*" ? last : Number(number)
    ) as [number, number];
    // an empty mailbox has no last one
    const valid = found && Math.max(one, other) < 2 ** 32 &&
      (Math.min(one, other) > 0 || last === 0);
    if (!valid) throw new ImapSyntaxError("a set of numbers is 1, 2:4 or 1,3:*");
    return one <= other ? [one, other] : [other, one];
  });
  ranges.sort((one, other) => one[0] - other[0]);
  const merged: [number, number][] = [];
  for (const range of ranges) {
    const before = merged.at(-1);
    if (before && range[0] <= before[1] + 1) before[1] = Math.max(before[1], range[1]);
    else merged.push(range);
  }
  return merged;
}

/**
 * Reads a set of numbers that count mails, as {@linkcode parseSequence}: there must be a mail for each of them, and
 * for `*` as well. UIDs may have gone, numbers cannot.
 *
 * @param length how many mails there are
 * @throws {ImapSyntaxError} when it is none, or goes beyond the last mail
 *
 * @example
 * ```ts
 * import { parseNumbers } from "./imap_sequence.ts";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * assertEquals(parseNumbers("3:*", 9), [[3, 9]]);
 * assertThrows(() => parseNumbers("3:10", 9));
 * assertThrows(() => parseNumbers("*", 0));
 * ```
 */
export function parseNumbers(text: string, length: number): [from: number, to: number][] {
  const ranges = parseSequence(text, length);
  if (length === 0 || ranges.at(-1)![1] > length) {
    throw new ImapSyntaxError(`the mailbox has ${length} mails`);
  }
  return ranges;
}

/** Whether a number is in one of the ranges. */
export function inSequence(ranges: readonly [number, number][], number: number): boolean {
  let low = 0, high = ranges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ranges[middle]![1] < number) low = middle + 1;
    else high = middle;
  }
  return low < ranges.length && ranges[low]![0] <= number;
}
