import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { DeadlineError } from "../../lib/deadline.ts";
import { LimitError, SocketReader, type Source, UnexpectedEof } from "../../lib/reader.ts";
import {
  chance,
  concat,
  decode,
  encode,
  everyCut,
  everyPairOfCuts,
  Feed,
  inWords,
  pieces,
} from "./helpers.ts";

/** All lines of a stream. */
async function linesOf(reader: SocketReader): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of reader) lines.push(line);
  return lines;
}

Deno.test("SocketReader gives lines when they end in LF, CRLF or with the stream", async () => {
  const cases: Record<string, string[]> = {
    "": [],
    "a\nb\n": ["a", "b"],
    "a\r\nb\r\n": ["a", "b"],
    "a\r\nb\nc\r\n": ["a", "b", "c"],
    "a\nlast": ["a", "last"],
    "\n\r\n\n": ["", "", ""],
    "a\rb\n": ["a\rb"],
    "a\r\r\n": ["a\r"],
    "last\r": ["last\r"],
    "\r": ["\r"],
    "é\n€\r\n😀": ["é", "€", "😀"],
    "\ufeffa\n\ufeffb\n\ufeff": ["\ufeffa", "\ufeffb", "\ufeff"],
    "a\0b\u2028c\x85d\n": ["a\0b\u2028c\x85d"],
  };
  for (const [text, lines] of Object.entries(cases)) {
    for (const parts of everyCut(encode(text))) {
      assertEquals(await linesOf(SocketReader.from(parts)), lines, JSON.stringify(text));
    }
  }
});

Deno.test("SocketReader replaces what is no UTF-8 and keeps the line's end when a character is cut", async () => {
  const bytes = new Uint8Array([
    0xe2,
    0x82,
    0x0a,
    0xff,
    0x61,
    0x0d,
    0x0a,
    0xc3,
    0x0d,
    0x0a,
    0xf0,
    0x9f,
  ]);
  for (const parts of everyCut(bytes)) {
    assertEquals(await linesOf(SocketReader.from(parts)), [
      "\ufffd",
      "\ufffda",
      "\ufffd",
      "\ufffd",
    ]);
  }
});

Deno.test("SocketReader.readUntil gives what comes before a delimiter of any length", async () => {
  const cases: [text: string, delimiter: string, parts: string[]][] = [
    ["a;b;", ";", ["a", "b"]],
    [";;", ";", ["", ""]],
    ["aaabx", "aab", ["a"]],
    ["ababac", "abac", ["ab"]],
    ["aabaabaac", "aabaac", ["aab"]],
    ["one\r\n\r\ntwo\r\r\n\r\n", "\r\n\r\n", ["one", "two\r"]],
    ["key: é€😀", "€", ["key: é"]],
    ["x--boundary--y--boundary--", "--boundary--", ["x", "y"]],
  ];
  for (const [text, delimiter, expected] of cases) {
    for (const parts of everyCut(encode(text))) {
      const reader = SocketReader.from(parts);
      for (const part of expected) {
        assertEquals(decode((await reader.readUntil(delimiter))!), part, `${text} by ${delimiter}`);
      }
    }
  }
});

Deno.test("SocketReader.readUntil refuses a delimiter of no bytes", async () => {
  await assertRejects(() => SocketReader.from(encode("a")).readUntil(""), RangeError, "no bytes");
});

Deno.test("SocketReader tells a clean end from an end in the middle", async () => {
  const ask: Record<string, (reader: SocketReader) => Promise<unknown>> = {
    "null": (reader) => reader.readLine(),
    "null ": (reader) => reader.readLines(),
    "null  ": (reader) => reader.readUntil("\r\n"),
    "null   ": (reader) => reader.readExactly(4),
    "null    ": (reader) => reader.read(new Uint8Array(4)),
    "false": (reader) => reader.fill(1),
    "": (reader) => reader.readAll().then(decode),
  };
  for (const [answer, call] of Object.entries(ask)) {
    const reader = SocketReader.from(encode("last line\n"));
    await reader.readLine();
    assertEquals(String(await call(reader)), answer.trim(), call.toString());
    assertEquals(String(await call(reader)), answer.trim(), `${call}, asked again`);
  }
});

