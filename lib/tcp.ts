/**
 * Conversations over TCP and Unix sockets: `connect` for the side that begins, `serve` for the side that
 * waits.
 *
 * @module
 */

import { type Endpoint, formatEndpoint } from "./address.ts";
import { Connection } from "./connection.ts";
import { within } from "./deadline.ts";
import { ActionError, attempt } from "./errors.ts";

export { Connection };
export { type Handler, serve, type ServeOptions, type Server } from "./server.ts";

/** Where and how to connect. */
export type ConnectOptions = Endpoint & {
  /** How long to wait for the connection, in milliseconds; 10,000 unless told. */
  timeout?: number;
  /** Gives up when aborted. */
  signal?: AbortSignal;
};

/**
 * Connects to a server. Nagle's algorithm is off: what is written is sent at once.
 *
 * @throws {ActionError} that names the endpoint and tells why: refused, unknown host, no answer in time
 * @see {@link https://docs.deno.com/api/deno/~/Deno.connect Deno.connect}
 *
 * @example
 * ```ts
 * import { connect, serve } from "./tcp.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await serve({ hostname: "127.0.0.1", port: 0 }, async (connection) => {
 *   await connection.write(new TextEncoder().encode("hello"));
 * });
 * using connection = await connect(server.addr as Deno.NetAddr);
 * const buffer = new Uint8Array(16);
 * assertEquals(await connection.read(buffer), 5);
 * ```
 */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const { timeout = 10_000, signal } = options;
  signal?.throwIfAborted();
  const action = `connect to ${formatEndpoint(options)}`;
  if ("path" in options) {
    const connecting = Deno.connect({ transport: "unix", path: options.path });
    return new Connection(await attempt(action, connecting, { timeout }));
  }
  const { hostname, port } = options;
  const gaveUp = new AbortController();
  const signals = signal ? AbortSignal.any([signal, gaveUp.signal]) : gaveUp.signal;
  try {
    const connecting = Deno.connect({ hostname, port, signal: signals });
    return new Connection(await within(timeout, connecting));
  } catch (error) {
    gaveUp.abort();
    signal?.throwIfAborted();
    throw new ActionError(action, error);
  }
}
