#!/usr/bin/env -S deno run --allow-net=127.0.0.1:10000
/**
 * To do: a server for many clients
 *
 * The task: an echo server on 127.0.0.1 port 10000 that serves all its clients at the same time. Each gets back
 * what it sends, at once, however many others are connected: silent ones, greedy ones, and some that leave
 * without a word. How you do it, with an event loop, threads or processes, is up to you.
 *
 * This one echoes well, but to one client after another: the others wait. Copy it to another name, such as
 * my_many_clients.ts, and try it while you work, in another terminal:
 *
 *     deno run --allow-net=127.0.0.1:10000 scripts/exercises/check_many_clients.ts
 *
 * The check takes servers in other languages as well. Answers are scripts/tcp/many_clients_async.ts,
 * many_clients_workers.ts and many_clients_processes.ts.
 *
 * @lecture 001 How do we handle multiple connections concurrently? · 002 Homework 2
 * @python  select.select → the event loop, threading.Thread → Worker
 * @run     deno run --allow-net=127.0.0.1:10000 scripts/exercises/many_clients_starter.ts
 * @expect  listening on 127.0.0.1:10000
 * @log     still to do: serve the second client while the first is there
 * @option  --host HOST  the address to listen on (default: 127.0.0.1)
 * @option  --port PORT  the port to listen on, 0 for a free one (default: 10000)
 * @see     https://docs.deno.com/api/deno/~/Deno.listen
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { attempt, explain } from "../../lib/errors.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { writeAll } from "../../lib/write_all.ts";

/** One conversation, to its end. */
export async function converse(connection: Deno.Conn): Promise<void> {
  using _closedAtTheEnd = connection;
  const buffer = new Uint8Array(4_096);
  try {
    for (let count; (count = await connection.read(buffer)) !== null;) {
      await writeAll(connection, buffer.subarray(0, count));
    }
  } catch (error) {
    console.error(explain(error).reason);
  }
}

export async function main({ host, port }: { host: string; port: number }): Promise<void> {
  using listener = await attempt(
    `listen on ${host} port ${port}`,
    () => Deno.listen({ hostname: host, port }),
  );
  using _stopping = onInterrupt(() => listener.close());
  console.log(`listening on ${formatEndpoint(listener.addr)}`);
  console.error("still to do: serve the second client while the first is there");
  for await (const connection of listener) {
    // Yours: while this waits for one conversation to end, nobody else is accepted. What does the loop have to
    // wait for, and what not? And what if a client resets its connection before it is accepted?
    await converse(connection);
  }
}

if (import.meta.main) await run(main);
