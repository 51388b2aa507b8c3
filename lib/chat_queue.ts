/**
 * What waits to be sent to one client, up to a limit. Who adds to it never waits: a client that reads too
 * slowly holds nobody up, and costs no more memory than the limit.
 *
 * @module
 */

import { after } from "./deadline.ts";

/** Anything that writes all it is given, as `Connection` does. */
export interface Sink {
  write(bytes: Uint8Array): Promise<number>;
}

/**
 * A bounded queue in front of a connection. What has been added is written in order; what piles up while one
 * write is under way goes out together with the next.
 *
 * @example
 * ```ts
 * import { ChatQueue } from "./chat_queue.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const stuck = { write: () => new Promise<number>(() => {}) };
 * const queue = new ChatQueue(stuck, { limit: 10 });
 * assertEquals(queue.add(new Uint8Array(6)), true);
 * assertEquals(queue.add(new Uint8Array(6)), false);
 * ```
 */
export class ChatQueue {
  readonly #sink: Sink;
  readonly #limit: number;
  #waiting: Uint8Array[] = [];
  #size = 0;
  #writing: Promise<void> | undefined;
  #failed = false;

  /** @param options.limit the most bytes that wait; 256 KiB unless told */
  constructor(sink: Sink, options: { limit?: number } = {}) {
    this.#sink = sink;
    this.#limit = options.limit ?? 256 * 1024;
  }

  /** How many bytes wait, with those that are being written. */
  get size(): number {
    return this.#size;
  }

  /** Puts bytes at the end; false when they do not fit. What cannot be written any more is thrown away. */
  add(bytes: Uint8Array): boolean {
    if (this.#failed) return true;
    if (this.#size + bytes.length > this.#limit) return false;
    this.#waiting.push(bytes);
    this.#size += bytes.length;
    this.#writing ??= this.#writeAll();
    return true;
  }

  /** Settles when all that was added has been handed to the system, or never can be; it does not reject. */
  get emptied(): Promise<void> {
    return this.#writing ?? Promise.resolve();
  }

  async #writeAll(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const bytes = joined(this.#waiting.splice(0));
        await this.#sink.write(bytes);
        this.#size -= bytes.length;
      }
    } catch {
      // whoever reads from this connection learns why, and ends it
      this.#failed = true;
      this.#waiting = [];
      this.#size = 0;
    } finally {
      this.#writing = undefined;
    }
  }
}

/**
 * Waits until all queues are empty, but no longer than `patience` milliseconds: the pace at which one client
 * may go on, so that those who do read can follow, and those who do not hold nobody up.
 */
export async function emptied(queues: Iterable<ChatQueue>, patience: number): Promise<void> {
  const busy = Array.from(queues).filter((queue) => queue.size > 0);
  if (busy.length === 0) return;
  await new Promise<void>((resolve) => {
    const enough = after(patience, resolve);
    Promise.all(busy.map((queue) => queue.emptied)).then(() => {
      enough[Symbol.dispose]();
      resolve();
    });
  });
}

function joined(parts: Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
