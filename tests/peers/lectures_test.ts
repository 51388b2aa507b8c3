/**
 * Our scripts with the Python programs of the lectures, which `python/` tells in other words.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { freePort, peerTest, python, startPeer } from "./peers.ts";
import { Process } from "./process.ts";
import { startScript, startServer } from "./scripts.ts";

const WHERE = { transport: "tcp", hostname: "127.0.0.1" } as const;

interface Pair {
  ours: string;
  words?: string[];
  does: string;
  python: string;
  /** What theirs must print, all of it. */
  theirs: RegExp;
  /** A line that ours must print on stdout. */
  stdout?: RegExp;
  stderr?: RegExp;
}

const SERVERS: Pair[] = [
  {
    ours: "tcp/message_server",
    does: "thanks once for a message without an end",
    python: "message_client.py",
    theirs: /^heard b'Thank you for reaching us\\n'\n$/,
    stdout: /^received message: "Call Slack to get the list of channels"$/,
  },
  {
    ours: "tcp/message_server",
    words: ["--naive"],
    does: "takes each piece for a message, as in the lecture,",
    python: "message_client.py",
    theirs: /^heard b'(Thank you for reaching us\\n){1,2}'\n$/,
    stdout: /^received message: "Call Slack to get th"$/,
  },
  {
    ours: "tcp/hello_server",
    does: "greets",
    python: "hello_client.py",
    theirs: /^b'Hello 127\.0\.0\.1:\d+\\n'\n$/,
    stderr: /^received a connection from 127\.0\.0\.1:\d+$/,
  },
  {
    ours: "tcp/conversation_server",
    does: "answers",
    python: "conversation_client.py",
    theirs: /^b'Yes, I hear you\.'\n$/,
    stdout: /^received "Hey, can you hear me\?"$/,
  },
];

for (const each of SERVERS) {
  peerTest(`${each.ours} ${each.does} when ${each.python} connects`, ["python3"], async () => {
    const where = { ...WHERE, port: 0 };
    await using server = await startServer(each.ours, where, ...each.words ?? []);
    const { at } = server;
    // twice: what one client does must not stop the next
    for (let client = 1; client <= 2 && "port" in at; client++) {
      await using theirs = new Process(python(each.python, at.port));
      assertEquals(await theirs.end(), 0, theirs.stderr.text);
      assertMatch(theirs.stdout.text, each.theirs);
    }
    if (each.stdout) await server.process.stdout.line(each.stdout);
    if (each.stderr) await server.process.stderr.line(each.stderr);
    assertEquals(await server.process.stop("SIGINT"), 0);
  });
}

const CLIENTS: Pair[] = [
  {
    ours: "tcp/message_client",
    does: "shows the thanks",
    python: "message_server.py",
    theirs:
      /^connected: .*\nheard b'Call Slack to get th'\nconnected: .*\nheard b'e list of channels\\n'\n/,
    stdout: /^(Thank you for reaching us)+$/,
  },
  {
    ours: "tcp/message_client",
    words: ["Hello"],
    does: "shows the thanks for a short message",
    python: "message_server.py",
    theirs: /^connected: .*\nheard b'Hello\\n'\n/,
    stdout: /^Thank you for reaching us$/,
  },
  {
    ours: "tcp/hello_client",
    does: "shows the greeting",
    python: "hello_server.py",
    theirs: /^connected: \('127\.0\.0\.1', \d+\)\n/,
    stdout: /^Hello \('127\.0\.0\.1', \d+\)$/,
  },
  {
    ours: "tcp/conversation_client",
    does: "hears the answer and the end",
    python: "conversation_server.py",
    theirs: /^b'Hey, can you hear me\?'\n$/,
    stdout: /^the server closed its side$/,
  },
];

for (const each of CLIENTS) {
  peerTest(`${each.ours} ${each.does} when ${each.python} listens`, ["python3"], async () => {
    const at = { ...WHERE, port: freePort() };
    await using theirs = await startPeer(python(each.python, at.port), /^listening/);
    await using client = startScript(each.ours, at, ...each.words ?? []);
    assertEquals(await client.end(), 0, client.stderr.text);
    if (each.stdout) await client.stdout.line(each.stdout);
    assertMatch(theirs.stdout.text, each.theirs);
  });
}
