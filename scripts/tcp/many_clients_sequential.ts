#!/usr/bin/env -S deno run --allow-net=127.0.0.1:10000
/**
 * Many clients, one after another
 *
 * The first of four servers that do the same, an echo, in four ways. This one is the lecture's loop: accept,
 * converse, close, accept again. The whole program serves one client, and all others wait, connected, in the
 * system's backlog: up to 511 of them (or /proc/sys/net/core/somaxconn), then connecting itself gets slow.
 * They get no refusal and no answer, and this program does not even know how many they are.
 *
 * That is enough for short conversations. A client that connects and says nothing holds up everybody, here for
 * at most ten seconds. Compare many_clients_async.ts, which differs by one `await`.
 *
 * @lecture 001 How do we handle multiple connections concurrently? · 002 Homework 2
 * @python  socket.listen → Deno.listen, socket.accept → listener.accept,
 *          socketserver.TCPServer
 * @run     deno run --allow-net=127.0.0.1:10000 scripts/tcp/many_clients_sequential.ts
 * @client  deno run --allow-net=127.0.0.1:10000 scripts/tcp/echo_client.ts "one at a time, please"
 * @expect  listening on 127.0.0.1:10000
 * @log     127.0.0.1:* is served, all others wait
 * @log     127.0.0.1:* was served for *: 21 bytes
 * @option  --host HOST  the address to listen on (default: 127.0.0.1)
 * @option  --port PORT  the port to listen on, 0 for a free one (default: 10000)
 * @see     https://docs.python.org/3/library/socketserver.html#socketserver.TCPServer
 * @module
 */

import { accepted } from "../../lib/accept.ts";
import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { attempt, explain } from "../../lib/errors.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { writeAll } from "../../lib/write_all.ts";

/** How long the others wait for a client that says nothing, in milliseconds. */
const PATIENCE = 10_000;

/** Sends back what comes until the client ends its side; gives the number of bytes. */
export async function echo(connection: Deno.Conn): Promise<number> {
  const buffer = new Uint8Array(4 * 1024);
  for (let bytes = 0;;) {
    const count = await attempt("hear from the client", () => connection.read(buffer), {
      timeout: PATIENCE,
    });
    if (count === null) return bytes;
    await writeAll(connection, buffer.subarray(0, count), { timeout: PATIENCE });
    bytes += count;
  }
}

/** Serves until the listener is closed. */
export async function serve(listener: Deno.TcpListener): Promise<void> {
  for await (const connection of accepted(listener)) {
    using _closedAtTheEnd = connection;
    const client = formatEndpoint(connection.remoteAddr);
    console.error(`${client} is served, all others wait`);
    const begun = performance.now();
    try {
      const bytes = await echo(connection); // nobody is accepted before this is over
      const milliseconds = (performance.now() - begun).toFixed(1);
      console.error(`${client} was served for ${milliseconds} ms: ${bytes} bytes`);
    } catch (error) {
      console.error(`${client}: ${explain(error).reason}`);
    }
  }
}

export async function main({ host, port }: { host: string; port: number }): Promise<void> {
  using listener = await attempt(
    `listen on ${host} port ${port}`,
    () => Deno.listen({ hostname: host, port }),
  );
  using _stopping = onInterrupt(() => listener.close());
  console.log(`listening on ${formatEndpoint(listener.addr)}`);
  await serve(listener);
}

if (import.meta.main) await run(main);
