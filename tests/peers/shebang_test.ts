/**
 * Each script started as a program of its own, by its shebang, with the flags and the ports that stand in it.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { pause } from "../../lib/pause.ts";
import { isFree, temporaryFolder } from "./peers.ts";
import { Process } from "./process.ts";
import { pathOf } from "./scripts.ts";

const PAIRS: [chapter: string, lesson: string, port: number, words: string[], stdout: RegExp][] = [
  ["tcp", "conversation", 50_000, [], /^received "Yes, I hear you\."$/],
  ["tcp", "hello", 9_000, [], /^Hello 127\.0\.0\.1:\d+$/],
  ["tcp", "echo", 10_000, ["this is my message"], /^this is my message$/],
  ["tcp", "message", 5_008, [], /^Thank you for reaching us$/],
  ["udp", "echo", 10_000, ["this is my other message"], /^this is my other message$/],
];

/** A PATH on which `deno` is the one that runs the tests. */
function pathWithDeno(folder: string): Record<string, string> {
  Deno.symlinkSync(Deno.execPath(), `${folder}/deno`);
  return { PATH: `${folder}:/usr/bin:/bin`, DENO_NO_PROMPT: "1" };
}

/** Whether a port is free; one of those that the system hands out to clients, as 50000, is so in a minute or two. */
async function becomesFree(port: number): Promise<boolean> {
  const due = performance.now() + (port < 32_768 ? 0 : 180_000);
  while (!isFree(port) && performance.now() < due) await pause(200);
  return isFree(port);
}

/** Starts a server, again when a connection was faster to have its port. */
async function startOn(port: number, server: string, env: Record<string, string>) {
  for (let tries = 1;; tries++) {
    assert(await becomesFree(port), `port ${port} is taken`);
    const process = new Process([pathOf(server)], { env });
    try {
      await process.stdout.line(new RegExp(`^listening on 127\\.0\\.0\\.1:${port}$`));
      return process;
    } catch (error) {
      await process[Symbol.asyncDispose]();
      const taken = process.stderr.text.includes("has that address already");
      if (!taken || tries === 10) throw error;
    }
  }
}

for (const [chapter, lesson, port, words, stdout] of PAIRS) {
  const free = await becomesFree(port);
  Deno.test({
    name: `${chapter}/${lesson} pair meets on port ${port} when started by its shebangs` +
      (free ? "" : " (the port is taken)"),
    ignore: !free,
    async fn() {
      using folder = temporaryFolder();
      const env = pathWithDeno(folder.path);
      await using server = await startOn(port, `${chapter}/${lesson}_server`, env);
      await using client = new Process([pathOf(`${chapter}/${lesson}_client`), ...words], { env });
      assertEquals(await client.end(), 0, client.stderr.text);
      await client.stdout.line(stdout);
      assertEquals(await server.stop("SIGINT"), 0);
    },
  });
}

for (const script of scripts()) {
  Deno.test(`${script} prints its help when started by its shebang`, async () => {
    using folder = temporaryFolder();
    const env = pathWithDeno(folder.path);
    await using process = new Process([pathOf(script), "--help"], { env });
    assertEquals(await process.end(), 0, process.stderr.text);
    assertMatch(process.stdout.text, /^usage: deno run /m);
  });
}

function* scripts(): Generator<string> {
  for (const chapter of ["tcp", "udp", "ipc"]) {
    const folder = new URL(`../../scripts/${chapter}/`, import.meta.url);
    for (const { name } of Deno.readDirSync(folder)) {
      if (name.endsWith(".ts")) yield `${chapter}/${name.replace(".ts", "")}`;
    }
  }
}
