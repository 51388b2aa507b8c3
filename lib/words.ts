/**
 * Which words a text has, and which of them most often.
 *
 * @module
 */

/**
 * A word is a run of letters and digits of any script, with the accents and vowel signs behind them. An
 * apostrophe or a hyphen between two of them is part of it: "don't" and "well-known" are one word each; quotes,
 * dashes, emoji and all else separate.
 */
const WORD =
  /[\p{L}\p{N}][\p{L}\p{N}\p{Mn}\p{Mc}]*(?:['’\-‐‑][\p{L}\p{N}][\p{L}\p{N}\p{Mn}\p{Mc}]*)*/gu;

/**
 * What nobody sees is no part of a word, and cuts none: soft hyphens, joiners, the signs that make an emoji of a
 * character. Only the space of no width separates.
 */
const INVISIBLE = /(?!\u200b)\p{Default_Ignorable_Code_Point}/gu;

/**
 * The words of a text in their order, each as it is compared: in lower case, accents composed (NFC), with
 * `'` for `’`, `-` for `‐` and the hyphen that does not break, and without what is invisible.
 *
 * @example
 * ```ts
 * import { wordsOf } from "./words.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(wordsOf("Don’t -- 'well-known' Tea, TEA!"), ["don't", "well-known", "tea", "tea"]);
 * ```
 */
export function wordsOf(text: string): string[] {
  return text.replace(INVISIBLE, "").normalize("NFC").match(WORD)?.map((word) =>
    word.toLowerCase().normalize("NFC").replaceAll("’", "'").replace(/[‐‑]/g, "-")
  ) ?? [];
}

/** The words that a text has most often. */
export interface MostFrequent {
  /** All that are there equally often, in alphabetical order. */
  words: string[];
  /** How often each of them is there. */
  times: number;
  /** How many words there are in all. */
  total: number;
}

/**
 * Counts the words, and gives the most frequent; several when they tie, none when there are no words.
 *
 * @example
 * ```ts
 * import { mostFrequent } from "./words.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(mostFrequent("Rain, wind: rain! Wind?"), { words: ["rain", "wind"], times: 2, total: 4 });
 * assertEquals(mostFrequent("--"), { words: [], times: 0, total: 0 });
 * ```
 */
export function mostFrequent(text: string): MostFrequent {
  const counts = new Map<string, number>();
  let times = 0, total = 0;
  for (const word of wordsOf(text)) {
    const count = (counts.get(word) ?? 0) + 1;
    counts.set(word, count);
    times = Math.max(times, count);
    total++;
  }
  const words = [...counts].filter(([, count]) => count === times).map(([word]) => word).sort();
  return { words, times, total };
}

/** Why the words of a file cannot be counted; its message goes on from the file's name. */
export class TextError extends Error {
  override name = "TextError";
}

/** The largest file that is counted, in bytes: 1 MiB. */
export const LARGEST_TEXT = 1024 * 1024;

/**
 * Counts the words of a file's bytes, as {@linkcode mostFrequent}; a byte order mark is no part of the text.
 *
 * @throws {TextError} when it is too large, not UTF-8, or has no words
 */
export function mostFrequentIn(bytes: Uint8Array): MostFrequent {
  if (bytes.length > LARGEST_TEXT) throw new TextError(`has more than ${LARGEST_TEXT} bytes`);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new TextError("is not UTF-8 text");
  }
  const found = mostFrequent(text);
  if (found.total === 0) throw new TextError(bytes.length === 0 ? "is empty" : "has no words");
  return found;
}

/** What file systems take, in bytes. */
const LONGEST_NAME = 255;

/** The parts of `USER:FILE:WORD`. */
export interface Claim {
  user: string;
  /** A name without folders. */
  file: string;
  word: string;
}

/** What is wrong with a message, for who sent it. */
export class ClaimError extends Error {
  override name = "ClaimError";
}

/**
 * Takes `USER:FILE:MOST-FREQUENT-WORD` apart: the user is before the first colon, the word behind the last.
 * Of a path only the last part counts, so that no file outside of the folder can be meant.
 *
 * @throws {ClaimError} that tells which part is missing or wrong
 *
 * @example
 * ```ts
 * import { parseClaim } from "./words.ts";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * assertEquals(parseClaim("ada:C:\\texts\\tea.txt:the"), { user: "ada", file: "tea.txt", word: "the" });
 * assertThrows(() => parseClaim("ada:tea.txt"), Error, "write USER:FILE:WORD");
 * ```
 */
export function parseClaim(line: string): Claim {
  if (/\p{Cc}|\ufffd/u.test(line)) {
    throw new ClaimError("only UTF-8 text without control characters");
  }
  const first = line.indexOf(":"), last = line.lastIndexOf(":");
  if (first === last) throw new ClaimError("write USER:FILE:WORD, with two colons");
  const user = line.slice(0, first).trim();
  const file = line.slice(first + 1, last).trim().split(/[/\\]/).at(-1)!;
  const word = line.slice(last + 1).trim();
  if (user === "") throw new ClaimError("the user, before the first colon, is missing");
  if (file === "") throw new ClaimError("the file's name, between the colons, is missing");
  const bytes = new TextEncoder().encode(file).length;
  if (file.startsWith(".") || bytes > LONGEST_NAME) throw new ClaimError("that is no file's name");
  if (word === "") throw new ClaimError("the word, behind the last colon, is missing");
  const words = wordsOf(word);
  if (words.length !== 1) {
    throw new ClaimError("behind the last colon stands one word, and no more");
  }
  return { user, file, word: words[0]! };
}
