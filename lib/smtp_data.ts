/**
 * A mail as it comes in after DATA: line by line until the single dot.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc5321#section-4.5.2 RFC 5321, 4.5.2}
 * @module
 */

import { DotReader, type LineFaults } from "./mail_lines.ts";
import {
  LimitError,
  type ReadOptions,
  SocketReader,
  type Source,
  UnexpectedEof,
} from "./reader.ts";

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
  /** What came behind its end: see {@linkcode readerAfter}. */
  rest: Uint8Array;
}

const MiB = 1024 * 1024;
const BLOCK_WAIT = 180_000; // RFC 5321, 4.5.3.2.5

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
 * @throws {LimitError} for a line without an end, of more than 1 MiB
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
  for (let skipped = 0, tooLong = false;;) {
    try {
      const line = await reader.readUntil("\r\n", { ...options, limit: limit - 2 });
      if (line === null) return null;
      return { line: tooLong ? new Uint8Array() : line, tooLong };
    } catch (error) {
      if (error instanceof UnexpectedEof) return null;
      if (!(error instanceof LimitError)) throw error;
      // no CR LF begins in these bytes, not even at the last: see readUntil
      reader.tryExactly(limit - 2);
      skipped += limit;
      if (skipped > MiB) throw new LimitError("a line", MiB);
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
 * assertEquals(new TextDecoder().decode(mail!.rest), "QUIT\r\n");
 * ```
 */
export async function readMailData(
  reader: SocketReader,
  options: MailDataOptions,
): Promise<MailData | null> {
  const { size, line = 1_000, room, timeout = 1_800_000 } = options;
  const due = performance.now() + timeout;
  const lines = new DotReader();
  const mail = new Blocks(room);
  const buffer = new Uint8Array(16 * 1024);
  let full = false, received = 0, keep = false;
  try {
    for (;;) {
      const left = Math.max(1, Math.min(BLOCK_WAIT, due - performance.now()));
      const count = await reader.read(buffer, { timeout: left });
      if (count === null) return null;
      const { text, used, ended } = lines.push(buffer.subarray(0, count));
      received += text.length;
      // the sender is heard to the end, but not for ever
      if (received > 2 * size + MiB) throw new LimitError("the mail", size);
      let fault = faultOf(lines.faults, line);
      if (received > size) fault ??= { code: 552, text: `A mail has at most ${size} bytes here` };
      full ||= !fault && !mail.add(text);
      if (full) fault ??= { code: 452, text: "No room now, try again later" };
      if (fault) mail.clear();
      if (!ended) continue;
      keep = true;
      return {
        pieces: mail.pieces,
        size: mail.size,
        ...(fault && { fault }),
        rest: buffer.slice(used, count),
        [Symbol.dispose]: () => mail.clear(),
      };
    }
  } finally {
    if (!keep) mail.clear();
  }
}

function faultOf(faults: LineFaults, line: number): MailFault | undefined {
  if (faults.longest > line) return { code: 500, text: "A line of the mail is too long" };
  if (faults.bareCr + faults.bareLf > 0) {
    return { code: 550, text: "A bare CR or LF: lines end with both" };
  }
  if (faults.nul > 0) return { code: 550, text: "A NUL is in the mail" };
}

/**
 * A reader that goes on where a mail has ended: with what came behind it, then with the connection.
 *
 * @param rest {@linkcode MailData.rest}
 */
export function readerAfter(rest: Uint8Array, source: Source): SocketReader {
  return new SocketReader({
    read(into) {
      if (rest.length === 0) return source.read(into);
      const count = Math.min(rest.length, into.length);
      into.set(rest.subarray(0, count));
      rest = rest.subarray(count);
      return Promise.resolve(count);
    },
  });
}

/** Many small pieces in few large blocks. */
class Blocks {
  #blocks: Uint8Array[] = [];
  /** How much of the last block is used. */
  #used = 0;
  #taken = 0;
  size = 0;

  constructor(readonly room: Room) {}

  get pieces(): Uint8Array[] {
    return this.#blocks.map((block, at) =>
      at === this.#blocks.length - 1 ? block.subarray(0, this.#used) : block
    );
  }

  /** False when there is no room for all of it. */
  add(bytes: Uint8Array): boolean {
    for (let rest = bytes; rest.length > 0;) {
      let block = this.#blocks.at(-1);
      if (!block || this.#used === block.length) {
        // most mails are small
        block = new Uint8Array(this.#blocks.length === 0 ? 4 * 1024 : 64 * 1024);
        if (!this.room.take(block.length)) return false;
        this.#taken += block.length;
        this.#blocks.push(block);
        this.#used = 0;
      }
      const piece = rest.subarray(0, block.length - this.#used);
      block.set(piece, this.#used);
      this.#used += piece.length;
      this.size += piece.length;
      rest = rest.subarray(piece.length);
    }
    return true;
  }

  clear(): void {
    this.room.give(this.#taken);
    this.#taken = this.#used = this.size = 0;
    this.#blocks = [];
  }
}
