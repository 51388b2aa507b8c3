/**
 * The UDP echo pair, with foreign clients and servers.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { assertSame, encode, random } from "./payloads.ts";
import { freePort, HOSTS, type Peer, PEERS, peerTest, python, startPeer } from "./peers.ts";
import { Process } from "./process.ts";
import { startScript, startServer } from "./scripts.ts";

const LONGEST = 65_507; // 65,535 less the headers of IP and UDP

const PAYLOADS = [
  { name: "a text", payload: encode("the quick brown fox") },
  { name: "4,096 bytes", payload: random(4_096) },
  { name: "65,507 bytes", payload: random(LONGEST) },
  { name: "an empty datagram", payload: new Uint8Array() },
];

function can(peer: Peer, role: "client" | "server", { length }: Uint8Array): boolean {
  return length === 0 ? peer.empty.includes(role) : length <= peer.longest;
}

async function checkServer(peer: Peer, hostname: string, payload: Uint8Array): Promise<void> {
  const where = { transport: "udp", hostname, port: 0 } as const;
  await using server = await startServer("udp/echo_server", where);
  await using client = new Process(peer.client(server.at));
  await client.send(payload);
  if (peer.empty.includes("client")) {
    // it ends when it has an answer, and socat not before an empty one
    await client.send();
    assertEquals(await client.end(), 0, client.stderr.text);
  } else {
    await client.stdout.received(payload.length);
  }
  assertSame(client.stdout.bytes, payload);
  await server.process.stderr.line(
    new RegExp(`^${payload.length} bytes from (127\\.0\\.0\\.1|\\[::1\\]):\\d+$`),
  );
  assertEquals(await server.process.stop("SIGINT"), 0);
}

async function checkClient(peer: Peer, hostname: string, payload: Uint8Array): Promise<void> {
  const at = { transport: "udp", hostname, port: freePort() } as const;
  const command = (peer.echo ?? peer.server)(at);
  await using _server = await startPeer(command, peer.listening, { echo: !peer.echo });
  await using client = startScript("udp/echo_client", at, "-");
  await client.send(payload);
  await client.send();
  assertEquals(await client.end(), 0, client.stderr.text);
  assertSame(client.stdout.bytes, payload);
}

for (const peer of PEERS) {
  for (const { hostname, suffix, ignore } of HOSTS) {
    for (const { name, payload } of PAYLOADS) {
      if (can(peer, "client", payload)) {
        peerTest(
          `udp/echo_server gives back exactly what it gets when ${peer.name} sends ${name}${suffix}`,
          [peer.name],
          () => checkServer(peer, hostname, payload),
          { ignore },
        );
      }
      if (can(peer, "server", payload)) {
        peerTest(
          `udp/echo_client shows the exact echo when ${peer.name} echoes ${name}${suffix}`,
          [peer.name],
          () => checkClient(peer, hostname, payload),
          { ignore },
        );
      }
    }
  }
}

const CLIENT = { transport: "udp", hostname: "127.0.0.1" } as const;

for (
  const [does, when, trick, log] of [
    [
      "ignores a stranger",
      "python3 answers from another port first",
      "stranger",
      "ignoring 8 bytes",
    ],
    ["asks again", "python3 leaves the first datagram unanswered", "deaf", "no answer in 500 ms"],
  ] as const
) {
  peerTest(`udp/echo_client ${does} when ${when}`, ["python3"], async () => {
    const at = { ...CLIENT, port: freePort() };
    await using _server = await startPeer(python("udp_tricks.py", trick, at.port), /^listening/);
    await using client = startScript("udp/echo_client", at, "the message");
    assertEquals(await client.end(), 0, client.stderr.text);
    assertEquals(client.stdout.text, "the message\n");
    await client.stderr.line(new RegExp(`^${log}`));
  });
}
