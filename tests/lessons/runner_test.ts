/**
 * The runner itself: it must notice every fault it is there to notice.
 *
 * @module
 */

import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { LessonError } from "../../lib/lesson.ts";
import { readLessons, readLibrary, ROOT } from "../../lib/runner/library.ts";
import { play, playKey } from "../../lib/runner/play.ts";
import { setStage } from "../../lib/runner/stage.ts";

const lessons = readLessons();
const client = lessons.find(({ name }) => name === "tcp/echo_client")!;
const server = lessons.find(({ name }) => name === "tcp/echo_server")!;

/** A folder with a `scripts/tcp/lesson.ts` of the given text, executable or not. */
function libraryOf(source: string, mode = 0o755): Disposable & { root: URL } {
  const folder = Deno.makeTempDirSync();
  Deno.mkdirSync(`${folder}/scripts/tcp`, { recursive: true });
  Deno.writeTextFileSync(`${folder}/scripts/tcp/lesson.ts`, source, { mode });
  const root = new URL(`file://${folder}/`);
  return { root, [Symbol.dispose]: () => Deno.removeSync(folder, { recursive: true }) };
}

const SOUND = `#!/usr/bin/env -S deno run
/**
 * A lesson
 *
 * @run deno run scripts/tcp/lesson.ts
 * @expect hello
 * @module
 */
console.log("hello");
`;

Deno.test("readLessons finds a lesson when its header is sound", () => {
  using library = libraryOf(SOUND);
  assertEquals(readLessons(library.root).map(({ name }) => name), ["tcp/lesson"]);
});

for (
  const [fault, from, to] of [
    ["unknown tag @expects", "@expect ", "@expects "],
    [
      "its partner scripts/tcp/nobody.ts does not exist",
      "@expect",
      "@partner scripts/tcp/nobody.ts\n * @expect",
    ],
    [
      "its client scripts/tcp/nobody.ts does not exist",
      "@expect",
      "@client deno run scripts/tcp/nobody.ts\n * @expect",
    ],
  ] as const
) {
  Deno.test(`readLessons refuses a header when it has this fault: ${fault}`, () => {
    using library = libraryOf(SOUND.replace(from, to));
    assertThrows(() => readLessons(library.root), LessonError, fault);
  });
}

Deno.test("readLessons refuses a script when it is not executable", () => {
  using library = libraryOf(SOUND, 0o644);
  assertThrows(() => readLessons(library.root), LessonError, "not executable");
});

Deno.test("readLibrary goes on with the others when one header has a fault", () => {
  using library = libraryOf(SOUND);
  const copy = new URL("scripts/tcp/copy.ts", library.root);
  Deno.writeTextFileSync(copy, SOUND, { mode: 0o755 });
  const { lessons, faults } = readLibrary(library.root);
  assertEquals(lessons.map(({ name }) => name), ["tcp/lesson"]);
  assertEquals(faults.length, 1);
  assertStringIncludes(faults[0]!, "runs scripts/tcp/lesson.ts, not scripts/tcp/copy.ts");
});

Deno.test("play tells what is missing when a line does not come", async () => {
  const run = { ...client.runs[0]!, expect: ["this is another message"], log: ["never said"] };
  const { faults } = await play(client, run, lessons);
  assertEquals(faults, [
    "expected on stdout: this is another message",
    "expected on stderr: never said",
  ]);
});

Deno.test("play tells the exit code when a lesson fails", async () => {
  const run = { ...client.runs[0]!, words: ["--no-such-option"] };
  const { faults } = await play(client, run, lessons);
  assertStringIncludes(faults.join("\n"), "scripts/tcp/echo_client.ts ended with exit code 2");
});

Deno.test("play tells when a partner does not start", async () => {
  const broken = { ...server, runs: [{ ...server.runs[0]!, flags: [] }] };
  const others = lessons.map((lesson) => lesson === server ? broken : lesson);
  const { faults } = await play(client, client.runs[0]!, others);
  assertEquals(faults[0], 'scripts/tcp/echo_server.ts did not print "listening on …"');
});

