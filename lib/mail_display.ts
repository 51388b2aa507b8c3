/**
 * A mail as a person reads it: encoded words of the header decoded, nothing that a terminal would obey.
 *
 * @module
 */

import { visible } from "./display.ts";
import { decodeWords } from "./encoded_word.ts";
import { fieldValue, headerFields, headerLength } from "./mail_header.ts";

/**
 * The lines of a mail, to be printed: the fields of its header, each on one line, an empty line, and the body as it
 * is, in the charset that the header names (UTF-8 unless told).
 *
 * @example
 * ```ts
 * import { mailLines } from "./mail_display.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const mail = "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n\r\nbell \x07\r\n";
 * const lines = [...mailLines(new TextEncoder().encode(mail))];
 * assertEquals(lines, ["Subject: Grüße", "", "bell \\x07"]);
 * ```
 */
export function* mailLines(mail: Uint8Array): Generator<string> {
  const fields = headerFields(mail);
  for (const { name, value } of fields) yield visible(`${name}: ${decodeWords(value)}`);
  yield "";
  const type = fieldValue(fields, "content-type") ?? "";
  const charset = /;\s*charset="?([^\s";]+)/i.exec(type)?.[1];
  const text = decoder(charset).decode(mail.subarray(headerLength(mail)));
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  // tabs do no harm
  for (const line of lines) yield line.split("\t").map(visible).join("\t");
}

/**
 * A value as JSON on one line, that a terminal may be shown as well: control characters, and those that turn the
 * direction of text, are escaped, as JSON allows.
 *
 * @example
 * ```ts
 * import { jsonLine } from "./mail_display.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(jsonLine({ subject: "\u009b2J\u202e" }), '{"subject":"\\u009b2J\\u202e"}');
 * ```
 */
export function jsonLine(value: unknown): string {
  const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(value).replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => character.split("").map(escaped).join(""),
  );
}

function decoder(charset = "utf-8"): TextDecoder {
  try {
    return new TextDecoder(charset);
  } catch {
    return new TextDecoder();
  }
}
