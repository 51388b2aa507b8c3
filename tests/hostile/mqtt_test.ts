/**
 * The broker under attack: after each, a good client is served, and nothing stays open.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { chance, concat, encode } from "../lib/helpers.ts";
import { attacks as anyServer, type Target, tcpTarget } from "./attacks.ts";
import { connecting, packet, publishing, RawClient, subscribing } from "./mqtt.ts";
import { memory, openFiles, type Script, startScript } from "./script.ts";
import { anyPort } from "./siege.ts";
import { settles, times, until, within } from "./waits.ts";

const BROKER = "scripts/mqtt/broker.ts";

/** A broker that runs. */
interface Broker {
  script: Script;
  port: number;
  target: Target;
}

async function start(...words: string[]): Promise<Broker & AsyncDisposable> {
  const place = anyPort();
  const script = startScript(BROKER, { ...place, words: [...place.words, ...words] });
  const port = Number(await script.printed(/^listening on 127\.0\.0\.1:(\d+)$/m));
  const target = tcpTarget(port);
  return { script, port, target, [Symbol.asyncDispose]: () => script[Symbol.asyncDispose]() };
}

/** A client that behaves gets its own message back, and its confirmation. */
async function serves({ port }: Broker): Promise<void> {
  const talk = async () => {
    using client = await RawClient.open(port, `good-${crypto.randomUUID()}`, "well");
    await client.send(publishing("well", "well?"));
    assertEquals(await client.message(), "well?");
    await client.publish("elsewhere", "x".repeat(100_000));
    await client.send(packet(0xe0));
    await client.closed();
  };
  await within("a good client's answer", talk());
}

/** Connects, sends bytes as they are, and waits until the broker has had enough. */
async function cutOff({ port }: Broker, bytes: Uint8Array, opened = true): Promise<void> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const hello = opened ? connecting(`bad-${crypto.randomUUID()}`) : new Uint8Array();
  const drain = async () => {
    const scratch = new Uint8Array(1_024);
    try {
      const all = concat(hello, bytes);
      for (let sent = 0; sent < all.length;) sent += await connection.write(all.subarray(sent));
      while (await connection.read(scratch) !== null);
    } catch (error) {
      const { ConnectionReset, BrokenPipe } = Deno.errors;
      if (!(error instanceof ConnectionReset || error instanceof BrokenPipe)) throw error;
    }
  };
  await within("the end of the connection", drain(), 8_000);
}

const SEED = 911;

/** Good packets, damaged by chance: bytes changed, left out, put in, cut off. */
function malformed(next: (limit: number) => number): Uint8Array {
  const good = [
    publishing("a/b", "hello", next(3)),
    subscribing("a/#", next(3)),
    packet(0xa2, new Uint8Array([0, 9, 0, 1, 0x61])), // UNSUBSCRIBE
    packet(0xc0),
    packet(0x40, new Uint8Array([0, 7])),
    packet(0x62, new Uint8Array([0, 7])),
    connecting("again"),
  ];
  const bytes = [...concat(...Array.from({ length: 3 }, () => good[next(good.length)]!))];
  for (let faults = 1 + next(4); faults > 0; faults--) {
    const at = next(bytes.length);
    [
      () => bytes[at] = next(256),
      () => bytes.splice(at, 1 + next(4)),
      () => bytes.splice(at, 0, next(256), next(256)),
      () => bytes.splice(at),
      () => bytes[at]! ^= 1 << next(8),
    ][next(5)]!();
  }
  return new Uint8Array(bytes);
}

const CUT_OFF: Record<string, [bytes: Uint8Array | number[], opened?: boolean]> = {
  "a packet announces 256 MiB": [[0x30, 0xff, 0xff, 0xff, 0x7f]],
  "the first packet announces 1 MiB": [[0x10, 0x80, 0x80, 0x40], false],
  "a length has five bytes": [[0x30, 0xff, 0xff, 0xff, 0xff, 0x01]],
  "a message is over the limit": [publishing("a", new Uint8Array(300_000), 1)],
  "the first packet is no CONNECT": [publishing("a", "b"), false],
  "a second CONNECT comes": [connecting("again")],
  "the protocol has another name": [
    packet(0x10, encode("\0\x04HTTP"), new Uint8Array([4, 2, 0, 60, 0, 0])),
    false,
  ],
  "the flags of a packet are wrong": [[0x8f, 5, 0, 1, 0, 1, 0x61]],
  "the packet type is 0": [[0x00, 0]],
  "the QoS is 3": [[0x36, 5, 0, 1, 0x61, 0, 1]],
  "a topic is longer than its packet": [[0x30, 4, 0xff, 0xff, 0x61, 0x62]],
  "a topic has a wildcard": [publishing("a/#", "b", 1)],
  "a topic is empty": [publishing("", "b", 1)],
  "a topic is the broker's own": [publishing("$SYS/x", "b", 1)],
  "a topic has 1,000 levels": [publishing("a/".repeat(1_000), "b", 1)],
  "a filter goes on after #": [subscribing("#/a")],
  "a TLS client comes": [[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, ...Array(300).fill(7)], false],
  "an HTTP client comes": [encode("GET / HTTP/1.1\r\nhost: x\r\n\r\n"), false],
};

