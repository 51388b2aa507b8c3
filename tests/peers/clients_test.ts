/**
 * Our clients over TCP and Unix sockets, with foreign servers.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { assertSame, encode, MEBIBYTE, random, randomText } from "./payloads.ts";
import {
  freePort,
  HOSTS,
  type Peer,
  PEERS,
  peerTest,
  startPeer,
  temporaryFolder,
} from "./peers.ts";
import { type At, startScript } from "./scripts.ts";

interface Case {
  script: string;
  does: string;
  when: string;
  /** The message, on the command line. */
  message?: string;
  /** The message, on stdin. */
  stdin?: Uint8Array;
  /** What the server must hear before it answers and ends the conversation; without it, it echoes. */
  hears?: string;
  answer?: string;
  /** It answers before it hears anything. */
  first?: boolean;
  stdout: string | Uint8Array;
  /** What the client says on stderr when it must fail. */
  fails?: string;
}

const FOX = "the quick brown fox jumps over the lazy dog";

function echoCases(script: string): Case[] {
  const does = "shows the exact echo";
  const all = random(MEBIBYTE);
  return [
    { script, does, when: "echoes a text", message: FOX, stdout: FOX + "\n" },
    { script, does, when: "echoes nothing", message: "", stdout: "\n" },
    { script, does, when: "echoes 1 MiB", message: "-", stdin: all, stdout: all },
  ];
}

const letter = randomText(MEBIBYTE / 2); // its characters have two bytes on average
const longMessage = randomText(30_000); // a Linux argument has at most 128 KiB

const TCP: Case[] = [
  {
    script: "tcp/conversation_client",
    does: "tells each step",
    when: "answers",
    hears: "Hey, can you hear me?",
    answer: "Yes, I hear you.",
    stdout: [
      "connected to THERE from HERE",
      'sent "Hey, can you hear me?"',
      'received "Yes, I hear you."',
      "the server closed its side",
      "closed the connection\n",
    ].join("\n"),
  },
  ...[["greets", "Hello ('127.0.0.1', 4711)\n"], ["says 1 MiB", letter]].map((
    [when, answer],
  ) => ({
    script: "tcp/hello_client",
    does: "shows all that is said",
    when: when!,
    hears: "",
    answer,
    stdout: answer!,
  })),
  {
    script: "tcp/hello_client",
    does: "fails",
    when: "says nothing",
    hears: "",
    answer: "",
    stdout: "",
    fails: "the server closed the connection without a greeting",
  },
  ...echoCases("tcp/echo_client"),
  ...[[undefined, "Call Slack to get the list of channels", "thanks"], [
    longMessage,
    longMessage,
    "thanks for a long line",
  ]].map(([message, line, when]) => ({
    script: "tcp/message_client",
    does: "shows the reply",
    when: when!,
    message,
    hears: line + "\n",
    answer: "Thank you for reaching us\n",
    stdout: "Thank you for reaching us\n",
  })),
  {
    script: "tcp/message_client",
    does: "shows the reply",
    when: "ends it without a line feed",
    message: FOX,
    hears: FOX + "\n",
    answer: "thanks",
    stdout: "thanks\n",
  },
];

async function check(peer: Peer, at: At, each: Case): Promise<void> {
  const { message, stdin, hears, answer, first } = each;
  const echo = hears === undefined;
  const command = echo && peer.echo || peer.server;
  await using server = await startPeer(command(at), peer.listening, { echo: echo && !peer.echo });
  if (first) await server.send(encode(answer!));
  await using client = startScript(each.script, at, ...(message === undefined ? [] : [message]));
  await client.send(stdin ?? new Uint8Array());
  await client.send();
  if (!echo) {
    const heard = encode(hears);
    await server.stdout.received(heard.length);
    if (!first) await server.send(encode(answer!));
    await server.send();
    await client.end();
    await server.end();
    assertSame(server.stdout.bytes, heard);
  }
  assertEquals(await client.end(), each.fails ? 1 : 0, client.stderr.text.slice(-2_000));
  if (each.fails) assertStringIncludes(client.stderr.text, each.fails);
  if (typeof each.stdout === "string") {
    assertEquals(
      client.stdout.text.replace(/to .* from .*:\d+$/m, "to THERE from HERE"),
      each.stdout,
    );
  } else {
    assertSame(client.stdout.bytes, each.stdout);
  }
}

for (const peer of PEERS) {
  for (const { hostname, suffix, ignore } of HOSTS) {
    for (const each of TCP) {
      if (suffix && each.when.endsWith("1 MiB")) continue;
      peerTest(
        `${each.script} ${each.does} when ${peer.name} ${each.when}${suffix}`,
        [peer.name],
        () => check(peer, { transport: "tcp", hostname, port: freePort() }, each),
        { ignore },
      );
    }
  }
  const script = "ipc/unix_echo_client";
  const cases = peer.hearsOut ? echoCases(script) : [{
    script,
    does: "shows what it hears",
    when: "speaks first",
    message: FOX,
    hears: FOX,
    answer: FOX,
    first: true,
    stdout: FOX + "\n",
  }];
  for (const each of cases) {
    peerTest(
      `${each.script} ${each.does} when ${peer.name} ${each.when}`,
      [peer.name],
      async () => {
        using folder = temporaryFolder();
        await check(peer, { transport: "unix", path: `${folder.path}/echo.sock` }, each);
      },
    );
  }
}
