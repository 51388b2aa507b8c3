/** The WebSocket lessons against those who break the rules. */
import { assertEquals, assertMatch } from "@std/assert";
import { concat, encode } from "../lib/helpers.ts";
import { attacks, type Target, tcpTarget } from "./attacks.ts";
import { exchange } from "./http_attacks.ts";
import { behaviours, misbehave, NONSENSE, reset } from "./peers.ts";
import { startScript } from "./script.ts";
import { anyPort, besiege, starve, type Subject } from "./siege.ts";
import { times, until, within } from "./waits.ts";
import { SocketReader } from "../../lib/reader.ts";
import { decodeClosing } from "../../lib/websocket_closing.ts";
import { encodeFrame, OPCODES, readFrame } from "../../lib/websocket_frame.ts";
import { acceptKey } from "../../lib/websocket_handshake.ts";

type WebTarget = Target & { port: string };

const UPGRADE =
  "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";
const KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const VERSION = "Sec-WebSocket-Version: 13\r\n";
const HANDSHAKE = `${UPGRADE}${VERSION}${KEY}\r\n`;
const MASK = Uint8Array.of(1, 2, 3, 4);
const MiB = 1024 * 1024;

const frame = (opcode: number, payload: Uint8Array<ArrayBuffer> | string, final = true) =>
  encodeFrame(
    { final, opcode, payload: typeof payload === "string" ? encode(payload) : payload },
    MASK,
  );
const closing = (...bytes: number[]) => frame(OPCODES.close, Uint8Array.from(bytes));
const raw = (...bytes: number[]) => Uint8Array.from([...bytes, ...MASK]);

/** What breaks the rules, and the code that tells the client so. */
const WRONG: Record<string, [bytes: Uint8Array, code: number]> = {
  "not masked": [encodeFrame({ final: true, opcode: 1, payload: encode("hi") }), 1002],
  "a reserved bit": [raw(0xc1, 0x80), 1002],
  "an opcode that is none": [frame(3, "hi"), 1002],
  "a control opcode that is none": [frame(11, "hi"), 1002],
  "a long ping": [raw(0x89, 0xfe, 0, 126), 1002],
  "half a ping": [frame(OPCODES.ping, "x", false), 1002],
  "a goes-on without a beginning": [frame(OPCODES.continuation, "x"), 1002],
  "a beginning in a message": [concat(frame(1, "x", false), frame(1, "y")), 1002],
  "a length that could be shorter": [raw(0x81, 0xfe, 0, 125), 1002],
  "a long length that could be shorter": [raw(0x81, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff), 1002],
  "a negative length": [raw(0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0), 1002],
  "half a close code": [closing(3), 1002],
  "the close code 999": [closing(0x03, 0xe7), 1002],
  "the close code 1005": [closing(0x03, 0xed), 1002],
  "the close code 1006": [closing(0x03, 0xee), 1002],
  "the close code 5000": [closing(0x13, 0x88), 1002],
  "a reason that is not UTF-8": [closing(0x03, 0xe8, 0xff), 1007],
  "a text that is not UTF-8": [frame(1, Uint8Array.of(0xc3, 0x28)), 1007],
  "half a character": [frame(1, Uint8Array.of(0xc3)), 1007],
  "a message of 3 MiB": [raw(0x82, 0xff, 0, 0, 0, 0, 0, 0x30, 0, 0), 1009],
  "a message of 2^62 bytes": [raw(0x82, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0), 1009],
  "pieces that are 3 MiB together": [
    concat(
      ...Array(3).fill(frame(OPCODES.continuation, new Uint8Array(MiB), false)).with(
        0,
        frame(2, new Uint8Array(MiB), false),
      ),
    ),
    1009,
  ],
  "20,000 pieces": [
    concat(frame(2, "", false), ...Array(20_000).fill(frame(OPCODES.continuation, "", false))),
    1009,
  ],
};

/** A connection whose handshake is done. */
async function upgraded(target: Target): Promise<{ connection: Deno.Conn; reader: SocketReader }> {
  const connection = await target.dial();
  const reader = new SocketReader(connection);
  await sendAll(connection, encode(HANDSHAKE));
  const head = await within("the handshake", reader.readUntil("\r\n\r\n"));
  assertMatch(new TextDecoder().decode(head!), /^HTTP\/1\.1 101 /);
  return { connection, reader };
}

async function sendAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
}

const receive = (reader: SocketReader) =>
  within("a frame", readFrame(reader, { masked: false, limit: 4 * MiB, idle: 10_000 }), 10_000);

