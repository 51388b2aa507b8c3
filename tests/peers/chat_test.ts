/**
 * The chat with netcats and socat: they in our room, and our client with them as servers.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { encode } from "./payloads.ts";
import { freePort, PEERS, peerTest, startPeer } from "./peers.ts";
import { Process } from "./process.ts";
import { startScript, startServer } from "./scripts.ts";

const AT = { transport: "tcp", hostname: "127.0.0.1" } as const;
const peers = PEERS.filter(({ name }) => name !== "python3");

/** Types a line. */
function type(client: Process, line: string): Promise<void> {
  return client.send(encode(line + "\n"));
}

/** Waits until the client of the server on a port has ended its side, as the system knows. */
async function halfClosed(port: number): Promise<void> {
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const established = new RegExp(`^ *\\d+: \\w+${local} \\S+ 01 `, "m");
  const due = performance.now() + 30_000;
  while (established.test(await Deno.readTextFile("/proc/net/tcp"))) {
    if (performance.now() > due) throw new Error(`the client on port ${port} goes on writing`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

for (const peer of peers) {
  peerTest(`chat_server.ts has ${peer.name} chat with our client`, [peer.name], async () => {
    await using server = await startServer("tcp/chat_server", { ...AT, port: 0 });
    await using theirs = new Process(peer.client(server.at));
    await theirs.stdout.line(/^What is your name\?$/);
    await type(theirs, "Theirs");
    await theirs.stdout.line(/^Welcome, Theirs\. Here now: Theirs\./);

    await using ours = startScript("tcp/chat_client", server.at);
    await ours.stdout.line(/^What is your name\?$/);
    await type(ours, "Ours");
    await ours.stdout.line(/^Welcome, Ours\. Here now: Theirs, Ours\./);
    await theirs.stdout.line(/^\* Ours has joined$/);

    await type(theirs, "hello from there");
    await ours.stdout.line(/^Theirs: hello from there$/);
    await type(ours, "hello from \x1b[31mhere");
    await theirs.stdout.line(/^Ours: hello from \\x1b\[31mhere$/);
    await type(theirs, "/who");
    await theirs.stdout.line(/^Here now: Theirs, Ours$/);

    // each leaves in its own way: by a farewell, and by the end of its input
    await type(ours, "/quit");
    await ours.stdout.line(/^Goodbye, Ours\.$/);
    assertEquals(await ours.end(), 0);
    await theirs.stdout.line(/^\* Ours has left$/);
    await theirs.send();
    if (peer.hearsOut || peer.name === "nc.openbsd") {
      await theirs.stdout.line(/^Goodbye, Theirs\.$/);
    }
    await theirs.end();
    assertEquals(await server.process.stop("SIGTERM"), 0);
  });

  peerTest(
    `chat_client.ts speaks and listens at once with ${peer.name} as server`,
    [peer.name],
    async () => {
      const at = { ...AT, port: freePort() };
      await using theirs = await startPeer(peer.server(at), peer.listening);
      await using ours = startScript("tcp/chat_client", at);
      await type(ours, "first");
      await theirs.stdout.line(/^first$/);
      // two lines come while nothing is typed, and one is typed while nothing comes
      await type(theirs, "second");
      await type(theirs, "third \x07 zażółć");
      await ours.stdout.line(/^second$/);
      await ours.stdout.line(/^third \\x07 zażółć$/);
      await type(ours, "fourth");
      await theirs.stdout.line(/^fourth$/);
      await ours.send();
      // a server whose end comes first has gone too early
      await halfClosed(at.port);
      await theirs.send();
      assertEquals(await ours.end(), 0);
      assertEquals(theirs.stdout.text, "first\nfourth\n");
    },
  );

  peerTest(
    `chat_client.ts says that the server has gone when ${peer.name} ends`,
    [peer.name],
    async () => {
      const at = { ...AT, port: freePort() };
      await using theirs = await startPeer(peer.server(at), peer.listening);
      await using ours = startScript("tcp/chat_client", at);
      await type(theirs, "hello");
      await ours.stdout.line(/^hello$/);
      await theirs.stop("SIGTERM");
      assertEquals(await ours.end(), 1);
      await ours.stderr.line(
        /^chat_client\.ts: (the server has ended the conversation|.*reset.*)$/,
      );
    },
  );
}

peerTest("chat_client.ts leaves with exit code 0 when Ctrl-C is typed", [], async () => {
  await using server = await startServer("tcp/chat_server", { ...AT, port: 0 });
  await using ours = startScript("tcp/chat_client", server.at);
  await type(ours, "Ada");
  await ours.stdout.line(/^Welcome, Ada\./);
  assertEquals(await ours.stop("SIGINT"), 0);
  await server.process.stderr.line(/^Ada has left$/);
  assertEquals(await server.process.stop("SIGTERM"), 0);
});
