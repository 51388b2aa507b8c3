/**
 * Our servers over TCP and Unix sockets, with foreign clients.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { assertSame, encode, MEBIBYTE, random } from "./payloads.ts";
import { HOSTS, type Peer, PEERS, peerTest, python, temporaryFolder } from "./peers.ts";
import { Process } from "./process.ts";
import { type At, type OurServer, startServer } from "./scripts.ts";

interface Case {
  script: string;
  does: string;
  sends: string;
  payload: () => Uint8Array;
  /** What the client must hear. */
  answer: (payload: Uint8Array) => Uint8Array | RegExp;
  /** What the server must print on stdout, in any order. */
  stdout?: RegExp[];
  /** What it must print on stderr. */
  stderr?: RegExp[];
}

const same = (payload: Uint8Array) => payload;
const always = (answer: string) => () => encode(answer);

function lines(count: number): Uint8Array {
  const bytes = random(count * 512).map((byte) => byte === 10 ? 0 : byte);
  for (let at = 511; at < bytes.length; at += 512) bytes[at] = 10;
  return bytes;
}

function echoCases(script: string, pieces: (bytes: number) => string): Case[] {
  return [["nothing", 0], ["a text", 43], ["1 MiB", MEBIBYTE]].map(([sends, length]) => ({
    script,
    does: "gives back exactly what it gets",
    sends: String(sends),
    payload: length === 43
      ? () => encode("the quick brown fox jumps over the lazy dog")
      : () => random(Number(length)),
    answer: same,
    stderr: [new RegExp(`^echoed ${length} bytes${pieces(Number(length))}$`)],
  }));
}

const TCP: Case[] = [
  {
    script: "tcp/conversation_server",
    does: "hears and answers",
    sends: "the lecture's words",
    payload: always("Hey, can you hear me?"),
    answer: always("Yes, I hear you."),
    stdout: [
      /^accepted a connection from (127\.0\.0\.1|\[::1\]):\d+$/,
      /^received "Hey, can you hear me\?"$/,
      /^sent "Yes, I hear you\."$/,
      /^closed the connection$/,
    ],
  },
  {
    script: "tcp/conversation_server",
    does: "gets its answer through",
    sends: "1 MiB",
    payload: () => random(MEBIBYTE),
    answer: always("Yes, I hear you."),
    stdout: [/^received ".*"$/, /^closed the connection$/],
  },
  {
    script: "tcp/conversation_server",
    does: "notices it",
    sends: "nothing",
    payload: always(""),
    answer: always(""),
    stdout: [/^the client closed without a word$/, /^closed the connection$/],
  },
  ...[["nothing", 0], ["1 MiB", MEBIBYTE]].map(([sends, length]) => ({
    script: "tcp/hello_server",
    does: "greets the client with its address",
    sends: String(sends),
    payload: () => random(Number(length)),
    answer: () => /^Hello (127\.0\.0\.1|\[::1\]):\d+\n$/,
    stderr: [/^received a connection from (127\.0\.0\.1|\[::1\]):\d+$/],
  })),
  // how many pieces there are depends on how the client sends
  ...echoCases("tcp/echo_server", () => " in \\d+ pieces"),
  {
    script: "tcp/message_server",
    does: "thanks for each line",
    sends: "two lines and a rest",
    payload: always("one\ntwo\nthree"),
    answer: always("Thank you for reaching us\n".repeat(3)),
    stdout: [
      /^received message: "one"$/,
      /^received message: "two"$/,
      /^received message: "three"$/,
    ],
  },
  {
    script: "tcp/message_server",
    does: "thanks for each line",
    sends: "64 KiB of lines",
    payload: () => lines(128),
    answer: always("Thank you for reaching us\n".repeat(128)),
  },
];

async function check(peer: Peer, where: At, each: Case): Promise<void> {
  await using server = await startServer(each.script, where);
  await serves(server, peer, each);
  assertEquals(await server.process.stop("SIGINT"), 0);
}

async function serves(server: OurServer, peer: Peer, each: Case): Promise<void> {
  await using client = new Process(peer.client(server.at));
  const payload = each.payload();
  await client.send(payload);
  await client.send();
  assertEquals(await client.end(), 0, client.stderr.text);
  const answer = each.answer(payload);
  if (answer instanceof RegExp) assertMatch(client.stdout.text, answer);
  else assertSame(client.stdout.bytes, answer);
  for (const pattern of each.stdout ?? []) await server.process.stdout.line(pattern);
  for (const pattern of each.stderr ?? []) await server.process.stderr.line(pattern);
}

for (const peer of PEERS) {
  for (const { hostname, suffix, ignore } of HOSTS) {
    for (const each of TCP) {
      if (suffix && each.sends === "1 MiB") continue;
      peerTest(
        `${each.script} ${each.does} when ${peer.name} sends ${each.sends}${suffix}`,
        [peer.name],
        () => check(peer, { transport: "tcp", hostname, port: 0 }, each),
        { ignore },
      );
    }
  }
  for (const each of echoCases("ipc/unix_echo_server", () => "")) {
    peerTest(
      `${each.script} ${each.does} when ${peer.name} sends ${each.sends}`,
      [peer.name],
      async () => {
        using folder = temporaryFolder();
        await check(peer, { transport: "unix", path: `${folder.path}/echo.sock` }, each);
      },
    );
  }
}

const PYTHON = PEERS.at(-1)!;

for (const each of new Map(TCP.map((each) => [each.script, each])).values()) {
  for (const early of [true, false]) {
    peerTest(
      `${each.script} serves the next client when ${PYTHON.name} resets the connection ` +
        (early ? "before it is accepted" : "at some time"),
      [PYTHON.name],
      async () => {
        const where = { transport: "tcp", hostname: "127.0.0.1", port: 0 } as const;
        await using server = await startServer(each.script, where);
        if (!("port" in server.at)) return;
        if (early) server.process.signal("SIGSTOP");
        await using troubler = new Process(python("reset.py", "127.0.0.1", server.at.port));
        assertEquals(await troubler.end(), 0, troubler.stderr.text);
        if (early) server.process.signal("SIGCONT");
        await serves(server, PYTHON, each);
        assertEquals(await server.process.stop("SIGINT"), 0);
      },
    );
  }
}
