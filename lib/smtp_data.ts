/**
 * A mail as it comes in after DATA: line by line until the single dot.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc5321#section-4.5.2 RFC 5321, 4.5.2}
 * @module
 */

import { LimitError, type ReadOptions, type SocketReader, UnexpectedEof } from "./reader.ts";

/** Room in memory that all mails under way share. */
export class Room {
  #free: number;

  /** @param bytes how much there is */
  constructor(bytes: number) {
    this.#free = bytes;
  }

  /** Takes some; false when there is not so much. */
  take(bytes: number): boolean {
    if (bytes > this.#free) return false;
    this.#free -= bytes;
    return true;
  }

  give(bytes: number): void {
    this.#free += bytes;
  }
}

/** Limits of {@linkcode readMailData}. */
export interface MailDataOptions {
  /** The most bytes of a mail. */
  size: number;
  /** The most bytes of a line with its end; 1,000 unless told (RFC 5321, 4.5.3.1.6). */
  line?: number;
  room: Room;
  /** Milliseconds until all of it must have come; 30 minutes unless told. */
  timeout?: number;
}

/** Why a mail is not taken, as a reply. */
export interface MailFault {
  code: number;
  text: string;
}

/** A mail that has come; dispose of it when it is stored: its room is needed for others. */
export interface MailData extends Disposable {
  pieces: Uint8Array[];
  size: number;
  fault?: MailFault;
}

const CR = 13, LF = 10, DOT = 46;
const LINE_WAIT = 180_000; // RFC 5321, 4.5.3.2.5

/** A line, or the rest of one that was too long: then it is empty. */
export interface WireLine {
  line: Uint8Array;
  tooLong: boolean;
}

/**
 * The next line that ends in CR LF, without them; no other end counts. Of a line that is too long nothing is kept,
 * and what follows it is read as if nothing had been wrong. `null` at the end of the stream, also in the middle of
 * a line.
 *
 * @param limit the most bytes, CR LF included
 *
 * @example
 * ```ts
 * import { readWireLine } from "./smtp_data.ts";
 * import { SocketReader } from "./reader.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const encode = (text: string) => new TextEncoder().encode(text);
 * const reader = SocketReader.from(encode("much too long\r\na\nb\r\nrest"));
 * assertEquals((await readWireLine(reader, 10))?.tooLong, true);
 * assertEquals((await readWireLine(reader, 10))?.line, encode("a\nb"));
 * assertEquals(await readWireLine(reader, 10), null);
 * ```
 */
export async function readWireLine(
  reader: SocketReader,
  limit: number,
  options: ReadOptions = {},
): Promise<WireLine | null> {
  for (let tooLong = false;;) {
    try {
      const line = await reader.readUntil("\r\n", { ...options, limit: limit - 2 });
      if (line === null) return null;
      return { line: tooLong ? new Uint8Array() : line, tooLong };
    } catch (error) {
      if (error instanceof UnexpectedEof) return null;
      if (!(error instanceof LimitError)) throw error;
      // no CR LF begins in these bytes, not even at the last: see readUntil
      reader.tryExactly(limit - 2);
      tooLong = true;
    }
  }
}

/**
 * Reads a mail until `CR LF . CR LF`, and takes the added dots away. Only CR LF ends a line. A server that took
 * `LF . LF` for the end as well, behind one that does not, would find a second mail in the first, with a sender of
 * the first one's choice (smuggling): a mail with a bare CR or LF is read to its true end, and refused.
 *
 * @returns the mail, or why it is refused; `null` when the stream ends before the dot
 * @throws {DeadlineError} when it comes too slowly
 * @throws {LimitError} when there is no end of it
 *
 * @example
 * ```ts
 * import { readMailData, Room } from "./smtp_data.ts";
 * import { SocketReader } from "./reader.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const wire = new TextEncoder().encode("one\r\n..two\r\n.\r\nQUIT\r\n");
 * const reader = SocketReader.from(wire);
 * using mail = await readMailData(reader, { size: 1_000, room: new Room(10_000) });
 * assertEquals(new TextDecoder().decode(mail!.pieces[0]), "one\r\n.two\r\n");
 * assertEquals(await reader.readLine(), "QUIT");
 * ```
 */
export async function readMailData(
  reader: SocketReader,
  options: MailDataOptions,
): Promise<MailData | null> {
  const { size, line: longest = 1_000, room, timeout = 1_800_000 } = options;
  const due = performance.now() + timeout;
  const mail = new Blocks(room);
  let fault: MailFault | undefined, received = 0, keep = false;
  try {
    for (;;) {
      const left = Math.max(1, Math.min(LINE_WAIT, due - performance.now()));
      // a dot may be added to the longest line
      const next = await readWireLine(reader, longest + 1, { timeout: left });
      if (next === null) return null;
      const { line, tooLong } = next;
      if (line.length === 1 && line[0] === DOT && !tooLong) break;
      const text = line[0] === DOT ? line.subarray(1) : line;
      received += tooLong ? longest : text.length + 2;
      // the sender is heard to the end, but not for ever
      if (received > 2 * size + longest) throw new LimitError("the mail", size);
      fault ??= faultOf(text, tooLong || text.length + 2 > longest);
      if (received > size) fault ??= { code: 552, text: `A mail has at most ${size} bytes here` };
      if (!fault && !mail.add(text)) fault = { code: 452, text: "No room now, try again later" };
      if (fault) mail.clear();
    }
    keep = true;
  } finally {
    if (!keep) mail.clear();
  }
  return {
    pieces: mail.pieces,
    size: mail.size,
    ...(fault && { fault }),
    [Symbol.dispose]: () => mail.clear(),
  };
}

function faultOf(line: Uint8Array, tooLong: boolean): MailFault | undefined {
  if (tooLong) return { code: 500, text: "A line of the mail is too long" };
  if (line.includes(LF) || line.includes(CR)) {
    return { code: 550, text: "A bare CR or LF: lines end with both" };
  }
  if (line.includes(0)) return { code: 550, text: "A NUL is in the mail" };
}

/** Many small lines in few large blocks. */
class Blocks {
  #full: Uint8Array[] = [];
  #block = new Uint8Array(0);
  #used = 0;
  #taken = 0;
  size = 0;

  constructor(readonly room: Room) {}

  get pieces(): Uint8Array[] {
    return [...this.#full, this.#block.subarray(0, this.#used)];
  }

  /** Adds a line and its end; false when there is no room. */
  add(line: Uint8Array): boolean {
    const length = line.length + 2;
    if (this.#used + length > this.#block.length) {
      const most = Math.max(length, this.#full.length === 0 ? 4 * 1024 : 64 * 1024);
      if (!this.room.take(most)) return false;
      this.#taken += most;
      if (this.#used > 0) this.#full.push(this.#block.subarray(0, this.#used));
      this.#block = new Uint8Array(most);
      this.#used = 0;
    }
    this.#block.set(line, this.#used);
    this.#block.set([CR, LF], this.#used + line.length);
    this.#used += length;
    this.size += length;
    return true;
  }

  clear(): void {
    this.room.give(this.#taken);
    this.#taken = this.#used = this.size = 0;
    this.#full = [];
    this.#block = new Uint8Array(0);
  }
}
