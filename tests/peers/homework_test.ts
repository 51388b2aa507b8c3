/**
 * The rules of lecture 002's homework for the echo pair.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { freePort, PEERS, peerTest, python, startPeer } from "./peers.ts";
import { Process } from "./process.ts";
import { startScript, startServer } from "./scripts.ts";

const ANYWHERE = { transport: "tcp", hostname: "127.0.0.1", port: 0 } as const;
const lengths = [...Array(65).keys(), ...[5, 6, 7, 8, 16, 64, 256, 4_096].map((many) => many * 16)];

peerTest(
  "tcp/echo_server echoes before the end of the stream when python3 sends any length",
  ["python3"],
  async () => {
    await using server = await startServer("tcp/echo_server", ANYWHERE);
    if (!("port" in server.at)) return;
    await using client = new Process(python("homework_client.py", server.at.port, ...lengths));
    assertEquals(await client.end(), 0, client.stderr.text);
    assertEquals(client.stdout.text, `exact echoes: ${lengths.length}\n`);
    // a piece has 16 bytes at most
    for (const line of server.process.stderr.lines) {
      const [, bytes, pieces] = /^echoed (\d+) bytes in (\d+) pieces$/.exec(line) ?? [];
      if (bytes) assertEquals(Number(pieces) >= Number(bytes) / 16, true, line);
    }
  },
);

peerTest(
  "tcp/echo_client prints the reply and logs each step when python3 echoes any length",
  ["python3"],
  async () => {
    const at = { ...ANYWHERE, port: freePort() };
    await using _server = await startPeer(python("homework_server.py", at.port), /^listening/);
    for (const length of lengths.filter((length) => length <= 1_024)) {
      const message = "0123456789abcde.".repeat(length / 16 + 1).slice(0, length);
      await using client = startScript("tcp/echo_client", at, message);
      assertEquals(await client.end(), 0, client.stderr.text);
      assertEquals(client.stdout.text, message + "\n");
      const received = '(received ".{1,16}"\n)' + (length === 0 ? "{0}" : "+");
      assertMatch(
        client.stderr.text,
        new RegExp(`^connecting to .*\nsending ".*\n${received}closing socket\n$`),
      );
    }
  },
);

const WRONG: [script: string, words: string[], reason: RegExp][] = [
  ["tcp/echo_client", [], /the argument MESSAGE is missing/],
  ["tcp/echo_client", ["one", "two"], /one argument too many: "two"/],
  ["tcp/echo_client", ["one", "--loud"], /there is no option --loud/],
  ["tcp/echo_client", ["one", "--port", "ten"], /--port/],
  ["tcp/echo_server", ["one"], /one argument too many: "one"/],
  ["tcp/echo_server", ["--port", "65536"], /--port/],
];

for (const [script, words, reason] of WRONG) {
  Deno.test(`${script} tells its usage when called with "${words.join(" ")}"`, async () => {
    await using process = startScript(script, ANYWHERE, ...words);
    assertEquals(await process.end(), 2);
    assertEquals(process.stdout.text, "");
    assertMatch(process.stderr.text, reason);
    assertMatch(process.stderr.text, /^usage: deno run .*\.ts /m);
  });
}

const nc = PEERS[0]!;

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`tcp/echo_server exits with 0 when ${signal} comes`, async () => {
    await using server = await startServer("tcp/echo_server", ANYWHERE);
    assertEquals(await server.process.stop(signal), 0);
  });

  peerTest(
    `tcp/echo_server exits with 0 when ${signal} comes and ${nc.name} is connected`,
    [nc.name],
    async () => {
      await using server = await startServer("tcp/echo_server", ANYWHERE);
      await using client = new Process(nc.client(server.at));
      await client.send(new TextEncoder().encode("echo"));
      await client.stdout.received(4);
      assertEquals(await server.process.stop(signal), 0);
      await client.send();
      assertEquals(await client.end(), 0);
    },
  );
}
