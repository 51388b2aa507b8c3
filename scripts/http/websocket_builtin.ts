#!/usr/bin/env -S deno run --allow-net=127.0.0.1:8002
/**
 * WebSocket as Deno has it built in, both sides
 *
 * On the server one call, Deno.upgradeWebSocket, answers the request and gives a socket; on the client it is new
 * WebSocket, the same as in browsers. What comes is told by events: open, message, close, error. Frames, masks and
 * pings are not seen: websocket_client.ts shows them.
 *
 * A conversation ends with a code. 1000 says that all is done, 4000 and up are free for programs. When there
 * was no farewell, or no WebSocket at all, browsers tell 1006, which is never sent; Deno tells 0.
 *
 * Both sides run in this one process. As a server for strangers Deno's is too trusting: it keeps all pieces of a
 * message, however many come, and takes frames that are not masked. websocket_server.ts does not.
 *
 * @lecture 001 Http requests · 001 Advanced topics: web frameworks
 * @python  websockets.serve → Deno.upgradeWebSocket, websockets.connect → WebSocket,
 *          websocket.send → socket.send, async for message in websocket → socket.onmessage
 * @run     deno run --allow-net=127.0.0.1:8002 scripts/http/websocket_builtin.ts
 * @expect  the client has "hello" back
 * @expect  the client has 1048576 bytes back
 * @log     server: closed with 4000 "that was all"
 * @expect  the client is told: 4000 "that was all"
 * @expect  what is no WebSocket server ends with the code 0
 * @option  --port PORT  a free port for the experiment (default: 8002)
 * @see     https://docs.deno.com/api/deno/~/Deno.upgradeWebSocket
 * @see     https://developer.mozilla.org/en-US/docs/Web/API/WebSocket
 * @module
 */

import { run } from "../../lib/cli.ts";
import { quoted } from "../../lib/display.ts";
import { attempt } from "../../lib/errors.ts";
import { UsageError } from "../../lib/usage.ts";

const hostname = "127.0.0.1";

/** Echoes. */
function answer(request: Request): Response {
  if (
    URL.parse(request.url)?.pathname !== "/echo" || request.headers.get("upgrade") !== "websocket"
  ) {
    return new Response("here is a WebSocket at /echo\n", { status: 404 });
  }
  // a client that does not answer a ping within so many seconds is given up
  const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 30 });
  socket.onmessage = ({ data }) => socket.send(data);
  socket.onclose = ({ code, reason }) => {
    console.error(`server: closed with ${code} ${quoted(reason)}`);
  };
  return response;
}

/** Waits for the next event of a kind. */
async function next<Kind extends keyof WebSocketEventMap>(socket: WebSocket, kind: Kind) {
  const { promise, resolve } = Promise.withResolvers<WebSocketEventMap[Kind]>();
  socket.addEventListener(kind, resolve, { once: true });
  return await attempt(`wait for the event ${kind}`, promise);
}

export async function main({ port }: { port: number }): Promise<void> {
  if (port === 0) throw new UsageError("--port must be a port of its own here, not 0");
  const place = `${hostname} port ${port}`;
  const server = await attempt(
    `listen on ${place}`,
    () => Deno.serve({ hostname, port, onListen() {} }, answer),
  );

  const socket = new WebSocket(`ws://${hostname}:${port}/echo`);
  socket.binaryType = "arraybuffer"; // a Blob otherwise
  await next(socket, "open");
  socket.send("hello");
  const { data: text } = await next(socket, "message");
  console.log(`the client has ${quoted(text)} back`);
  socket.send(new Uint8Array(1024 * 1024));
  const { data: bytes } = await next(socket, "message");
  console.log(`the client has ${bytes.byteLength} bytes back`);
  socket.close(4000, "that was all");
  const { code, reason } = await next(socket, "close");
  console.log(`the client is told: ${code} ${quoted(reason)}`);

  const wrong = new WebSocket(`ws://${hostname}:${port}/`);
  wrong.onerror = (event) => event.preventDefault(); // close follows
  const { code: none } = await next(wrong, "close");
  console.log(`what is no WebSocket server ends with the code ${none}`);
  await server.shutdown();
}

if (import.meta.main) await run(main);
