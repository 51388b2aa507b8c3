#!/usr/bin/env -S deno run --allow-net=127.0.0.1:8001
/**
 * WebSocket server
 *
 * HTTP answers when it is asked, and then it is done. A WebSocket begins as an HTTP request, which says "Upgrade:
 * websocket"; the server agrees with 101, and from then on both sides send messages on the same connection whenever
 * they like, until one closes. Each message travels in frames that say how long they are, so unlike TCP it arrives
 * as one piece. This server echoes them.
 *
 * Open http://127.0.0.1:8001/ in a browser: the server sends a page, whose script connects to it.
 *
 * Deno does all this in one call, Deno.upgradeWebSocket, as websocket_builtin.ts shows. By hand one sees how it goes,
 * and can set limits: to a message, which Deno collects however many pieces it has, and to what clients may send.
 *
 * @lecture 001 Http requests · 001 Advanced topics: web frameworks
 * @python  websockets.serve → serve, websocket.recv → socket.receive, websocket.send → socket.send
 * @run     deno run --allow-net=127.0.0.1:8001 scripts/http/websocket_server.ts
 * @client  deno run --allow-net=127.0.0.1:8001 scripts/http/websocket_client.ts
 * @expect  listening on 127.0.0.1:8001
 * @log     127.0.0.1:*: speaks WebSocket now
 * @log     127.0.0.1:*: a text of 5 bytes
 * @log     127.0.0.1:*: closed with 1000 "done"
 * @option  --host HOST  the address to listen on (default: 127.0.0.1)
 * @option  --port PORT  the port to listen on, 0 for a free one (default: 8001)
 * @option  --name NAME... a name that it is asked by, besides localhost and its addresses; repeat it for more
 * @see     https://www.rfc-editor.org/rfc/rfc6455
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { ByteBudget } from "../../lib/byte_budget.ts";
import { run } from "../../lib/cli.ts";
import { quoted } from "../../lib/display.ts";
import { checkName } from "../../lib/http_host.ts";
import { Problem } from "../../lib/http_problem.ts";
import { readRequestHead, writeResponse } from "../../lib/http_request.ts";
import { SocketReader } from "../../lib/reader.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { type Connection, serve } from "../../lib/tcp.ts";
import { WebSocketConversation, WebSocketError } from "../../lib/websocket.ts";
import { acceptKey, checkUpgrade, hasToken } from "../../lib/websocket_handshake.ts";
import { websocketPage } from "../../lib/websocket_page.ts";
import { writeAll } from "../../lib/write_all.ts";

/** Reads the request. Gives true once the connection is a WebSocket; anything else is answered as HTTP. */
async function agree(
  connection: Connection,
  reader: SocketReader,
  names: string[],
): Promise<boolean> {
  try {
    const request = await readRequestHead(reader);
    if (!request) return false;
    checkName(request.headers.get("host")!, names);
    if (request.target !== "/") throw new Problem(404, "here is only /");
    if (!hasToken(request.headers, "upgrade", "websocket")) {
      const { method } = request;
      if (method !== "GET" && method !== "HEAD") {
        throw new Problem(405, "here are GET and HEAD", { headers: { allow: "GET, HEAD" } });
      }
      await writeResponse(connection, websocketPage(), method);
      return false;
    }
    const key = checkUpgrade(request);
    const answer = [
      "HTTP/1.1 101 Switching Protocols",
      "Upgrade: websocket",
      "Connection: Upgrade",
      // shows that this is a WebSocket server, and no web server that says yes to anything
      `Sec-WebSocket-Accept: ${await acceptKey(key)}`,
    ];
    await writeAll(connection, answer.join("\r\n") + "\r\n\r\n");
    return true;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    await writeResponse(connection, error.response());
    console.error(`${connection.remote}: ${error.status}, ${error.detail}`);
    return false;
  }
}

/** Echoes messages until the client closes. */
async function echo(socket: WebSocketConversation, client: string): Promise<void> {
  try {
    for (let message; (message = await socket.receive()) !== null;) {
      const kind = typeof message === "string" ? "a text" : "a message";
      const { length } = typeof message === "string" ? new TextEncoder().encode(message) : message;
      console.error(`${client}: ${kind} of ${length} bytes`);
      // while the client takes nothing, nothing more is read from it
      await socket.send(message);
    }
    const { code, reason } = socket.closing!;
    console.error(`${client}: closed with ${code} ${quoted(reason)}`);
  } catch (error) {
    if (!(error instanceof WebSocketError)) throw error;
    console.error(`${client}: ${error.code}, ${error.message}`);
  }
}

export async function main(
  { host, port, name }: { host: string; port: number; name: string[] },
): Promise<void> {
  const open = new Set<WebSocketConversation>();
  // a message has at most 2 MiB, and all that are under way together 64 MiB
  const budget = new ByteBudget(64 * 1024 * 1024);
  const server = await serve({ hostname: host, port }, async (connection) => {
    const reader = new SocketReader(connection);
    if (!await agree(connection, reader, [host, ...name])) return;
    console.error(`${connection.remote}: speaks WebSocket now`);
    using socket = new WebSocketConversation(reader, connection, { role: "server", budget });
    open.add(socket);
    await echo(socket, connection.remote).finally(() => open.delete(socket));
  });
  using _stopping = onInterrupt(() => {
    for (const socket of open) {
      socket.close({ code: 1001, reason: "the server ends" }).catch(() => {});
    }
    return server.shutdown();
  });
  console.log(`listening on ${formatEndpoint(server.addr as Deno.NetAddr)}`);
  await server.finished;
}

if (import.meta.main) await run(main);