Deno.test("play ends a lesson when it does not end by itself", async () => {
  const run = { ...server.runs[0]!, expect: ["the end"], log: [] };
  const endless = { ...server, runs: [run] };
  const { faults } = await play(endless, run, [endless], { timeout: 1_000 });
  assertMatch(faults.join("\n"), /did not end within 1 s/);
});

Deno.test("play moves a lesson to another port when the default one is taken", async () => {
  const taken = holdDefaultPort();
  try {
    const result = await play(client, client.runs[0]!, lessons, { defaults: true });
    assertEquals(result.faults, []);
    for (const { command } of result.terminals) {
      assertMatch(command, /--allow-net=127\.0\.0\.1:(?!10000)\d+ .* --port (?!10000)\d+/);
    }
  } finally {
    taken?.close();
  }
});

/** Takes port 10000, unless another program has it already. */
function holdDefaultPort(): Deno.Listener | undefined {
  try {
    return Deno.listen({ hostname: "127.0.0.1", port: 10_000 });
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return undefined;
    throw error;
  }
}

/** Runs a task of deno.json. */
async function task(...words: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", ...words],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test("deno task demo shows the transcript and a summary when a lesson is named", async () => {
  const { code, stdout } = await task("demo", "tcp/echo_client");
  assertEquals(code, 0, stdout);
  assertMatch(
    stdout,
    /terminal 2 \$ deno run --allow-net=127\.0\.0\.1:\d+ scripts\/tcp\/echo_client\.ts/,
  );
  assertMatch(stdout, /\n1 lessons, 1 passed, 0 failed \(\d+\.\d s\)\n$/);
});

Deno.test("deno task demo gives JSON when asked for", async () => {
  const { code, stdout } = await task("demo", "--json", "--serial", "tcp/echo_client");
  assertEquals(code, 0, stdout);
  const [result] = JSON.parse(stdout);
  assertEquals([result.lesson, result.passed, result.terminals.length], [
    "tcp/echo_client",
    true,
    2,
  ]);
});

for (const words of [["no_such_chapter"], ["--no-such-option"], ["tcp", "udp"]]) {
  Deno.test(`deno task demo ends with 2 when called with ${words.join(" ")}`, async () => {
    assertEquals((await task("demo", ...words)).code, 2);
  });
}

Deno.test("deno task lessons lists all lessons, and tells of one when it is named", async () => {
  const all = await task("lessons");
  for (const { name, title } of lessons) {
    assertMatch(all.stdout, new RegExp(`^${name} +${title.replace(/\W/g, ".")}$`, "m"));
  }
  const one = await task("lessons", "tcp/echo_client");
  assertStringIncludes(one.stdout, client.runs[0]!.line);
  assertEquals([all.code, one.code, (await task("lessons", "nothing")).code], [0, 0, 2]);
});

Deno.test("playKey is the same for a server and the client that visits it, and for no others", () => {
  const [ofServer, ofClient] = [server, client].map((each) =>
    playKey(each, each.runs[0]!, lessons)
  );
  assertEquals(ofServer, ofClient);
  const tap = lessons.find(({ name }) => name === "analyzer/tap")!;
  const keys = new Set(tap.runs.map((run) => playKey(tap, run, lessons)));
  assertEquals(keys.size, tap.runs.length);
});

Deno.test("play compares what the other lesson prints when it shows two", async () => {
  const [mine, its] = [client.runs[0]!, server.runs[0]!];
  const also = [{ lesson: server, run: its }];
  assertEquals((await play(client, mine, lessons, { also })).faults, []);
  const wrong = { ...its, expect: ["a line that it never prints"] };
  const { faults } = await play(client, mine, lessons, { also: [{ lesson: server, run: wrong }] });
  assertEquals(faults, ["expected on stdout: a line that it never prints"]);
});

Deno.test("setStage finds a file beside a script from any folder", () => {
  const tap = lessons.find(({ name }) => name === "analyzer/tap")!;
  const run = tap.runs.find(({ words }) => words[0] === "summary")!;
  using stage = setStage([run]);
  const [flag] = run.flags.map(stage.move);
  assertEquals(flag, `--allow-read=${ROOT.pathname}scripts/analyzer/echo.pcapng`);
  assertEquals(stage.move(run.words[1]!), `${ROOT.pathname}scripts/analyzer/echo.pcapng`);
});