const FEW = [
  "clients reset the connection in mid-message",
  "clients end their side in mid-message",
];
const SOME = Object.keys(anyServer).filter((name) =>
  /random bytes|2,000|500 clients|never reads|vanish/.test(name) || FEW.includes(name)
);

const ATTACKS: Record<string, (broker: Broker) => Promise<unknown>> = {
  ...Object.fromEntries(
    Object.entries(CUT_OFF).map(([name, [bytes, opened]]) => [
      name,
      (broker) => cutOff(broker, new Uint8Array(bytes), opened),
    ]),
  ),
  ...Object.fromEntries(
    SOME.map((name) => [
      name,
      (broker) => anyServer[name]!(broker.target, () => serves(broker)),
    ]),
  ),
  [`500 clients send malformed packets (seed ${SEED})`]: (broker) => {
    const next = chance(SEED);
    return times(500, 20, async () => {
      const bytes = malformed(next);
      using client = await RawClient.open(broker.port, `bad-${crypto.randomUUID()}`);
      await client.send(bytes).catch(() => {});
      // what is only half there is still waited for: the end of the stream ends that
      await client.connection.closeWrite().catch(() => {});
      await within("the end of the connection", client.closed());
    });
  },
  "100 clients stop in the middle of a packet": async (broker) => {
    const half = connecting("half").subarray(0, 9);
    const crowd = await times(100, 20, async () => {
      const connection = await broker.target.dial();
      await connection.write(half);
      return connection;
    });
    await serves(broker);
    for (const connection of crowd) connection.close();
  },
  "clients take each other's name 100 times": async (broker) => {
    for (let round = 0; round < 100; round++) {
      using _one = await RawClient.open(broker.port, "the same", "x");
    }
  },
};

Deno.test("broker.ts serves on when", async (t) => {
  await using broker = await start();
  const { script } = broker;
  await serves(broker);
  const files = openFiles(script.pid);
  // this one never says who it is: see below
  using silent = await broker.target.dial();
  const dropped = silent.read(new Uint8Array(1)).catch(() => null);
  const began = performance.now();

  const attackBy = async (name: string) => {
    await ATTACKS[name]!(broker);
    await serves(broker);
  };
  for (const name of Object.keys(ATTACKS)) await t.step(name, () => attackBy(name));
  await t.step("a CONNECT never comes", async () => {
    assertEquals(await within("the end of the connection", dropped, 15_000), null);
    assert(performance.now() - began > 9_000 || Deno.build.os !== "linux");
  });
  const open = () => `${openFiles(script.pid)} files are open, ${files} were open before`;
  await t.step(
    "all have gone, with no file left open",
    () => until(open, () => openFiles(script.pid) <= files),
  );

  await t.step("all comes again, with the same memory", async () => {
    const before = memory(script.pid);
    for (const name of Object.keys(ATTACKS)) await attackBy(name);
    const growth = (memory(script.pid) - before) / 1024 / 1024;
    console.log(`${BROKER}: ${growth.toFixed(1)} MiB more`);
    assert(growth < 80, `grew by ${growth} MiB`);
    await until(open, () => openFiles(script.pid) <= files);
  });
  assertNoTrace(script);
  assertEquals(await script.stop("SIGTERM"), 0);
});

/** A client's fault is told in a line; a stack trace would be a mistake of the script. */
function assertNoTrace(script: Script): void {
  assertEquals(/^ +at .*|^.*(?:[Uu]ncaught|Error:).*/m.exec(script.stderr)?.[0], undefined);
}

Deno.test("broker.ts serves 1,000 clients at once when all of them subscribe", async () => {
  await using broker = await start();
  const files = openFiles(broker.script.pid);
  const crowd = await times(
    1_000,
    50,
    (index) => RawClient.open(broker.port, `one of many ${index}`, "all", `only/${index}`),
  );
  try {
    using sender = await RawClient.open(broker.port, "sender");
    await sender.publish("all", "hear this");
    await sender.publish("only/500", "just you");
    const heard = await within(
      "all messages",
      Promise.all(crowd.map((one) => one.message())),
      15_000,
    );
    assertEquals(new Set(heard), new Set(["hear this"]));
    assertEquals(await crowd[500]!.message(), "just you");
    await serves(broker);
  } finally {
    for (const one of crowd) one[Symbol.dispose]();
  }
  await until(
    () => "files stay open",
    () => openFiles(broker.script.pid) <= files,
    15_000,
  );
  assertNoTrace(broker.script);
});

