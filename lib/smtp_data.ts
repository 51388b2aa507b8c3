/**
 * A mail as it comes in after DATA: line by line until the single dot.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc5321#section-4.5.2 RFC 5321, 4.5.2}
 * @module
 */

import { Blocks, type Room } from "./mail_blocks.ts";
import { DotReader, type LineFaults } from "./mail_lines.ts";
import { LimitError, SocketReader, type Source } from "./reader.ts";

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
 * import { Room } from "./mail_blocks.ts";
 * import { readMailData } from "./smtp_data.ts";
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
