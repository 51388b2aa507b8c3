import { assert, assertEquals } from "@std/assert";
import { converseWith } from "../../lib/conversations.ts";
import { serve } from "../../lib/tcp.ts";

const onError = () => {};
const where = { hostname: "127.0.0.1", port: 0 };
const portOf = (addr: Deno.Addr) => (addr as Deno.NetAddr).port;

Deno.test("converseWith counts what an echo server sends back", async () => {
  let bytes = 0;
  await using server = await serve({ ...where, onError }, async (connection) => {
    const buffer = new Uint8Array(1_024);
    for (let count; (count = await connection.read(buffer)) !== null; bytes += count) {
      await connection.write(buffer.subarray(0, count));
    }
  });
  const load = { hostname: "127.0.0.1", port: portOf(server.addr), clients: 7, time: 100 };
  const found = await converseWith({ ...load, messages: 3, threads: 2 });
  assertEquals([found.served, found.fault], [7, undefined]);
  assert(found.rate > 0 && found.rate * 0.1 * 64 <= bytes + 0.5, `${found.rate} of ${bytes} bytes`);
  assert(found.median > 0 && found.median <= found.p99);
});

Deno.test("converseWith tells the fault when a server closes, or is not there", async () => {
  const server = await serve({ ...where, onError }, () => {});
  const load = { hostname: "127.0.0.1", port: portOf(server.addr), clients: 2, time: 50 };
  const closed = await converseWith(load);
  assertEquals(closed.served, 0);
  assert(closed.fault);
  await server.shutdown();
  const gone = await converseWith(load);
  assert(/refused/i.test(gone.fault ?? ""), gone.fault);
});
