/**
 * The lists that a POP3 server gives, as a client reads them: they come from somebody else.
 *
 * @module
 */

import { visible } from "./display.ts";
import { Pop3Error } from "./pop3_errors.ts";

/**
 * Reads the lines of LIST: a number and a size in bytes each.
 *
 * @throws {Pop3Error} for a line that is something else, and for a number that comes twice
 *
 * @example
 * ```ts
 * import { parseSizes } from "./pop3_lists.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseSizes(["1 120", "3 4000"]), new Map([[1, 120], [3, 4000]]));
 * ```
 */
export function parseSizes(lines: string[]): Map<number, number> {
  // more may stand behind the size (RFC 1939, 5)
  return parse(lines, /^([1-9]\d{0,8}) +(\d{1,15})(?: .*)?$/, "LIST", Number);
}

/**
 * Reads the lines of UIDL: a number and a name each, which stays the mail's for ever. Two mails may have the same
 * name when they are the same (RFC 1939, 7).
 *
 * @throws {Pop3Error} as above
 *
 * @example
 * ```ts
 * import { parseNames } from "./pop3_lists.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseNames(["1 one", "2 one"]), new Map([[1, "one"], [2, "one"]]));
 * ```
 */
export function parseNames(lines: string[]): Map<number, string> {
  return parse(lines, /^([1-9]\d{0,8}) +([\x21-\x7e]{1,70})$/, "UIDL", String);
}

function parse<T>(lines: string[], pattern: RegExp, command: string, value: (text: string) => T) {
  const found = new Map<number, T>();
  for (const line of lines) {
    const [, number, rest] = pattern.exec(line) ?? [];
    if (number === undefined || found.has(Number(number))) {
      throw new Pop3Error(`"${visible(line.slice(0, 80))}" does not belong into a ${command}`);
    }
    found.set(Number(number), value(rest!));
  }
  return found;
}

/**
 * A file's name from a mail's unique name, which may hold slashes and dots: other names give other files, and
 * all of them lie in one folder.
 *
 * @example
 * ```ts
 * import { fileName } from "./pop3_lists.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(fileName("20261122T013000.123Z-000001"), "mail-20261122T013000.123Z-000001.eml");
 * assertEquals(fileName("../passwd"), "mail-..%2Fpasswd.eml");
 * ```
 */
export function fileName(unique: string): string {
  const safe = unique.replace(
    /[^A-Za-z0-9._=+@-]/g,
    (character) => "%" + character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0"),
  );
  return `mail-${safe}.eml`;
}