Deno.test("SocketReader keeps what came, and tells how much, when the stream ends in the middle", async () => {
  for (const parts of everyCut(encode("half"))) {
    const reader = SocketReader.from(parts);
    const tooFew = await assertRejects(() => reader.readExactly(10), UnexpectedEof);
    assertEquals([tooFew.received, tooFew.wanted], [4, 10]);
    assertEquals(tooFew.message, "the stream ended after 4 of 10 bytes");
    const noMark = await assertRejects(() => reader.readUntil("\r\n"), UnexpectedEof);
    assertEquals([noMark.received, noMark.wanted], [4, "the delimiter"]);
    assertEquals(noMark.message, "the stream ended after 4 bytes, before the delimiter");
    assertEquals(await reader.fill(5), false);
    assertEquals(decode((await reader.readExactly(2))!), "ha");
    assertEquals(await reader.readLine(), "lf");
    assertEquals(await reader.readLine(), null);
  }
});

Deno.test("SocketReader gives empty answers at once when nothing is asked for", async () => {
  const reader = new SocketReader({ read: () => Promise.reject(new Error("was read")) });
  assertEquals(await reader.read(new Uint8Array(0)), 0);
  assertEquals(await reader.readExactly(0), new Uint8Array(0));
  assertEquals(await reader.fill(0), true);
  assertEquals(reader.tryLine(), undefined);
  assertEquals(reader.tryExactly(1), undefined);
  assertEquals(reader.peekNumber(1), undefined);
  assertEquals(reader.buffered, 0);
});

Deno.test("SocketReader refuses what is one byte over the limit, and nothing else", async (t) => {
  const limit = 4;
  type Call = (reader: SocketReader) => Promise<unknown>;
  const line: Call = (reader) => reader.readLine({ limit });
  const until: Call = async (reader) => decode((await reader.readUntil("--", { limit }))!);
  const exactly = (count: number): Call => async (reader) =>
    decode((await reader.readExactly(count, { limit }))!);
  const all: Call = async (reader) => decode(await reader.readAll({ limit }));
  const cases: [text: string, call: Call, result: string | undefined][] = [
    ["1234\nx", line, "1234"],
    ["12345\nx", line, undefined],
    ["1234\r\nx", line, "1234"],
    ["12345\r\nx", line, undefined],
    ["1234\r\r\n", line, undefined],
    ["123\r\r\n", line, "123\r"],
    ["€\n", line, "€"],
    ["€€\n", line, undefined],
    ["1234", line, "1234"],
    ["12345", line, undefined],
    ["123\r", line, "123\r"],
    ["1234\r", line, undefined],
    ["1234\r\rx", line, undefined],
    ["12345678901234567890", line, undefined],
    ["1234--", until, "1234"],
    ["12345--", until, undefined],
    ["1234-5--", until, undefined],
    ["1234567890", until, undefined],
    ["1234x", exactly(4), "1234"],
    ["12345x", exactly(5), undefined],
    ["1", exactly(5), undefined],
    ["1234", all, "1234"],
    ["12345", all, undefined],
    ["", all, ""],
  ];
  for (const [text, call, result] of cases) {
    await t.step(`${JSON.stringify(text)} by ${call.toString().replace(/\s+/g, " ")}`, async () => {
      for (const parts of everyCut(encode(text))) {
        const reader = SocketReader.from(parts);
        if (result !== undefined) assertEquals(await call(reader), result);
        else {
          const error = await assertRejects(() => call(reader), LimitError, "the limit of 4 bytes");
          assertEquals(error.limit, limit);
          assertEquals(decode(await reader.readAll()), text, "something was lost");
        }
      }
    });
  }
});

