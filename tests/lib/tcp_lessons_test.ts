/**
 * What the lessons on TCP export: the ways of framing, the race of Happy Eyeballs, the three ways to wait,
 * and the engine of the event echo server.
 *
 * @module
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { formatEndpoint } from "../../lib/address.ts";
import {
  delimited,
  fixed,
  FramingError,
  prefixed,
  readDelimited,
  readFixed,
  readPrefixed,
  readToEnd,
} from "../../lib/framing.ts";
import { SocketReader } from "../../lib/reader.ts";
import type { Connection } from "../../lib/tcp.ts";
import { settled, withDeadline } from "../../scripts/tcp/blocking.ts";
import { clientOf } from "../../scripts/tcp/dual_stack.ts";
import { listenTCP, type Protocol, Transport } from "../../scripts/tcp/event_echo_server.ts";
import {
  delimiter,
  fixedLength,
  lengthPrefix,
  LIMIT,
  shutdown,
  SIZE,
  type Way,
} from "../../scripts/tcp/framing.ts";
import { connect } from "../../scripts/tcp/happy_eyeballs.ts";
import { freePort } from "../peers/peers.ts";
import { chance, concat, decode, encode, everyCut, inWords, readAll } from "./helpers.ts";

const CRLF = encode("\r\n");

interface Pair {
  way: Way;
  frame(message: Uint8Array): Uint8Array;
  read(reader: SocketReader): Promise<Uint8Array | null>;
}

/** Each way of the lesson beside the same of lib. */
const PAIRS: Record<string, Pair> = {
  "fixed length": {
    way: fixedLength,
    frame: (message) => fixed(message, SIZE),
    read: (reader) => readFixed(reader, SIZE),
  },
  "delimiter": {
    way: delimiter,
    frame: (message) => delimited(message, CRLF),
    read: (reader) => readDelimited(reader, CRLF, { limit: LIMIT }),
  },
  "length prefix": {
    way: lengthPrefix,
    frame: prefixed,
    read: (reader) => readPrefixed(reader, { limit: LIMIT }),
  },
};

async function ofLesson(way: Way, parts: Uint8Array[]): Promise<(number[] | string)[]> {
  const found: (number[] | string)[] = [];
  try {
    for await (const message of way.messages(iterate(parts))) found.push([...message]);
  } catch (error) {
    found.push(inWords(error));
  }
  return found;
}

