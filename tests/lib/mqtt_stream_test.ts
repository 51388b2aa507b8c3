import { assert, assertEquals, assertThrows } from "@std/assert";
import { MqttStream, PacketGuard, type StreamLimits } from "../../lib/mqtt_stream.ts";
import { chance, concat, cut, decode, everyCut, pieces } from "./helpers.ts";

/** A packet with a body of so many bytes; the length is written as in MQTT 5.0, 1.5.5. */
function packet(body: number, type = 0x30): Uint8Array {
  const length: number[] = [];
  let rest = body;
  do {
    length.push(rest % 128 | (rest >= 128 ? 0x80 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  // a body that looks like lengths itself
  return new Uint8Array([type, ...length, ...new Uint8Array(body).fill(0xff)]);
}

/** How many bytes a guard takes before it throws; -1 when it takes all. */
function takenBefore(fault: string, limit: number, parts: Uint8Array[]): number {
  const guard = new PacketGuard(limit);
  let taken = 0;
  for (const part of parts) {
    try {
      guard.check(part);
    } catch (error) {
      assert(error instanceof RangeError && error.message.includes(fault), `${error}`);
      return taken;
    }
    taken += part.length;
  }
  return -1;
}

Deno.test("PacketGuard takes packets up to the limit when the stream is cut anywhere", () => {
  const bodies = [0, 1, 127, 128, 200, 0, 0, 130, 2];
  const stream = concat(...bodies.map((body) => packet(body)));
  for (const parts of everyCut(stream)) assertEquals(takenBefore("", 200, parts), -1);
});

Deno.test("PacketGuard refuses at the last byte of the length when", async (t) => {
  const before = concat(packet(0), packet(127), packet(200));
  const cases: [when: string, limit: number, bad: number[], fault: string][] = [
    ["a packet is over the limit", 200, [0x30, 0xc9, 0x01], "packet of 201 bytes, over 200"],
    ["a packet is over a small limit", 200, [0x30, 0xff, 0x7f], "packet of 16383 bytes"],
    ["it is the longest of all", 200, [0x30, 0xff, 0xff, 0xff, 0x7f], "268435455 bytes"],
    ["it has five bytes", 200, [0x30, 0x80, 0x80, 0x80, 0x80], "without a proper length"],
    ["it has five bytes of ones", 1e9, [0x30, 0xff, 0xff, 0xff, 0xff], "a proper length"],
  ];
  for (const [when, limit, bad, fault] of cases) {
    await t.step(when, () => {
      const stream = concat(before, new Uint8Array([...bad, 1, 2, 3]));
      const last = before.length + bad.length - 1;
      assertEquals(takenBefore(fault, limit, pieces(stream, 1)), last);
      for (let at = 1; at < stream.length; at++) {
        assertEquals(takenBefore(fault, limit, cut(stream, at)), at <= last ? at : 0);
      }
    });
  }
});

Deno.test("PacketGuard follows 64 MiB of packets when they are cut at random", () => {
  const next = chance(3);
  const guard = new PacketGuard(100_000);
  const stream = concat(...Array.from({ length: 200 }, () => packet(next(20_000))));
  for (let bytes = 0; bytes < 64 * 1024 * 1024; bytes += stream.length) {
    for (let at = 0; at < stream.length;) {
      const step = 1 + next(60_000);
      guard.check(stream.subarray(at, at + step));
      at += step;
    }
  }
  assertThrows(() => guard.check(packet(100_001)), RangeError);
});

/** A stream whose socket takes what it is told to. */
function streamWith(limits: StreamLimits = {}) {
  const sent: Uint8Array[] = [];
  const closed: (string | undefined)[] = [];
  let open = Promise.withResolvers<void>();
  open.resolve();
  const stream = new MqttStream(
    async (bytes) => {
      await open.promise;
      sent.push(bytes);
    },
    (reason) => closed.push(reason?.message),
    limits,
  );
  return {
    stream,
    sent,
    closed,
    block: () => open = Promise.withResolvers(),
    unblock: () => open.resolve(),
    ended: () => new Promise<void>((resolve) => stream.once("close", () => resolve())),
  };
}

Deno.test("MqttStream sends all in order when the socket stops and goes", async () => {
  const { stream, sent, block, unblock, ended } = streamWith();
  const next = chance(7);
  const parts = Array.from(
    { length: 500 },
    () => crypto.getRandomValues(new Uint8Array(next(400))),
  );
  for (const [index, part] of parts.entries()) {
    if (index % 50 === 10) block();
    if (index % 50 === 40) unblock();
    stream.write(part);
  }
  unblock();
  const end = ended();
  stream.end();
  stream.resume().push(null);
  await end;
  assert(decode(concat(...sent)) === decode(concat(...parts)));
});

Deno.test("MqttStream goes on when as much waits as may, and cuts off when it is more", async () => {
  const { stream, sent, closed, block, ended } = streamWith({ backlog: 1_000 });
  block();
  for (let index = 0; index < 10; index++) stream.write(new Uint8Array(100));
  await Promise.resolve();
  assertEquals([stream.destroyed, sent.length], [false, 0]);
  const end = ended();
  stream.write(new Uint8Array(1));
  await end;
  assertEquals(closed, ["it does not read: 1001 bytes wait for it"]);
});

Deno.test("MqttStream counts what has gone no more when much goes through", async () => {
  const { stream, sent } = streamWith({ backlog: 1_000 });
  for (let index = 0; index < 200; index++) {
    stream.write(new Uint8Array(900));
    await new Promise((resolve) => setImmediate(resolve));
  }
  assertEquals([stream.destroyed, concat(...sent).length], [false, 180_000]);
  stream.destroy();
});

Deno.test("MqttStream lets the socket wait when nobody reads, until somebody does", async () => {
  const { stream } = streamWith({ packet: 1e6 });
  const chunk = packet(10_000);
  let received = 0;
  let waiting: Promise<void>;
  do {
    waiting = stream.received(chunk);
    received += chunk.length;
  } while (stream.readableLength < stream.readableHighWaterMark);
  const state = await Promise.race([waiting.then(() => "taken"), Promise.resolve("waits")]);
  assertEquals(state, "waits");
  assert(received <= stream.readableHighWaterMark + chunk.length);
  assertEquals(stream.read()?.length, received); // all of it at once
  await waiting;
  stream.destroy();
});

Deno.test("MqttStream keeps what came when the socket uses its buffer again", async () => {
  const { stream } = streamWith();
  const buffer = packet(3);
  await stream.received(buffer);
  buffer.fill(0);
  assertEquals([...stream.read() ?? []], [...packet(3)]);
  stream.destroy();
});

Deno.test("MqttStream keeps what came when nobody reads for a while", async () => {
  const { stream } = streamWith();
  for (let index = 0; index < 3; index++) {
    await stream.received(packet(1));
    // Node then asks for more with read(0)
    await new Promise((resolve) => setImmediate(resolve));
  }
  assertEquals(stream.readableLength, 9);
  assertEquals(stream.read(0), null);
  assertEquals(stream.read()?.length, 9);
  stream.destroy();
});

Deno.test("MqttStream lets nobody wait for ever when it is destroyed", async () => {
  const { stream, closed } = streamWith({ packet: 1e6 });
  const waiting = stream.received(packet(500_000));
  stream.destroy(new Error("enough"));
  await waiting;
  await stream.received(packet(1));
  assertEquals(closed, ["enough"]);
});

Deno.test("MqttStream closes with the reason when the socket fails", async () => {
  const closed: (string | undefined)[] = [];
  const stream = new MqttStream(
    () => Promise.reject(new Error("gone")),
    (reason) => closed.push(reason?.message),
  );
  const end = new Promise<void>((resolve) => stream.once("close", () => resolve()));
  stream.write(new Uint8Array(1));
  await end;
  assertEquals(closed, ["gone"]);
});
