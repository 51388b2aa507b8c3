/**
 * The commands of an FTP client, as a server reads them: one after another, but for ABOR, which is to end a
 * transfer while it goes on, and STAT, which asks how far it is.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc959#section-4.1.3 RFC 959, 4.1.3}
 * @module
 */

import { withoutTelnet, withoutUrgency } from "./ftp_telnet.ts";
import { SocketReader, type Source } from "./reader.ts";

/** How many commands are kept that come during a transfer; further ones wait in the connection. */
const MOST_AHEAD = 20;

/** How commands are read. */
export interface CommandOptions {
  /** The most bytes of one. */
  limit: number;
  /** Milliseconds until one must have come. */
  timeout: number;
}

/** What is done while commands are read ahead. */
export interface Transfer<T> {
  /** The transfer; `stop` is aborted when ABOR comes. */
  work: (stop: AbortSignal) => Promise<T>;
  /** Answers STAT. */
  status: () => Promise<void>;
}

/**
 * Reads commands.
 *
 * @example
 * ```ts
 * import { Commands } from "./ftp_commands.ts";
 * import { SocketReader } from "./reader.ts";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const said = SocketReader.from(new TextEncoder().encode("NOOP\r\nABOR\r\nQUIT\r\n"));
 * const connection = { read: (into: Uint8Array) => said.read(into), write: () => Promise.resolve(0) };
 * const commands = new Commands(connection, { limit: 4_096, timeout: 60_000 });
 * const work = (stop: AbortSignal) => new Promise<void>((done) => stop.onabort = () => done());
 * const status = () => Promise.resolve();
 * await assertRejects(() => commands.during({ work, status }), Error, "ABOR");
 * // the others have waited, and ABOR itself is answered in its turn
 * const next = async () => new TextDecoder().decode((await commands.next())!);
 * assertEquals([await next(), await next(), await next()], ["NOOP\r", "ABOR\r", "QUIT\r"]);
 * ```
 */
export class Commands {
  readonly #reader: SocketReader;
  readonly #ahead: Uint8Array[] = [];

  constructor(
    control: Source & { write(bytes: Uint8Array): Promise<number> },
    options: CommandOptions,
  ) {
    // A read ends before an urgent byte, and Deno takes one that does not fill its memory for the last: what has
    // come behind that byte would wait until still more comes. A read of one byte is always full.
    const byteByByte = {
      read: (into: Uint8Array) => control.read(into.subarray(0, 1)),
      write: (answer: Uint8Array) => control.write(answer),
    };
    this.#reader = new SocketReader(withoutUrgency(withoutTelnet(byteByByte)), options);
  }

  /** The next command without its LF, in the order in which they came; `null` when the client has gone. */
  async next(): Promise<Uint8Array | null> {
    return this.#ahead.shift() ?? await this.#reader.readUntil("\n");
  }

  /**
   * Does a transfer; until it is over, commands are read ahead.
   *
   * @throws {Error} when ABOR came, whatever became of the transfer; otherwise what `work` throws
   */
  async during<T>({ work, status }: Transfer<T>): Promise<T> {
    const stop = new AbortController(), over = new AbortController();
    // it may have come with the command for this transfer, while another one went on
    if (this.#ahead.some((line) => verbOf(line) === "ABOR")) stop.abort(aborted());
    const reading = this.#readAhead(stop, over.signal, status);
    try {
      stop.signal.throwIfAborted();
      const result = await work(stop.signal);
      stop.signal.throwIfAborted();
      return result;
    } catch (error) {
      throw stop.signal.aborted ? stop.signal.reason : error;
    } finally {
      over.abort();
      // its answer to STAT must not mix with the next reply
      await reading;
    }
  }

  async #readAhead(stop: AbortController, over: AbortSignal, status: () => Promise<void>) {
    try {
      while (!over.aborted && !stop.signal.aborted && this.#ahead.length < MOST_AHEAD) {
        const line = await this.#reader.readUntil("\n", { timeout: Infinity, signal: over });
        if (line === null) return;
        const verb = verbOf(line);
        // replies come in the order of the commands: behind another one, it has to wait for that one's
        if (verb === "STAT" && this.#ahead.length === 0) await status();
        else this.#ahead.push(line);
        if (verb === "ABOR") stop.abort(aborted());
      }
    } catch {
      // the transfer is over, or no command comes any more: who asks for the next one is told
    }
  }
}

const aborted = () => new Error("the client says ABOR");

/** The command, when the line is nothing else. */
function verbOf(line: Uint8Array): string {
  return line.length > 16 ? "" : new TextDecoder().decode(line).trim().toUpperCase();
}
