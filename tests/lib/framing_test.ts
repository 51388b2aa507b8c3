import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DeadlineError } from "../../lib/deadline.ts";
import {
  delimited,
  fixed,
  FramingError,
  LimitError,
  prefixed,
  readDelimited,
  readFixed,
  readPrefixed,
  readToEnd,
  tryPrefixed,
  UnexpectedEof,
} from "../../lib/framing.ts";
import { SocketReader } from "../../lib/reader.ts";
import { concat, decode, encode, everyCut, everyPairOfCuts, Feed, inWords } from "./helpers.ts";

const MESSAGES = ["first", "", "zwölf €", "\0\n\r\n"].map(encode);
const END = encode("|END|");

type Way = {
  frame: (message: Uint8Array) => Uint8Array;
  read: (reader: SocketReader) => Promise<Uint8Array | null>;
};

const WAYS: Record<string, Way> = {
  "fixed length": {
    frame: (message) => fixed(message, 12),
    read: (reader) => readFixed(reader, 12),
  },
  delimiter: {
    frame: (message) => delimited(message, END),
    read: (reader) => readDelimited(reader, END),
  },
  "length prefix": { frame: prefixed, read: (reader) => readPrefixed(reader) },
  "length prefix, tried first": {
    frame: prefixed,
    read: async (reader) => tryPrefixed(reader) ?? await readPrefixed(reader),
  },
};

for (const [name, { frame, read }] of Object.entries(WAYS)) {
  Deno.test(`framing by ${name} gives each message back when the stream is cut anywhere`, async () => {
    const stream = concat(...MESSAGES.map(frame));
    const expected = name === "fixed length"
      ? MESSAGES.map((message) => fixed(message, 12))
      : MESSAGES;
    for (const cuts of [everyCut(stream), everyPairOfCuts(stream)]) {
      for (const parts of cuts) {
        const reader = SocketReader.from(parts);
        for (const message of expected) assertEquals(await read(reader), message);
        assertEquals(await read(reader), null);
        assertEquals(await read(reader), null);
      }
    }
  });

  Deno.test(`framing by ${name} tells an end in the middle when the stream stops anywhere`, async () => {
    const stream = frame(encode("message"));
    for (let length = 1; length < stream.length; length++) {
      const reader = SocketReader.from(stream.subarray(0, length));
      await assertRejects(() => read(reader), UnexpectedEof);
      assertEquals(reader.buffered, length);
    }
  });
}

Deno.test("framing by shutdown gives all that came when the stream ends", async () => {
  for (const parts of everyCut(encode("one message\0\n"))) {
    const reader = SocketReader.from(parts);
    assertEquals(decode(await readToEnd(reader)), "one message\0\n");
    assertEquals((await readToEnd(reader)).length, 0);
  }
});

Deno.test("each way of framing refuses a message when it is one byte over the limit", async () => {
  const options = { limit: 4 };
  const cases: [data: Uint8Array, read: (reader: SocketReader) => Promise<Uint8Array | null>][] = [
    [encode("1234"), (reader) => readFixed(reader, reader.buffered, options)],
    [delimited(encode("1234"), END), (reader) => readDelimited(reader, END, options)],
    [prefixed(encode("1234")), (reader) => readPrefixed(reader, options)],
    [encode("1234"), (reader) => readToEnd(reader, options)],
  ];
  for (const [data, read] of cases) {
    const fits = SocketReader.from(data);
    await fits.fill(data.length);
    assertEquals(decode((await read(fits))!), "1234");
  }
  const tooLong = [encode("12345"), delimited(encode("12345"), END), prefixed(encode("12345"))];
  for (const [index, data] of [...tooLong, encode("12345")].entries()) {
    const reader = SocketReader.from(data);
    await reader.fill(data.length);
    await assertRejects(() => cases[index]![1](reader), LimitError, "limit of 4 bytes");
    assertEquals(reader.buffered, data.length);
  }
});

Deno.test("readPrefixed refuses a length over the limit before any of the message has come", async () => {
  const feed = new Feed();
  feed.send(new Uint8Array([0xff, 0xff, 0xff, 0xff]));
  const error = await assertRejects(() => readPrefixed(new SocketReader(feed)), LimitError);
  assertEquals(
    error.message,
    "a message of 4294967295 bytes is longer than the limit of 1048576 bytes",
  );
});

