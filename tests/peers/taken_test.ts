/**
 * Our servers where another program listens, or has listened.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { encode } from "./payloads.ts";
import { freePort, type Peer, PEERS, peerTest, startPeer, temporaryFolder } from "./peers.ts";
import { Process } from "./process.ts";
import { type At, startScript, startServer } from "./scripts.ts";

const UNIX = "ipc/unix_echo_server";
const nc: Peer = PEERS[0]!;

async function isRefused(script: string, at: At): Promise<void> {
  const [command, ...words] = nc.server(at);
  // -k: looking whether somebody answers must not end it
  const again = "path" in at ? ["-k"] : [];
  await using theirs = await startPeer([command!, ...again, ...words], nc.listening);
  await using ours = startScript(script, at);
  assertEquals(await ours.end(), 1);
  assertEquals(ours.stdout.text, "");
  assertMatch(ours.stderr.text, /: another program has that address already\n/);
  // theirs is not disturbed
  await using client = new Process(nc.client(at));
  await client.send(encode("still there"));
  await theirs.stdout.received(11);
}

const WHERE = { hostname: "127.0.0.1" } as const;

for (const name of ["conversation", "hello", "echo", "message"]) {
  peerTest(`tcp/${name}_server says so when ${nc.name} has its port`, [nc.name], async () => {
    await isRefused(`tcp/${name}_server`, { ...WHERE, transport: "tcp", port: freePort() });
  });
}

peerTest(`udp/echo_server says so when ${nc.name} has its port`, [nc.name], async () => {
  await isRefused("udp/echo_server", { ...WHERE, transport: "udp", port: freePort() });
});

peerTest(`${UNIX} says so when ${nc.name} has its path`, [nc.name], async () => {
  using folder = temporaryFolder();
  await isRefused(UNIX, { transport: "unix", path: `${folder.path}/echo.sock` });
});

for (const peer of PEERS) {
  peerTest(`${UNIX} takes the path over when ${peer.name} was killed`, [peer.name], async () => {
    using folder = temporaryFolder();
    const at = { transport: "unix", path: `${folder.path}/echo.sock` } as const;
    await using theirs = await startPeer(peer.server(at), peer.listening);
    await theirs.stop("SIGKILL");
    assertEquals(Deno.lstatSync(at.path).isSocket, true);
    await using ours = await startServer(UNIX, at);
    await using client = new Process(peer.client(at));
    await client.send(encode("who is there?"));
    await client.stdout.received(13);
    await client.send();
    assertEquals(await client.end(), 0, client.stderr.text);
    assertEquals(await ours.process.stop("SIGINT"), 0);
  });
}
