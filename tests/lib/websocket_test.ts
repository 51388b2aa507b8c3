/** WebSocket frames and conversations, without a network. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ByteBudget } from "../../lib/byte_budget.ts";
import { SocketReader, UnexpectedEof } from "../../lib/reader.ts";
import { WebSocketConversation, WebSocketError } from "../../lib/websocket.ts";
import { decodeClosing, encodeClosing, mayBeSent } from "../../lib/websocket_closing.ts";
import { encodeFrame, type Frame, OPCODES, readFrame } from "../../lib/websocket_frame.ts";
import { acceptKey, checkUpgrade, hasToken } from "../../lib/websocket_handshake.ts";
import { Problem } from "../../lib/http_problem.ts";
import { readRequestHead, writeResponse } from "../../lib/http_request.ts";
import { chance, concat, cut, decode, encode, everyCut } from "./helpers.ts";

const MASK = Uint8Array.of(0x37, 0xfa, 0x21, 0x3d);
const IN = { masked: true, limit: 1_000_000, idle: 1_000 };

Deno.test("a frame is that of RFC 6455 when it is one of its examples", () => {
  const text = { final: true, opcode: OPCODES.text, payload: encode("Hello") };
  const examples: [Uint8Array, string][] = [
    [encodeFrame(text), "810548656c6c6f"],
    [encodeFrame(text, MASK), "818537fa213d7f9f4d5158"],
    [encodeFrame({ ...text, final: false, payload: encode("Hel") }), "010348656c"],
    [encodeFrame({ final: true, opcode: 0, payload: encode("lo") }), "80026c6f"],
    [encodeFrame({ ...text, opcode: OPCODES.ping }), "890548656c6c6f"],
    [
      encodeFrame({ final: true, opcode: 2, payload: new Uint8Array(256) }).subarray(0, 4),
      "827e0100",
    ],
    [
      encodeFrame({ final: true, opcode: 2, payload: new Uint8Array(65_536) }).subarray(0, 10),
      "827f0000000000010000",
    ],
  ];
  for (const [frame, hex] of examples) assertEquals(frame.toHex(), hex);
});

Deno.test("a frame is read back as it was written when it has any length", async () => {
  for (const length of [0, 1, 124, 125, 126, 127, 128, 65_535, 65_536, 65_537, 1_000_000]) {
    const payload = new Uint8Array(length).map((_, at) => at * 7);
    for (const final of [true, false]) {
      const bytes = encodeFrame({ final, opcode: OPCODES.binary, payload }, MASK);
      const frame = await readFrame(SocketReader.from(bytes), IN);
      assertEquals(frame, { final, opcode: OPCODES.binary, payload });
    }
  }
});

/** What a conversation made of what came: messages, and how it ended. */
async function outcome(
  parts: Uint8Array[],
  role: "client" | "server",
  limits: { limit?: number; pieces?: number } = {},
): Promise<{ messages: unknown[]; end: unknown; written: Uint8Array }> {
  const written: Uint8Array[] = [];
  const write = (bytes: Uint8Array) => Promise.resolve(written.push(bytes) && bytes.length);
  const reader = SocketReader.from(parts);
  const socket = new WebSocketConversation(reader, { write }, { role, ...limits });
  const messages: unknown[] = [];
  try {
    for (let message; (message = await socket.receive()) !== null;) messages.push(message);
    return { messages, end: socket.closing, written: concat(...written) };
  } catch (error) {
    const end = error instanceof WebSocketError ? error.code : (error as Error).name;
    return { messages, end, written: concat(...written) };
  }
}

const frame = (opcode: number, text: string, final = true) =>
  encodeFrame({ final, opcode, payload: encode(text) }, MASK);

const TALK = concat(
  frame(1, "Hé", false),
  frame(OPCODES.ping, "p"),
  frame(0, "llo"),
  frame(2, "x".repeat(130)),
  frame(1, ""),
  encodeFrame(
    { final: true, opcode: 8, payload: encodeClosing({ code: 4000, reason: "bye ä" }) },
    MASK,
  ),
);

Deno.test("a conversation is understood the same when it is cut anywhere", async () => {
  const expected = {
    messages: ["Héllo", encode("x".repeat(130)), ""],
    end: { code: 4000, reason: "bye ä" },
    written: concat(
      Uint8Array.of(0x8a, 1, 0x70),
      Uint8Array.of(0x88, 8, 0x0f, 0xa0),
      encode("bye ä"),
    ),
  };
  for (const parts of everyCut(TALK)) assertEquals(await outcome(parts, "server"), expected);
});

Deno.test("a conversation ends with an error and no half message when the stream ends anywhere", async () => {
  for (let length = 0; length < TALK.length; length++) {
    const { messages, end } = await outcome(cut(TALK, length).slice(0, 1), "server");
    assertEquals(end, "UnexpectedEof", `after ${length} bytes`);
    assert(
      messages.every((message) =>
        ["Héllo", ""].includes(message as string) || (message as Uint8Array).length === 130
      ),
    );
  }
});

