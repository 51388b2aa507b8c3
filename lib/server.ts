/**
 * The side that waits: accepts conversations and keeps them apart from each other.
 *
 * @module
 */

import { type Endpoint, formatEndpoint } from "./address.ts";
import { Connection } from "./connection.ts";
import { after, DeadlineError } from "./deadline.ts";
import { attempt, explain } from "./errors.ts";
import { joinWrites } from "./joined_writes.ts";
import { takePart } from "./turns.ts";
import { removeStaleSocket } from "./unix_socket.ts";

/** Where and how to serve. */
export type ServeOptions = Endpoint & {
  /** How many conversations at once; further clients wait in the backlog. 10,000 unless told. */
  maxConnections?: number;
  /** Lets other processes and Workers of this user listen on the same TCP port: Linux deals clients out. */
  reusePort?: boolean;
  /**
   * How long a conversation may go on without a read or write being begun, in milliseconds; 60,000 unless
   * told, and up to a quarter longer. `Infinity` for no limit.
   */
  idleTimeout?: number;
  /** How long open conversations may go on after `shutdown`, in milliseconds; 1,000 unless told. */
  grace?: number;
  /** Shuts down when aborted. */
  signal?: AbortSignal;
  /**
   * Speaks TLS, over TCP only: the certificate chain and its key as PEM texts, and the protocols for ALPN.
   * A client that stops in the middle of TLS's greeting is dropped, but Deno keeps its socket until it goes.
   */
  tls?: { cert: string; key: string; alpnProtocols?: string[] };
  /** Told what went wrong with a client; prints one line on stderr unless told. */
  onError?: (error: unknown, connection?: Connection) => void;
};

/** A server that runs. */
export interface Server extends AsyncDisposable {
  /** Where it listens, with the port that was free when 0 was asked for. */
  readonly addr: Deno.Addr;
  /** How many conversations are open. */
  readonly connections: number;
  /** Settles when the server has shut down and the last conversation is over. */
  readonly finished: Promise<void>;
  /** Stops accepting, lets open conversations finish for the grace period, then closes them. */
  shutdown(): Promise<void>;
}

/** Holds one conversation. When it returns the connection is closed, when it throws as well. */
export type Handler = (connection: Connection) => Promise<void> | void;

/**
 * Serves clients, each by a call of `handler`, on a TCP port or a Unix socket. What goes wrong with one
 * client ends its own conversation and nothing else.
 *
 * @throws {ActionError} when it cannot listen: address taken, permission missing
 * @see {@link https://docs.deno.com/api/deno/~/Deno.listen Deno.listen}
 *
 * @example An echo server
 * ```ts
 * import { serve } from "./tcp.ts";
 *
 * await using server = await serve({ hostname: "127.0.0.1", port: 0 }, async (connection) => {
 *   const buffer = new Uint8Array(4 * 1024);
 *   for (let count; (count = await connection.read(buffer)) !== null;) {
 *     await connection.write(buffer.subarray(0, count));
 *   }
 * });
 * ```
 */
export async function serve(options: ServeOptions, handler: Handler): Promise<Server> {
  if ("path" in options) await removeStaleSocket(options.path);
  const listener: Deno.Listener = await attempt(
    `listen on ${formatEndpoint(options)}`,
    () => {
      if ("path" in options) return Deno.listen({ transport: "unix", path: options.path });
      const { tls, hostname, port, reusePort } = options;
      return tls ? Deno.listenTls({ hostname, port, reusePort, ...tls }) : Deno.listen(options);
    },
  );
  return new ConversationServer(listener, handler, options);
}

class ConversationServer implements Server {
  readonly addr: Deno.Addr;
  readonly finished: Promise<void>;
  readonly #listener: Deno.Listener;
  readonly #handler: Handler;
  readonly #options: ServeOptions;
  /** Open connections, with how many looks in a row found them idle. */
  readonly #open = new Map<Connection, number>();
  #stopping = false;
  readonly #onAbort = () => this.shutdown();
  /** Called whenever a conversation ends. */
  #onEnd: () => void = () => {};
  #idleWatch: Disposable | undefined;