async function* iterate(parts: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

async function ofLib(read: Pair["read"], parts: Uint8Array[]): Promise<(number[] | string)[]> {
  const reader = SocketReader.from(parts);
  const found: (number[] | string)[] = [];
  try {
    for (let message; (message = await read(reader));) found.push([...message]);
  } catch (error) {
    found.push(inWords(error));
  }
  return found;
}

const MESSAGES = ["", "a", "\r", "two\n", "12345678", "x\r"].map(encode);

for (const [name, { way, frame, read }] of Object.entries(PAIRS)) {
  Deno.test(`framing.ts finds the messages by ${name} as lib does when the stream is cut anywhere`, async () => {
    const stream = concat(...MESSAGES.map(frame));
    assertEquals(concat(...MESSAGES.map(way.frame)), stream);
    for (const parts of everyCut(stream)) {
      const found = await ofLesson(way, parts);
      assertEquals(found, await ofLib(read, parts));
      assertEquals(found.length, MESSAGES.length);
    }
  });

  Deno.test(`framing.ts fails by ${name} as lib does when the stream ends too early`, async () => {
    const stream = concat(...MESSAGES.map(frame));
    let early = 0;
    for (let length = 0; length <= stream.length; length++) {
      const found = await ofLesson(way, [stream.subarray(0, length)]);
      assertEquals(found, await ofLib(read, [stream.subarray(0, length)]));
      if (typeof found.at(-1) === "string") early++;
    }
    assert(early > stream.length / 2);
  });

  Deno.test(`framing.ts ends by ${name} as lib does when the bytes are random`, async () => {
    const random = chance(31);
    for (let round = 0; round < 2_000; round++) {
      // few different bytes, so that delimiters and small lengths do come
      const bytes = Uint8Array.from({ length: random(150) }, () => [0, 13, 10, 3, 66][random(5)]!);
      const place = random(bytes.length + 1);
      const parts = [bytes.subarray(0, place), bytes.subarray(place)];
      assertEquals(await ofLesson(way, parts), await ofLib(read, parts));
    }
  });
}

Deno.test("framing.ts refuses a message by delimiter or length prefix when it is a byte over the limit", async () => {
  for (const name of ["delimiter", "length prefix"]) {
    const { way, frame } = PAIRS[name]!;
    const fits = encode("x".repeat(LIMIT)), over = encode("x".repeat(LIMIT + 1));
    for (const parts of everyCut(frame(fits))) {
      assertEquals(await ofLesson(way, parts), [[...fits]]);
    }
    for (const parts of everyCut(frame(over))) {
      assertEquals(await ofLesson(way, parts), [`over ${LIMIT}`]);
    }
  }
});

Deno.test("framing.ts takes the whole stream by shutdown up to the limit", async () => {
  for (const length of [0, 1, LIMIT, LIMIT + 1]) {
    const stream = encode("x".repeat(length));
    for (const parts of everyCut(stream)) {
      const expected = length > LIMIT ? [`over ${LIMIT}`] : [[...stream]];
      assertEquals(await ofLesson(shutdown, parts), expected);
    }
    if (length > LIMIT) continue;
    assertEquals(await readToEnd(SocketReader.from(stream)), stream);
  }
});

Deno.test("framing.ts refuses to send what could not be told apart", () => {
  assertThrows(() => fixedLength.frame(encode("123456789")), FramingError);
  assertThrows(() => delimiter.frame(encode("two\r\nlines")), FramingError);
  assertEquals(decode(delimiter.frame(encode("x\r"))), "x\r\r\n");
});

/** A listener on one of the loopback addresses, with the given port or one that is free on both. */
function listenOn(hostname: string, port = freePort(), tcpBacklog?: number): Deno.TcpListener {
  return Deno.listen({ hostname, port, tcpBacklog });
}

/** A listener that answers nobody any more. */
async function blackHole(hostname: string): Promise<Disposable & { port: number }> {
  const stack = new DisposableStack();
  const listener = stack.use(listenOn(hostname, freePort(), 1));
  const { port } = listener.addr;
  for (let full = false; !full;) {
    const client = Deno.connect({ hostname, port, signal: AbortSignal.timeout(300) });
    await client.then((connection) => stack.use(connection), () => full = true);
  }
  return { port, [Symbol.dispose]: () => stack.dispose() };
}

Deno.test("happy_eyeballs.ts keeps the first address when both answer, and tries no other", async () => {
  using six = listenOn("::1");
  const { port } = six.addr;
  using _four = listenOn("127.0.0.1", port);
  // the first is there long before the delay is over
  using connection = await connect(["::1", "127.0.0.1"], port, 60_000);
  assertEquals(formatEndpoint(connection.remoteAddr), `[::1]:${port}`);
});

Deno.test("happy_eyeballs.ts goes on at once when an address refuses", async () => {
  using four = listenOn("127.0.0.1");
  const { port } = four.addr;
  // the delay would not be over within this test
  using connection = await connect(["::1", "127.0.0.1"], port, 60_000);
  assertEquals(connection.remoteAddr.hostname, "127.0.0.1");
});

Deno.test("happy_eyeballs.ts goes on after the delay when an address is silent, and gives it up", async () => {
  using hole = await blackHole("::1");
  using four = listenOn("127.0.0.1", hole.port);
  const { error } = console;
  const told = Promise.withResolvers<void>();
  console.error = (line: string) => line === "::1: given up" && told.resolve();
  try {
    using connection = await connect(["::1", "127.0.0.1"], hole.port, 20);
    assertEquals(connection.remoteAddr.hostname, "127.0.0.1");
    using accepted = await four.accept();
    assertEquals(formatEndpoint(accepted.remoteAddr), formatEndpoint(connection.localAddr));
    await withDeadline(told.promise, 20_000);
  } finally {
    console.error = error;
  }
});

Deno.test("happy_eyeballs.ts waits no longer than its patience for all addresses together", async () => {
  using hole = await blackHole("::1");
  using _four = listenOn("127.0.0.1", hole.port);
  const late = () => connect(["::1", "127.0.0.1"], hole.port, 60_000, 100);
  const error = await assertRejects(() => withDeadline(late(), 30_000), Error);
  assertEquals(
    error.message,
    `cannot connect to ::1 or 127.0.0.1 port ${hole.port}: nothing came within 0.1 s`,
  );
});

Deno.test("happy_eyeballs.ts closes the second connection when two are made at the same moment", async () => {
  using six = listenOn("::1");
  const { port } = six.addr;
  using four = listenOn("127.0.0.1", port);
  const real = Deno.connect;
  const both = Promise.withResolvers<void>();
  let made = 0;
  try {
    // no connection is handed out before there are two, and none can be given up
    Deno.connect = (async ({ hostname, port }: Deno.ConnectOptions) => {
      const connection = await real({ hostname, port });
      if (++made === 2) both.resolve();
      await both.promise;
      return connection;
    }) as typeof Deno.connect;
    using connection = await connect(["::1", "127.0.0.1"], port, 0);
    assertEquals(connection.remoteAddr.hostname, "::1");
    using kept = await six.accept();
    assertEquals(formatEndpoint(kept.remoteAddr), formatEndpoint(connection.localAddr));
    using other = await four.accept();
    assertEquals(await withDeadline(other.read(new Uint8Array(1)), 20_000), null);
  } finally {
    Deno.connect = real;
  }
});

Deno.test("happy_eyeballs.ts tells every reason in one error when no address answers", async () => {
  const port = freePort();
  const error = await assertRejects(() => connect(["::1", "127.0.0.1"], port, 10), Error);
  assertEquals(
    error.message,
    `cannot connect to ::1 or 127.0.0.1 port ${port}: connection refused, nothing is listening there`,
  );
});

Deno.test("clientOf tells an IPv4 client of an IPv6 socket", () => {
  const cases: [hostname: string, family: string, host: string, mapped: boolean][] = [
    ["127.0.0.1", "IPv4", "127.0.0.1", false],
    ["::1", "IPv6", "::1", false],
    ["::ffff:192.0.2.1", "IPv4", "192.0.2.1", true],
    ["fe80::1", "IPv6", "fe80::1", false],
  ];
  for (const [hostname, family, host, mapped] of cases) {
    assertEquals(clientOf(hostname), { family, host, mapped });
  }
});

Deno.test("settled tells what has come, and does not wait for what has not", async () => {
  const later = Promise.withResolvers<string>();
  assertEquals(await settled(later.promise), undefined);
  later.resolve("now");
  assertEquals(await settled(later.promise), "now");
  await assertRejects(() => settled(Promise.reject(new Error("bad"))), Error, "bad");
});

Deno.test("withDeadline gives up the wait and not the promise", async () => {
  const later = Promise.withResolvers<string>();
  const error = await assertRejects(() => withDeadline(later.promise, 1), DOMException);
  assertEquals(error.name, "TimeoutError");
  later.resolve("late");
  assertEquals(await withDeadline(later.promise, 60_000), "late");
});

/** A protocol that notes what it is told. */
class Notes implements Protocol {
  calls: string[] = [];
  transport: Transport | undefined;
  readonly lost = Promise.withResolvers<void>();

  constructor(readonly onData = (_transport: Transport, _data: Uint8Array) => {}) {}

  connectionMade(transport: Transport): void {
    this.calls.push("made");
    this.transport = transport;
  }

  dataReceived(data: Uint8Array): void {
    this.calls.push(decode(data));
    this.onData(this.transport!, data);
  }

  connectionLost(reason?: Error): void {
    this.calls.push(reason ? `lost: ${reason.message}` : "lost");
    this.lost.resolve();
  }
}

async function listening(...protocols: Notes[]) {
  const waiting = [...protocols];
  const clients: string[] = [];
  const server = await listenTCP("127.0.0.1", 0, {
    buildProtocol(client) {
      clients.push(client);
      return waiting.shift()!;
    },
  });
  const { port } = server.addr as Deno.NetAddr;
  return {
    clients,
    dial: () => Deno.connect({ hostname: "127.0.0.1", port }),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("listenTCP makes one protocol per connection and calls it in order", async () => {
  const [first, second] = [new Notes(), new Notes()];
  await using server = await listening(first, second);
  const one = await server.dial();
  await one.write(encode("hello"));
  using two = await server.dial();
  await two.write(encode("other"));
  await two.closeWrite();
  await second.lost.promise;
  one.close();
  await first.lost.promise;
  assertEquals(first.calls, ["made", "hello", "lost"]);
  assertEquals(second.calls, ["made", "other", "lost"]);
  assertEquals(new Set(server.clients).size, 2);
});

Deno.test("loseConnection sends what waits, then closes; what comes meanwhile is not told", async () => {
  const big = new Uint8Array(4 * 1024 * 1024).fill(0x78);
  const notes = new Notes((transport) => {
    transport.write(big);
    transport.loseConnection();
    transport.write(encode("never sent"));
  });
  await using server = await listening(notes);
  using client = await server.dial();
  await client.write(encode("go"));
  await client.write(encode("on"));
  const reply = await readAll(client);
  assertEquals(reply.length, big.length);
  client.close();
  await notes.lost.promise;
  assertEquals(notes.calls.at(-1), "lost");
  assertEquals(notes.calls.filter((call) => call.startsWith("lost")).length, 1);
});

Deno.test("a paused transport tells no data until it is resumed", async () => {
  const notes = new Notes((transport) => transport.pauseProducing());
  await using server = await listening(notes);
  using client = await server.dial();
  await client.write(encode("first"));
  while (notes.calls.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
  await client.write(encode("second"));
  await new Promise((resolve) => setTimeout(resolve, 50));
  assertEquals(notes.calls, ["made", "first"]);
  notes.transport!.resumeProducing();
  while (notes.calls.length < 3) await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals(notes.calls, ["made", "first", "second"]);
  notes.transport!.resumeProducing();
  client.close();
  await notes.lost.promise;
});

Deno.test("connectionLost comes once, with the reason, when a method of the protocol fails", async () => {
  const notes = new Notes(() => {
    throw new Error("a mistake in the protocol");
  });
  await using server = await listening(notes);
  using client = await server.dial();
  await client.write(encode("x"));
  assertEquals((await readAll(client)).length, 0);
  await notes.lost.promise;
  assertEquals(notes.calls, ["made", "x", "lost: a mistake in the protocol"]);
});

Deno.test("a transport pauses its producer when many bytes or many pieces wait, and resumes it when none does", async () => {
  for (const [count, size] of [[2, 64 * 1024], [600, 1]]) {
    const calls: string[] = [];
    let letThrough = () => {};
    const open = new Promise<void>((resolve) => letThrough = resolve);
    const written: number[] = [];
    const connection = {
      remote: "a client",
      async write(bytes: Uint8Array) {
        await open;
        written.push(bytes.length);
        return bytes.length;
      },
    };
    const transport = new Transport(connection as unknown as Connection);
    transport.registerProducer({
      pauseProducing: () => calls.push("pause"),
      resumeProducing: () => calls.push("resume"),
    });
    transport.write(new Uint8Array(size!));
    assertEquals(calls, []);
    for (let piece = 1; piece < count!; piece++) transport.write(new Uint8Array(size!));
    assertEquals(calls[0], "pause");
    letThrough();
    await new Promise((resolve) => setTimeout(resolve, 20));
    assertEquals(calls.at(-1), "resume");
    assertEquals(calls.filter((call) => call === "resume").length, 1);
    assertEquals(written.reduce((sum, length) => sum + length), count! * size!);
  }
});
