import { assert, assertEquals, assertRejects } from "@std/assert";
import { createAuthority, issueCertificate } from "../../lib/certificate.ts";
import { SocketReader } from "../../lib/reader.ts";
import { serveUpgradable, type Upgradable } from "../../lib/upgradable.ts";
import { decode, encode } from "./helpers.ts";

const authority = await createAuthority();
const own = await issueCertificate(authority, ["localhost"]);
const identity = { cert: own.certificate, key: own.key };
const trusting = { hostname: "localhost", caCerts: [authority.certificate] };

/** Lines in clear text until STARTTLS; then echoes until the end. */
async function converse(connection: Upgradable): Promise<void> {
  let reader = new SocketReader(connection);
  await connection.write(encode("hello\r\n"));
  for (let line; (line = await reader.readLine()) !== null;) {
    if (line !== "STARTTLS") {
      await connection.write(encode(`${line}\r\n`));
      continue;
    }
    await connection.write(encode("go ahead\r\n"));
    await connection.startTls(identity, { timeout: 5_000 });
    reader = new SocketReader(connection);
    break;
  }
  const buffer = new Uint8Array(64 * 1024);
  for (let count; (count = await reader.read(buffer)) !== null;) {
    await connection.write(buffer.subarray(0, count));
  }
}

function start(errors: unknown[] = [], handler = converse, idleTimeout?: number) {
  const onError = (error: unknown) => errors.push(error);
  return serveUpgradable({ hostname: "127.0.0.1", port: 0, onError, idleTimeout }, handler);
}

function dial(addr: Deno.Addr): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port: (addr as Deno.NetAddr).port });
}

/** Connects, says STARTTLS, and hears the go-ahead. */
async function ready(addr: Deno.Addr, behind = ""): Promise<Deno.TcpConn> {
  const tcp = await dial(addr);
  const reader = new SocketReader(tcp);
  assertEquals(await reader.readLine(), "hello");
  await tcp.write(encode(`one\r\nSTARTTLS\r\n${behind}`));
  assertEquals(await reader.readLine(), "one");
  assertEquals(await reader.readLine(), "go ahead");
  assertEquals(reader.buffered, 0);
  return tcp;
}

async function upgraded(addr: Deno.Addr): Promise<Deno.TlsConn> {
  const secured = await Deno.startTls(await ready(addr), trusting);
  await secured.handshake();
  return secured;
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
}

Deno.test("upgradable goes on over TLS, with megabytes both ways, after STARTTLS", async () => {
  const errors: unknown[] = [];
  await using server = await start(errors);
  using connection = await upgraded(server.addr);
  const sent = new Uint8Array(3_000_000).map((_, at) => at % 251);
  const writing = writeAll(connection, sent).then(() => connection.closeWrite());
  const heard = await new SocketReader(connection, { limit: sent.length }).readAll();
  await writing;
  assert(heard.length === sent.length && heard.every((byte, at) => byte === sent[at]));
  assertEquals(errors, []);
});

Deno.test("upgradable stays in clear text when nobody says STARTTLS", async () => {
  await using server = await start();
  using connection = await dial(server.addr);
  await connection.write(encode("one\r\n"));
  await connection.closeWrite();
  assertEquals(decode(await new SocketReader(connection).readAll()), "hello\r\none\r\n");
});

Deno.test("upgradable ends with a farewell of TLS when its handler ends", async () => {
  await using server = await start([], async (connection) => {
    await connection.startTls(identity);
    await connection.write(encode("goodbye"));
  });
  using connection = await Deno.startTls(await dial(server.addr), trusting);
  // without close_notify, Deno would report an unexpected end
  assertEquals(decode(await new SocketReader(connection).readAll()), "goodbye");
});

Deno.test("upgradable serves on when a client speaks no TLS, resets, stops, or does not trust it", async () => {
  const errors: unknown[] = [];
  await using server = await start(errors);
  {
    using tcp = await ready(server.addr);
    await tcp.write(encode("MAIL FROM:<clear@example.org>\r\n".repeat(10)));
    await new SocketReader(tcp).readAll().catch(() => {});
  }
  {
    using tcp = await ready(server.addr);
    // the first bytes of a ClientHello
    await tcp.write(new Uint8Array([22, 3, 1, 2, 0, 1, 0]));
  }
  {
    const untrusting = Deno.startTls(await ready(server.addr), { hostname: "localhost" });
    using secured = await untrusting;
    await assertRejects(() => secured.handshake());
  }
  (await ready(server.addr)).close();
  using good = await upgraded(server.addr);
  await good.write(encode("good"));
  assertEquals(decode((await new SocketReader(good).readExactly(4))!), "good");
  for (const error of errors) assert((error as Error).message.startsWith("cannot agree on TLS"));
});

Deno.test("upgradable throws away what was sent in clear text behind STARTTLS", async () => {
  const errors: unknown[] = [];
  await using server = await start(errors);
  const tcp = await ready(server.addr, "injected\r\n");
  using secured = await Deno.startTls(tcp, trusting);
  // it came with the STARTTLS, or too late, as garbage before the handshake: never as what TLS protects
  const heard = secured.handshake().then(async () => {
    await secured.write(encode("own"));
    await secured.closeWrite();
    return decode(await new SocketReader(secured).readAll());
  });
  assertEquals(await heard.catch(() => "own"), "own");
});

Deno.test("upgradable is closed when the client is silent over TLS for too long", async () => {
  const errors: unknown[] = [];
  await using server = await start(errors, converse, 400);
  using connection = await upgraded(server.addr);
  await connection.read(new Uint8Array(16)).catch(() => null);
  assertEquals(errors.length, 1);
  assertEquals((errors[0] as Error).message, "nothing came within 0.4 s");
});

Deno.test("upgradable is closed when the server shuts down", async () => {
  const server = await start();
  using connection = await upgraded(server.addr);
  await connection.write(encode("x"));
  await connection.read(new Uint8Array(1));
  await server.shutdown();
  assertEquals(await connection.read(new Uint8Array(1)).catch(() => null), null);
});

Deno.test("upgradable fails at once when the client goes in the middle of the greeting", async () => {
  for (const hello of [[], [22, 3, 1, 2, 0, 1, 0]]) {
    const failed = Promise.withResolvers<unknown>();
    await using server = await start([], async (connection) => {
      // a deadline that would never come
      const starting = connection.startTls(identity, { timeout: Infinity });
      await starting.catch(failed.resolve);
    });
    const tcp = await dial(server.addr);
    await tcp.write(new Uint8Array(hello));
    tcp.close();
    assertEquals(
      (await failed.promise as Error).message,
      "cannot agree on TLS with the client: the client left in the middle of the greeting",
    );
  }
});
