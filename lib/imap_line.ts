/**
 * A line of IMAP, which may be longer than a line: where a text ends in `{12}`, the next 12 bytes belong to
 * it, whatever they are, and then the line goes on. Only the count tells where they end. Who looked for a line
 * end or a tag in them could be told anything by whoever wrote a mail.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc3501#section-4.3 RFC 3501, 4.3}
 * @see {@link https://www.rfc-editor.org/rfc/rfc7888 RFC 7888} for `{12+}`, which needs no go-ahead
 * @module
 */

import { LimitError, type SocketReader, UnexpectedEof } from "./reader.ts";

/** Text and literals in turns: text, literal, text, … and text at the end. The announcements `{12}` are gone. */
export type ImapLine = Uint8Array[];

/** A literal that is about to come. */
export interface Announced {
  /** Bytes. */
  size: number;
  /** Whether the other side waits for a go-ahead. */
  waits: boolean;
}

/** How a line is read. */
export interface ImapLineOptions {
  /** The most bytes of text, all of the line's together; 64 KiB unless told. */
  limit?: number;
  /** The most bytes of literals, all of the line's together; 64 MiB unless told. */
  literalLimit?: number;
  /** Milliseconds for each part of the text; 10,000 unless told. A literal gets a second more per 10 kB. */
  timeout?: number;
  /** Ends the wait. */
  signal?: AbortSignal;
  /** Told of each part of the text, with its announcement: to be shown. */
  onText?: (text: string) => void;
  /** Told of a literal before it is read: to give a go-ahead, or to refuse by an error. */
  onAnnounced?: (literal: Announced) => Promise<void> | void;
  /** Told how many bytes of a literal have come. */
  onProgress?: (bytes: number) => void;
}

/** What comes is no IMAP. */
export class ImapSyntaxError extends Error {
  override name = "ImapSyntaxError";
}

const CR = 13, NUL = 0;
const PIECE = 64 * 1024;
const MOST_LITERALS = 1_000; // in one line
const decoder = new TextDecoder();

/**
 * Reads one line with its literals; `null` when the stream ends before it.
 *
 * @throws {ImapSyntaxError} when a CR, LF or NUL stands where none may
 * @throws {LimitError} when it is longer than allowed: a literal too long is not begun to be read
 * @throws {UnexpectedEof} when the stream ends in the middle
 *
 * @example
 * ```ts
 * import { readImapLine } from "./imap_line.ts";
 * import { SocketReader } from "./reader.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const sent = "* 1 FETCH (BODY[] {9}\r\na4 OK hm\n)\r\na4 OK done\r\n";
 * const reader = SocketReader.from(new TextEncoder().encode(sent));
 * const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
 * assertEquals((await readImapLine(reader))!.map(text), ["* 1 FETCH (BODY[] ", "a4 OK hm\n", ")"]);
 * assertEquals((await readImapLine(reader))!.map(text), ["a4 OK done"]);
 * ```
 */
export async function readImapLine(
  reader: SocketReader,
  options: ImapLineOptions = {},
): Promise<ImapLine | null> {
  const { limit = 64 * 1024, literalLimit = 64 * 1024 * 1024, timeout = 10_000, signal } = options;
  const parts: ImapLine = [];
  let texts = 0, literals = 0;
  for (;;) {
    const ended = await reader.readUntil("\n", { limit: limit - texts, timeout, signal });
    if (ended === null) {
      if (parts.length === 0) return null;
      throw new UnexpectedEof(0, "the rest of the line after a literal");
    }
    const text = checked(ended);
    options.onText?.(decoder.decode(text));
    texts += text.length;
    const announced = parts.length === 0 && isFreeText(text) ? undefined : announcementIn(text);
    if (!announced) return [...parts, text];
    literals += announced.size;
    if (parts.length >= 2 * MOST_LITERALS) {
      throw new ImapSyntaxError(`a line has more than ${MOST_LITERALS} literals`);
    }
    if (literals > literalLimit) {
      throw new LimitError(`a literal of ${announced.size} bytes`, literalLimit);
    }
    await options.onAnnounced?.(announced);
    parts.push(text.subarray(0, announced.start));
    parts.push(await readLiteral(reader, announced.size, options));
  }
}

/** A line without its end, which is CR LF: what else looked like one could hide a second line from somebody. */
function checked(line: Uint8Array): Uint8Array {
  if (line.at(-1) !== CR) throw new ImapSyntaxError("a line ends in LF without CR");
  const text = line.subarray(0, -1);
  if (text.includes(CR)) throw new ImapSyntaxError("a CR stands in the middle of a line");
  if (text.includes(NUL)) throw new ImapSyntaxError("a NUL stands in a line");
  return text;
}

/** What a person is to read, as in `* OK text`, holds no literal, whatever it ends in. */
function isFreeText(text: Uint8Array): boolean {
  const begin = decoder.decode(text.subarray(0, 100));
  return /^\+|^\S+ (OK|NO|BAD|BYE|PREAUTH)( |$)/i.test(begin);
}

function announcementIn(text: Uint8Array) {
  const end = decoder.decode(text.subarray(-24));
  const found = /~?\{(\d{1,19})(\+?)\}$/.exec(end);
  if (!found) return undefined;
  return {
    size: Number(found[1]),
    waits: found[2] === "",
    start: text.length - found[0].length,
  };
}

/** Room is made as bytes come: an announcement alone costs nothing. */
async function readLiteral(
  reader: SocketReader,
  size: number,
  { timeout = 10_000, signal, onProgress }: ImapLineOptions,
): Promise<Uint8Array> {
  let bytes = new Uint8Array(Math.min(size, PIECE));
  let length = 0;
  const due = performance.now() + timeout + size / 10;
  while (length < size) {
    if (length === bytes.length) {
      const larger = new Uint8Array(Math.min(size, 2 * length));
      larger.set(bytes);
      bytes = larger;
    }
    // in whole seconds: it may be told
    const seconds = Math.max(1, Math.ceil((due - performance.now()) / 1_000));
    const left = Math.min(timeout, 1_000 * seconds);
    const count = await reader.read(bytes.subarray(length), { timeout: left, signal });
    if (count === null) throw new UnexpectedEof(length, size);
    length += count;
    onProgress?.(count);
  }
  return bytes;
}
