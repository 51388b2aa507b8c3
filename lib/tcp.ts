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
  /** Speaks TLS, over TCP only: the connection is there once the server's certificate is found good. */
  tls?: TlsOptions;
};

/** How a client speaks TLS. */
export interface TlsOptions {
  /** The name that the certificate must hold; the host that is connected to unless told. */
  hostname?: string;
  /** Certificates of authorities to trust besides the well-known ones, as PEM texts. */
  caCerts?: string[];
  /** Application protocols to offer (ALPN), the best first. */
  alpnProtocols?: string[];
}

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
  const { hostname, port, tls } = options;
  const gaveUp = new AbortController();
  const signals = signal ? AbortSignal.any([signal, gaveUp.signal]) : gaveUp.signal;
  try {
    const connecting: Promise<Deno.Conn> = Deno.connect({ hostname, port, signal: signals })
      .then<Deno.Conn>((tcp) => tls ? secure(tcp, { hostname, ...tls }, signals) : tcp);
    return new Connection(await within(timeout, connecting));
  } catch (error) {
    gaveUp.abort();
    signal?.throwIfAborted();
    throw new ActionError(action, error);
  }
}

/** Agrees with the server on TLS; closes the connection when that fails, or takes too long. */
async function secure(
  tcp: Deno.TcpConn,
  options: Deno.StartTlsOptions,
  signal: AbortSignal,
): Promise<Deno.TlsConn> {
  tcp.setNoDelay(true);
  const secured = await Deno.startTls(tcp, options);
  const giveUp = () => secured.close();
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    signal.throwIfAborted();
    await secured.handshake();
    return secured;
  } catch (error) {
    if (!signal.aborted) secured.close();
    throw error;
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}
