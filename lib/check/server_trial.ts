/**
 * What a check of a student's server works with: connections to it, closed when the check is over.
 *
 * @module
 */

import { formatEndpoint, type NetEndpoint } from "../address.ts";
import { DeadlineError, within } from "../deadline.ts";
import { ActionError } from "../errors.ts";
import { Gone, Mismatch } from "./check.ts";
import { Exchange } from "./exchange.ts";

/** How long a check waits. */
export interface TrialOptions {
  /** For the other side to do anything, in milliseconds. */
  timeout: number;
  /** How long the checker is silent where it tries that, in milliseconds. */
  silence: number;
}

/** One try of a server. */
export class ServerTrial implements Disposable {
  readonly options: TrialOptions;
  readonly where: NetEndpoint;
  /** What earlier checks have found out. */
  readonly known: Set<string>;
  readonly #open = new Set<Exchange>();
  /** A connection that is there already, for whoever connects first. */
  #ready: Deno.TcpConn | undefined;
  #over = false;
  #connected = false;

  constructor(
    where: NetEndpoint,
    options: TrialOptions,
    known = new Set<string>(),
    ready?: Deno.TcpConn,
  ) {
    this.where = where;
    this.options = options;
    this.known = known;
    this.#ready = ready;
  }

  /**
   * Connects.
   *
   * @throws {Gone} when nothing listens there
   * @throws {ActionError} when Deno was not given the permission
   */
  async connect(): Promise<Exchange> {
    const connection = this.#ready ?? await this.#dial();
    this.#ready = undefined;
    this.#connected = true;
    const exchange = new Exchange(connection, this.options.timeout);
    if (this.#over) exchange[Symbol.dispose]();
    else this.#open.add(exchange);
    return exchange;
  }

  async #dial(): Promise<Deno.TcpConn> {
    const address = formatEndpoint(this.where);
    const action = `connect to ${address}`;
    try {
      // while the queue of a busy server is full, the system tries again after 1 s, and after 3 s
      const patience = this.options.timeout + 1_000;
      return await within(patience, Deno.connect(this.where));
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw new ActionError(action, error);
      if (error instanceof DeadlineError) {
        throw new Mismatch({
          expected: "a connection",
          got: "no answer to the attempt to connect",
          likely: "it accepts nobody for so long that the system's queue is full: accept in a loop",
        });
      }
      const { explanation: { reason } } = new ActionError(action, error);
      // Deno still asks for the address of the other side, whose reset is faster
      const { ConnectionReset, NotConnected } = Deno.errors;
      if (error instanceof ConnectionReset || error instanceof NotConnected) {
        const likely = "it throws a connection away as soon as it has accepted it";
        throw new Mismatch({ expected: "a connection", got: reason, likely });
      }
      const likely =
        `start your server first, and look which address it listens on: here it is ${address}`;
      throw new Gone({ expected: "a connection", got: reason, likely }, this.#connected);
    }
  }

  [Symbol.dispose](): void {
    this.#over = true;
    this.#ready?.close();
    for (const exchange of this.#open) exchange[Symbol.dispose]();
  }
}

/**
 * Gives one try after another of the same server, for `runChecks`.
 *
 * @example
 * ```ts
 * import { serverTrials } from "./server_trial.ts";
 * import { runChecks } from "./check.ts";
 * import { assertEquals } from "@std/assert";
 *
 * using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
 * const begin = serverTrials(listener.addr, { timeout: 1_000, silence: 0 });
 * const checks = [{ name: "it can be reached", run: async (trial: ReturnType<typeof begin>) => {
 *   await trial.connect();
 * } }];
 * assertEquals((await runChecks(checks, begin)).map(({ outcome }) => outcome), ["passed"]);
 * ```
 */
export function serverTrials(where: NetEndpoint, options: TrialOptions): () => ServerTrial {
  const known = new Set<string>();
  return () => new ServerTrial(where, options, known);
}
