#!/usr/bin/env -S deno run --allow-net=127.0.0.1
/**
 * UDP echo server
 *
 * Sends each datagram back to whoever sent it. There is no connection: one socket serves all clients, and
 * each datagram tells where it came from. An empty datagram is a message too, and no end of anything.
 *
 * The grant names the host without a port, since answers go to ports that the clients choose.
 *
 * @lecture 003 ex92S
 * @python  socket(AF_INET, SOCK_DGRAM) → Deno.listenDatagram, socket.bind → Deno.listenDatagram,
 *          socket.recvfrom → socket.receive, socket.sendto → socket.send
 * @run     deno run --allow-net=127.0.0.1 scripts/udp/echo_server.ts
 * @expect  listening on 127.0.0.1:10000
 * @log     24 bytes from 127.0.0.1:*
 * @option  --host HOST  the address to listen on (default: 127.0.0.1)
 * @option  --port PORT  the port to listen on, 0 for a free one (default: 10000)
 * @see     https://docs.deno.com/api/deno/~/Deno.listenDatagram
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { attempt, explain } from "../../lib/errors.ts";
import { onInterrupt } from "../../lib/shutdown.ts";

/** Echoes datagrams until the socket is closed. */
export async function echo(socket: Deno.DatagramConn): Promise<void> {
  // a datagram that is longer than the buffer would be cut off: this holds the longest there is
  const buffer = new Uint8Array(65_536);
  for (;;) {
    try {
      // Python: recvfrom and sendto
      const [datagram, client] = await socket.receive(buffer);
      console.error(`${datagram.length} bytes from ${formatEndpoint(client)}`);
      await socket.send(datagram, client);
    } catch (error) {
      if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) {
        return; // the socket was closed
      }
      // one datagram that cannot be answered does not end the service
      console.error(explain(error).reason);
    }
  }
}

export async function main({ host, port }: { host: string; port: number }): Promise<void> {
  const socket = await attempt(
    `bind ${host} port ${port} for UDP`,
    () => Deno.listenDatagram({ transport: "udp", hostname: host, port }),
  );
  using _stopping = onInterrupt(() => socket.close());
  console.log(`listening on ${formatEndpoint(socket.addr)}`);
  await echo(socket);
}

if (import.meta.main) await run(main);