  constructor(listener: Deno.Listener, handler: Handler, options: ServeOptions) {
    this.#listener = listener;
    this.#handler = handler;
    this.#options = options;
    this.addr = listener.addr;
    this.finished = this.#run();
    const { signal } = options;
    if (signal?.aborted) this.shutdown();
    else signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  get connections(): number {
    return this.#open.size;
  }

  shutdown(): Promise<void> {
    if (!this.#stopping) {
      this.#stopping = true;
      this.#listener.close();
      this.#onEnd();
    }
    return this.finished;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  async #run(): Promise<void> {
    await this.#acceptAll();
    const { grace = 1_000 } = this.#options;
    using _force = after(grace, () => {
      for (const connection of this.#open.keys()) {
        connection.close(new Error("the server shut down in the middle"));
      }
    });
    // a handler that waits for something else than its connection does not hold the server for ever
    const giveUp = performance.now() + grace + 1_000;
    while (this.#open.size > 0 && performance.now() < giveUp) await this.#somethingEnds(1_000);
    this.#idleWatch?.[Symbol.dispose]();
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
  }

  async #acceptAll(): Promise<void> {
    const { maxConnections = 10_000 } = this.#options;
    for (let failures = 0; !this.#stopping;) {
      if (this.#open.size >= maxConnections) {
        await this.#somethingEnds(60_000);
        continue;
      }
      try {
        const inner = await this.#listener.accept();
        failures = 0;
        this.#converse(inner);
      } catch (error) {
        if (this.#stopping || error instanceof Deno.errors.BadResource) return;
        // a client that reset while it waited to be accepted: nobody else needs to wait for that
        const { NotConnected, ConnectionAborted } = Deno.errors;
        if (error instanceof NotConnected || error instanceof ConnectionAborted) continue;
        // too many open files, most often: the clients wait in the backlog until others have gone
        if (failures++ === 0) this.#report(error);
        await this.#somethingEnds(100);
      }
    }
  }

  async #converse(inner: Deno.Conn): Promise<void> {
    let connection: Connection | undefined;
    using _takesTurns = takePart();
    try {
      // without a TCP socket of its own, TLS cannot turn Nagle's algorithm off
      connection = new Connection("handshake" in inner ? joinWrites(inner) : inner);
      this.#open.set(connection, 0);
      this.#idleWatch ??= this.#watchForIdleness();
      await this.#handler(connection);
      await connection.finish();
    } catch (error) {
      if (connection) connection.close();
      else inner.close();
      this.#report(connection?.closedFor ?? error, connection);
    } finally {
      if (connection) this.#open.delete(connection);
      this.#onEnd();
    }
  }

  /** Looks four times per idle timeout which connections have not been read from or written to. */
  #watchForIdleness(): Disposable {
    const { idleTimeout = 60_000 } = this.#options;
    return after(idleTimeout / 4, () => {
      for (const [connection, quiet] of this.#open) {
        if (connection.active) this.#open.set(connection, 0);
        else if (quiet < 3) this.#open.set(connection, quiet + 1);
        else connection.close(new DeadlineError(idleTimeout));
        connection.active = false;
      }
      this.#idleWatch = this.#open.size > 0 ? this.#watchForIdleness() : undefined;
    });
  }

  #somethingEnds(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const deadline = after(milliseconds, resolve);
      this.#onEnd = () => {
        deadline[Symbol.dispose]();
        resolve();
      };
    });
  }

  #report(error: unknown, connection?: Connection): void {
    const { onError } = this.#options;
    try {
      if (onError) onError(error, connection);
      else console.error(`${connection?.remote ?? "server"}: ${explain(error).reason}`);
    } catch (fault) {
      console.error(fault);
    }
  }
}
