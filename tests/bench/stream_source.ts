/** Sends to every client as fast as it takes it, until it has had enough. */

import { endWithParent } from "./parent.ts";

const piece = new Uint8Array(64 * 1024);

async function send(connection: Deno.TcpConn): Promise<void> {
  for (;;) await connection.write(piece);
}

async function accept(listener: Deno.TcpListener): Promise<void> {
  for await (const connection of listener) send(connection).catch(() => connection.close());
}

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
accept(listener);
console.log(`listening on 127.0.0.1:${listener.addr.port}`);
await endWithParent();
