import { assert, assertEquals, assertMatch, assertNotEquals, assertThrows } from "@std/assert";
import { type Lesson, parseLesson } from "../../lib/lesson.ts";
import { parseRun } from "../../lib/run_line.ts";
import { freePort } from "../../lib/runner/free_port.ts";
import { flagsWithout, grantsOf, movedWords, setStage } from "../../lib/runner/stage.ts";

const RUN = parseRun(
  "deno run --allow-net=127.0.0.1:10000,[::1]:10001,example.org --allow-read=/tmp/a,b " +
    "--allow-net=127.0.0.1:0 --unstable-net scripts/a/b.ts 10000",
);

/** The port to which a stage moves another. */
function moved(move: (text: string) => string, port: number): string {
  return move(`:${port}`).slice(1);
}

Deno.test("setStage moves every port that a net grant names, and no other number", () => {
  using stage = setStage([RUN, parseRun("deno run --allow-net=0.0.0.0:5353 scripts/a/c.ts")]);
  const ports = [10_000, 10_001, 5_353].map((port) => moved(stage.move, port));
  for (const port of ports) assert(Number(port) >= 20_000 && Number(port) < 32_000, port);
  assertEquals(new Set(ports).size, 3);
  const [first, second, third] = ports;
  const cases: [text: string, moved: string][] = [
    ["--allow-net=127.0.0.1:10000,[::1]:10001", `--allow-net=127.0.0.1:${first},[::1]:${second}`],
    ["listening on 127.0.0.1:10000", `listening on 127.0.0.1:${first}`],
    ["port 10000", `port ${first}`],
    ["10000", `${first}`],
    ["0.0.0.0:5353 and 10001", `0.0.0.0:${third} and ${second}`],
    ["100001 110000 1.10000 10000.5", "100001 110000 1.10000 10000.5"],
    ["port 80, 127.0.0.1:0", "port 80, 127.0.0.1:0"],
    ["no number", "no number"],
  ];
  for (const [text, expected] of cases) assertEquals(stage.move(text), expected);
});

Deno.test("setStage moves default ports where a grant is for a whole host", () => {
  const lesson = (path: string, grant: string, option: string) =>
    parseLesson(
      path,
      `#!/usr/bin/env -S deno run --allow-net=${grant}
/**
 * A lesson
 *
 * @run deno run --allow-net=${grant} ${path}
 * @expect x
 * @option ${option}
 * @module
 */`,
    );
  const relay = lesson(
    "scripts/a/b.ts",
    "127.0.0.1",
    "--to ENDPOINT  behind (default: [::1]:10014)",
  );
  const named = lesson("scripts/a/c.ts", "127.0.0.1:9", "--port PORT  where (default: 10015)");
  const words = (...lessons: Lesson[]) => {
    using stage = setStage(lessons.flatMap(({ runs }) => runs), { lessons });
    return lessons.map((each) => movedWords(each, each.runs[0]!, stage).join(" "));
  };
  const [to, port] = words(relay, named);
  assertMatch(to!, /^--to \[::1\]:[23]\d{4}$/);
  assertMatch(port!, /^--port [23]\d{4}$/);
  assertEquals(words(named), [""]);
});

Deno.test("setStage moves /tmp to a folder of its own that goes with it", () => {
  const stage = setStage([RUN]);
  const other = setStage([RUN]);
  assertEquals(
    stage.move("/tmp/a --allow-read=/tmp/b"),
    `${stage.folder}/a --allow-read=${stage.folder}/b`,
  );
  assertNotEquals(stage.folder, other.folder);
  assert(Deno.statSync(stage.folder).isDirectory);
  stage[Symbol.dispose]();
  other[Symbol.dispose]();
  assertThrows(() => Deno.statSync(stage.folder), Deno.errors.NotFound);
});

Deno.test("setStage gives no port twice, and keeps those of the header when they are free", () => {
  using first = setStage([RUN]);
  using second = setStage([RUN]);
  assertNotEquals(moved(first.move, 10_000), moved(second.move, 10_000));

  const listener = Deno.listen({ port: 0 });
  const { port } = listener.addr;
  const run = parseRun(`deno run --allow-net=127.0.0.1:${port} scripts/a/b.ts`);
  using taken = setStage([run], { defaults: true });
  assertNotEquals(moved(taken.move, port), String(port));
  listener.close();

  const free = freePort();
  const own = parseRun(`deno run --allow-net=127.0.0.1:${free} scripts/a/b.ts`);
  for (let time = 0; time < 2; time++) {
    using kept = setStage([own], { defaults: true });
    assertEquals(moved(kept.move, free), String(free));
  }
});

Deno.test("grantsOf tells everything that the flags of a run permit", () => {
  assertEquals(grantsOf(RUN).map(({ kind, value }) => `${kind} ${value}`), [
    "net 127.0.0.1:10000",
    "net [::1]:10001",
    "net example.org",
    "read /tmp/a",
    "read b",
    "net 127.0.0.1:0",
  ]);
  assertEquals(grantsOf(parseRun("deno run scripts/a/b.ts")), []);
});

Deno.test("flagsWithout takes one grant away and leaves the others", () => {
  const cases: [kind: string, value: string, flags: string[]][] = [
    ["net", "[::1]:10001", [
      "--allow-net=127.0.0.1:10000,example.org",
      "--allow-read=/tmp/a,b",
      "--allow-net=127.0.0.1:0",
      "--unstable-net",
    ]],
    ["net", "127.0.0.1:0", [
      "--allow-net=127.0.0.1:10000,[::1]:10001,example.org",
      "--allow-read=/tmp/a,b",
      "--unstable-net",
    ]],
    ["read", "b", [
      "--allow-net=127.0.0.1:10000,[::1]:10001,example.org",
      "--allow-read=/tmp/a",
      "--allow-net=127.0.0.1:0",
      "--unstable-net",
    ]],
    ["write", "b", RUN.flags],
  ];
  for (const [kind, value, flags] of cases) assertEquals(flagsWithout(RUN, { kind, value }), flags);
});

Deno.test("movedWords adds an option for each default that the stage has moved", () => {
  const lesson = (words: string): Lesson =>
    parseLesson(
      "scripts/a/b.ts",
      `#!/usr/bin/env -S deno run --allow-net=127.0.0.1:10000
/**
 * A lesson
 *
 * @run deno run --allow-net=127.0.0.1:10000 scripts/a/b.ts ${words}
 * @expect x
 * @argument [MESSAGE...]  text
 * @option --port PORT  where (default: 10000)
 * @option --file FILE  where (default: /tmp/a.sock)
 * @option --count COUNT  how often (default: 4)
 * @option --name NAME  no default
 * @module
 */`,
    );
  const cases: [words: string, moved: (port: string, folder: string) => string[]][] = [
    ["hello", (port, folder) => ["--file", `${folder}/a.sock`, "--port", port, "hello"]],
    ["--port 10000", (port, folder) => ["--file", `${folder}/a.sock`, "--port", port]],
    ["--port=10000 --file=/tmp/b", (port, folder) => [`--port=${port}`, `--file=${folder}/b`]],
  ];
  for (const [words, expected] of cases) {
    const { runs, ...rest } = lesson(words);
    using stage = setStage(runs);
    const actual = movedWords({ runs, ...rest }, runs[0]!, stage);
    assertEquals(actual, expected(moved(stage.move, 10_000), stage.folder), words);
  }
});
