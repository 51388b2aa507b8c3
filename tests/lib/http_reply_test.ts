import { assert, assertEquals, assertRejects } from "@std/assert";
import { HttpError, readReply } from "../../lib/http_reply.ts";
import { LimitError, SocketReader } from "../../lib/reader.ts";
import { chance, concat, decode, everyCut, Feed, pieces } from "./helpers.ts";

interface Sample {
  name: string;
  text: string;
  method?: string;
  status?: number;
  body?: string;
  headers?: Record<string, string>;
  trailers?: Record<string, string>;
  /** What stays unread: the beginning of the next reply on the same connection. */
  rest?: string;
}

const OK = "HTTP/1.1 200 OK\r\n";
const NEXT = "HTTP/1.1 404 Not Found\r\n";

/** Replies that are as they should be, or that a client has to take. */
const samples: Sample[] = [
  { name: "has a length", text: `${OK}Content-Length: 5\r\n\r\nhello`, body: "hello" },
  {
    name: "has a length, and another reply follows",
    text: `${OK}content-LENGTH:5\r\n\r\nhello${NEXT}`,
    body: "hello",
    rest: NEXT,
  },
  { name: "has the length 0", text: `${OK}Content-Length: 0\r\n\r\n`, body: "" },
  {
    name: "has the same length twice",
    text: `${OK}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`,
    body: "hello",
  },
  { name: "ends with the connection", text: `${OK}\r\nhello\r\n\r\n`, body: "hello\r\n\r\n" },
  {
    name: "is HTTP/1.0 and ends with the connection",
    text: "HTTP/1.0 200 OK\r\nA: b\r\n\r\nhello",
    body: "hello",
    headers: { a: "b" },
  },
  {
    name: "comes in chunks with extensions and trailers",
    text: `${OK}Transfer-Encoding: Chunked\r\n\r\n` +
      '5\r\nhello\r\n00B;name="a;b"\r\n, my friend\r\n1 ; x\r\n!\r\n0;last\r\nX-Sum: 17\r\nx-two: 2\r\n\r\n' +
      NEXT,
    body: "hello, my friend!",
    trailers: { "x-sum": "17", "x-two": "2" },
    rest: NEXT,
  },
  {
    name: "comes in no chunks",
    text: `${OK}Transfer-Encoding: chunked\r\n\r\n000\r\n\r\n${NEXT}`,
    body: "",
    rest: NEXT,
  },
  {
    name: "has a chunk that looks like the end",
    text: `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\n0\r\n\r\n\r\n0\r\n\r\n`,
    body: "0\r\n\r\n",
  },
  {
    name: "has empty elements around its coding",
    text:
      `${OK}Transfer-Encoding:\r\nTransfer-Encoding: ,\t, Chunked ,,\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
    body: "hi",
  },
  {
    name: "is 204, which has no body",
    text: "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nHTTP",
    status: 204,
    body: "",
    rest: "HTTP",
  },
  {
    name: "is 304, which has the length of a body that does not come",
    text: "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\nHTTP",
    status: 304,
    body: "",
    rest: "HTTP",
  },
  {
    name: "answers HEAD",
    text: `${OK}Content-Length: 5\r\n\r\nHTTP`,
    method: "HEAD",
    body: "",
    headers: { "content-length": "5" },
    rest: "HTTP",
  },
  {
    name: "comes after interim replies",
    text: `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${OK}` +
      "Content-Length: 2\r\n\r\nhi",
    body: "hi",
    headers: { "content-length": "2" },
  },
  {
    name: "has folded lines, spaces, tabs and bytes that are not ASCII",
    text:
      `${OK}A:\t one\r\n  two \r\n\t three\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nX:\xe9\r\n` +
      "Empty:\r\nContent-Length: 0\r\n\r\n",
    body: "",
    headers: { a: "one two three", "set-cookie": "a=1, b=2", x: "\xe9", empty: "" },
  },
  {
    name: "has lines that end in LF alone",
    text: "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi",
    body: "hi",
  },
  { name: "has no reason", text: "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi", body: "hi" },
  {
    name: "has a strange status",
    text: "HTTP/1.1 799  \x1b strange \r\nContent-Length: 0\r\n\r\n",
    status: 799,
    body: "",
  },
];

/** Each character is one byte. */
const bytesOf = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

async function read(reader: SocketReader, method?: string, pieceSize?: number) {
  const reply = await readReply(reader, { method, pieceSize });
  const parts: Uint8Array[] = [];
  for await (const part of reply.body) {
    assert(part.length > 0 && part.length <= (pieceSize ?? 65_536));
    parts.push(part.slice());
  }
  return { reply, body: decode(concat(...parts)) };
}

Deno.test("readReply gives the whole reply, at every cut and size of pieces, when it", async (t) => {
  for (const sample of samples) {
    await t.step(sample.name, async () => {
      const { text, method, status = 200, headers = {}, trailers = {}, rest = "" } = sample;
      for (const parts of everyCut(bytesOf(text))) {
        for (const pieceSize of [1, undefined]) {
          const reader = SocketReader.from(parts);
          const { reply, body } = await read(reader, method, pieceSize);
          assertEquals([reply.status, body], [status, sample.body]);
          for (const [name, value] of Object.entries(headers)) {
            assertEquals(reply.headers.get(name), value);
          }
          assertEquals(Object.fromEntries(reply.trailers), trailers);
          assertEquals(decode(await reader.readAll()), rest);
        }
      }
    });
  }
});

Deno.test("readReply refuses, at every cut, a reply that is", async (t) => {
  const chunked = `${OK}Transfer-Encoding: chunked\r\n\r\n`;
  const refused: Record<string, [text: string, message: string]> = {
    "nothing": ["", "closed the connection without a reply"],
    "no HTTP": ["220 ftp ready\r\n\r\n", "no status line"],
    "HTTP/2": ["HTTP/2 200 OK\r\n\r\n", "no status line"],
    "HTTP/0.9": ["<html>\r\n\r\n", "no status line"],
    "without a status line": ["\r\n", "no status line"],
    "of a status of two digits": ["HTTP/1.1 20 OK\r\n\r\n", "no status line"],
    "cut in its head": [`${OK}Content-Length: 5\r\n`, "in the middle of its head"],
    "shorter than its length": [`${OK}Content-Length: 5\r\n\r\nhell`, "after 4 of 5 bytes"],
    "of two lengths": [
      `${OK}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!`,
      'Content-Length is "5, 6"',
    ],
    "of a list of lengths": [`${OK}Content-Length: 5, 6\r\n\r\nhello!`, "no single number"],
    "of the length +5": [`${OK}Content-Length: +5\r\n\r\nhello`, "no single number"],
    "of the length -1": [`${OK}Content-Length: -1\r\n\r\nhello`, "no single number"],
    "of the length 0x5": [`${OK}Content-Length: 0x5\r\n\r\nhello`, "no single number"],
    "of a length beyond all numbers": [
      `${OK}Content-Length: 99999999999999999999\r\n\r\n`,
      "no single number",
    ],
    "of no length where one is announced": [`${OK}Content-Length:\r\n\r\n`, "no single number"],
    "framed in two ways": [
      `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      "both Content-Length and Transfer-Encoding",
    ],
    "chunked in HTTP/1.0": [
      "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "HTTP/1.0, which has no Transfer-Encoding",
    ],
    "chunked twice": [
      `${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`,
      '"chunked, chunked", not chunked',
    ],
    "chunked twice, and empty": [
      `${OK}Transfer-Encoding: chunked,,chunked\r\n\r\n`,
      '"chunked,,chunked", not chunked',
    ],
    "coded as nothing": [`${OK}Transfer-Encoding: , ,\r\n\r\n`, '", ,", not chunked'],
    "coded emptily": [`${OK}Transfer-Encoding:\r\n\r\n`, '"", not chunked'],
    "chunked after a space that is none": [
      `${OK}Transfer-Encoding: ,\xa0chunked\r\n\r\n0\r\n\r\n`,
      "not chunked",
    ],
    "chunked after a vertical tab": [`${OK}Transfer-Encoding: \vchunked,\r\n\r\n`, "not chunked"],
    "of an empty coding and a length": [
      `${OK}Content-Length: 5\r\nTransfer-Encoding: ,\r\n\r\nhello`,
      "both Content-Length and Transfer-Encoding",
    ],
    "chunked with a parameter": [`${OK}Transfer-Encoding: chunked;q=1,\r\n\r\n`, "not chunked"],
    "coded otherwise": [`${OK}Transfer-Encoding: gzip, chunked\r\n\r\n`, "not chunked"],
    "almost chunked": [`${OK}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`, "not chunked"],
    "of a space before the colon": [`${OK}Content-Length : 5\r\n\r\nhello`, "is no header"],
    "of a header without a colon": [`${OK}hello\r\n\r\n`, "is no header"],
    "of a header without a name": [`${OK}: 5\r\n\r\n`, "is no header"],
    "of a folded first line": [`${OK} Content-Length: 5\r\n\r\n`, "begins with a space"],
    "of a bare CR in a header": [`${OK}A: b\rContent-Length: 5\r\n\r\n`, "bare CR"],
    "of a NUL in a header": [`${OK}A: b\0\r\n\r\n`, "NUL"],
    "switching the protocol": ["HTTP/1.1 101 Switching Protocols\r\n\r\n", "changes the protocol"],
    "only interim": ["HTTP/1.1 100 Continue\r\n\r\n".repeat(17), "more than 16 interim replies"],
    "chunked without a last chunk": [`${chunked}5\r\nhello\r\n`, "before its last chunk"],
    "cut in a chunk": [`${chunked}5\r\nhell`, "after 4 of 5 bytes of a chunk"],
    "cut in the size of a chunk": [`${chunked}5`, "in the middle of a chunk"],
    "cut behind a chunk": [`${chunked}5\r\nhello\r`, "in the middle of a chunk"],
    "cut in its trailers": [`${chunked}0\r\nA: b\r\n`, "in the middle of its head"],
    "cut before its end": [`${chunked}0\r\n`, "before its last chunk did"],
    "longer than its chunk": [`${chunked}4\r\nhello\r\n0\r\n\r\n`, "does not end where it should"],
    "of a chunk size with a sign": [`${chunked}+5\r\nhello\r\n0\r\n\r\n`, "no size of a chunk"],
    "of a chunk size with 0x": [`${chunked}0x5\r\nhello\r\n0\r\n\r\n`, "no size of a chunk"],
    "of an empty chunk size": [`${chunked}\r\nhello\r\n`, "no size of a chunk"],
    "of a chunk size with a space before": [`${chunked} 5\r\nhello\r\n`, "no size of a chunk"],
    "of a chunk size that is too large": [`${chunked}FFFFFFFFFFFFFFFFF\r\n`, "no size of a chunk"],
    "of an LF in a chunk extension": [
      `${chunked}5;a\nb\r\nhello\r\n0\r\n\r\n`,
      "no size of a chunk",
    ],
  };
  for (const [name, [text, message]] of Object.entries(refused)) {
    await t.step(name, async () => {
      for (const parts of everyCut(bytesOf(text))) {
        await assertRejects(() => read(SocketReader.from(parts)), HttpError, message);
      }
    });
  }
});

