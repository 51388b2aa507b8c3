/** The shortest UDP echo service in Deno: an iteration over the datagrams. */

import { endWithParent } from "./parent.ts";

async function echo(socket: Deno.DatagramConn): Promise<void> {
  for await (const [datagram, from] of socket) await socket.send(datagram, from);
}

const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
echo(socket);
console.log(`listening on 127.0.0.1:${(socket.addr as Deno.NetAddr).port}`);
await endWithParent();
