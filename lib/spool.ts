/**
 * A queue in a folder: what was taken in is there after a crash, in order, until it is done with.
 *
 *     queue.jsonl     the messages, and notes of those that are done
 *     refused.jsonl   messages that were set aside, with the reason
 *     lock            held while a program uses the folder
 *
 * @module
 */

import { attempt } from "./errors.ts";
import type { SpoolFile } from "./spool_file.ts";
import { lockFolder, writeTo } from "./spool_folder.ts";
import { messageOf, type Place, recordLine, type SpooledMessage } from "./spool_records.ts";
import { recoverQueue } from "./spool_recovery.ts";

export type { SpooledMessage };

/** How much a spool holds. */
export interface SpoolOptions {
  /** The most messages that wait; 10,000 unless told. */
  maxMessages?: number;
  /** The most bytes of messages that wait, as they stand in the file; 16 MiB unless told. */
  maxBytes?: number;
}

/** So many messages wait that no more are taken: to be told to whoever brings one. */
export class SpoolFullError extends Error {
  override name = "SpoolFullError";
}

/**
 * Opens a spool; what an earlier run has left is in it.
 *
 * @example
 * ```ts
 * import { Spool } from "./spool.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * {
 *   await using spool = await Spool.open(folder);
 *   await spool.append({ channel: "#bot", text: "first" });
 *   await spool.append({ channel: "#bot", text: "second" });
 *   await spool.done(spool.oldest()!);
 * }
 * await using again = await Spool.open(folder);
 * assertEquals(again.oldest()?.text, "second");
 * ```
 */
export class Spool implements AsyncDisposable {
  readonly #folder: string;
  readonly #lock: Disposable;
  readonly #file: SpoolFile;
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  readonly #waiting: Place[];
  #lastId: number;
  /** Messages and bytes that wait, with those on their way to the disk. */
  #taken = { messages: 0, bytes: 0 };
  #onArrival = () => {};

  private constructor(
    folder: string,
    lock: Disposable,
    file: SpoolFile,
    { waiting, lastId }: { waiting: Place[]; lastId: number },
    { maxMessages = 10_000, maxBytes = 16 * 1024 * 1024 }: SpoolOptions,
  ) {
    this.#folder = folder;
    this.#lock = lock;
    this.#file = file;
    this.#waiting = waiting;
    this.#lastId = lastId;
    this.#maxMessages = maxMessages;
    this.#maxBytes = maxBytes;
    for (const { length } of waiting) this.#count(1, length);
  }

  /**
   * @param folder made when it is not there, readable for its owner only
   * @throws {ActionError} when the folder cannot be used: permission missing, in use, open to others
   */
  static async open(folder: string, options: SpoolOptions = {}): Promise<Spool> {
    const lock = await lockFolder(folder);
    try {
      const { file, records } = await recoverQueue(folder);
      return new Spool(folder, lock, file, records, options);
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  }

  /** How many messages wait. */
  get size(): number {
    return this.#waiting.length;
  }

  /**
   * Takes a message in. It is on the disk when this is done: only then may its sender be told so.
   *
   * @throws {SpoolFullError} when too many wait already
   * @throws {ActionError} when it cannot be written
   */
  async append(message: Omit<SpooledMessage, "id">): Promise<void> {
    const id = ++this.#lastId;
    const line = recordLine({ id, ...message });
    const { messages, bytes } = this.#taken;
    if (messages >= this.#maxMessages || bytes + line.length > this.#maxBytes) {
      throw new SpoolFullError(`as many messages wait as may: ${messages}`);
    }
    this.#count(1, line.length);
    try {
      const onWritten = (start: number) => {
        this.#waiting.push({ id, start, length: line.length });
        this.#onArrival();
      };
      await this.#file.append(line, { durable: true, onWritten });
    } catch (error) {
      this.#count(-1, -line.length);
      throw error;
    }
  }

  /** The message whose turn it is. */
  oldest(): SpooledMessage | undefined {
    const place = this.#waiting[0];
    return place && messageOf(this.#file.read(place.start, place.length));
  }

  /** Settles when a message waits, or the signal is aborted. */
  async arrival(signal: AbortSignal): Promise<void> {
    if (this.#waiting.length > 0 || signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#onArrival = resolve;
      signal.addEventListener("abort", this.#onArrival, { once: true });
    });
    signal.removeEventListener("abort", this.#onArrival);
  }

  /** The oldest message is done with: it will not come again, unless the machine crashes this moment. */
  async done({ id }: SpooledMessage): Promise<void> {
    const place = this.#waiting.shift();
    if (place?.id !== id) throw new Error(`message ${id} is not the oldest`);
    this.#count(-1, -place.length);
    await this.#file.append(recordLine({ done: id }), { durable: false });
    await this.#tidy();
  }

  /** Puts the oldest message, which will never be sent, into `refused.jsonl`. */
  async setAside(message: SpooledMessage, reason: string): Promise<void> {
    const { channel, text } = message;
    const line = JSON.stringify({ at: new Date().toISOString(), reason, channel, text }) + "\n";
    const path = `${this.#folder}/refused.jsonl`;
    const flags = { append: true, create: true, mode: 0o600 };
    using file = await attempt(`open ${path}`, Deno.open(path, flags));
    await writeTo(file, new TextEncoder().encode(line));
    await file.syncData();
    await this.done(message);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file[Symbol.asyncDispose]();
    this.#lock[Symbol.dispose]();
  }

  #count(messages: number, bytes: number): void {
    this.#taken.messages += messages;
    this.#taken.bytes += bytes;
  }

  /** Throws away what is done: all when nothing waits, else when it is as much as may wait. */
  async #tidy(): Promise<void> {
    const first = this.#waiting[0];
    if (first && first.start < this.#maxBytes) return;
    const from = (end: number) => this.#waiting[0]?.start ?? end;
    await this.#file.dropBefore(from, (bytes) => {
      for (const place of this.#waiting) place.start -= bytes;
    });
  }
}