Deno.test("SocketReader gives the short lines around one that is over the limit", async () => {
  const text = "1\n22\n333\n4444\n55555\n4444\r\n1\n55555\r\n";
  for (const parts of everyCut(encode(text))) {
    const reader = SocketReader.from(parts, { limit: 4 });
    const results: unknown[] = [];
    for (let count = 0; count < 10; count++) {
      const line = await reader.readLine().catch(inWords);
      results.push(line);
      if (line === "over 4") results.push(await reader.readLine({ limit: 5 }));
    }
    const expected = ["1", "22", "333", "4444", "over 4", "55555", "4444", "1", "over 4", "55555"];
    assertEquals(results, [...expected, null, null]);
  }
});

Deno.test("SocketReader holds each call to its own limit when lines have come already", async () => {
  for (const parts of everyCut(encode("a\nlong line\nb\n"))) {
    const reader = SocketReader.from(parts);
    assertEquals(await reader.readLine(), "a");
    await assertRejects(() => reader.readLine({ limit: 4 }), LimitError);
    await assertRejects(() => reader.readLines({ limit: 4 }), LimitError);
    assertEquals(await reader.readLine({ limit: 9 }), "long line");
    assertEquals(await reader.readLine({ limit: 4 }), "b");
  }
});

Deno.test("SocketReader gathers at most 1 MiB unless told otherwise", async () => {
  const mebibyte = 1024 * 1024;
  assertEquals(new SocketReader(new Feed()).limit, mebibyte);
  const line = (length: number) => SocketReader.from(new Uint8Array(length).fill(0x61)).readLine();
  assertEquals((await line(mebibyte))?.length, mebibyte);
  await assertRejects(() => line(mebibyte + 1), LimitError, "a line is longer than the limit of");
  const larger = SocketReader.from(new Uint8Array(2 * mebibyte), { limit: 2 * mebibyte });
  assertEquals((await larger.readAll()).length, 2 * mebibyte);
});

Deno.test("SocketReader.readLines gives all whole lines that have come, then the rest", async () => {
  const reader = SocketReader.from([encode("a\nb\r\nc"), encode("d\n"), encode("e")]);
  assertEquals(await reader.readLines(), ["a", "b"]);
  assertEquals(await reader.readLines(), ["cd"]);
  assertEquals(await reader.readLines(), ["e"]);
  assertEquals(await reader.readLines(), null);
});

Deno.test("SocketReader.tryLine gives lines that have come and waits for none", async () => {
  const reader = SocketReader.from([encode("a\nb\nc"), encode("\nd")]);
  assertEquals(reader.tryLine(), undefined);
  assertEquals(await reader.readLine(), "a");
  assertEquals([reader.tryLine(), reader.tryLine()], ["b", undefined]);
  assertEquals([await reader.readLine(), reader.tryLine()], ["c", undefined]);
  assertEquals([await reader.readLine(), reader.tryLine()], ["d", undefined]);
});

Deno.test("SocketReader.peekNumber takes nothing, also in the middle of decoded lines", async () => {
  const reader = SocketReader.from(concat(encode("a\n\n"), new Uint8Array([0, 1, 0, 10, 9])));
  assertEquals(await reader.readLine(), "a");
  assertEquals([reader.peekNumber(1), reader.peekNumber(4), reader.buffered], [10, 0x0a_000100, 6]);
  assertEquals(await reader.readLine(), "");
  assertEquals([reader.peekNumber(4), reader.peekNumber(2)], [0x1_000a, 1]);
  assertEquals(await reader.readExactly(5), new Uint8Array([0, 1, 0, 10, 9]));
});

Deno.test("SocketReader can be read on when a loop over its lines is left", async () => {
  const reader = SocketReader.from(encode("a\nb\nc\nd\n"));
  for await (const line of reader) if (line === "b") break;
  assertEquals(await linesOf(reader), ["c", "d"]);
});

