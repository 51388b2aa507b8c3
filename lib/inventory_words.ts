/**
 * Lines of an inventory cut into words, and variables put into commands.
 *
 * @module
 */

import { visible } from "./display.ts";
import { UsageError } from "./usage.ts";

/**
 * Cuts a line at its spaces; quotes hold a word together, `#` and `;` begin a comment.
 *
 * @param whole whether the spaces stay, and the line is one word
 * @returns `undefined` when a quote does not end
 *
 * @example
 * ```ts
 * import { splitWords } from "./inventory_words.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(splitWords(`web1 motto="all is well" # the first`), ["web1", "motto=all is well"]);
 * ```
 */
export function splitWords(line: string, whole = false): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (const sign of line) {
    if (quote) {
      if (sign === quote) quote = "";
      else word += sign;
    } else if (sign === '"' || sign === "'") {
      quote = sign;
      word ??= "";
    } else if (/\s/.test(sign) && !whole) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if ((sign === "#" || sign === ";") && begins(word, whole)) break;
    else word = (word ?? "") + sign;
  }
  if (quote) return undefined;
  if (word !== undefined) words.push(word);
  return words;
}

function begins(word: string | undefined, whole: boolean): boolean {
  return word === undefined || whole && /\s/.test(word.at(-1) ?? "");
}

/** One word of a command line for a POSIX shell, whatever is in it. */
export function posixWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** One word of a command line for Windows; cmd.exe can quote neither quotes nor percent signs safely. */
export function windowsWord(text: string): string {
  if (/["%\r\n]/.test(text)) {
    throw new UsageError(`"${visible(text)}" cannot be quoted for Windows`);
  }
  // a backslash before the closing quote would take it for a part of the word
  return /^[\w@+=:,./\\-]+$/.test(text) ? text : `"${text.replace(/\\+$/, "$&$&")}"`;
}

/**
 * Puts variables in place of `{{ name }}`.
 *
 * @param quote what is done to each value
 * @throws {UsageError} for a variable that is not there
 *
 * @example
 * ```ts
 * import { fillIn, posixWord } from "./inventory_words.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(fillIn("echo {{ motto }}", { motto: "it's; id" }, posixWord), `echo 'it'\\''s; id'`);
 * ```
 */
export function fillIn(
  text: string,
  variables: Record<string, string>,
  quote: (value: string) => string = (value) => value,
): string {
  return text.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, name: string) => {
    if (Object.hasOwn(variables, name)) return quote(variables[name]!);
    throw new UsageError(`there is no variable ${name} for ${variables.name ?? "it"}`);
  });
}
