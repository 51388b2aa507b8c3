#!/usr/bin/env -S deno run --allow-net=127.0.0.1:10000
/**
 * To do: an echo server
 *
 * The task: listen on 127.0.0.1 port 10000. Whatever a client sends comes back to it, every byte as it was, of
 * any length, as soon as it is there. Read 16 bytes at a time. When a client has ended its side, close its
 * connection, and serve the next one. No client may end the server.
 *
 * This listens and accepts, and does not echo yet: the place is marked. Copy it to another name, such as
 * my_echo.ts, and try it while you work, in another terminal:
 *
 *     deno run --allow-net=127.0.0.1:10000 scripts/exercises/check_echo.ts
 *
 * The check takes servers in other languages as well. One answer is scripts/tcp/echo_server.ts.
 *
 * @lecture 002 Homework · 003 ex91S
 * @python  socket.accept → listener.accept, socket.recv → connection.read, socket.sendall → connection.write
 * @run     deno run --allow-net=127.0.0.1:10000 scripts/exercises/echo_starter.ts
 * @expect  listening on 127.0.0.1:10000
 * @log     still to do: send back what the client sends
 * @option  --host HOST  the address to listen on (default: 127.0.0.1)
 * @option  --port PORT  the port to listen on, 0 for a free one (default: 10000)
 * @see     https://docs.deno.com/api/deno/~/Deno.listen
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { attempt, explain } from "../../lib/errors.ts";
import { onInterrupt } from "../../lib/shutdown.ts";

/** One conversation, to its end. */
export async function converse(connection: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(16);
  // gives how many bytes came, at most 16; null when the client has ended its side
  const count = await connection.read(buffer);
  console.error(`received ${count} bytes`);
  // Yours: send these bytes back, and go on until the client has ended its side. Which bytes of the buffer
  // are the message? And does write send all of what it gets?
}

export async function main({ host, port }: { host: string; port: number }): Promise<void> {
  using listener = await attempt(
    `listen on ${host} port ${port}`,
    () => Deno.listen({ hostname: host, port }),
  );
  using _stopping = onInterrupt(() => listener.close());
  console.log(`listening on ${formatEndpoint(listener.addr)}`);
  console.error("still to do: send back what the client sends");
  for await (const connection of listener) {
    try {
      await converse(connection);
    } catch (error) {
      console.error(explain(error).reason);
    }
    connection.close();
  }
}

if (import.meta.main) await run(main);