Deno.test("readReply never takes the beginning of a framed reply for the whole", async () => {
  for (const { text, rest = "", method, name } of samples) {
    if (name.includes("ends with the connection")) continue;
    for (let length = 0; length < text.length - rest.length; length++) {
      const bytes = bytesOf(text.slice(0, length));
      await assertRejects(() => read(SocketReader.from(bytes), method), HttpError);
    }
  }
});

Deno.test("readReply tells what came before the reply, and not of the reply itself", async () => {
  const hints = ["HTTP/1.1 103 Early Hints", "Link: x\x1b"];
  const text = `HTTP/1.1 100 Continue\r\n\r\n${hints.join("\r\n")}\r\n\r\n${OK}\r\n`;
  const told: string[][] = [];
  const onInterim = (lines: string[]) => told.push(lines);
  const reply = await readReply(SocketReader.from(bytesOf(text)), { onInterim });
  assertEquals(told, [["HTTP/1.1 100 Continue"], hints]);
  assertEquals(reply.lines, ["HTTP/1.1 200 OK"]);
});

Deno.test("readReply waits without an end of its own when it is told so, until it is aborted", async () => {
  const patience = { timeout: Infinity, stall: Infinity };
  const late = new AbortController();
  const silent = () => new SocketReader({ read: () => new Promise<never>(() => {}) });
  const waiting = readReply(silent(), { ...patience, signal: late.signal });
  late.abort(new Error("enough"));
  await assertRejects(() => waiting, Error, "enough");
  const whole = `${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`;
  const { body } = await readReply(SocketReader.from(bytesOf(whole)), patience);
  for await (const part of body) assertEquals(part, bytesOf("hi"));
});