for (const reading of ["nothing", "a byte a message"]) {
  Deno.test(`broker.ts serves the others when a subscriber reads ${reading}`, async () => {
    await using broker = await start();
    using lazy = await RawClient.open(broker.port, "lazy", "flood");
    using keen = await RawClient.open(broker.port, "keen", "flood");
    using sender = await RawClient.open(broker.port, "sender");
    const before = memory(broker.script.pid);
    const COUNT = 400;
    const payload = new Uint8Array(100_000);
    const sending = (async () => {
      for (let index = 0; index < COUNT; index++) {
        await sender.publish("flood", payload);
        if (reading !== "nothing") await lazy.connection.read(new Uint8Array(1)).catch(() => {});
      }
    })();
    for (let index = 0; index < COUNT; index++) {
      assertEquals((await within(`message ${index}`, keen.next(3))).payload.length, 100_000);
    }
    await sending;
    const told = () => `it says ${broker.script.stderr.slice(-300)}`;
    await until(
      told,
      () => /^lazy: it does not read: \d+ bytes wait for it$/m.test(broker.script.stderr),
    );
    await within("the end of the connection", lazy.closed());
    const growth = memory(broker.script.pid) - before;
    assert(growth < 100 * 1024 * 1024, `grew by ${growth} bytes`);
    await serves(broker);
    assertNoTrace(broker.script);
  });
}

Deno.test("broker.ts and subscriber.ts show them escaped when names and payloads are hostile", async () => {
  await using broker = await start();
  await using listener = startScript("scripts/mqtt/subscriber.ts", {
    words: ["--port", `${broker.port}`, "--topic", "#", "--count", "3"],
    flags: (flag) => flag.replace(/:\d+$/, `:${broker.port}`),
  });
  await until(() => listener.stderr, () => listener.stderr.includes("listening on"), 15_000);
  using sender = await RawClient.open(broker.port, "\x1b[2Jowned\r\n");
  await sender.publish("a\x1b]0;title\x07\n\x9b", "\x1b[2J\u202e clear");
  await sender.publish("b", new Uint8Array([0xff, 0xfe, 0x1b, 0x5b, 0x41, 0xc0, 0x80]));
  await sender.publish(new Uint8Array([0x63, 0xff, 0x1b]), "topic is no UTF-8").catch(() => {});
  await serves(broker);
  // whether the last topic is taken or not is the broker's affair; this one comes
  using other = await RawClient.open(broker.port, "other");
  await other.publish("d", "end");
  assertEquals(await within("its end", listener.ended, 15_000), 0);
  const printed = broker.script.stdout + broker.script.stderr + listener.stdout + listener.stderr;
  // of all control characters only the line feed is itself
  const controls = [...printed].filter((sign) => /[\p{Cc}\p{Cf}]/u.test(sign) && sign !== "\n");
  assertEquals(controls, []);
  assertMatch(
    broker.script.stderr,
    /^\\x1b\[2Jowned\\r\\n published \d+ bytes to a\\x1b\]0;title\\x07\\n\\(?:x|u00)9b/m,
  );
  assertEquals(listener.stdout.split("\n").slice(0, 2), [
    String.raw`\x1b[2J\u202e clear`,
    String.raw`\xff\xfe\x1b[A\xc0\x80`,
  ]);
  assertNoTrace(broker.script);
});

Deno.test("broker.ts refuses WebSocket clients when they are bad, and serves good ones", async () => {
  const place = { flags: (flag: string) => flag.replace(/127\.0\.0\.1:\d+/g, "127.0.0.1:0") };
  await using script = startScript(BROKER, {
    ...place,
    words: ["--port", "0", "--websocket", "0"],
  });
  const port = await script.printed(/^WebSocket on ws:\/\/127\.0\.0\.1:(\d+)$/m);
  const response = await fetch(`http://127.0.0.1:${port}/`);
  assertEquals([response.status, (await response.text()).startsWith("MQTT over")], [426, true]);
  const talk = async (...says: (string | Uint8Array<ArrayBuffer>)[]) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, "mqtt");
    socket.binaryType = "arraybuffer";
    const closed = new Promise<void>((resolve) => {
      socket.onclose = () => resolve();
    });
    const answer = new Promise<number>((resolve) => {
      socket.onmessage = ({ data }) => resolve(new Uint8Array(data)[0]! >> 4);
    });
    await new Promise<void>((resolve) => socket.onopen = () => resolve());
    for (const each of says) socket.send(each);
    return { answer, closed, socket };
  };
  for (
    const bad of [
      "text",
      new Uint8Array([0x10, 0xff, 0xff, 0xff, 0x7f]),
      new Uint8Array([0x10, 0xff, 0xff, 0xff, 0xff]),
      publishing("a", "b"),
    ]
  ) {
    const { closed } = await talk(bad);
    await within("the end of the connection", closed);
  }
  // cut anywhere, a packet is one
  const { answer, closed, socket } = await talk(
    ...[...connecting("web")].map((byte) => new Uint8Array([byte])),
  );
  assertEquals(await within("an answer", answer), 2);
  socket.close();
  await closed;
  assert(!await settles(script.ended, 100));
  assertNoTrace(script);
});
