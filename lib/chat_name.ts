/**
 * What people may call themselves where others read it.
 *
 * @module
 */

/** The most characters of a name. */
export const LONGEST_NAME = 20;

// letters of every script, with their accents, but none that nobody sees (the Hangul filler is a letter)
const NAME = /^(?!\p{M})(?:(?!\p{Default_Ignorable_Code_Point})[\p{L}\p{M}\p{N}_.-])+$/u;

/**
 * A name as it will be shown, with its characters in one way of writing.
 *
 * @throws {RangeError} that tells the person what a name looks like
 * @see {@link https://www.unicode.org/reports/tr15/ Unicode normalization forms}
 *
 * @example
 * ```ts
 * import { chatName } from "./chat_name.ts";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * assertEquals(chatName(" Zoe\u0308 "), "Zo\u00eb");
 * assertThrows(() => chatName("\x1b[2J"), RangeError, "letters, digits");
 * ```
 */
export function chatName(text: string): string {
  // a look at the length first: normalizing makes some characters up to 18 times as long
  const name = text.length > 1_000 ? text : text.trim().normalize("NFKC");
  if (name === "") throw new RangeError("A name has at least one character.");
  if ([...name].length > LONGEST_NAME) {
    throw new RangeError(`A name has at most ${LONGEST_NAME} characters.`);
  }
  if (!NAME.test(name)) {
    throw new RangeError("A name is made of letters, digits, and the characters _ . - only.");
  }
  return name;
}

/** What two names have in common that are too much alike: Ada and ADA. */
export function nameKey(name: string): string {
  return name.toLowerCase().toUpperCase().toLowerCase();
}
