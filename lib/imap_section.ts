/**
 * A part of a mail, as FETCH names it: `BODY[HEADER.FIELDS (SUBJECT)]<0.100>`.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc3501#section-6.4.5 RFC 3501, 6.4.5}
 * @module
 */

import { ImapSyntaxError } from "./imap_line.ts";
import { headerFields, headerLength } from "./mail_header.ts";
import { joined } from "./mail_lines.ts";
import { type MimePart, partAt } from "./mime_parts.ts";

/** What is asked for. */
export interface Section {
  /** The numbers of a part, `[1, 2]` for `1.2`; none for the mail itself. */
  part: number[];
  what: "" | "HEADER" | "TEXT" | "MIME" | "HEADER.FIELDS" | "HEADER.FIELDS.NOT";
  /** Names in small letters. */
  fields: string[];
  /** Where it begins, and how many bytes at most. */
  partial?: { offset: number; count: number };
  /** How the reply names it. */
  name: string;
}

/**
 * Reads `BODY[…]` or `BODY.PEEK[…]`, as the parser gives it.
 *
 * @throws {ImapSyntaxError} when it is none
 *
 * @example
 * ```ts
 * import { parseSection } from "./imap_section.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const { what, fields, partial, name } = parseSection("BODY.PEEK[HEADER.FIELDS (To Cc)]<0.9>");
 * assertEquals([what, fields], ["HEADER.FIELDS", ["to", "cc"]]);
 * assertEquals([partial, name], [{ offset: 0, count: 9 }, "BODY[HEADER.FIELDS (To Cc)]<0>"]);
 * ```
 */
export function parseSection(text: string): Section {
  const found = /^BODY(?:\.PEEK)?\[([^\]]*)\](?:<(\d{1,10})\.(\d{1,10})>)?$/i.exec(text);
  // were the point between numbers optional, n digits could be read in 2ⁿ ways, and all of them were tried
  const inside =
    /^((?:[1-9]\d{0,4}(?:\.[1-9]\d{0,4})*\.?)?)(|HEADER|TEXT|MIME|HEADER\.FIELDS(?:\.NOT)?)(?: \(([^()]+)\))?$/i
      .exec(found?.[1] ?? "?");
  if (!found || !inside) throw new ImapSyntaxError("that is no section of a mail");
  const [, numbers, what, fields] = inside as unknown as [string, string, string, string?];
  const kind = what.toUpperCase() as Section["what"];
  const named = kind.startsWith("HEADER.");
  const dangling = numbers.endsWith(".") === (kind === "") && numbers !== "";
  if (named !== (fields !== undefined) || dangling || kind === "MIME" && numbers === "") {
    throw new ImapSyntaxError("that is no section of a mail");
  }
  const [, , offset, count] = found;
  if (count === "0") throw new ImapSyntaxError("a part of no bytes is asked for");
  return {
    part: numbers.split(".").filter((each) => each !== "").map(Number),
    what: kind,
    fields: fields?.toLowerCase().split(" ") ?? [],
    ...(count !== undefined && { partial: { offset: Number(offset), count: Number(count) } }),
    name: `BODY[${found[1]}]${offset === undefined ? "" : `<${offset}>`}`,
  };
}

/** The bytes of a section; `undefined` when the mail has no such part. */
export function sectionOf(mail: Uint8Array, whole: () => MimePart, section: Section) {
  const bytes = withoutPartial(mail, whole, section);
  if (!section.partial || !bytes) return bytes;
  const { offset, count } = section.partial;
  return bytes.subarray(offset, offset + count);
}

function withoutPartial(mail: Uint8Array, whole: () => MimePart, section: Section) {
  const { part, what, fields } = section;
  let bytes = mail;
  if (part.length > 0) {
    const found = partAt(whole(), part);
    if (!found) return undefined;
    if (what === "MIME") return mail.subarray(found.start, found.bodyStart);
    if (what === "") return mail.subarray(found.bodyStart, found.end);
    // only a mail in a mail has a header of its own
    if (!found.message) return undefined;
    bytes = mail.subarray(found.bodyStart, found.end);
  }
  if (what === "") return bytes;
  const length = headerLength(bytes);
  if (what === "TEXT") return bytes.subarray(length);
  const header = bytes.subarray(0, length);
  return what === "HEADER" ? header : withFields(header, fields, what === "HEADER.FIELDS");
}

/** The fields of these names, or all others, as they stand there, and the empty line. */
function withFields(header: Uint8Array, names: string[], listed: boolean): Uint8Array {
  const kept = headerFields(header)
    .filter(({ name }) => names.includes(name.toLowerCase()) === listed)
    .map(({ start, end }) => header.subarray(start, end));
  return joined([...kept, new TextEncoder().encode("\r\n")]);
}