Deno.test("tryPrefixed keeps to the limit of a call as readPrefixed does", async () => {
  const reader = SocketReader.from(prefixed(encode("12345")));
  await reader.fill(9);
  assertEquals(tryPrefixed(reader, { limit: 4 }), undefined);
  await assertRejects(() => readPrefixed(reader, { limit: 4 }), LimitError);
  assertEquals(decode(tryPrefixed(reader, { limit: 5 })!), "12345");
});

Deno.test("readPrefixed loses nothing when a deadline comes anywhere in a message", async () => {
  const message = prefixed(encode("twenty bytes of text"));
  const reader = new SocketReader(new Feed());
  await assertRejects(() => readPrefixed(reader, { timeout: 1 }), DeadlineError);
  for (const parts of everyCut(message)) {
    const feed = new Feed();
    const reader = new SocketReader(feed);
    feed.send(parts[0]!);
    if (parts[0]!.length < message.length) {
      await assertRejects(() => readPrefixed(reader, { timeout: 1 }), DeadlineError);
    }
    parts.slice(1).forEach((part) => feed.send(part));
    feed.end();
    assertEquals(decode((await readPrefixed(reader))!), "twenty bytes of text");
    assertEquals(await readPrefixed(reader), null);
  }
});

Deno.test("readPrefixed has one deadline for the length and the message together", async () => {
  const { now } = performance;
  try {
    // the time is up when the length has come; the rest comes a little later
    const feed = new Feed();
    const reader = new SocketReader({
      async read(into) {
        const count = await feed.read(into);
        performance.now = () => now.call(performance) + 120_000;
        return count;
      },
    });
    const waiting = readPrefixed(reader, { timeout: 60_000 });
    feed.send(new Uint8Array([0, 0, 0, 2]));
    AbortSignal.timeout(50).addEventListener("abort", () => feed.send("ok"));
    await assertRejects(() => waiting, DeadlineError, "nothing came within 60 s");
    assertEquals(decode((await readPrefixed(reader))!), "ok");
  } finally {
    performance.now = now;
  }
});

Deno.test("readPrefixed tells what was wanted when the stream ends in length or message", async () => {
  const cases: [bytes: number[], words: string][] = [
    [[0, 0], "end after 2, before 4"],
    [[0, 0, 0, 9], "end after 0, before 9"],
    [[0, 0, 0, 9, 1, 2, 3], "end after 3, before 9"],
  ];
  for (const [bytes, words] of cases) {
    const reader = SocketReader.from(new Uint8Array(bytes));
    assertEquals(await readPrefixed(reader).catch(inWords), words);
  }
});

Deno.test("fixed refuses a message that is longer and fills a shorter one with zeros", () => {
  assertEquals(fixed(encode("ab"), 4), new Uint8Array([0x61, 0x62, 0, 0]));
  assertEquals(fixed(encode("abcd"), 4), encode("abcd"));
  assertThrows(() => fixed(encode("abcde"), 4), FramingError, "5 bytes does not fit 4");
});

Deno.test("delimited refuses a message when the delimiter would be found too early", () => {
  const cases: [message: string, delimiter: string, refused: boolean][] = [
    ["plain", "\n", false],
    ["", "\n", false],
    ["two\nlines", "\n", true],
    ["\n", "\n", true],
    ["a", "aa", true],
    ["ba", "aab", false],
    ["ab", "abab", true],
    ["aab", "abc", false],
    ["x\r", "\r\n", false],
  ];
  for (const [message, delimiter, refused] of cases) {
    const frame = () => delimited(encode(message), encode(delimiter));
    if (refused) assertThrows(frame, FramingError, "contains the delimiter");
    else assertEquals(decode(frame()), message + delimiter);
  }
});

Deno.test("delimited refuses a delimiter of no bytes as readUntil does", () => {
  assertThrows(() => delimited(encode("a"), encode("")), RangeError, "a delimiter of no bytes");
});

Deno.test("framing keeps what comes behind a message when the next is framed another way", async () => {
  const stream = concat(
    prefixed(encode("one")),
    delimited(encode("two"), END),
    fixed(encode("three"), 5),
    encode("rest"),
  );
  for (const parts of everyCut(stream)) {
    const reader = SocketReader.from(parts);
    assertEquals(decode((await readPrefixed(reader))!), "one");
    assertEquals(decode((await readDelimited(reader, END))!), "two");
    assertEquals(decode((await readFixed(reader, 5))!), "three");
    assertEquals(decode(await readToEnd(reader)), "rest");
  }
});
