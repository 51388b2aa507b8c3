import { assertEquals } from "@std/assert";
import { type Connection, serve } from "../../lib/tcp.ts";
import { readInTurn } from "../../lib/turns.ts";

async function echo(connection: Connection): Promise<void> {
  const buffer = new Uint8Array(64);
  for (let count; (count = await connection.read(buffer)) !== null;) {
    await connection.write(buffer.subarray(0, count));
  }
}

async function ask(client: Deno.Conn, message: number): Promise<number> {
  const answer = new Uint8Array(1);
  await client.write(new Uint8Array([message]));
  await client.read(answer);
  return answer[0]!;
}

async function withClients(
  count: number,
  work: (clients: Deno.TcpConn[]) => Promise<void>,
): Promise<void> {
  await using server = await serve({ hostname: "127.0.0.1", port: 0 }, echo);
  const { port } = server.addr as Deno.NetAddr;
  const connecting = Array.from({ length: count }, () => Deno.connect({ port }));
  const clients = await Promise.all(connecting);
  try {
    await work(clients);
  } finally {
    clients.forEach((client) => client.close());
  }
}

Deno.test("a crowd of connections is answered, all of them at once and one after another", async () => {
  await withClients(300, async (clients) => {
    for (let round = 0; round < 20; round++) {
      const answers = await Promise.all(clients.map((client, index) => ask(client, index % 251)));
      assertEquals(answers, clients.map((_, index) => index % 251));
    }
    for (const [index, client] of clients.entries()) {
      assertEquals(await ask(client, index % 251), index % 251);
    }
  });
});

Deno.test("a busy connection is answered while a crowd of others is silent", async () => {
  await withClients(300, async (clients) => {
    for (const client of clients) await ask(client, 1);
    // each answer that waited for the silent ones would wait for ever
    for (let round = 0; round < 200; round++) assertEquals(await ask(clients[0]!, 2), 2);
  });
});

Deno.test("readInTurn begins 64 reads at once, and the others in their order as those end", async () => {
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const reads = Array.from({ length: 100 }, (_, index) =>
    readInTurn({
      read: () => {
        begun.push(index);
        return new Promise((resolve) => ends[index] = () => resolve(index));
      },
    }, new Uint8Array(1)));
  const order = Array.from({ length: 100 }, (_, index) => index);
  assertEquals(begun, order.slice(0, 64));
  for (const index of order) {
    ends[index]!();
    assertEquals(await reads[index], index);
  }
  assertEquals(begun, order);
});
