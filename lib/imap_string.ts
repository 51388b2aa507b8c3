/**
 * Texts as IMAP commands and replies carry them: in quotes, or as a literal that its length announces.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc3501#section-4.3 RFC 3501, 4.3}
 * @module
 */

import { UsageError } from "./usage.ts";

/** Longer texts go as literals. */
const LONGEST_QUOTED = 1_000;
const encoder = new TextEncoder();

/**
 * An argument of a command: in quotes when it is ASCII, else its bytes, for a literal. No text can so become a
 * second argument, or a second command.
 *
 * @throws {UsageError} for a text with a line end or NUL: no name and no password has them
 *
 * @example
 * ```ts
 * import { argument } from "./imap_string.ts";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * assertEquals(argument('say "hi"'), '"say \\"hi\\""');
 * assertEquals(argument("é"), Uint8Array.of(0xc3, 0xa9));
 * assertThrows(() => argument("x\r\na2 LOGOUT"));
 * ```
 */
export function argument(text: string): string | Uint8Array {
  if (/[\r\n\0]/.test(text)) {
    throw new UsageError("a name or password has no line end and no NUL in it");
  }
  if (!/^[\x20-\x7e]*$/.test(text) || text.length > LONGEST_QUOTED) {
    return encoder.encode(text);
  }
  return quotedString(text);
}

/** A secret as it may appear in a line: as it is, and as it stands in quotes. For who hides it. */
export function secretForms(secret: string): string[] {
  const written = argument(secret);
  return typeof written === "string" ? [secret, written.slice(1, -1)] : [secret];
}

function quotedString(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

/** Bytes that go out one after another; texts are ASCII. */
export type Pieces = (string | Uint8Array)[];

/**
 * A string of a reply, or `NIL` for `undefined`: in quotes where they can hold it, else as a literal.
 *
 * @example
 * ```ts
 * import { nstring } from "./imap_string.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(nstring("plain"), ['"plain"']);
 * assertEquals(nstring(undefined), ["NIL"]);
 * assertEquals(nstring("é"), ["{2}\r\n", Uint8Array.of(0xc3, 0xa9)]);
 * ```
 */
export function nstring(text: string | Uint8Array | undefined): Pieces {
  if (text === undefined) return ["NIL"];
  if (typeof text === "string" && text.length <= LONGEST_QUOTED && /^[\x20-\x7e]*$/.test(text)) {
    return [quotedString(text)];
  }
  const bytes = typeof text === "string" ? encoder.encode(text) : text;
  return [`{${bytes.length}}\r\n`, bytes];
}