Deno.test("readReply takes a head of 10,000 bytes and refuses more than its limits", async () => {
  const head = `${OK}X: ${"x".repeat(9_940)}\r\nContent-Length: 2\r\n\r\nhi`;
  assertEquals((await read(SocketReader.from(bytesOf(head)))).body, "hi");
  const long = bytesOf(`${OK}X: ${"x".repeat(65_536)}`);
  await assertRejects(() => readReply(SocketReader.from(long)), LimitError, "65536 bytes");
  const lines = bytesOf(OK + "A: b\r\n".repeat(20_000));
  await assertRejects(() => readReply(SocketReader.from(lines)), HttpError, "more than 200 lines");
  const short = bytesOf(`${OK}${"A: b\r\n".repeat(10)}\r\n`);
  const options = { headLimit: OK.length + 60 };
  await assertRejects(() => readReply(SocketReader.from(short), options), LimitError, "the head");
  await readReply(SocketReader.from(short), { headLimit: short.length });
  const extended = bytesOf(`${OK}Transfer-Encoding: chunked\r\n\r\n1;${"x".repeat(5_000)}`);
  await assertRejects(() => read(SocketReader.from(extended)), LimitError, "4096 bytes");
});

Deno.test("readReply gives up a head and a body that do not come", async () => {
  const feed = new Feed();
  const slow = readReply(new SocketReader(feed), { timeout: 5 });
  await assertRejects(() => slow, HttpError, "its head was not complete in time");
  const begun = new Feed();
  begun.send(`${OK}Content-Length: 5\r\n\r\nhe`);
  const { body } = await readReply(new SocketReader(begun), { stall: 5 });
  const got: string[] = [];
  await assertRejects(
    async () => {
      for await (const part of body) got.push(decode(part));
    },
    Error,
    "nothing came within",
  );
  assertEquals(got, ["he"]);
  feed.end();
  begun.end();
});