Deno.test("a conversation keeps to its limits when a message comes in many pieces", async () => {
  const talk = concat(frame(1, "1234", false), frame(9, "", true), frame(0, "5678", true));
  assertEquals((await outcome([talk], "server", { limit: 8 })).messages, ["12345678"]);
  assertEquals((await outcome([talk], "server", { limit: 7 })).end, 1009);
  assertEquals((await outcome([talk], "server", { pieces: 1 })).end, 1009);
  assertEquals((await outcome([talk], "server", { pieces: 2 })).messages, ["12345678"]);
  // a ping may come when not a byte more may
  const full = concat(frame(1, "1234", false), frame(9, "ping"), frame(0, ""));
  assertEquals((await outcome([full], "server", { limit: 4 })).messages, ["1234"]);
});

Deno.test("a conversation takes of the budget what is long, and gives it back when it is done", async () => {
  const budget = new ByteBudget(100_000);
  const talk = concat(
    frame(2, "x".repeat(60_000), false),
    frame(0, "x".repeat(50_000)),
    frame(1, "short"),
  );
  const write = (bytes: Uint8Array) => Promise.resolve(bytes.length);
  const start = () =>
    new WebSocketConversation(SocketReader.from(talk), { write }, { role: "server", budget });
  {
    using first = start();
    assertEquals((await first.receive())?.length, 110_000);
    // 110,000 less what is free
    assertEquals(budget.take(6_385), false);
    using second = start();
    const error = await assertRejects(() => second.receive(), WebSocketError, "try again later");
    assertEquals(error.code, 1013);
    assertEquals(await first.receive(), "short");
    using third = start();
    assertEquals((await third.receive())?.length, 110_000);
  }
  assertEquals(budget.take(100_000), true);
});

Deno.test("a conversation gives texts, codes and no crash when it gets 100,000 frames of chance", async () => {
  const random = chance(5);
  for (let round = 0; round < 34_000; round++) {
    const parts = Array.from({ length: 1 + random(5) }, () => {
      const bytes = frame(random(16), "é".repeat(random(70)), random(3) > 0);
      for (let changes = random(3); changes > 0; changes--) {
        bytes[random(bytes.length)] = random(256);
      }
      return random(4) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes;
    });
    const { messages, end } = await outcome(parts, random(2) === 0 ? "server" : "client");
    const known = typeof end === "object" ||
      [1002, 1007, 1009, "UnexpectedEof"].includes(end as string);
    assert(known, `${end}`);
    for (const message of messages) {
      assert(message instanceof Uint8Array || (message as string).isWellFormed());
    }
  }
});

Deno.test("a conversation pings when it is quiet, and ends when nothing comes", async () => {
  const written: Uint8Array[] = [];
  const write = (bytes: Uint8Array) => Promise.resolve(written.push(bytes) && bytes.length);
  const silent = new SocketReader({ read: () => new Promise(() => {}) });
  const socket = new WebSocketConversation(silent, { write }, { role: "server", idle: 5 });
  const error = await assertRejects(() => socket.receive(), WebSocketError, "nothing came within");
  assertEquals(error.code, 1001);
  assertEquals(written.map(([first]) => first), [0x89, 0x88]);
});

Deno.test("a conversation masks with a new key each time when it is a client's", async () => {
  const written: Uint8Array[] = [];
  const write = (bytes: Uint8Array) => Promise.resolve(written.push(bytes.slice()) && bytes.length);
  const socket = new WebSocketConversation(SocketReader.from([]), { write }, { role: "client" });
  for (let each = 0; each < 8; each++) await socket.send("same");
  assertEquals(new Set(written.map((bytes) => bytes.toHex())).size, 8);
  await socket.send("in pieces", { piece: 4 });
  await socket.send("", { piece: 0 });
  const reader = SocketReader.from(written);
  const frames: string[] = [];
  for (let got: Frame | null; (got = await readFrame(reader, IN)) !== null;) {
    frames.push(`${got.opcode} ${got.final} ${decode(got.payload)}`);
  }
  assertEquals(frames.slice(8), ["1 false in p", "0 false iece", "0 true s", "1 true "]);
  await socket.close();
  await socket.close();
  assertEquals(written.length, 13);
});

Deno.test("a close frame's code is checked when it is written and when it is read", () => {
  for (const code of [1000, 1001, 1003, 1007, 1011, 3000, 4999]) {
    assertEquals(decodeClosing(encodeClosing({ code, reason: "ä" })), { code, reason: "ä" });
  }
  for (const code of [0, 999, 1004, 1006, 1015, 2999, 5000]) {
    assertEquals(mayBeSent(code), false);
    assertThrows(() => encodeClosing({ code, reason: "" }), RangeError);
    assertThrows(() => decodeClosing(Uint8Array.of(code >> 8, code & 255)), WebSocketError);
  }
  assertEquals(decodeClosing(new Uint8Array()), { code: 1005, reason: "" });
  assertEquals(encodeClosing({ code: 1005, reason: "" }), new Uint8Array());
  assertThrows(() => encodeClosing({ code: 1000, reason: "x".repeat(124) }), RangeError);
});

