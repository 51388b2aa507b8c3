/**
 * Sends what waits in a spool: in order, at a pace, and again until it has arrived.
 *
 * @module
 */

import { after } from "./deadline.ts";
import { explain } from "./errors.ts";
import { Pace } from "./pace.ts";
import { pause } from "./pause.ts";
import { SlackError } from "./slack_error.ts";
import type { Spool, SpooledMessage } from "./spool.ts";

/** How an outbox goes about it. */
export interface OutboxOptions {
  /**
   * Sends one message; throws {@linkcode SlackError} when it did not go. Whatever else it throws ends the
   * outbox.
   */
  post: (message: SpooledMessage, signal: AbortSignal) => Promise<void>;
  /** Milliseconds between two messages to one channel; 1,000 unless told. */
  pace?: number;
  /** Milliseconds before the second try, doubled for each further one; 1,000 unless told. */
  firstPause?: number;
  /** The longest pause between two tries, in milliseconds; 30,000 unless told. */
  longestPause?: number;
  /** Milliseconds that a message on its way may take after `shutdown`; 1,000 unless told. */
  grace?: number;
}

/**
 * An outbox that runs until it is shut down.
 *
 * A message is sent at least once, and mostly once: when the answer to it was lost, or the process was
 * killed before it could note the answer, it is sent again.
 *
 * @example
 * ```ts
 * import { Outbox } from "./outbox.ts";
 * import { Spool } from "./spool.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const sent: string[] = [];
 * await using spool = await Spool.open(await Deno.makeTempDir());
 * await using outbox = new Outbox(spool, {
 *   post: (message) => Promise.resolve(void sent.push(message.text)),
 *   pace: 0,
 * });
 * await spool.append({ channel: "#bot", text: "hello" });
 * await outbox.shutdown();
 * assertEquals(sent, ["hello"]);
 * ```
 */
export class Outbox implements AsyncDisposable {
  /** Settles after `shutdown`; rejects when nothing more can be sent: a bad token, a full disk. */
  readonly finished: Promise<void>;
  readonly #spool: Spool;
  readonly #options: Required<OutboxOptions>;
  readonly #pace: Pace;
  readonly #stopping = new AbortController();
  readonly #tooLate = new AbortController();

  constructor(spool: Spool, options: OutboxOptions) {
    const defaults = { pace: 1_000, firstPause: 1_000, longestPause: 30_000, grace: 1_000 };
    this.#spool = spool;
    this.#options = { ...defaults, ...options };
    this.#pace = new Pace(this.#options.pace);
    this.finished = this.#run();
    // a failure is told where it is waited for
    this.finished.catch(() => {});
  }

  /** Sends what can go at once, and leaves the rest in the spool. */
  async shutdown(): Promise<void> {
    this.#stopping.abort();
    using _late = after(this.#options.grace, () => this.#tooLate.abort());
    await this.finished.catch(() => {});
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  async #run(): Promise<void> {
    const { firstPause, longestPause } = this.#options;
    let delay = firstPause;
    for (let message; (message = await this.#next());) {
      try {
        await this.#options.post(message, this.#tooLate.signal);
        await this.#spool.done(message);
        delay = firstPause;
      } catch (error) {
        if (this.#tooLate.signal.aborted) return;
        if (!(error instanceof SlackError) || error.fault === "setup") throw error;
        const { reason, next } = explain(error);
        if (error.fault === "message") {
          await this.#spool.setAside(message, error.message);
          const told = `${reason}; a message is set aside in refused.jsonl`;
          console.error(next ? `${told}. ${next}` : told);
        } else {
          const wait = error.retryAfter ?? delay;
          delay = Math.min(longestPause, delay * 2);
          console.error(
            `${reason}; next try in ${wait / 1000} s, waiting: ${this.#spool.size}`,
          );
          if (!await pause(wait, this.#stopping.signal)) return;
        }
      }
      this.#pace.mark(message.channel);
    }
  }

  /** The next message, when it may be sent; nothing when the outbox is to stop before. */
  async #next(): Promise<SpooledMessage | undefined> {
    const { signal } = this.#stopping;
    await this.#spool.arrival(signal);
    if (this.#tooLate.signal.aborted) return;
    const message = this.#spool.oldest();
    for (let due; message && (due = this.#pace.due(message.channel)) > 0;) {
      if (!await pause(due, signal)) return;
    }
    return message;
  }
}
