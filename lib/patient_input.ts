/**
 * Reads that can be given up without losing what they bring. Deno cannot take back a `read` that waits for
 * the network: one that is given up goes on, and the next call gets its bytes.
 *
 * @module
 */

import { after, DeadlineError } from "./deadline.ts";

/** Anything that reads as a `Deno.Conn` does. */
export interface Source {
  read(into: Uint8Array): Promise<number | null>;
}

/** How long to wait, over all the reads of one call. */
export interface Wait {
  /** Milliseconds in all. */
  timeout: number;
  signal?: AbortSignal;
  /** When the time is up, on the clock of `performance.now`; 0 before the first read. */
  due: number;
}

/** A source whose reads end at a deadline or an abort. */
export class PatientInput {
  readonly #source: Source;
  #pending: Promise<number | null> | undefined;
  #waiting = false;

  constructor(source: Source) {
    this.#source = source;
  }

  /**
   * Reads once, or takes over the read that an earlier call gave up.
   *
   * @param room gives the memory to read into; not asked when a read is taken over: the bytes then come
   *   into the memory given for that one
   * @throws {DeadlineError} when nothing comes in time
   */
  async read(room: () => Uint8Array, wait: Wait): Promise<number | null> {
    if (this.#waiting) throw new TypeError("cannot read: another call is still waiting");
    wait.signal?.throwIfAborted();
    const now = performance.now();
    wait.due ||= now + wait.timeout;
    this.#waiting = true;
    try {
      // what this read ends with is also told to whoever takes it over: it is never unhandled
      this.#pending ??= this.#source.read(room());
      const count = await this.#unlessGivenUp(this.#pending, wait, wait.due - now);
      this.#pending = undefined;
      return count;
    } catch (error) {
      if (!(error instanceof GivenUp)) this.#pending = undefined;
      throw error instanceof GivenUp ? error.cause : error;
    } finally {
      this.#waiting = false;
    }
  }

  #unlessGivenUp<T>(read: Promise<T>, { signal, timeout }: Wait, milliseconds: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const giveUp = (cause: unknown) => reject(new GivenUp("", { cause }));
      const deadline = after(milliseconds, () => giveUp(new DeadlineError(timeout)));
      const onAbort = () => giveUp(signal!.reason);
      signal?.addEventListener("abort", onAbort);
      read.then(resolve, reject).finally(() => {
        deadline[Symbol.dispose]();
        signal?.removeEventListener("abort", onAbort);
      });
    });
  }
}

/** A wait that ended before the read did; the cause says why. */
class GivenUp extends Error {}
