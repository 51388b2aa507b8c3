#!/usr/bin/env -S deno run --allow-net=127.0.0.1:10000
/**
 * TCP echo server
 *
 * Sends back exactly what it receives, to one client after another. It reads at most 16 bytes at a time
 * and echoes each piece as it comes: it need not know how long a message is, so any length and any bytes
 * go through. A conversation is over when the stream ends, which a read tells by null. The lecture's loop
 * stops at the first read that is shorter than the buffer: but a short read says nothing about the end.
 *
 * While one client is served, the next ones wait in the backlog, since the subject here is a single
 * conversation. hello_server.ts shows how not to let them wait.
 *
 * @lecture 002 Homework · 003 ex91S
 * @python  socket.bind → Deno.listen, socket.listen → Deno.listen,
 *          socket.accept → listener.accept, socket.recv → connection.read,
 *          socket.sendall → connection.write
 * @run     deno run --allow-net=127.0.0.1:10000 scripts/tcp/echo_server.ts
 * @expect  listening on 127.0.0.1:10000
 * @log     connection from 127.0.0.1:*
 * @log     echoed 18 bytes in 2 pieces
 * @option  --host HOST  the address to listen on (default: 127.0.0.1)
 * @option  --port PORT  the port to listen on, 0 for a free one (default: 10000)
 * @see     https://docs.deno.com/api/deno/~/Deno.listen
 * @module
 */

import { accepted } from "../../lib/accept.ts";
import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { attempt, explain } from "../../lib/errors.ts";
import { onInterrupt } from "../../lib/shutdown.ts";

/** Echoes until the client ends its side of the stream; says how much went through. */
export async function echo(connection: Deno.Conn): Promise<{ bytes: number; pieces: number }> {
  const piece = new Uint8Array(16);
  let bytes = 0, pieces = 0;
  for (;;) {
    // a client that stays silent must not hold up the others for ever
    const count = await attempt("hear from the client", () => connection.read(piece), {
      timeout: 60_000,
    });
    // Python's recv says b"" where Deno's read says null
    if (count === null) return { bytes, pieces };
    // Python's sendall goes on until all is sent; Deno's write, like send, may stop short
    for (let sent = 0; sent < count;) {
      sent += await attempt(
        "send to the client",
        () => connection.write(piece.subarray(sent, count)),
      );
    }
    bytes += count;
    pieces++;
  }
}

/** Serves one client after another until the listener is closed. */
export async function serve(listener: Deno.TcpListener): Promise<void> {
  // a plain `for await` over the listener fails when a client resets before it is accepted
  for await (const connection of accepted(listener)) {
    using _closedAtTheEnd = connection;
    console.error(`connection from ${formatEndpoint(connection.remoteAddr)}`);
    try {
      const { bytes, pieces } = await echo(connection);
      console.error(`echoed ${bytes} bytes in ${pieces} pieces`);
    } catch (error) {
      // what goes wrong with one client ends that conversation only
      console.error(explain(error).reason);
    }
  }
}

export async function main({ host, port }: { host: string; port: number }): Promise<void> {
  // socket, setsockopt(SO_REUSEADDR), bind and listen in one call; the backlog is 511
  using listener = await attempt(
    `listen on ${host} port ${port}`,
    () => Deno.listen({ hostname: host, port }),
  );
  using _stopping = onInterrupt(() => listener.close());
  console.log(`listening on ${formatEndpoint(listener.addr)}`);
  await serve(listener);
}

if (import.meta.main) await run(main);
