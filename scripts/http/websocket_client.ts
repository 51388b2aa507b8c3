#!/usr/bin/env -S deno run --allow-net=127.0.0.1:8001
/**
 * WebSocket client, by hand
 *
 * First the handshake: an HTTP request with a random key, and an answer that is right only if the server has done
 * with the key what a WebSocket server does. Then a message as a frame, byte by byte: two bytes that say what it is
 * and how long, and, from client to server only, four random bytes with which the rest is mixed (XOR). That hides
 * nothing; it keeps a page's script from choosing what bytes go over the line, where an old proxy might take them for
 * a request of its own.
 *
 * Then what else there is: a ping, which the other side has to answer; a message in pieces; a large one; and the
 * close frames, by which both know that nothing was cut off. The server's frames are read by lib/websocket_frame.ts.
 *
 * @lecture 001 Http requests · 001 Python Socket module (messages: fixed length, delimited, or indicate how long they are)
 * @python  websockets.connect → Deno.connect, websocket.send → writeAll, websocket.recv → socket.receive,
 *          websocket.ping → socket.ping, websocket.close → socket.close
 * @partner scripts/http/websocket_server.ts
 * @run     deno run --allow-net=127.0.0.1:8001 scripts/http/websocket_client.ts
 * @log     > GET / HTTP/1.1
 * @log     > Sec-WebSocket-Key: *
 * @log     < HTTP/1.1 101 Switching Protocols
 * @log     sending a frame: 81 85 *
 * @log     received a frame: 81 05 68 65 6c 6c 6f
 * @log     received pong "are you there?"
 * @expect  hello
 * @expect  in three pieces
 * @expect  1048576 bytes came back
 * @expect  closed with 1000 "done"
 * @argument [MESSAGE]   a short text to send (default: hello)
 * @option  --host HOST  where the server is (default: 127.0.0.1)
 * @option  --port PORT  the server's port (default: 8001)
 * @see     https://www.rfc-editor.org/rfc/rfc6455
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { quoted, visible } from "../../lib/display.ts";
import { attempt } from "../../lib/errors.ts";
import { parseHeaders, readHeadLines } from "../../lib/http_head.ts";
import { SocketReader } from "../../lib/reader.ts";
import { UsageError } from "../../lib/usage.ts";
import { WebSocketConversation } from "../../lib/websocket.ts";
import { encodeFrame, type Frame, OPCODES } from "../../lib/websocket_frame.ts";
import { acceptKey, hasToken } from "../../lib/websocket_handshake.ts";
import { writeAll } from "../../lib/write_all.ts";

/** Asks for a WebSocket, in HTTP, and checks the answer. */
async function shakeHands(connection: Deno.Conn, reader: SocketReader, host: string) {
  const key = crypto.getRandomValues(new Uint8Array(16)).toBase64();
  const request = [
    "GET / HTTP/1.1",
    `Host: ${host}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${key}`,
  ];
  for (const line of request) console.error(`> ${line}`);
  await writeAll(connection, request.join("\r\n") + "\r\n\r\n");
  const lines = await readAnswer(reader);
  if (!/^HTTP\/1\.1 101 /.test(lines[0] ?? "")) {
    throw new Error("the server does not switch to WebSocket");
  }
  const headers = parseHeaders(lines.slice(1));
  const agreed = hasToken(headers, "upgrade", "websocket") &&
    hasToken(headers, "connection", "upgrade");
  // SHA-1 of the key and a constant: who answers so knows what was asked
  if (!agreed || headers.get("sec-websocket-accept") !== await acceptKey(key)) {
    throw new Error("the answer is not that of a WebSocket server to this key");
  }
  // what changes the frames, or what is in them, counts only if both sides have said so
  for (const name of ["Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol"]) {
    if (headers.has(name)) throw new Error(`the answer has ${name}, which nobody asked for`);
  }
}

