/** The same loop as `echo_lib.ts` with nothing around it: no limits, no deadlines, no error is caught. */

import { endWithParent } from "./parent.ts";

const size = Number(Deno.args[0] ?? 64 * 1024);

async function echo(connection: Deno.TcpConn): Promise<void> {
  connection.setNoDelay(true);
  const buffer = new Uint8Array(size);
  for (let count; (count = await connection.read(buffer)) !== null;) {
    for (let sent = 0; sent < count;) {
      sent += await connection.write(buffer.subarray(sent, count));
    }
  }
  connection.close();
}

async function accept(listener: Deno.TcpListener): Promise<void> {
  for await (const connection of listener) echo(connection).catch(() => connection.close());
}

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
accept(listener);
console.log(`listening on 127.0.0.1:${listener.addr.port}`);
await endWithParent();
