/**
 * What FETCH is asked for, and what it answers, of one mail.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc3501#section-6.4.5 RFC 3501, 6.4.5}
 * @module
 */

import { envelopePieces } from "./imap_envelope.ts";
import { ImapSyntaxError } from "./imap_line.ts";
import type { ImapMessage, Mailbox } from "./imap_mailbox.ts";
import type { ImapValue } from "./imap_parser.ts";
import { parseSection, sectionOf } from "./imap_section.ts";
import { nstring, type Pieces } from "./imap_string.ts";
import { structurePieces } from "./imap_structure.ts";
import { headerFields } from "./mail_header.ts";
import { mimeParts } from "./mime_parts.ts";

/** One thing to be told of a mail: its name in the reply, and its value. */
export interface FetchItem {
  name: string;
  value: (message: ImapMessage, mailbox: Mailbox, content: Content) => Promise<Pieces> | Pieces;
}

/** The bytes of the mail; read once, however many items need them. */
type Content = () => Promise<Uint8Array>;

const MOST_ITEMS = 50;

const FAST = ["FLAGS", "INTERNALDATE", "RFC822.SIZE"];
const MACROS: Record<string, string[]> = {
  FAST,
  ALL: [...FAST, "ENVELOPE"],
  FULL: [...FAST, "ENVELOPE", "BODY"],
};
const OLD_NAMES: Record<string, string> = {
  RFC822: "BODY[]",
  "RFC822.HEADER": "BODY.PEEK[HEADER]",
  "RFC822.TEXT": "BODY[TEXT]",
};

const ITEMS: Record<string, FetchItem["value"]> = {
  // nothing can be marked here
  FLAGS: () => ["()"],
  UID: ({ uid }) => [String(uid)],
  INTERNALDATE: ({ modified }) => [`"${imapDate(modified)}"`],
  "RFC822.SIZE": async (message, mailbox) => [String(await mailbox.size(message))],
  ENVELOPE: async (_message, _mailbox, content) => envelopePieces(headerFields(await content())),
  BODY: (_message, _mailbox, content) => structure(content, false),
  BODYSTRUCTURE: (_message, _mailbox, content) => structure(content, true),
};

async function structure(content: Content, extended: boolean): Promise<Pieces> {
  const mail = await content();
  return structurePieces(mail, mimeParts(mail), extended);
}

/**
 * Reads what FETCH is asked for: one name, or a list of them.
 *
 * @throws {ImapSyntaxError} when something of it is unknown
 *
 * @example
 * ```ts
 * import { parseFetchItems } from "./imap_fetch.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const names = parseFetchItems(["UID", "BODY.PEEK[]"]).map(({ name }) => name);
 * assertEquals(names, ["UID", "BODY[]"]);
 * ```
 */
export function parseFetchItems(value: ImapValue | undefined): FetchItem[] {
  const words = Array.isArray(value) ? value : value === undefined ? [] : [value];
  const names = words.flatMap((word) => {
    if (typeof word !== "string") throw new ImapSyntaxError("FETCH is asked for names of items");
    // a macro stands alone
    return (!Array.isArray(value) && MACROS[word.toUpperCase()]) || [word];
  });
  if (names.length === 0) throw new ImapSyntaxError("FETCH is asked for nothing");
  if (names.length > MOST_ITEMS) throw new ImapSyntaxError("FETCH is asked for too much at once");
  return names.map(itemOf);
}

function itemOf(written: string): FetchItem {
  const name = written.toUpperCase();
  const value = ITEMS[name];
  if (value) return { name, value };
  const section = parseSection(OLD_NAMES[name] ?? written);
  return {
    name: name in OLD_NAMES ? name : section.name,
    async value(_message, _mailbox, content) {
      const mail = await content();
      return nstring(sectionOf(mail, () => mimeParts(mail), section));
    },
  };
}

/** The reply about one mail; `number` is its place in the mailbox. */
export async function fetchReply(
  number: number,
  message: ImapMessage,
  mailbox: Mailbox,
  items: FetchItem[],
): Promise<Pieces> {
  let reading: Promise<Uint8Array> | undefined;
  const content = () => reading ??= mailbox.content(message);
  const pieces: Pieces = [`* ${number} FETCH (`];
  for (const [index, { name, value }] of items.entries()) {
    pieces.push(index === 0 ? `${name} ` : ` ${name} `, ...await value(message, mailbox, content));
  }
  return [...pieces, ")\r\n"];
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** `20-Jul-2026 09:00:00 +0000`, in UTC. */
function imapDate(date: Date): string {
  const day = String(date.getUTCDate()).padStart(2);
  const [time] = date.toISOString().slice(11).split(".");
  return `${day}-${MONTHS[date.getUTCMonth()]}-${date.getUTCFullYear()} ${time} +0000`;
}

/**
 * The first moment of `20-Jul-2026`, in UTC, whichever letters of it are capitals.
 *
 * @throws {ImapSyntaxError} when it is no date
 *
 * @example
 * ```ts
 * import { parseImapDate } from "./imap_fetch.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseImapDate("20-JUL-2026"), Date.UTC(2026, 6, 20));
 * ```
 */
export function parseImapDate(text: string): number {
  const found = /^(\d{1,2})-([A-Z]{3})-(\d{4})$/i.exec(text);
  const month = MONTHS.findIndex((name) => name.toLowerCase() === found?.[2]?.toLowerCase());
  const date = new Date(Date.UTC(Number(found?.[3]), month, Number(found?.[1])));
  if (!found || month < 0 || date.getUTCMonth() !== month) {
    throw new ImapSyntaxError("a date is 20-Jul-2026");
  }
  return date.getTime();
}
