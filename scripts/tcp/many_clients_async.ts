#!/usr/bin/env -S deno run --allow-net=127.0.0.1:10000
/**
 * Many clients in one thread
 *
 * Each conversation is an async function that the loop starts and does not wait for. While one client is
 * silent, its function sleeps at an `await`, and the thread serves others: thousands of open connections cost
 * a few kilobytes each and no thread. What Python's `select` does by hand, asking the system which sockets
 * have something to read, Deno's event loop does below every `await`.
 *
 * One thread also means one core, and that whoever computes for a second stops everybody for a second. Deno
 * starts no new round before all sockets that are ready have been looked at, 128 at a time, and the first are
 * ready again by then: with more busy clients than that, a bare loop forgets some. The connections of
 * lib/connection.ts read in turns (lib/turns.ts), first come, first served.
 *
 * @lecture 001 How do we handle multiple connections concurrently? · 002 Homework 2
 * @python  select.select, selectors.DefaultSelector, asyncio.start_server,
 *          socket.accept → listener.accept
 * @run     deno run --allow-net=127.0.0.1:10000 scripts/tcp/many_clients_async.ts
 * @client  deno run --allow-net=127.0.0.1:10000 scripts/tcp/echo_client.ts "all at once"
 * @expect  listening on 127.0.0.1:10000
 * @log     127.0.0.1:* came, 1 is served
 * @log     127.0.0.1:* went, 0 are served
 * @option  --host HOST  the address to listen on (default: 127.0.0.1)
 * @option  --port PORT  the port to listen on, 0 for a free one (default: 10000)
 * @see     https://docs.python.org/3/howto/sockets.html#non-blocking-sockets
 * @module
 */

import { accepted } from "../../lib/accept.ts";
import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { Connection } from "../../lib/connection.ts";
import { within } from "../../lib/deadline.ts";
import { attempt, explain } from "../../lib/errors.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { takePart } from "../../lib/turns.ts";

/** How long a client may say nothing, or take nothing, in milliseconds. Nobody else waits for it. */
const PATIENCE = 60_000;

let served = 0;

/** Sends back what comes until the client ends its side. */
export async function echo(connection: Connection): Promise<void> {
  // each open connection keeps its buffer: it is what an idle client costs
  const buffer = new Uint8Array(4 * 1024);
  for (let count; (count = await within(PATIENCE, connection.read(buffer))) !== null;) {
    await within(PATIENCE, connection.write(buffer.subarray(0, count)));
  }
}

async function converse(accepted: Deno.Conn): Promise<void> {
  const client = formatEndpoint(accepted.remoteAddr);
  console.error(`${client} came, ${count(++served)} served`);
  try {
    using connection = new Connection(accepted);
    using _takesTurns = takePart();
    await echo(connection);
  } catch (error) {
    // an error that nobody catches here would end the program, and all other conversations
    console.error(`${client}: ${explain(error).reason}`);
  }
  console.error(`${client} went, ${count(--served)} served`);
}

const count = (clients: number) => clients === 1 ? "1 is" : `${clients} are`;

/** Serves until the listener is closed. */
export async function serve(listener: Deno.TcpListener): Promise<void> {
  for await (const connection of accepted(listener)) {
    converse(connection); // without await: the next client need not wait until this one has gone
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
