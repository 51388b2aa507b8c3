import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { Socket } from "node:net";
import type { Endpoint } from "../../lib/address.ts";
import { DeadlineError, within } from "../../lib/deadline.ts";
import { ActionError } from "../../lib/errors.ts";
import { connect, type Connection, serve } from "../../lib/tcp.ts";
import { decode, encode, endpointOf, readAll, soon, temporaryFolder } from "./helpers.ts";

/** Sends back what comes. */
async function echo(connection: Connection): Promise<void> {
  const buffer = new Uint8Array(1024);
  for (let count; (count = await connection.read(buffer)) !== null;) {
    await connection.write(buffer.subarray(0, count));
  }
}

/** Says something and hears it back. */
async function ask(connection: Connection, text: string): Promise<string> {
  await connection.write(encode(text));
  const buffer = new Uint8Array(text.length * 4);
  const count = await connection.read(buffer);
  return decode(buffer.subarray(0, count ?? 0));
}

/** Nobody listens there. */
async function refuses(endpoint: Endpoint): Promise<void> {
  const connecting = async () => (await connect(endpoint)).close();
  await assertRejects(connecting, ActionError, "cannot connect to");
}

/** A place where a test can wait for another. */
function gate(): { opened: Promise<void>; open: () => void } {
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  return { opened, open };
}

const ignored = () => {};

/** A test over TCP and again over a Unix socket. */
function test(name: string, body: (endpoint: Endpoint) => Promise<void>): void {
  Deno.test(`serve ${name}, over TCP`, () => body({ hostname: "127.0.0.1", port: 0 }));
  Deno.test(`serve ${name}, over a Unix socket`, async () => {
    using folder = temporaryFolder();
    await body({ transport: "unix", path: `${folder.path}/socket` });
  });
}

test("answers each client when many talk at once", async (endpoint) => {
  await using server = await serve(endpoint, echo);
  await Promise.all(Array.from({ length: 20 }, async (_, index) => {
    using client = await connect(endpointOf(server));
    for (let turn = 0; turn < 5; turn++) {
      assertEquals(
        await ask(client, `client ${index}, turn ${turn}`),
        `client ${index}, turn ${turn}`,
      );
    }
  }));
  await server.shutdown();
  assertEquals(server.connections, 0);
});

test("goes on with the others when a handler throws", async (endpoint) => {
  const errors: unknown[] = [];
  const onError = (error: unknown, connection?: Connection) => errors.push([error, !!connection]);
  const fault = new Error("handler at fault");
  await using server = await serve({ ...endpoint, onError }, async (connection) => {
    const buffer = new Uint8Array(10);
    const count = await connection.read(buffer);
    if (decode(buffer.subarray(0, count ?? 0)) === "bad") throw fault;
    await connection.write(buffer.subarray(0, count ?? 0));
    await echo(connection);
  });
  using good = await connect(endpointOf(server));
  assertEquals(await ask(good, "good"), "good");
  using bad = await connect(endpointOf(server));
  assertEquals(await ask(bad, "bad"), "");
  assertEquals(errors, [[fault, true]]);
  assertEquals(await ask(good, "still good"), "still good");
  good.close();
  await server.shutdown();
  assertEquals(server.connections, 0);
});

test("goes on when a handler throws before it waits, and when onError throws", async (endpoint) => {
  const seen: unknown[] = [];
  const onError = (error: unknown) => {
    seen.push(error);
    throw new Error("onError at fault, printed on purpose");
  };
  const { error } = console;
  console.error = ignored;
  try {
    await using server = await serve({ ...endpoint, onError }, () => {
      throw new Error("at once");
    });
    for (let count = 0; count < 3; count++) {
      using client = await connect(endpointOf(server));
      assertEquals(await client.read(new Uint8Array(1)), null);
    }
    assertEquals(seen.length, 3);
  } finally {
    console.error = error;
  }
});

test("prints one line about a fault unless told otherwise", async (endpoint) => {
  const lines: unknown[] = [];
  const { error } = console;
  console.error = (...words) => lines.push(words.join(" "));
  try {
    await using server = await serve(endpoint, () => Promise.reject(new Error("handler at fault")));
    using client = await connect(endpointOf(server));
    assertEquals(await client.read(new Uint8Array(1)), null);
    const remote = "path" in endpoint ? "a local client" : `127.0.0.1:${port(client.localAddr)}`;
    assertEquals(lines, [`${remote}: handler at fault`]);
  } finally {
    console.error = error;
  }
});

function port(addr: Deno.Addr): number {
  assert("port" in addr);
  return addr.port;
}

