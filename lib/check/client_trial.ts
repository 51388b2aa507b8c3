/**
 * What a check of a student's client works with: the checker is the server, and the client is started once for
 * each check.
 *
 * @module
 */

import { DeadlineError, within } from "../deadline.ts";
import { Gone } from "./check.ts";
import { Exchange } from "./exchange.ts";

/** One try of a client. */
export class ClientTrial implements Disposable {
  /** How long the client may be silent, in milliseconds. */
  readonly timeout: number;
  readonly #listener: Deno.TcpListener;
  readonly #patience: number;
  #exchange: Exchange | undefined;
  #over = false;

  constructor(listener: Deno.TcpListener, options: { timeout: number; patience: number }) {
    this.#listener = listener;
    this.timeout = options.timeout;
    this.#patience = options.patience;
  }

  /**
   * Waits for the client to connect.
   *
   * @throws {Gone} when none comes
   */
  async accept(): Promise<Exchange> {
    try {
      const connection = await within(this.#patience, this.#listener.accept());
      this.#exchange = new Exchange(connection, this.timeout);
    } catch (error) {
      if (!(error instanceof DeadlineError)) throw error;
      const likely = "start your client once for each check, while this waits";
      throw new Gone({ expected: "a client that connects", got: "none", likely }, true);
    }
    if (this.#over) this.#exchange[Symbol.dispose]();
    return this.#exchange;
  }

  [Symbol.dispose](): void {
    this.#over = true;
    this.#exchange?.[Symbol.dispose]();
  }
}
