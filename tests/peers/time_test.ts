/**
 * The time server and its client, with those that a student wrote in Python.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { paddedQuestion, parseAnswer } from "../../lib/reqtime.ts";
import { freePort, peerTest, python, startPeer } from "./peers.ts";
import { Process } from "./process.ts";
import { pathOf } from "./scripts.ts";

function start(script: string, net: string, port: number, ...words: string[]): Process {
  const flags = [`--allow-net=${net}`, pathOf(`time/${script}`), "--port", String(port)];
  return new Process([Deno.execPath(), "run", "--no-prompt", ...flags, ...words]);
}

/** Offset and "right to within" of the best sample, in milliseconds. */
function best(text: string): [offset: number, within: number] {
  const found = /^best: offset (-?[\d.]+) ms, right to within ([\d.]+) ms$/m.exec(text);
  assert(found, text);
  return [Number(found[1]), Number(found[2])];
}

for (const transport of ["tcp", "udp"]) {
  peerTest(`time/time_server answers python3 over ${transport}`, ["python3"], async () => {
    await using server = start("time_server", "127.0.0.1", 0);
    const [, port] = await server.stdout.line(/^listening on 127\.0\.0\.1:(\d+)$/);
    const ask = async (question: string) => {
      const before = Date.now();
      await using client = new Process(python("time_client.py", transport, port!, question));
      assertEquals(await client.end(), 0, client.stderr.text);
      return { answer: client.stdout.text.trimEnd(), before, after: Date.now() + 1 };
    };
    const { answer, before, after } = await ask(
      transport === "udp" ? paddedQuestion("beef") : "reqtime beef",
    );
    const times = parseAnswer(answer)!;
    assertEquals(times.id, "beef");
    assert(before <= times.received && times.received <= times.answered, answer);
    assert(times.answered <= after, answer);
    const { answer: bare } = await ask("reqtime");
    if (transport === "udp") assertMatch(bare, /^\d{8}T\d{6}Z$/);
    else assert(parseAnswer(bare), bare);
    assertEquals((await ask("hello")).answer.slice(0, 14), 'send "reqtime"');
    assertEquals(await server.stop("SIGINT"), 0);
  });

  peerTest(
    `time/time_client agrees with python3's clock over ${transport}`,
    ["python3"],
    async () => {
      const port = freePort();
      const command = python("time_server.py", transport, port, "exact");
      await using _server = await startPeer(command, /^listening/);
      const words = transport === "udp" ? ["--udp"] : [];
      await using client = start("time_client", `127.0.0.1:0,127.0.0.1:${port}`, port, ...words);
      assertEquals(await client.end(), 0, client.stderr.text);
      // it is one machine and one clock: the offset is wrong by no more than it says, and some microseconds
      const [offset, within] = best(client.stdout.text);
      assert(Math.abs(offset) <= within + 0.05, client.stdout.text);
    },
  );

  peerTest(
    `time/time_client shows the ctime of python3 over ${transport}`,
    ["python3"],
    async () => {
      const port = freePort();
      const command = python("time_server.py", transport, port, "plain");
      await using _server = await startPeer(command, /^listening/);
      const words = [...transport === "udp" ? ["--udp", "--bare"] : [], "--samples", "1"];
      await using client = start("time_client", `127.0.0.1:0,127.0.0.1:${port}`, port, ...words);
      assertEquals(await client.end(), 0, client.stderr.text);
      assertMatch(
        client.stdout.text,
        /^sample 1: "\w{3} \w{3} [\d ]\d [\d:]{8} \d{4}", delay [\d.]+ ms\n$/,
      );
    },
  );
}
