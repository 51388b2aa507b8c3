import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { ActionError, explain } from "../../lib/errors.ts";
import { bind, MOST_BYTES, request, serve } from "../../lib/udp.ts";
import { freePort } from "../peers/peers.ts";
import { decode, encode, soon } from "./helpers.ts";

Deno.test("bind takes a free port of 127.0.0.1 unless told otherwise", async () => {
  using socket = await closing(bind());
  assert(socket.addr.transport === "udp");
  assertEquals(socket.addr.hostname, "127.0.0.1");
  assert(socket.addr.port > 0);
});

/** Makes a socket that is closed at the end of a block. */
async function closing(opening: Promise<Deno.DatagramConn>) {
  const socket = await opening;
  return Object.assign(socket, { [Symbol.dispose]: () => socket.close() });
}

Deno.test("bind names the address when it is taken or not of this machine", async () => {
  using socket = await closing(bind());
  assert(socket.addr.transport === "udp");
  const { port } = socket.addr;
  await assertRejects(
    () => bind({ port }),
    ActionError,
    `cannot bind 127.0.0.1:${port} for UDP: another program has that address already`,
  );
  await assertRejects(
    () => bind({ hostname: "192.0.2.1" }),
    ActionError,
    "cannot bind 192.0.2.1:0 for UDP: this machine does not have that address",
  );
});

for (const hostname of ["127.0.0.1", "::1"]) {
  Deno.test(`serve sends back datagrams of every size when it is on ${hostname}`, async () => {
    await using server = await serve({ hostname }, (datagram) => datagram);
    for (const size of [0, 1, 1_024, 1_025, 16_384, MOST_BYTES]) {
      const message = Uint8Array.from({ length: size }, (_, index) => index % 251);
      const answer = await request(message, server.addr);
      assertEquals(answer.length, size);
      assert(answer.every((byte, index) => byte === message[index]));
    }
  });
}

Deno.test("serve tells the handler who sent a datagram, and sends nothing for nothing", async () => {
  const senders: Deno.NetAddr[] = [];
  const heard = Promise.withResolvers<void>();
  await using server = await serve({}, (_datagram, from) => {
    senders.push(from);
    heard.resolve();
  });
  using client = await closing(bind());
  await client.send(encode("no answer wanted"), server.addr);
  await heard.promise;
  assertEquals(senders, [client.addr]);
});

Deno.test("serve works on several datagrams at once, each in memory of its own", async () => {
  const all = Promise.withResolvers<void>();
  const seen: string[] = [];
  await using server = await serve({ atOnce: 3 }, async (datagram) => {
    if (seen.push(decode(datagram)) === 3) all.resolve();
    await all.promise;
    return datagram;
  });
  const texts = ["one", "two", "three"];
  const answers = await Promise.all(texts.map((text) => request(encode(text), server.addr)));
  assertEquals(answers.map(decode), texts);
  assertEquals(seen.toSorted(), texts.toSorted());
});

Deno.test("serve goes on when a handler throws or its answer is too long", async () => {
  const errors: unknown[] = [];
  const onError = (error: unknown) => errors.push(error);
  await using server = await serve({ onError, atOnce: 1 }, (datagram) => {
    if (decode(datagram) === "bad") throw new Error("handler at fault");
    if (decode(datagram) === "long") return new Uint8Array(MOST_BYTES + 1);
    return datagram;
  });
  using client = await closing(bind());
  await client.send(encode("bad"), server.addr);
  await client.send(encode("long"), server.addr);
  assertEquals(decode(await request(encode("good"), server.addr)), "good");
  assertEquals(errors.map((error) => explain(error).reason), [
    "handler at fault",
    "a UDP datagram carries at most 65,507 bytes",
  ]);
});

Deno.test("serve goes on when onError throws", async () => {
  const { error } = console;
  console.error = () => {};
  try {
    const onError = () => {
      throw new Error("onError at fault");
    };
    await using server = await serve({ onError, atOnce: 1 }, (datagram) => {
      if (decode(datagram) === "bad") throw new Error("handler at fault");
      return datagram;
    });
    using client = await closing(bind());
    await client.send(encode("bad"), server.addr);
    assertEquals(decode(await request(encode("good"), server.addr)), "good");
  } finally {
    console.error = error;
  }
});

Deno.test("serve prints one line about a fault unless told otherwise", async () => {
  const lines: unknown[] = [];
  const { error } = console;
  console.error = (...words) => lines.push(...words);
  try {
    await using server = await serve({ atOnce: 1 }, (datagram) => {
      if (decode(datagram) === "bad") throw new Error("handler at fault");
      return datagram;
    });
    using client = await closing(bind());
    await client.send(encode("bad"), server.addr);
    await request(encode("good"), server.addr);
    assertEquals(lines, ["handler at fault"]);
  } finally {
    console.error = error;
  }
});

Deno.test("serve shuts down once when it is asked twice, and its port is free again", async () => {
  const port = freePort();
  const server = await serve({ port }, (datagram) => datagram);
  await Promise.all([server.shutdown(), server.shutdown()]);
  await server.finished;
  await server[Symbol.asyncDispose]();
  using _again = await soon(() => closing(bind(server.addr)));
});

Deno.test("serve shuts down when a handler never returns", async () => {
  const heard = Promise.withResolvers<void>();
  const never = Promise.withResolvers<void>();
  const server = await serve({}, () => {
    heard.resolve();
    return never.promise;
  });
  using client = await closing(bind());
  await client.send(encode("a"), server.addr);
  await heard.promise;
  await server.shutdown();
  never.resolve();
});

Deno.test("serve tells the reason when it cannot bind", async () => {
  await using server = await serve({}, () => {});
  const error = await assertRejects(() => serve(server.addr, () => {}), ActionError);
  assertInstanceOf(error.cause, Deno.errors.AddrInUse);
});