Deno.test("serve goes on when a client resets its connection, over TCP", async () => {
  const reset = Promise.withResolvers<unknown>();
  const options = { hostname: "127.0.0.1", port: 0, onError: reset.resolve };
  await using server = await serve(options, echo);
  // Deno's own close ends the stream first; node's has a way to reset
  const rude = new Socket();
  const closed = new Promise((resolve) => rude.on("close", resolve));
  rude.connect(port(server.addr), "127.0.0.1", () => rude.resetAndDestroy());
  await closed;
  assertInstanceOf(await reset.promise, Deno.errors.ConnectionReset);
  using client = await connect(endpointOf(server));
  assertEquals(await ask(client, "hello"), "hello");
});

test("goes on when a client closes and leaves the answer unread", async (endpoint) => {
  const gone = Promise.withResolvers<unknown>();
  await using server = await serve({ ...endpoint, onError: gone.resolve }, async (connection) => {
    await connection.write(encode("two words"));
    for (;;) await connection.write(await readSome(connection, 1));
  });
  const rude = await connect(endpointOf(server));
  assertEquals((await readSome(rude, 3)).length, 3);
  rude.close();
  const error = await gone.promise;
  const kinds = [Deno.errors.ConnectionReset, Deno.errors.BrokenPipe];
  assert(kinds.some((kind) => error instanceof kind), String(error));
  using client = await connect(endpointOf(server));
  assertEquals(decode(await readSome(client, 9)), "two words");
  assertEquals(await ask(client, "!"), "!");
  client.close();
  await server.shutdown();
  assertEquals(server.connections, 0);
});

async function readSome(connection: Connection, count: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(count);
  for (let at = 0; at < count;) at += await connection.read(bytes.subarray(at)) ?? count;
  return bytes;
}

test("can answer when the client has ended its side", async (endpoint) => {
  await using server = await serve(endpoint, async (connection) => {
    const question = await readAll(connection);
    await connection.write(encode(`${question.length} bytes`));
  });
  using client = await connect(endpointOf(server));
  await client.write(encode("question"));
  await client.closeWrite();
  assertEquals(decode(await readAll(client)), "8 bytes");
});

test("ends a conversation when the client is silent for too long", async (endpoint) => {
  const told = Promise.withResolvers<[unknown, Connection | undefined]>();
  const onError = (error: unknown, connection?: Connection) => told.resolve([error, connection]);
  await using server = await serve({ ...endpoint, idleTimeout: 40, onError }, echo);
  using client = await connect(endpointOf(server));
  assertEquals(await ask(client, "hello"), "hello");
  assertEquals(await client.read(new Uint8Array(1)), null);
  const [error, connection] = await told.promise;
  assertInstanceOf(error, DeadlineError);
  assertEquals(error.message, "nothing came within 0.04 s");
  assertStrictEquals(connection?.closedFor, error);
  assertEquals(server.connections, 0);
});

test("ends a conversation when the client takes nothing for too long", async (endpoint) => {
  const told = Promise.withResolvers<unknown>();
  const options = { ...endpoint, idleTimeout: 40, onError: told.resolve };
  await using server = await serve(options, async (connection) => {
    await connection.write(new Uint8Array(32 * 1024 * 1024));
  });
  using _client = await connect(endpointOf(server));
  assertInstanceOf(await told.promise, DeadlineError);
  assertEquals(server.connections, 0);
});

test("does not end a conversation when the client talks now and then", async (endpoint) => {
  await using server = await serve({ ...endpoint, idleTimeout: 200 }, echo);
  using client = await connect(endpointOf(server));
  for (const began = performance.now(); performance.now() - began < 400;) {
    assertEquals(await ask(client, "still here"), "still here");
  }
});

test("lets further clients wait and then serves them when there are too many", async (endpoint) => {
  let most = 0;
  await using server = await serve({ ...endpoint, maxConnections: 2 }, async (connection) => {
    most = Math.max(most, server.connections);
    await echo(connection);
  });
  const clients: Connection[] = [];
  for (let count = 0; count < 6; count++) clients.push(await connect(endpointOf(server)));
  const answers: number[] = [];
  const asked = clients.map(async (client, index) => {
    answers.push(Number(await ask(client, String(index))));
    client.close();
  });
  await Promise.all(asked);
  assertEquals(answers.toSorted(), [0, 1, 2, 3, 4, 5]);
  assertEquals(most, 2);
  await server.shutdown();
  assertEquals(server.connections, 0);
});

test("shuts down at once when nobody is connected or all places are taken", async (endpoint) => {
  await (await serve(endpoint, echo)).shutdown();
  const full = await serve({ ...endpoint, maxConnections: 1 }, echo);
  const client = await connect(endpointOf(full));
  assertEquals(await ask(client, "full"), "full");
  const over = full.shutdown();
  client.close();
  await over;
  assertEquals(full.connections, 0);
});

test("lets a conversation finish when it is shut down", async (endpoint) => {
  const server = await serve({ ...endpoint, grace: 10_000, onError: ignored }, echo);
  const client = await connect(endpointOf(server));
  assertEquals(await ask(client, "before"), "before");
  const over = server.shutdown();
  assertEquals(await ask(client, "after"), "after");
  assertEquals(server.connections, 1);
  await soon(() => refuses(endpointOf(server)));
  client.close();
  await over;
  await server.finished;
  assertEquals(server.connections, 0);
});