// every kind of call, one after the other; what each of them gives does not depend on how the bytes arrive
type Step = (reader: SocketReader) => Promise<unknown>;
const CONVERSATION = concat(
  encode("HÉLO €\r\n\nkey=välue==x"),
  new Uint8Array([0, 0, 0, 3, 1, 0x0a, 3]),
  encode("two\nlines\r\nlong line 😀\nabcde\r\n--\n-\r\n---\n€nd"),
);
const STEPS: Step[] = [
  (reader) => reader.readLine(),
  (reader) => reader.readLine({ limit: 0 }),
  (reader) => reader.readUntil("=="),
  (reader) => reader.readExactly(1),
  async (reader) => [await reader.fill(4), reader.peekNumber(4), await reader.readExactly(4)],
  (reader) => reader.readExactly(3),
  (reader) => reader.readLine(),
  (reader) => reader.readExactly(3),
  (reader) => reader.readLine(),
  (reader) => reader.readUntil(" "),
  (reader) => reader.readLine({ limit: 8 }),
  (reader) => reader.readLine({ limit: 9 }),
  readTwoBytes,
  (reader) => reader.readExactly(100, { limit: 10 }),
  (reader) => reader.readUntil("\n--", { limit: 2 }),
  (reader) => reader.readUntil("\n-\r", { limit: 7 }),
  (reader) => reader.readLine(),
  (reader) => reader.readExactly(100),
  (reader) => reader.readUntil("\0"),
  (reader) => reader.readAll({ limit: 8 }),
];
const ENDINGS: Step[] = [
  (reader) => reader.readAll(),
  (reader) => linesOf(reader),
  (reader) => batchesOf(reader),
  async (reader) => [await reader.readLine(), await reader.readLine(), await reader.readLine()],
];

/** Two bytes by `read`, which gives one or both. */
async function readTwoBytes(reader: SocketReader): Promise<Uint8Array> {
  const bytes = new Uint8Array(2);
  const count = await reader.read(bytes);
  if (count === 1) await reader.read(bytes.subarray(1));
  return bytes;
}

async function batchesOf(reader: SocketReader): Promise<string[]> {
  const lines: string[] = [];
  for (let batch; (batch = await reader.readLines()) !== null;) lines.push(...batch);
  return lines;
}

async function replay(reader: SocketReader, ending: Step): Promise<unknown[]> {
  const results: unknown[] = [];
  for (const step of [...STEPS, ending, ending]) results.push(await step(reader).catch(inWords));
  return results;
}

const RESULTS: unknown[] = [
  "HÉLO €",
  "",
  encode("key=välue"),
  encode("x"),
  [true, 3, new Uint8Array([0, 0, 0, 3])],
  new Uint8Array([1, 10, 3]),
  "two",
  encode("lin"),
  "es",
  encode("long"),
  "over 8",
  "line 😀",
  encode("ab"),
  "over 10",
  "over 2",
  encode("cde\r\n--"),
  "",
  "end after 9, before 100",
  "end after 9, before the delimiter",
  "over 8",
];

Deno.test("SocketReader gives the same when a conversation is cut at every place and every pair", async () => {
  const endings: unknown[][] = [
    [encode("---\n€nd"), encode("")],
    [["---", "€nd"], []],
    [["---", "€nd"], []],
    [["---", "€nd", null], [null, null, null]],
  ];
  for (const [index, ending] of ENDINGS.entries()) {
    const expected = [...RESULTS, ...endings[index]!];
    for (const parts of everyCut(CONVERSATION)) {
      assertEquals(await replay(SocketReader.from(parts), ending), expected);
    }
  }
  for (const parts of everyPairOfCuts(CONVERSATION)) {
    const results = await replay(SocketReader.from(parts), ENDINGS[0]!);
    assertEquals(results, [...RESULTS, ...endings[0]!]);
  }
});

