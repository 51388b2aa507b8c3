import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { help, readCommandLine, usage } from "../../lib/cli.ts";
import { parseHeader } from "../../lib/header.ts";
import { UsageError } from "../../lib/usage.ts";
import { decode, temporaryFolder } from "./helpers.ts";

const LIB = new URL("../../lib/", import.meta.url);

const SOURCE = `#!/usr/bin/env -S deno run --allow-net=127.0.0.1:10000
/**
 * A lesson
 *
 * What it shows.
 *
 * @partner scripts/tcp/partner.ts
 * @run     deno run --allow-net=127.0.0.1:10000 scripts/tcp/lesson.ts hello
 * @online  deno run --allow-net=example.org scripts/tcp/lesson.ts hello --json
 * @argument MESSAGE     the text to send
 * @argument [COUNT]     how often (default: 2)
 * @option  --host HOST  where the server is (default: 127.0.0.1)
 * @option  --port PORT  its port (default: 10000)
 * @option  --to NAME... whom to tell
 * @option  --json       print JSON
 * @option  --note TEXT  one without a default
 * @module
 */
`;
const HEADER = parseHeader(SOURCE);
const DEFAULTS = { message: "hi", count: 2, host: "127.0.0.1", port: 10_000, to: [], json: false };

Deno.test("readCommandLine gives one value per key, with defaults filled in", () => {
  const cases: [words: string[], options: Record<string, unknown>][] = [
    [["hi"], {}],
    [["hi", "5"], { count: 5 }],
    [["--port", "80", "hi"], { port: 80 }],
    [["hi", "--port=80"], { port: 80 }],
    [["hi", "--port", "80", "--port", "81"], { port: 81 }],
    [["hi", "--json"], { json: true }],
    [["--to", "a", "hi", "--to=b"], { to: ["a", "b"] }],
    [["hi", "--note", "a=b"], { note: "a=b" }],
    [["hi", "--note=a=b"], { note: "a=b" }],
    [["hi", "--note", "-"], { note: "-" }],
    [["--", "--json"], { message: "--json" }],
    [["--json", "--", "-x", "3"], { message: "-x", json: true, count: 3 }],
    [["-"], { message: "-" }],
    [[""], { message: "" }],
  ];
  for (const [words, options] of cases) {
    assertEquals(readCommandLine(words, HEADER), { ...DEFAULTS, ...options }, words.join(" "));
  }
});

Deno.test("readCommandLine tells what is wrong with a command line", () => {
  const cases: [words: string[], message: string][] = [
    [[], "the argument MESSAGE is missing"],
    [["a", "1", "b"], 'one argument too many: "b"'],
    [["a", "b"], 'COUNT is a whole number of at least 0, not "b"'],
    [["a", "--port", "x"], '--port is a port from 0 to 65535, not "x"'],
    [["a", "--port"], "--port needs a PORT after it"],
    [["a", "--port="], "--port needs a PORT after it"],
    [["a", "--json=yes"], "--json takes no value"],
    [
      ["a", "--prot", "1"],
      "there is no option --prot, only --host, --port, --to, --json, --note, --help",
    ],
    [["-5"], "there is no option -5, only"],
    [["-5"], "write -- before an argument that starts with a dash"],
  ];
  for (const [words, message] of cases) {
    assertThrows(() => readCommandLine(words, HEADER), UsageError, message);
  }
});

Deno.test("readCommandLine takes any number of arguments when one is repeated", () => {
  const header = (form: string) =>
    parseHeader(`/**\n * A\n * @argument A\n * @argument ${form}\n */`);
  assertEquals(readCommandLine(["a", "b", "c"], header("REST...")), { a: "a", rest: ["b", "c"] });
  assertEquals(readCommandLine(["a"], header("[REST...]")), { a: "a", rest: [] });
  assertThrows(() => readCommandLine(["a"], header("REST...")), UsageError, "REST is missing");
});

Deno.test("usage shows flags, script, arguments and up to four options", () => {
  const start = "deno run --allow-net=127.0.0.1:10000 scripts/tcp/lesson.ts MESSAGE [COUNT]";
  assertEquals(usage(HEADER), `${start} [OPTION...] (--help tells them)`);
  const four = { ...HEADER, tags: HEADER.tags.filter(({ text }) => !text.startsWith("--note")) };
  assertEquals(usage(four), `${start} [--host HOST] [--port PORT] [--to NAME...] [--json]`);
  assertEquals(usage(parseHeader("")), "deno run script.ts");
});

