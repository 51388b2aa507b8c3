import { assertEquals, assertRejects } from "@std/assert";
import { createAuthority, issueCertificate } from "../../lib/certificate.ts";
import { connect, type Connection, serve } from "../../lib/tcp.ts";

const authority = await createAuthority();
const own = await issueCertificate(authority, ["localhost"]);
const tls = { cert: own.certificate, key: own.key, alpnProtocols: ["echo"] };
const trusting = { hostname: "localhost", caCerts: [authority.certificate] };

async function echo(connection: Connection): Promise<void> {
  const buffer = new Uint8Array(4_096);
  for (let count; (count = await connection.read(buffer)) !== null;) {
    await connection.write(buffer.subarray(0, 1));
    await connection.write(buffer.subarray(1, count));
  }
}

function start(handler = echo, errors: unknown[] = []) {
  const onError = (error: unknown) => errors.push(error);
  return serve({ hostname: "127.0.0.1", port: 0, tls, onError }, handler);
}

const at = (addr: Deno.Addr) => ({ hostname: "127.0.0.1", port: (addr as Deno.NetAddr).port });

async function readAll(connection: Connection): Promise<Uint8Array> {
  const all: number[] = [];
  const buffer = new Uint8Array(4_096);
  for (let count; (count = await connection.read(buffer)) !== null;) {
    all.push(...buffer.subarray(0, count));
  }
  return new Uint8Array(all);
}

Deno.test("connect and serve carry all bytes both ways when they speak TLS", async () => {
  await using server = await start();
  using connection = await connect({ ...at(server.addr), tls: trusting });
  const sent = crypto.getRandomValues(new Uint8Array(50_000));
  const writing = connection.write(sent).then(() => connection.closeWrite());
  assertEquals(await readAll(connection), sent);
  await writing;
});

Deno.test("serve over TLS sends two small writes and a reply without waiting for acknowledgements", async () => {
  const writes: number[] = [];
  await using server = await start(async (connection) => {
    const buffer = new Uint8Array(16);
    while (await connection.read(buffer) !== null) {
      await connection.write(new Uint8Array(4));
      await connection.write(new Uint8Array(5));
    }
  });
  using connection = await connect({ ...at(server.addr), tls: trusting });
  for (let round = 0; round < 5; round++) {
    await connection.write(new Uint8Array(1));
    // joined on their way: one read sees both
    writes.push(await connection.read(new Uint8Array(16)) ?? 0);
  }
  assertEquals(writes, [9, 9, 9, 9, 9]);
});

Deno.test("serve over TLS sends what was written when the handler goes on to wait for something else", async () => {
  const waiting = Promise.withResolvers<void>();
  await using server = await start(async (connection) => {
    await connection.write(new TextEncoder().encode("hello"));
    await waiting.promise;
  });
  using connection = await connect({ ...at(server.addr), tls: trusting });
  assertEquals(await connection.read(new Uint8Array(16)), 5);
  waiting.resolve();
});

Deno.test("serve over TLS goes on when clients speak no TLS, trust nobody, or ask for another name", async () => {
  const errors: unknown[] = [];
  await using server = await start(echo, errors);
  const there = at(server.addr);
  {
    using plain = await connect(there);
    await plain.write(new TextEncoder().encode("GET / HTTP/1.0\r\n\r\n"));
    await readAll(plain);
  }
  await assertRejects(
    () => connect({ ...there, tls: { hostname: "localhost" } }),
    Error,
    "not trusted",
  );
  const other = { ...trusting, hostname: "example.org" };
  await assertRejects(() => connect({ ...there, tls: other }), Error, "only for localhost");
  using connection = await connect({ ...there, tls: trusting });
  await connection.write(new Uint8Array(3));
  await connection.closeWrite();
  assertEquals((await readAll(connection)).length, 3);
  assertEquals(errors.length, 3);
});

Deno.test("connect gives up when the other side never answers its TLS greeting", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connecting = connect({ ...at(listener.addr), tls: trusting, timeout: 100 });
  using _silent = await listener.accept();
  await assertRejects(() => connecting, Error, "nothing came within 0.1 s");
});

Deno.test("connect tells that a server speaks no TLS", async () => {
  await using server = await serve({ hostname: "127.0.0.1", port: 0 }, async (connection) => {
    await connection.write(new TextEncoder().encode("220 mail.example\r\n"));
  });
  const connecting = connect({ ...at(server.addr), tls: trusting });
  await assertRejects(() => connecting, Error, "does not speak TLS");
});