Deno.test("SocketReader gives the same over TCP when every byte is written alone", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { hostname, port } = listener.addr;
  const [client, server] = await Promise.all([Deno.connect({ hostname, port }), listener.accept()]);
  using _client = client;
  using _server = server;
  client.setNoDelay(true);
  const send = async () => {
    for (const byte of pieces(CONVERSATION, 1)) await client.write(byte);
    await client.closeWrite();
  };
  const [results] = await Promise.all([
    replay(new SocketReader(server), (reader) => linesOf(reader)),
    send(),
  ]);
  assertEquals(results, [...RESULTS, ["---", "€nd"], []]);
});

Deno.test("SocketReader never changes the views it gave when several MB come after", async () => {
  const next = chance(2);
  const views: { view: Uint8Array; copy: Uint8Array }[] = [];
  const source: Source = {
    read(into) {
      const count = Math.min(into.length, 1 + next(20_000));
      for (let at = 0; at < count; at++) into[at] = next(5) === 0 ? 0x0a : next(256);
      return Promise.resolve(count);
    },
  };
  const reader = new SocketReader(source);
  const calls: (() => Promise<Uint8Array | null>)[] = [
    () => reader.readExactly(next(next(20) === 0 ? 200_000 : 300)),
    () => reader.readUntil("\n"),
    () => reader.readUntil("\n\n"),
  ];
  for (let received = 0; received < 3_000_000;) {
    const view = await calls[next(calls.length)]!();
    assert(view);
    views.push({ view, copy: view.slice() });
    received += view.length;
    await reader.read(new Uint8Array(next(50)));
    await reader.readLine();
  }
  for (const { view, copy } of views) assert(view.every((byte, index) => byte === copy[index]));
});

Deno.test("SocketReader gives a line of 1 MiB when it comes in tiny pieces", async () => {
  const size = 1024 * 1024;
  const calls: Step[] = [
    (reader) => reader.readLine(),
    (reader) => reader.readUntil("\n"),
    (reader) => reader.readExactly(size),
    (reader) => reader.readAll({ limit: size + 1 }),
  ];
  for (const call of calls) {
    let left = size + 1;
    const reader = new SocketReader({
      read(into) {
        if (left === 0) return Promise.resolve(null);
        const count = Math.min(into.length, left, 32);
        into.fill(0x61, 0, count);
        left -= count;
        if (left === 0) into[count - 1] = 0x0a;
        return Promise.resolve(count);
      },
    });
    const result = await call(reader);
    assert(typeof result === "string" || result instanceof Uint8Array);
    assert(result.length >= size);
  }
});

Deno.test("SocketReader reads small lines and parts in turn when 300 KB of them have come at once", async () => {
  const reader = SocketReader.from(encode("1\nx".repeat(100_000)), { limit: 2 * 1024 * 1024 });
  await reader.fill(300_000);
  for (let count = 0; count < 100_000; count++) {
    if (await reader.readLine() !== "1" || (await reader.readExactly(1))?.[0] !== 0x78) {
      throw new Error(`pair ${count} is wrong`);
    }
  }
  assertEquals(await reader.readLine(), null);
});

const WAITS: Record<string, (reader: SocketReader, options: object) => Promise<unknown>> = {
  readLine: (reader, options) => reader.readLine(options),
  readLines: (reader, options) => reader.readLines(options),
  readUntil: (reader, options) => reader.readUntil("\n\n", options),
  readExactly: (reader, options) => reader.readExactly(20, options),
  fill: (reader, options) => reader.fill(20, options),
  readAll: (reader, options) => reader.readAll(options),
};