/** The head of the answer. Any server may say before it that it is not done yet: 103 Early Hints, for one. */
async function readAnswer(reader: SocketReader): Promise<string[]> {
  for (let heads = 0; heads <= 16; heads++) {
    const lines = await readHeadLines(reader, { headLimit: 16 * 1024 });
    if (!lines) throw new Error("the server closed without an answer");
    for (const line of lines) console.error(visible(`< ${line}`));
    if (!/^HTTP\/1\.1 1(?!01)\d\d( |$)/.test(lines[0] ?? "")) return lines;
  }
  throw new Error("more than 16 interim answers came, and none to the request");
}

const PING = new TextEncoder().encode("are you there?");

/** A text of less than 126 bytes as a frame. */
function frameOf(text: string): Uint8Array {
  const payload = new TextEncoder().encode(text);
  if (payload.length > 125) throw new UsageError("MESSAGE has at most 125 bytes");
  const mask = crypto.getRandomValues(new Uint8Array(4));
  return Uint8Array.of(
    0x80 | 0x01, // the last frame of the message, which is a text
    0x80 | payload.length, // it is masked, and so long
    ...mask,
    ...payload.map((byte, at) => byte ^ mask[at % 4]!),
  );
}

const hex = (bytes: Uint8Array) => bytes.toHex().replace(/..(?=.)/g, "$& ");

function tell(frame: Frame): void {
  if (frame.opcode === OPCODES.pong) console.error(`received pong ${quoted(frame.payload)}`);
  // as it came: a server does not mask
  else if (frame.payload.length < 126) {
    console.error(`received a frame: ${hex(encodeFrame(frame))}`);
  }
}

export async function main(
  { message, host, port }: { message: string; host: string; port: number },
): Promise<void> {
  const frame = frameOf(message);
  const place = formatEndpoint({ hostname: host, port });
  using connection = await attempt(
    `connect to ${place}`,
    () => Deno.connect({ hostname: host, port }),
  );
  const reader = new SocketReader(connection);
  await attempt("agree on WebSocket", shakeHands(connection, reader, place));
  const pong = Promise.withResolvers<void>();
  const socket = new WebSocketConversation(reader, connection, {
    role: "client",
    idle: 5_000,
    onFrame: (frame) => {
      tell(frame);
      if (frame.opcode === OPCODES.pong && quoted(frame.payload) === quoted(PING)) pong.resolve();
    },
  });
  const receive = () => attempt("receive", socket.receive(), { timeout: 20_000 });
  console.error(`sending a frame: ${hex(frame)}`);
  await writeAll(connection, frame);
  console.log(shown(await receive()));

  await socket.ping(PING);
  await socket.send("in three pieces", { piece: 6 });
  console.log(shown(await receive()));

  const large = new Uint8Array(1024 * 1024).map((_, at) => at * 31 >> 5);
  // at the same time: each side's memory between us is smaller than that
  const [back] = await Promise.all([receive(), socket.send(large)]);
  if (!(back instanceof Uint8Array) || back.length !== large.length) {
    throw new Error("what came back is not as long as what was sent");
  }
  if (back.some((byte, at) => byte !== large[at])) {
    throw new Error("what came back is not what was sent");
  }
  console.log(`${back.length} bytes came back`);

  const rest = (async () => {
    while (await receive() !== null);
  })();
  // as a rule it has come before the messages; it must have come before the end
  const closed = rest.then(() => Promise.reject(new Error("the server closed before it sent one")));
  await attempt("get a pong", Promise.race([pong.promise, closed]), { timeout: 5_000 });
  await socket.close({ code: 1000, reason: "done" });
  await rest;
  console.log(`closed with ${socket.closing!.code} ${quoted(socket.closing!.reason)}`);
}

/** A message on the terminal. */
function shown(message: string | Uint8Array | null): string {
  if (message === null) throw new Error("the server closed before it answered");
  return typeof message === "string" ? visible(message) : quoted(message);
}

if (import.meta.main) await run(main);