const SEED = 9_112;
const INPUTS = 100_000;

const FRAGMENTS = [
  "HTTP/1.1 200 OK\r\n",
  "HTTP/1.1 100 Continue\r\n\r\n",
  "HTTP/1.0 204 x\r\n",
  "Content-Length: 5\r\n",
  "Content-Length: 0\r\n",
  "Transfer-Encoding: chunked\r\n",
  "transfer-encoding:identity\r\n",
  "A: b\r\n c\r\n",
  "\r\n",
  "\r\n\r\n",
  "\n",
  "5\r\nhello\r\n",
  "0\r\n\r\n",
  "0",
  "5;x",
  "hello",
  ":",
  " ",
  "\0",
  "\x1b[2J",
  "\xff",
];

Deno.test(`readReply ends with a reply or an error it names at ${INPUTS} generated inputs`, async () => {
  const next = chance(SEED);
  const outcomes = { reply: 0, refused: 0 };
  for (let round = 0; round < INPUTS; round++) {
    // half of them are good replies, of which a byte or two may be changed
    const made = Array.from({ length: next(9) }, () => FRAGMENTS[next(FRAGMENTS.length)]!);
    const text = round % 2 === 0
      ? samples[next(samples.length)]!.text
      : (next(4) === 0 ? "" : OK) + made.join("");
    const bytes = bytesOf(text);
    for (let flips = next(3); flips > 0 && bytes.length > 0; flips--) {
      bytes[next(bytes.length)] = next(256);
    }
    const parts = pieces(bytes, 8 + next(200));
    try {
      const { reply, body } = await read(SocketReader.from(parts), "GET", 64);
      assert(reply.status >= 200 && body.length <= bytes.length);
      outcomes.reply++;
    } catch (error) {
      const known = error instanceof HttpError || error instanceof LimitError;
      if (!known) throw new Error(`${JSON.stringify(decode(bytes))}: ${error}`, { cause: error });
      assert(!/\p{Cc}/u.test(String(error)), String(error));
      outcomes.refused++;
    }
  }
  assert(outcomes.reply > 10_000 && outcomes.refused > 10_000, JSON.stringify(outcomes));
});