Deno.test("help shows all that a header says of running the script", () => {
  assertEquals(
    help(HEADER),
    `A lesson

What it shows.

usage: ${usage(HEADER, { full: true })}
  MESSAGE      the text to send
  COUNT        how often (default: 2)
  --host HOST  where the server is (default: 127.0.0.1)
  --port PORT  its port (default: 10000)
  --to NAME    whom to tell
  --json       print JSON
  --note TEXT  one without a default

start first, in another terminal:
  ./scripts/tcp/partner.ts

examples:
  deno run --allow-net=127.0.0.1:10000 scripts/tcp/lesson.ts hello
  deno run --allow-net=example.org scripts/tcp/lesson.ts hello --json`,
  );
  assertStringIncludes(help(parseHeader("/**\n * Bare\n */")), "Bare\n\nusage: deno run script.ts");
});

/** Runs a lesson whose `main` has this body. */
async function runLesson(body: string, ...words: string[]) {
  using folder = temporaryFolder();
  const path = `${folder.path}/lesson.ts`;
  const code =
    `import { run } from "${LIB}cli.ts";\nfunction main(options) {\n${body}\n}\nawait run(main);`;
  await Deno.writeTextFile(path, SOURCE + code);
  const args = ["run", "--no-prompt", "--no-check", path, ...words];
  const output = await new Deno.Command(Deno.execPath(), { args, cwd: folder.path }).output();
  return { code: output.code, stdout: decode(output.stdout), stderr: decode(output.stderr) };
}

Deno.test("run calls main with the options and exits with 0", async () => {
  const { code, stdout, stderr } = await runLesson("console.log(JSON.stringify(options));", "hi");
  assertEquals([code, stderr], [0, ""]);
  assertEquals(JSON.parse(stdout), DEFAULTS);
});

Deno.test("run answers --help anywhere but after --", async () => {
  for (const words of [["--help"], ["a", "b", "-h"]]) {
    const { code, stdout } = await runLesson("throw new Error();", ...words);
    assertEquals([code, stdout], [0, help(HEADER) + "\n"]);
  }
  const { stdout } = await runLesson("console.log(options.message);", "--", "--help");
  assertEquals(stdout, "--help\n");
});

Deno.test("run puts a usage error and the usage line on stderr and exits with 2", async () => {
  const { code, stdout, stderr } = await runLesson("", "a", "--port", "x");
  assertEquals([code, stdout], [2, ""]);
  const message = '--port is a port from 0 to 65535, not "x"';
  assertEquals(stderr, `lesson.ts: ${message}\nusage: ${usage(HEADER)}\n`);
});

Deno.test("run puts an error and the next step on stderr and exits with 1", async () => {
  const partner = "Start its partner first, in another terminal: ./scripts/tcp/partner.ts\n" +
    "(its deno run line: deno task lessons tcp/partner)";
  const cases: [body: string, stderr: string][] = [
    [`throw new Error("no luck");`, "lesson.ts: no luck\n"],
    [`return Promise.reject(new Error("no luck"));`, "lesson.ts: no luck\n"],
    [`throw "text";`, "lesson.ts: text\n"],
    [
      `throw Object.assign(new Error("os"), { code: "ECONNREFUSED" });`,
      `lesson.ts: connection refused, nothing is listening there\n${partner}\n`,
    ],
    [
      `return Deno.connect({ hostname: "127.0.0.1", port: 9 });`,
      "lesson.ts: Deno was not given --allow-net=127.0.0.1:9\n" +
      "Start it with deno run, and --allow-net=127.0.0.1:9 before the script's name.\n",
    ],
  ];
  for (const [body, expected] of cases) {
    const { code, stdout, stderr } = await runLesson(body, "hi");
    assertEquals([code, stdout, stderr], [1, "", expected]);
  }
});

Deno.test("run shows the place in the code when the script itself is at fault", async () => {
  const { code, stderr } = await runLesson("options.missing.property;", "hi");
  assertEquals(code, 1);
  assert(/^lesson\.ts: Cannot read properties of undefined/.test(stderr), stderr);
  assertStringIncludes(stderr, "lesson.ts:2");
});
