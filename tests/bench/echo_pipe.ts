/** The shortest echo service in Deno: web streams. */

import { endWithParent } from "./parent.ts";

async function accept(listener: Deno.TcpListener): Promise<void> {
  for await (const connection of listener) {
    connection.setNoDelay(true);
    connection.readable.pipeTo(connection.writable).catch(() => {}); // a reset ends this client only
  }
}

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
accept(listener);
console.log(`listening on 127.0.0.1:${listener.addr.port}`);
await endWithParent();