test("closes a conversation when it goes on for longer than the grace period", async (endpoint) => {
  const errors: unknown[] = [];
  const onError = (error: unknown) => errors.push(error);
  const server = await serve({ ...endpoint, grace: 20, onError }, echo);
  using client = await connect(endpointOf(server));
  assertEquals(await ask(client, "hello"), "hello");
  await server.shutdown();
  assertEquals(errors.map(String), ["Error: the server shut down in the middle"]);
  assertEquals(server.connections, 0);
  assertEquals(await client.read(new Uint8Array(1)), null);
});

test("shuts down when a handler never returns", async (endpoint) => {
  const never = gate();
  const server = await serve({ ...endpoint, grace: 20, onError: ignored }, () => never.opened);
  using client = await connect(endpointOf(server));
  const ended = client.read(new Uint8Array(1));
  await server.shutdown();
  assertEquals(await ended, null);
  never.open();
});

test("shuts down once when it is asked twice", async (endpoint) => {
  const server = await serve(endpoint, echo);
  const [first, second] = [server.shutdown(), server.shutdown()];
  assertStrictEquals(first, second);
  await first;
  await server.shutdown();
  await server[Symbol.asyncDispose]();
});

test("shuts down when its signal is aborted, before or after it began", async (endpoint) => {
  const abort = new AbortController();
  const server = await serve({ ...endpoint, signal: abort.signal }, echo);
  using client = await connect(endpointOf(server));
  assertEquals(await ask(client, "hello"), "hello");
  client.close();
  abort.abort();
  await server.finished;
  assertEquals(server.connections, 0);
  const late = await serve({ ...endpoint, signal: abort.signal }, echo);
  await late.finished;
});

test("shuts down at the end of a block", async (endpoint) => {
  let where: Endpoint;
  {
    await using server = await serve(endpoint, echo);
    where = endpointOf(server);
    using client = await connect(where);
    assertEquals(await ask(client, "hello"), "hello");
  }
  await soon(() => refuses(where));
});

test("loses no greeting when the client sent what the handler never read", async (endpoint) => {
  await using server = await serve(endpoint, (connection) => {
    return connection.write(encode("busy, come back later")).then(ignored);
  });
  for (let count = 0; count < 20; count++) {
    using client = await connect(endpointOf(server));
    await client.write(new Uint8Array(50_000));
    assertEquals(decode(await readAll(client)), "busy, come back later");
  }
});

test("writes 8 MiB whole when the reader is slow", async (endpoint) => {
  const size = 8 * 1024 * 1024;
  const sent = Uint8Array.from({ length: size }, (_, index) => index % 251);
  const counts: number[] = [];
  await using server = await serve(endpoint, async (connection) => {
    counts.push(await connection.write(sent));
  });
  using client = await connect(endpointOf(server));
  // small reads with turns of the event loop between them
  const start = await readSome(client, 100_000);
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setTimeout(resolve));
  const rest = await readAll(client);
  assertEquals(start.length + rest.length, size);
  assert(start.every((byte, index) => byte === index % 251));
  assert(rest.every((byte, index) => byte === (index + start.length) % 251));
  assertEquals(counts, [size]);
});

Deno.test("serve accepts a good client at once when others reset before they are accepted", async () => {
  // a child resets 50 connections while this process is held up and cannot accept
  const errors: unknown[] = [];
  const onError = (error: unknown) => errors.push(error);
  await using server = await serve({ hostname: "127.0.0.1", port: 0, onError }, echo);
  const resets = `
    for (let count = 0; count < 50; count++) {
      const client = new (require("node:net").Socket)();
      client.connect(${port(server.addr)}, "127.0.0.1", () => client.resetAndDestroy());
    }`;
  new Deno.Command(Deno.execPath(), { args: ["eval", "--ext=cjs", resets] }).outputSync();
  using client = await connect(endpointOf(server));
  assertEquals(await within(2_000, ask(client, "hello")), "hello");
  assertEquals(errors, []);
});

Deno.test("serve tells which address is taken when another server has it", async () => {
  await using server = await serve({ hostname: "127.0.0.1", port: 0 }, echo);
  const taken = { hostname: "127.0.0.1", port: port(server.addr) };
  await assertRejects(
    () => serve(taken, echo),
    Error,
    `cannot listen on 127.0.0.1:${taken.port}: another program has that address already`,
  );
});

Deno.test("serve listens on IPv6 and tells its address", async () => {
  await using server = await serve({ hostname: "::1", port: 0 }, echo);
  using client = await connect(endpointOf(server));
  assertEquals(client.remote, `[::1]:${port(server.addr)}`);
  assertEquals(await ask(client, "sechs"), "sechs");
});
