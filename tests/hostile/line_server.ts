/**
 * A server of `lib/tcp.ts` as a process of its own, for what needs another limit of open files: it sends
 * back each line.
 *
 *     deno run --allow-net=127.0.0.1:0 tests/hostile/line_server.ts
 *
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { SocketReader } from "../../lib/reader.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { type Connection, serve } from "../../lib/tcp.ts";

/** Sends back each line. */
export async function echoLines(connection: Connection): Promise<void> {
  const encoder = new TextEncoder();
  for await (const line of new SocketReader(connection)) {
    await connection.write(encoder.encode(`${line}\n`));
  }
}

if (import.meta.main) {
  const server = await serve({ hostname: "127.0.0.1", port: 0 }, echoLines);
  using _stopping = onInterrupt(() => server.shutdown());
  console.log(`listening on ${formatEndpoint(server.addr)}`);
  await server.finished;
}
