#!/usr/bin/env -S deno run --allow-net=127.0.0.1:9000
/**
 * A server that greets each client with its address
 *
 * Here the server begins to talk, and the client listens: who starts is a matter of the protocol, not of
 * who is the server. The greeting ends where the server closes the connection.
 *
 * The lecture's server listens on 0.0.0.0, which is every address of the machine. This one listens on
 * 127.0.0.1, so that only programs on the same machine reach it.
 *
 * @lecture 001 Python Socket module
 * @python  socket.accept → listener.accept, socket.send → connection.write,
 *          socket.close → connection.close
 * @run     deno run --allow-net=127.0.0.1:9000 scripts/tcp/hello_server.ts
 * @expect  listening on 127.0.0.1:9000
 * @log     received a connection from 127.0.0.1:*
 * @option  --host HOST  the address to listen on (default: 127.0.0.1)
 * @option  --port PORT  the port to listen on, 0 for a free one (default: 9000)
 * @see     https://docs.deno.com/api/deno/~/Deno.Listener
 * @module
 */

import { accepted } from "../../lib/accept.ts";
import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { attempt, explain } from "../../lib/errors.ts";
import { finish } from "../../lib/finish.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { writeAll } from "../../lib/write_all.ts";

/** Greets one client and closes the connection. */
export async function greet(connection: Deno.TcpConn): Promise<void> {
  // Python: connection, address = listener.accept()
  const client = formatEndpoint(connection.remoteAddr);
  console.error(`received a connection from ${client}`);
  try {
    await writeAll(connection, `Hello ${client}\n`);
  } catch (error) {
    console.error(`${client}: ${explain(error).reason}`);
  }
  await finish(connection);
}

export async function main({ host, port }: { host: string; port: number }): Promise<void> {
  using listener = await attempt(
    `listen on ${host} port ${port}`,
    () => Deno.listen({ hostname: host, port }),
  );
  using _stopping = onInterrupt(() => listener.close());
  console.log(`listening on ${formatEndpoint(listener.addr)}`);

  for await (const connection of accepted(listener)) {
    // no await: the next client is accepted while this one is still being greeted. The lecture's three ways
    // to serve many are threads, processes and select: Deno's event loop is the third
    greet(connection);
  }
}

if (import.meta.main) await run(main);