/** Echoes of a text, and of a message in pieces; the end as it should be. */
async function converse(target: Target, text: string): Promise<void> {
  const { connection, reader } = await upgraded(target);
  using _closed = connection;
  await sendAll(connection, frame(OPCODES.text, text));
  assertEquals((await receive(reader))?.payload, encode(text));
  const pieces = [frame(2, "one ", false), frame(OPCODES.ping, "?"), frame(0, "and two")];
  await sendAll(connection, concat(...pieces));
  assertEquals((await receive(reader))?.opcode, OPCODES.pong);
  assertEquals((await receive(reader))?.payload, encode("one and two"));
  await sendAll(connection, closing(0x0f, 0xa0));
  assertEquals((await receive(reader))?.payload, Uint8Array.of(0x0f, 0xa0));
  assertEquals(await receive(reader), null);
}

const subject: Subject<WebTarget> = {
  path: "scripts/http/websocket_server.ts",
  attacks: {
    ...attacks,
    "clients send frames that break the rules": async (target) => {
      for (const [name, [bytes, code]] of Object.entries(WRONG)) {
        const { connection, reader } = await upgraded(target);
        using _closed = connection;
        const sending = sendAll(connection, bytes).catch(() => {});
        const answer = await receive(reader);
        assertEquals(
          [answer?.opcode, decodeClosing(answer!.payload).code],
          [OPCODES.close, code],
          name,
        );
        assertEquals(await receive(reader), null, name);
        connection.close();
        await sending;
      }
    },
    "clients cut the connection after every byte": async (target) => {
      const all = concat(
        encode(HANDSHAKE),
        frame(1, "hello"),
        frame(2, new Uint8Array(200), false),
      );
      await times(all.length, 20, async (length) => {
        using connection = await target.dial();
        await sendAll(connection, all.subarray(0, length));
      });
    },
    "clients ask for a WebSocket in wrong ways": async (target) => {
      for (
        const [request, status] of [
          [`${UPGRADE}${KEY}\r\n`, 426],
          [`${UPGRADE}Sec-WebSocket-Version: 8\r\n${KEY}\r\n`, 426],
          [`${UPGRADE}${VERSION}\r\n`, 400],
          [`${UPGRADE}${VERSION}Sec-WebSocket-Key: short==\r\n\r\n`, 400],
          [`${UPGRADE}${VERSION}${KEY}${KEY}\r\n`, 400],
          [`${UPGRADE}${VERSION}${KEY}Host: other\r\n\r\n`, 400],
          [`${UPGRADE}${VERSION}${KEY}Origin: http://evil.example\r\n\r\n`, 403],
          [HANDSHAKE.replace("GET", "POST"), 400],
          [HANDSHAKE.replace("Connection: Upgrade", "Connection: close"), 400],
          [HANDSHAKE.replace("HTTP/1.1", "HTTP/1.0"), 400],
          [HANDSHAKE.replace("Host: 127.0.0.1\r\n", ""), 400],
          [HANDSHAKE.replace("\r\nUpgrade", "\r\n Upgrade"), 400],
          [HANDSHAKE.replace("Upgrade:", "Up\0grade:"), 400],
          [`GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${"x".repeat(20_000)}\r\n\r\n`, 431],
          ["GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + "X: y\r\n".repeat(200) + "\r\n", 400],
          ["\x16\x03\x01\x02\r\n\r\n", 400],
          ["hi\r\n\r\n", 400],
          ["GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 200],
          ["HEAD / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 200],
          ["POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\nhi", 405],
          ["GET /favicon.ico HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 404],
          [HANDSHAKE.replace("/", "/elsewhere"), 404],
          ["GET http://127.0.0.1/ HTTP/1.1\r\nHost: x\r\n\r\n", 200],
          ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", 421],
          // a name that somebody has had lead here: for a browser it is the page's own site
          [HANDSHAKE.replace("127.0.0.1", "evil.example\r\nOrigin: http://evil.example"), 421],
          [HANDSHAKE.replace("/", "http://evil.example/"), 421],
          [HANDSHAKE.replace("/", "http://127.0.0.1/elsewhere"), 404],
          [HANDSHAKE.replace("/", "https://127.0.0.1/"), 400],
        ] as const
      ) {
        const answer = await exchange(target, request);
        assertMatch(answer, new RegExp(`^HTTP/1\\.1 ${status} `), request);
      }
    },
    "500 clients shake hands and stay silent": async (target, meanwhile) => {
      const crowd = await times(500, 20, () => upgraded(target));
      try {
        await meanwhile();
      } finally {
        for (const { connection } of crowd) connection.close();
      }
    },
    "clients send much and never read": async (target, meanwhile) => {
      const crowd = await times(3, 3, () => upgraded(target));
      const message = frame(2, new Uint8Array(MiB));
      const sending = crowd.map(async ({ connection }) => {
        for (let sent = 0; sent < 20; sent++) await sendAll(connection, message);
      });
      await meanwhile();
      for (const { connection } of crowd) connection.close();
      await Promise.allSettled(sending);
    },
    "a client pings 2,000 times": async (target) => {
      const { connection, reader } = await upgraded(target);
      using _closed = connection;
      const sending = sendAll(connection, concat(...Array(2_000).fill(frame(OPCODES.ping, ""))));
      for (let pong = 0; pong < 2_000; pong++) await receive(reader);
      await sending;
    },
    "clients reset after the handshake": async (target) => {
      await times(50, 10, () => target.reset(encode(HANDSHAKE), "answered"));
    },
  },
  target: (address) => ({ ...tcpTarget(Number(address)), port: address }),
  goodClient: (target) => converse(target, "good"),
  async idleClient(target) {
    return (await upgraded(target)).connection;
  },
  taken:
    /^websocket_server\.ts: cannot listen on 127\.0\.0\.1.*: another program has that address already$/m,
};

besiege(subject, anyPort);
starve(subject, anyPort);

Deno.test("websocket_server serves short messages when 60 clients begin a long one each and go no further", async () => {
  using place = anyPort();
  await using server = startScript(subject.path, place);
  const port = await server.printed(/^listening on 127\.0\.0\.1:(\d+)$/m);
  const target = subject.target(port);
  const most = frame(2, new Uint8Array(2 * MiB)).subarray(0, -1);
  const crowd = await times(60, 10, async () => {
    const { connection, reader } = await upgraded(target);
    // some are refused before they have sent all
    await sendAll(connection, most).catch(() => {});
    return { connection, reader };
  });
  const closings = () => server.stderr.match(/: 1013, too many long messages/g)?.length ?? 0;
  await until(() => `${closings()} were refused`, () => closings() >= 20, 10_000);
  await subject.goodClient(target);
  for (const { connection } of crowd) connection.close();
  // what they had is there again for others
  const { connection, reader } = await upgraded(target);
  using _closed = connection;
  const long = async () => {
    const sending = sendAll(connection, frame(2, new Uint8Array(2 * MiB)));
    assertEquals((await receive(reader))?.payload.length, 2 * MiB);
    await sending;
  };
  await until(
    () => "few have ended",
    () => (server.stderr.match(/before the other|ended after/g)?.length ?? 0) >= 30,
    10_000,
  );
  await long();
  assertEquals(await server.stop("SIGTERM"), 0);
});

Deno.test("websocket_server tells open clients that it goes when it is asked to end", async () => {
  using place = anyPort();
  await using server = startScript(subject.path, place);
  const port = await server.printed(/^listening on 127\.0\.0\.1:(\d+)$/m);
  const { connection, reader } = await upgraded(subject.target(port));
  using _closed = connection;
  const ended = server.stop("SIGTERM");
  assertEquals(decodeClosing((await receive(reader))!.payload), {
    code: 1001,
    reason: "the server ends",
  });
  await sendAll(connection, closing(0x03, 0xe9));
  assertEquals(await ended, 0);
});

/** Answers the handshake as it should be, then sends bytes. */
const after = (...bytes: (Uint8Array | string)[]) => agreeing("", "", ...bytes);
const agreeing = (before: string, more: string, ...bytes: (Uint8Array | string)[]) =>
async (
  connection: Deno.Conn,
) => {
  const reader = new SocketReader(connection);
  const request = new TextDecoder().decode((await reader.readUntil("\r\n\r\n"))!);
  const accept = await acceptKey(/Sec-WebSocket-Key: (.*)/.exec(request)![1]!.trim());
  const head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
  const answer = `${before}${head}${more}Sec-WebSocket-Accept: ${accept}\r\n\r\n`;
  await sendAll(connection, encode(answer));
  for (const each of bytes) {
    await sendAll(connection, typeof each === "string" ? encode(each) : each);
  }
  // until the client has gone
  while (await connection.read(new Uint8Array(64 * 1024)) !== null);
};
const answers = (text: string) => async (connection: Deno.Conn) => {
  await connection.read(new Uint8Array(64 * 1024));
  await sendAll(connection, encode(text));
};
const own = (opcode: number, payload: string) =>
  encodeFrame({ final: true, opcode, payload: encode(payload) });
/** What an echo server sends, but for the pong, and for the large message if it is not asked. */
const ECHOES = [own(1, "hello"), own(1, "in three pieces")];
const large = new Uint8Array(MiB).map((_, at) => at * 31 >> 5);
const LARGE = encodeFrame({ final: true, opcode: 2, payload: large });
const HINTS = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
const SWITCH = "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";

const servers: typeof behaviours = {
  ...behaviours,
  "says no": answers("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
  "answers another key": answers(
    `${SWITCH}Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n`,
  ),
  "answers no key": answers(`${SWITCH}\r\n`),
  "has endless headers": answers(`${SWITCH}${"X: y\r\n".repeat(20_000)}`),
  "is silent after the handshake": after(),
  "masks its frames": after(encodeFrame({ final: true, opcode: 1, payload: encode("x") }, MASK)),
  "sends an opcode that is none": after(own(5, "")),
  "announces 2^40 bytes": after(Uint8Array.of(0x82, 127, 0, 0, 1, 0, 0, 0, 0, 0)),
  "closes with 1006": after(Uint8Array.of(0x88, 2, 0x03, 0xee)),
  "closes at once": after(own(OPCODES.close, "")),
  "sends a text that is not UTF-8": after(Uint8Array.of(0x81, 1, 0xff)),
  "sends nonsense after the handshake": after(NONSENSE),
  "agrees on an extension": agreeing("", "Sec-WebSocket-Extensions: permessage-deflate\r\n"),
  "agrees on a protocol": agreeing("", "sec-websocket-protocol: chat\r\n"),
  "answers with hints and no end": answers(HINTS.repeat(100)),
  "sends hints, and then no": answers(`${HINTS}HTTP/1.1 403 Forbidden\r\n\r\n`),
  "sends hints, then agrees and closes": agreeing(
    `HTTP/1.1 100\r\n\r\n${HINTS}`,
    "",
    own(OPCODES.close, ""),
  ),
  "never sends a pong": after(...ECHOES, LARGE),
  "sends another pong than that to the ping": after(own(10, ""), ...ECHOES, own(10, "x"), LARGE),
  "closes before it sends a pong": after(...ECHOES, LARGE, own(OPCODES.close, "")),
  "sends escapes in good frames": after(own(1, "\x1b[2J"), own(1, "x"), own(2, "y")),
};

const outcomes: Record<string, RegExp> = {
  "is silent":
    /cannot agree on WebSocket: (nothing came within 10 s|its head was not complete in time)/,
  "sends a byte every 50 ms": /cannot agree on WebSocket: /,
  "closes without a word": /cannot agree on WebSocket: /,
  "closes in mid-answer": /cannot agree on WebSocket: /,
  "never stops sending": /cannot agree on WebSocket: /,
  "sends nonsense": /cannot agree on WebSocket: /,
  "resets the connection": /cannot agree on WebSocket: the other side reset/,
  "says no": /the server does not switch to WebSocket/,
  "answers another key": /not that of a WebSocket server to this key/,
  "answers no key": /not that of a WebSocket server to this key/,
  "has endless headers": /cannot agree on WebSocket: /,
  "is silent after the handshake": /cannot receive: nothing came within 5 s/,
  "masks its frames": /cannot receive: a server's frame is masked/,
  "sends an opcode that is none": /cannot receive: there is no opcode 5/,
  "announces 2^40 bytes": /cannot receive: a message has more than 2097152 bytes/,
  "closes with 1006": /a close frame has the code 1006, which may not be sent/,
  "closes at once": /the server closed before it answered/,
  "sends a text that is not UTF-8": /cannot receive: a text is not UTF-8/,
  "sends nonsense after the handshake": /cannot receive: /,
  "agrees on an extension": /the answer has Sec-WebSocket-Extensions, which nobody asked for/,
  "agrees on a protocol": /the answer has Sec-WebSocket-Protocol, which nobody asked for/,
  "answers with hints and no end": /more than 16 interim answers came/,
  "sends hints, and then no": /the server does not switch to WebSocket/,
  "sends hints, then agrees and closes": /the server closed before it answered/,
  "never sends a pong": /cannot get a pong: nothing came within 5 s/,
  "sends another pong than that to the ping": /cannot get a pong: nothing came within 5 s/,
  "closes before it sends a pong": /cannot get a pong: the server closed before it sent one/,
  "sends escapes in good frames": /what came back is not as long as what was sent/,
};

Deno.test("websocket_client ends in time with one clear error when the server", async (test) => {
  const results = await Promise.all(
    Object.keys(outcomes).map(async (name) => {
      await using peer = servers[name] ? misbehave(servers[name]) : await reset("data");
      await using client = startScript("scripts/http/websocket_client.ts", {
        words: ["--port", peer.address],
        flags: (flag) => flag.replace(/(?<=127\.0\.0\.1:)\d+/, peer.address),
      });
      const code = await within("the client's end", client.ended, 40_000);
      peer.release();
      return { name, code, stdout: client.stdout, stderr: client.stderr };
    }),
  );
  for (const { name, code, stdout, stderr } of results) {
    await test.step(name, () => {
      assertMatch(stderr, outcomes[name]!);
      assertEquals(code, 1);
      assertEquals(/^ +at .*|Uncaught|[^\P{Cc}\n]/mu.exec(stderr + stdout)?.[0], undefined, stderr);
    });
  }
});
