/** The WebSocket lessons with Chromium, Python's websockets, and what Deno has built in. */
import { assertEquals, assertMatch } from "@std/assert";
import { freePort, peerTest, python, startPeer, temporaryFolder } from "./peers.ts";
import { Process } from "./process.ts";
import { pathOf, startServer } from "./scripts.ts";

const ANYWHERE = { transport: "tcp", hostname: "127.0.0.1", port: 0 } as const;

const urlOf = (at: unknown, scheme = "ws") => `${scheme}://127.0.0.1:${(at as Deno.NetAddr).port}/`;

peerTest(
  "websocket_server talks with a page in Chromium, which gets all back",
  ["chromium"],
  async () => {
    await using server = await startServer("http/websocket_server", ANYWHERE);
    using folder = temporaryFolder();
    const flags = [
      ..."headless no-sandbox disable-gpu disable-quic no-first-run disable-background-networking"
        .split(" "),
      ..."disable-component-update disable-sync disable-dev-shm-usage".split(" "),
      `user-data-dir=${folder.path}`,
      "remote-debugging-port=0", // without anything to do it would end at once
    ].map((flag) => `--${flag}`);
    await using browser = new Process(["chromium", ...flags, `${urlOf(server.at, "http")}#close`]);
    const { stderr } = server.process;
    const [, client] = await stderr.line(/^(127\.0\.0\.1:\d+): speaks WebSocket now$/);
    await stderr.line(/: closed with \d+/);
    assertEquals(stderr.lines.filter((line) => line.startsWith(`${client}: `)), [
      `${client}: speaks WebSocket now`,
      `${client}: a text of 19 bytes`,
      `${client}: a text of 7 bytes`,
      `${client}: a text of 0 bytes`,
      `${client}: a message of 1048576 bytes`,
      // the page compares what it sent with what came back
      `${client}: closed with 4000 "all came back"`,
    ]);
    await browser.stop("SIGTERM");
    assertEquals(await server.process.stop("SIGTERM"), 0);
  },
);

peerTest("websocket_server talks with Python's websockets", ["python3"], async () => {
  await using server = await startServer("http/websocket_server", ANYWHERE);
  await using client = new Process(python("websocket_client.py", urlOf(server.at)));
  assertEquals(await client.end(), 0, client.stderr.text);
  assertEquals(client.stdout.text, "all as it should be\n");
  await server.process.stderr.line(/closed with 4321 "good-bye ä"/);
  await server.process.stderr.line(/1009, a message has more than 2097152 bytes/);
});

async function runClient(port: number): Promise<void> {
  const words = [pathOf("http/websocket_client"), "--port", String(port), "good morning"];
  await using client = new Process([
    ...[Deno.execPath(), "run", "--no-prompt", `--allow-net=127.0.0.1:${port}`],
    ...words,
  ]);
  assertEquals(await client.end(), 0, client.stderr.text);
  assertEquals(client.stdout.lines, [
    "good morning",
    "in three pieces",
    "1048576 bytes came back",
    'closed with 1000 "done"',
  ]);
  assertMatch(client.stderr.text, /^received pong "are you there\?"$/m);
}

peerTest("websocket_client talks with Python's websockets, which pings and sends pieces", [
  "python3",
], async () => {
  const port = freePort();
  await using server = await startPeer(python("websocket_server.py", port), /^listening/);
  await runClient(port);
  await server.stdout.line(/^closed 1000 done$/);
  await server.stop("SIGTERM");
});

Deno.test("websocket_client talks with Deno.upgradeWebSocket", async () => {
  await using server = Deno.serve({ ...ANYWHERE, onListen() {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onmessage = ({ data }) => socket.send(data);
    return response;
  });
  await runClient(server.addr.port);
});

Deno.test("websocket_server talks with Deno's own WebSocket", async () => {
  await using server = await startServer("http/websocket_server", ANYWHERE);
  const socket = new WebSocket(urlOf(server.at));
  socket.binaryType = "arraybuffer";
  const next = (kind: "open" | "message" | "close") =>
    new Promise<Event>((resolve) => socket.addEventListener(kind, resolve, { once: true }));
  await next("open");
  for (const message of ["hello", "", "ä € 😀", new Uint8Array(1024 * 1024).fill(7)]) {
    const coming = next("message");
    socket.send(message);
    const { data } = await coming as MessageEvent;
    assertEquals(typeof data === "string" ? data : new Uint8Array(data), message);
  }
  const closed = next("close");
  socket.close(4000, "that was all");
  const { code, reason, wasClean } = await closed as CloseEvent;
  assertEquals([code, reason, wasClean], [4000, "that was all", true]);
});
