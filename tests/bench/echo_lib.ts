/** The echo service as a user of the library writes it. The argument is the size of the buffer. */

import { formatEndpoint } from "../../lib/address.ts";
import { serve } from "../../lib/tcp.ts";
import { endWithParent } from "./parent.ts";

const size = Number(Deno.args[0] ?? 64 * 1024);

const server = await serve({ hostname: "127.0.0.1", port: 0 }, async (connection) => {
  const buffer = new Uint8Array(size);
  for (let count; (count = await connection.read(buffer)) !== null;) {
    await connection.write(buffer.subarray(0, count));
  }
});
console.log(`listening on ${formatEndpoint(server.addr)}`);
await endWithParent();