for (const [name, call] of Object.entries(WAITS)) {
  Deno.test(`SocketReader.${name} loses nothing when it is aborted`, async () => {
    const feed = new Feed();
    const reader = new SocketReader(feed);
    feed.send("be");
    const abort = new AbortController();
    const waiting = call(reader, { signal: abort.signal });
    const stop = new Error("stop");
    // the second read is the one that waits
    while (feed.reads < 2) await Promise.resolve();
    abort.abort(stop);
    assertStrictEquals(await waiting.catch((error) => error), stop);
    feed.send("fore and after\nrest");
    feed.end();
    assertEquals(await reader.readLine(), "before and after");
    assertEquals(decode(await reader.readAll()), "rest");
    assertEquals(feed.reads, 3, "the read that was given up was not taken over");
  });

  Deno.test(`SocketReader.${name} loses nothing when its time is up`, async () => {
    const feed = new Feed();
    const reader = new SocketReader(feed);
    feed.send("be");
    await assertRejects(() => call(reader, { timeout: 5 }), DeadlineError, "within 0.005 s");
    feed.send("fore and after\nrest");
    feed.end();
    assertEquals(await reader.readLine(), "before and after");
    assertEquals(decode(await reader.readAll()), "rest");
  });

  Deno.test(`SocketReader.${name} goes on when the source failed in the middle`, async () => {
    const feed = new Feed();
    const reader = new SocketReader(feed);
    const fault = new Error("cable pulled");
    feed.send("be");
    feed.fail(fault);
    assertStrictEquals(await call(reader, {}).catch((error) => error), fault);
    feed.send("fore and after\nrest");
    feed.end();
    assertEquals(await reader.readLine(), "before and after");
    assertEquals(decode(await reader.readAll()), "rest");
  });
}

Deno.test("SocketReader uses the time and signal it was made with unless a call has its own", async () => {
  const impatient = new SocketReader(new Feed(), { timeout: 5 });
  await assertRejects(() => impatient.readLine(), DeadlineError, "0.005 s");
  const abort = new AbortController();
  const reader = new SocketReader(new Feed(), { signal: abort.signal });
  await assertRejects(() => reader.readLine({ timeout: 7 }), DeadlineError, "0.007 s");
  abort.abort();
  const error = await assertRejects(() => reader.readLine());
  assertInstanceOf(error, DOMException);
  assertEquals(error.name, "AbortError");
});

Deno.test("SocketReader measures a deadline over all reads of a call", async () => {
  // a peer that sends a byte now and then keeps no call waiting for ever
  const source: Source = {
    async read(into) {
      await new Promise((resolve) => AbortSignal.timeout(4).addEventListener("abort", resolve));
      into[0] = 0x61;
      return 1;
    },
  };
  const reader = new SocketReader(source);
  await assertRejects(() => reader.readLine({ timeout: 30 }), DeadlineError);
  assert(reader.buffered > 0);
  await reader.read(new Uint8Array(100));
  await reader.fill(1);
});

Deno.test("SocketReader gives what has come when its signal is aborted already", async () => {
  const reader = SocketReader.from(encode("a\nb\n"));
  assertEquals(await reader.readLine(), "a");
  const signal = AbortSignal.abort(new Error("stop"));
  assertEquals(await reader.readLine({ signal }), "b");
  await assertRejects(() => reader.readLine({ signal }), Error, "stop");
  assertEquals(await reader.readLine(), null);
});

Deno.test("SocketReader leaves no listener on a signal that many calls share", async () => {
  const feed = new Feed();
  const reader = new SocketReader(feed);
  const { signal } = new AbortController();
  let listeners = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    listeners++;
    addEventListener.apply(signal, args);
  };
  signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    listeners--;
    removeEventListener.apply(signal, args);
  };
  for (let count = 0; count < 10; count++) {
    const line = reader.readLine({ signal });
    feed.send("a\n");
    assertEquals(await line, "a");
  }
  assertEquals(listeners, 0);
});

Deno.test("SocketReader refuses a call while another waits, which goes on", async () => {
  const feed = new Feed();
  const reader = new SocketReader(feed);
  const first = reader.readLine();
  for (const call of Object.values(WAITS)) {
    await assertRejects(() => call(reader, {}), TypeError, "another call is still waiting");
  }
  await assertRejects(() => reader.read(new Uint8Array(1)), TypeError);
  feed.send("first\nsecond\n");
  assertEquals([await first, await reader.readLine()], ["first", "second"]);
});
