/**
 * A mail as it is sent: header fields, an empty line, a text.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc5322 RFC 5322}
 * @module
 */

import type { Mailbox } from "./mail_address.ts";
import { encodeText, encodeWords } from "./mail_encoding.ts";
import { UsageError } from "./usage.ts";

/** What a mail says, and to whom. */
export interface Letter {
  from: Mailbox;
  to: Mailbox[];
  subject: string;
  /** With line ends of any kind. */
  text: string;
  /** When it is written; now unless told. */
  date?: Date;
  /** Its name in all the world, without the angle brackets; a new one unless told. */
  id?: string;
}

/**
 * Writes a mail with all the fields that it must have (From, Date) or should (To, Message-ID, MIME). Its lines
 * end in CR LF and have at most 998 characters; all is ASCII, but for addresses that cannot be.
 *
 * @throws {UsageError} when a control character in the subject would begin a field of its own
 *
 * @example
 * ```ts
 * import { composeMail } from "./mail_compose.ts";
 * import { parseMailbox } from "./mail_address.ts";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const mail = composeMail({
 *   from: parseMailbox("Alice <alice@example.org>"),
 *   to: [parseMailbox("bob@example.org")],
 *   subject: "Grüße",
 *   text: "hello\n",
 * });
 * assertStringIncludes(new TextDecoder().decode(mail), "\r\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n");
 * ```
 */
export function composeMail(letter: Letter): Uint8Array<ArrayBuffer> {
  const { from, to, subject, text, date = new Date() } = letter;
  if (/\p{Cc}/u.test(subject)) {
    throw new UsageError("a subject has no line ends and no other control characters");
  }
  const id = letter.id ?? `${crypto.randomUUID()}@${from.domain.replace(/^\[.*\]$/, "localhost")}`;
  const { encoding, body } = encodeText(text);
  const fields = [
    `From: ${written(from)}`,
    `To: ${to.map(written).join(",\r\n ")}`,
    `Subject: ${unstructured(subject, "Subject: ".length)}`,
    `Date: ${mailDate(date)}`,
    `Message-ID: <${id}>`,
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    `Content-Transfer-Encoding: ${encoding}`,
  ];
  return new TextEncoder().encode(`${fields.join("\r\n")}\r\n\r\n${body}`);
}

/**
 * A date as mail has it.
 *
 * @example
 * ```ts
 * import { mailDate } from "./mail_compose.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(mailDate(new Date(0)), "Thu, 01 Jan 1970 00:00:00 +0000");
 * ```
 */
export function mailDate(date: Date): string {
  return date.toUTCString().replace("GMT", "+0000");
}

function written({ name, address }: Mailbox): string {
  if (name === "") return address;
  const short = name.length <= 60;
  if (
    short && /^[\w!#$%&'*+\-/=?^`{|}~]+(?: [\w!#$%&'*+\-/=?^`{|}~]+)*$/.test(name) &&
    !name.includes("=?")
  ) {
    return `${name} <${address}>`;
  }
  const quotable = short && /^[\x20-\x7e]+$/.test(name) && !name.includes("=?");
  if (quotable) return `"${name.replace(/["\\]/g, "\\$&")}" <${address}>`;
  return `${encodeWords(name, "From: ".length)}\r\n <${address}>`;
}

/** A field of free text: as it is where that is safe, folded at spaces; else in encoded words. */
function unstructured(text: string, used: number): string {
  const safe = /^(?:[\x21-\x7e]{1,60}(?: [\x21-\x7e]{1,60})*)?$/.test(text) && !text.includes("=?");
  if (!safe) return encodeWords(text, used);
  let result = "", length = used;
  for (const [index, word] of text.split(" ").entries()) {
    const fold = index > 0 && length + 1 + word.length > 78;
    result += index === 0 ? word : `${fold ? "\r\n" : ""} ${word}`;
    length = (fold ? 0 : length) + 1 + word.length;
  }
  return result;
}
