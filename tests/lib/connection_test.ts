import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { Connection } from "../../lib/connection.ts";
import { decode, encode, readAll } from "./helpers.ts";

/** Two ends of one conversation over TCP. */
async function pair(): Promise<[client: Connection, server: Connection]> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { hostname, port } = listener.addr;
  const [client, server] = await Promise.all([Deno.connect({ hostname, port }), listener.accept()]);
  return [new Connection(client), new Connection(server)];
}

Deno.test("Connection names the other side when it is over TCP", async () => {
  const [client, server] = await pair();
  using _client = client;
  using _server = server;
  assertEquals(client.remoteAddr, server.localAddr);
  assertEquals(client.localAddr, server.remoteAddr);
  const { port } = { port: 0, ...client.remoteAddr };
  assertEquals(client.remote, `127.0.0.1:${port}`);
});

Deno.test("Connection is active after each read and write, until that is cleared", async () => {
  const [client, server] = await pair();
  using _client = client;
  using _server = server;
  client.active = server.active = false;
  await client.write(encode("a"));
  assertEquals([client.active, server.active], [true, false]);
  await server.read(new Uint8Array(1));
  assertEquals(server.active, true);
});

Deno.test("Connection.write gives the number of bytes when all are written", async () => {
  const [client, server] = await pair();
  using _client = client;
  using _server = server;
  const size = 5_000_000;
  const reading = readAll(server);
  assertEquals(await client.write(new Uint8Array(0)), 0);
  assertEquals(await client.write(new Uint8Array(size)), size);
  await client.closeWrite();
  assertEquals((await reading).length, size);
});

Deno.test("Connection.close can be called twice, and keeps its first reason", async () => {
  const [client, server] = await pair();
  const reason = new Error("first");
  const waiting = server.read(new Uint8Array(1));
  server.close(reason);
  server.close(new Error("second"));
  await assertRejects(() => waiting);
  assertStrictEquals(server.closedFor, reason);
  assertEquals(await client.read(new Uint8Array(1)), null);
  client.close();
  client[Symbol.dispose]();
  assertEquals(client.closedFor, undefined);
});

Deno.test("Connection.finish delivers what was sent when received bytes lie unread", async () => {
  const [client, server] = await pair();
  await client.write(new Uint8Array(200_000));
  await server.write(encode("goodbye"));
  const finished = server.finish();
  assertEquals(decode(await readAll(client)), "goodbye");
  client.close();
  await finished;
});

Deno.test("Connection.finish waits no longer than it is told when the other side stays", async () => {
  const [client, server] = await pair();
  await server.finish(20);
  await assertRejects(() => server.write(encode("a")), Deno.errors.BadResource);
  assertEquals(await client.read(new Uint8Array(1)), null);
  client.close();
});

Deno.test("Connection.finish takes no more than 1 MiB when the other side goes on sending", async () => {
  const [client, server] = await pair();
  const finished = server.finish(60_000);
  const sending = (async () => {
    for (;;) await client.write(new Uint8Array(64 * 1024));
  })();
  await assertRejects(() => sending);
  await finished;
  client.close();
});

Deno.test("Connection.finish only closes when the stream had ended or it is closed already", async () => {
  const [client, server] = await pair();
  await client.closeWrite();
  assertEquals(await server.read(new Uint8Array(1)), null);
  await server.finish(60_000);
  await server.finish(60_000);
  assertEquals(await client.read(new Uint8Array(1)), null);
  client.close();
});
