/**
 * The envelope: what a list of mails shows of each, which the server takes from the header, so that a client need
 * not fetch it. Here it is made, for a server, and read, for a client.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc3501#section-7.4.2 RFC 3501, 7.4.2}
 * @module
 */

import { decodeWords } from "./encoded_word.ts";
import { ImapSyntaxError } from "./imap_line.ts";
import { type ImapValue, isNil, textOf } from "./imap_parser.ts";
import { nstring, type Pieces } from "./imap_string.ts";
import { type ListedAddress, parseAddresses } from "./address_list.ts";
import { fieldValue, type HeaderField } from "./mail_header.ts";

/** An envelope, decoded, to be shown with `visible`. */
export interface Envelope {
  date?: string;
  subject?: string;
  /** Each as `Ada <ada@example.org>`. */
  from: string[];
  to: string[];
  messageId?: string;
}

const ADDRESS_FIELDS = ["from", "sender", "reply-to", "to", "cc", "bcc"];

/**
 * The envelope of a mail, to be sent.
 *
 * @example
 * ```ts
 * import { envelopePieces } from "./imap_envelope.ts";
 * import { headerFields } from "./mail_header.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const mail = new TextEncoder().encode("From: ada@example.org\r\nSubject: hello\r\n\r\n");
 * const from = '((NIL NIL "ada" "example.org"))';
 * assertEquals(
 *   envelopePieces(headerFields(mail)).join(""),
 *   `(NIL "hello" ${from} ${from} ${from} NIL NIL NIL NIL NIL)`,
 * );
 * ```
 */
export function envelopePieces(fields: HeaderField[]): Pieces {
  const text = (name: string) => nstring(fieldValue(fields, name));
  const lists = ADDRESS_FIELDS.map((name) => addressesIn(fields, name));
  // who sent it, and who gets the answer, is the author unless told
  for (const index of [1, 2]) if (lists[index]!.length === 0) lists[index] = lists[0]!;
  const parts = [
    text("date"),
    text("subject"),
    ...lists.map(addressPieces),
    text("in-reply-to"),
    text("message-id"),
  ];
  return ["(", ...parts.flatMap((part, index) => index === 0 ? part : [" ", ...part]), ")"];
}

function addressesIn(fields: HeaderField[], name: string): ListedAddress[] {
  const value = fieldValue(fields, name);
  return value === undefined ? [] : parseAddresses(value);
}

function addressPieces(addresses: ListedAddress[]): Pieces {
  if (addresses.length === 0) return ["NIL"];
  const each = ({ name, mailbox, host }: ListedAddress): Pieces => [
    ...["(", ...nstring(name), " NIL "],
    ...[...nstring(mailbox), " ", ...nstring(host), ")"],
  ];
  return ["(", ...addresses.flatMap(each), ")"];
}

/**
 * Reads the envelope that a server has sent, and decodes it.
 *
 * @throws {ImapSyntaxError} when it is none
 */
export function readEnvelope(value: ImapValue | undefined): Envelope {
  if (!Array.isArray(value) || value.length !== 10) {
    throw new ImapSyntaxError("an envelope has ten parts");
  }
  const text = (at: number) => isNil(value[at]) ? undefined : decodeWords(textOf(value[at]));
  const [date, subject, messageId] = [text(0), text(1), text(9)];
  return {
    ...(date !== undefined && { date }),
    ...(subject !== undefined && { subject }),
    from: readAddresses(value[2]),
    to: readAddresses(value[5]),
    ...(messageId !== undefined && { messageId }),
  };
}

function readAddresses(value: ImapValue | undefined): string[] {
  if (isNil(value)) return [];
  if (!Array.isArray(value)) throw new ImapSyntaxError("an envelope holds lists of addresses");
  return value.flatMap((address) => {
    if (!Array.isArray(address) || address.length !== 4) {
      throw new ImapSyntaxError("an address has four parts");
    }
    const [name, mailbox, host] = [address[0], address[2], address[3]].map((part) =>
      isNil(part) ? undefined : textOf(part)
    );
    // without a host it is the beginning or the end of a group
    if (host === undefined) return mailbox === undefined ? [] : [`${decodeWords(mailbox)}:`];
    const written = `${mailbox ?? ""}@${host}`;
    return [name === undefined ? written : `${decodeWords(name)} <${written}>`];
  });
}
