/**
 * Deno.serve, so that no client can end it.
 *
 * When it cannot accept a connection, because too many files are open, Deno.serve stops listening for good.
 * So somebody who opens connections and says nothing could end a server: it has no time limit for clients
 * that do not finish their headers.
 *
 * @module
 */

import { formatEndpoint, type NetEndpoint } from "./address.ts";
import { after } from "./deadline.ts";
import { ActionError, attempt, explain } from "./errors.ts";

/** A server that goes on. */
export interface KeptServer {
  /** Where it listens, with the port that was free when 0 was asked for. */
  readonly addr: Deno.NetAddr;
  /**
   * Settles when it has shut down; fails when it has to listen again on the port that it was given for port 0,
   * and was granted only port 0.
   */
  readonly finished: Promise<void>;
  /** Stops accepting, and lets requests that are under way finish. */
  shutdown(): Promise<void>;
}

/**
 * Starts a server, and starts it again when it has to give up. All its connections are closed then: those who
 * hold them without a word, and the others, who can come back at once.
 *
 * @param start calls `Deno.serve` with what it is given, and more
 * @throws {ActionError} when it cannot listen: address taken, permission missing
 *
 * @example
 * ```ts
 * import { keepServing } from "./keep_serving.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const server = await keepServing(
 *   { hostname: "127.0.0.1", port: 0 },
 *   (place) => Deno.serve(place, () => new Response("hello")),
 * );
 * const response = await fetch(`http://127.0.0.1:${server.addr.port}/`);
 * assertEquals(await response.text(), "hello");
 * await server.shutdown();
 * ```
 */
export async function keepServing(
  { hostname, port }: NetEndpoint,
  start: (place: Deno.ServeTcpOptions) => Deno.HttpServer<Deno.NetAddr>,
): Promise<KeptServer> {
  let closing = new AbortController();
  const listen = (port: number) => {
    closing = new AbortController();
    return start({ hostname, port, signal: closing.signal, onListen() {} });
  };
  const place = formatEndpoint({ hostname, port });
  let server = await attempt(`listen on ${place}`, () => listen(port));
  const { addr } = server;
  let stopping = false;
  const goOn = async () => {
    for (;;) {
      try {
        await server.finished;
        if (stopping) return;
      } catch (error) {
        if (stopping) return;
        console.error(`all connections are closed: ${reasonOf(error)}`);
        closing.abort();
      }
      while (!stopping) {
        await new Promise<void>((resolve) => after(100, resolve));
        try {
          server = listen(addr.port);
          break;
        } catch (error) {
          // the port that was free for port 0 may not be granted by itself
          if (error instanceof Deno.errors.NotCapable) {
            throw new ActionError(`listen on ${formatEndpoint(addr)} again`, error);
          }
          console.error(`cannot listen on ${formatEndpoint(addr)} again: ${reasonOf(error)}`);
        }
      }
    }
  };
  const finished = goOn();
  return {
    addr,
    finished,
    shutdown() {
      stopping = true;
      return server.shutdown();
    },
  };
}

/** Deno.serve's errors have no code. */
function reasonOf(error: unknown): string {
  const { reason } = explain(error);
  return /too many open files/i.test(reason) ? "too many files and sockets are open" : reason;
}