Deno.test("checkUpgrade takes a key when a request is as it should be, from a page of the same place", async () => {
  const headers = new Headers({
    "connection": "keep-alive, Upgrade",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    "host": "127.0.0.1:8001",
    "origin": "http://127.0.0.1:8001",
  });
  const key = checkUpgrade({ method: "GET", target: "/", headers });
  assertEquals(await acceptKey(key), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  assert(hasToken(new Headers({ upgrade: "h2c, WebSocket" }), "upgrade", "websocket"));
  assert(!hasToken(new Headers({ upgrade: "websockets" }), "upgrade", "websocket"));
});

Deno.test("readRequestHead leaves what follows when the client is early", async () => {
  const reader = SocketReader.from(encode("GET /a?b HTTP/1.1\r\nHost: x\r\n\r\nearly"));
  assertEquals((await readRequestHead(reader))?.target, "/a?b");
  assertEquals(decode(await reader.readAll()), "early");
  assertEquals(await readRequestHead(SocketReader.from([])), null);
});

Deno.test("readRequestHead takes the form for proxies, and its host in place of Host", async () => {
  const rest = "HTTP/1.1\r\nHost: 127.0.0.1:8001\r\n\r\n";
  const read = (target: string) =>
    readRequestHead(SocketReader.from(encode(`GET ${target} ${rest}`)));
  const forms: [written: string, target: string, host: string][] = [
    ["/a?b", "/a?b", "127.0.0.1:8001"],
    ["http://127.0.0.1:8001/", "/", "127.0.0.1:8001"],
    ["HTTP://example.org/a?b=http://c/", "/a?b=http://c/", "example.org"],
    ["http://[::1]:8001", "/", "[::1]:8001"],
    ["http://example.org?a", "/?a", "example.org"],
    ["//example.org/", "//example.org/", "127.0.0.1:8001"],
  ];
  for (const [written, target, host] of forms) {
    const request = await read(written);
    assertEquals([request?.target, request?.headers.get("host")], [target, host], written);
  }
  for (
    const wrong of [
      "https://a/",
      "http:///",
      "http://",
      "http://a@b/",
      "a/",
      "*",
      "a:80",
      "ftp://a/",
    ]
  ) {
    await assertRejects(() => read(wrong), Error, "the first line is to be", wrong);
  }
  // a Host there must be in any case
  const bare = encode("GET http://a/ HTTP/1.1\r\n\r\n");
  await assertRejects(() => readRequestHead(SocketReader.from(bare)), Error, "one Host");
});

Deno.test("writeResponse offers Upgrade for the connection when the response has it", async () => {
  const headers = new Headers({ connection: "Upgrade", "sec-websocket-version": "8" });
  const problem = assertThrows(
    () => checkUpgrade({ method: "GET", target: "/", headers }),
    Problem,
  );
  const written: Uint8Array[] = [];
  const write = (bytes: Uint8Array) => Promise.resolve(written.push(bytes) && bytes.length);
  await writeResponse({ write }, problem.response());
  const head = decode(concat(...written));
  for (
    const line of ["connection: close, upgrade", "upgrade: websocket", "sec-websocket-version: 13"]
  ) {
    assert(head.startsWith("HTTP/1.1 426 ") && head.includes(`\r\n${line}\r\n`), head);
  }
});

Deno.test("writeResponse writes the head alone when the method is HEAD", async () => {
  const written: Uint8Array[] = [];
  const write = (bytes: Uint8Array) => Promise.resolve(written.push(bytes) && bytes.length);
  const response = () => new Response("hi", { statusText: "OK", headers: { "x-a": "b" } });
  await writeResponse({ write }, response(), "HEAD");
  const head = decode(concat(...written.splice(0)));
  assert(head.startsWith("HTTP/1.1 200 OK\r\nconnection: close\r\n"), head);
  assert(head.endsWith("\r\nx-a: b\r\ncontent-length: 2\r\n\r\n"), head);
  await writeResponse({ write }, response());
  assertEquals(decode(concat(...written)), `${head}hi`);
});

Deno.test("readFrame loses nothing when it was waited for in vain", async () => {
  const late = Promise.withResolvers<void>();
  const bytes = frame(1, "late");
  let sent = false;
  const reader = new SocketReader({
    async read(into) {
      await late.promise;
      if (sent) return null;
      sent = true;
      into.set(bytes);
      return bytes.length;
    },
  });
  await assertRejects(() => readFrame(reader, { ...IN, idle: 5 }), Error, "nothing came within");
  late.resolve();
  assertEquals((await readFrame(reader, IN))?.payload, encode("late"));
  assertEquals(await readFrame(reader, IN), null);
  await assertRejects(() => readFrame(SocketReader.from(Uint8Array.of(0x81)), IN), UnexpectedEof);
});
