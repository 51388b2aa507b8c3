/**
 * What an IMAP server says. Every line is one of three: the end of a command, which begins with the tag that
 * the client gave it; data or news, which begin with `*` and may come at any moment, asked for or not; and
 * `+`, the go-ahead for a literal.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc3501#section-7 RFC 3501, 7}
 * @module
 */

import { type ImapLine, type ImapLineOptions, ImapSyntaxError, readImapLine } from "./imap_line.ts";
import { ImapParser, type ImapValue, numberOf } from "./imap_parser.ts";
import type { SocketReader } from "./reader.ts";

/** `OK`, `NO` (it failed), `BAD` (it was not understood), `BYE` or `PREAUTH`. */
export interface StatusReply {
  kind: "status";
  /** The tag of the command that is over, or `*`. */
  tag: string;
  status: string;
  /** What programs are told in square brackets: `UIDVALIDITY`, and what stands behind it. */
  code?: string;
  details?: string;
  /** What people are told. */
  text: string;
}

/** `* 3 EXISTS`, `* LIST …`, `* 1 FETCH (…)`. */
export interface DataReply {
  kind: "data";
  /** In capitals. */
  name: string;
  /** The number before the name, where there is one. */
  number?: number;
  values: ImapValue[];
}

/** `+ go ahead`. */
export interface GoAheadReply {
  kind: "go-ahead";
  text: string;
}

export type ImapReply = StatusReply | DataReply | GoAheadReply;

/**
 * Reads the next reply; `null` when the server has closed the connection.
 *
 * @throws {ImapSyntaxError} when it is none; otherwise as {@linkcode readImapLine}
 *
 * @example
 * ```ts
 * import { readImapReply } from "./imap_reply.ts";
 * import { SocketReader } from "./reader.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const sent = "* 3 EXISTS\r\na3 OK [READ-ONLY] EXAMINE completed\r\n";
 * const reader = SocketReader.from(new TextEncoder().encode(sent));
 * assertEquals(await readImapReply(reader), { kind: "data", name: "EXISTS", number: 3, values: [] });
 * const end = await readImapReply(reader);
 * assertEquals(end?.kind === "status" && [end.tag, end.status, end.code], ["a3", "OK", "READ-ONLY"]);
 * ```
 */
export async function readImapReply(
  reader: SocketReader,
  options: ImapLineOptions = {},
): Promise<ImapReply | null> {
  const line = await readImapLine(reader, options);
  return line && parseImapReply(line);
}

const decoder = new TextDecoder();

/** Reads a reply from a line; see {@linkcode readImapReply}. */
export function parseImapReply(line: ImapLine): ImapReply {
  const whole = line.length === 1 ? decoder.decode(line[0]) : "";
  if (/^\+( |$)/.test(whole)) return { kind: "go-ahead", text: whole.slice(2) };
  const status = /^([^\s+(){%*"\\]+|\*) (OK|NO|BAD|BYE|PREAUTH)(?: (.*))?$/is.exec(whole);
  if (status) {
    const [, tag, word, rest = ""] = status;
    const code = /^\[([^\s\]]+)(?: ([^\]]*))?\] ?/.exec(rest);
    return {
      kind: "status",
      tag: tag!,
      status: word!.toUpperCase(),
      ...(code && { code: code[1]!.toUpperCase() }),
      ...(code?.[2] !== undefined && { details: code[2] }),
      text: rest.slice(code?.[0].length ?? 0),
    };
  }
  const parser = new ImapParser(line);
  if (parser.atom() !== "*") throw new ImapSyntaxError("it begins with no tag, no * and no +");
  let name = parser.atom();
  const number = numberOf(name);
  if (number !== undefined) name = parser.atom();
  return {
    kind: "data",
    name: name.toUpperCase(),
    ...(number !== undefined && { number }),
    values: parser.values(),
  };
}

/** What a FETCH reply tells of a message: `RFC822.SIZE`, `BODY[]`, names in capitals. */
export function fetchedItems(values: ImapValue[]): Map<string, ImapValue> {
  const [list] = values;
  if (!Array.isArray(list) || list.length % 2 !== 0) {
    throw new ImapSyntaxError("FETCH tells no pairs of names and values");
  }
  const items = new Map<string, ImapValue>();
  for (let at = 0; at < list.length; at += 2) {
    const [name, value] = [list[at], list[at + 1]!];
    if (typeof name !== "string") throw new ImapSyntaxError("FETCH tells something without a name");
    items.set(name.toUpperCase(), value);
  }
  return items;
}
