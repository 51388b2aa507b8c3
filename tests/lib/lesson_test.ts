import { assertEquals, assertThrows } from "@std/assert";
import { LessonError, parseLesson } from "../../lib/lesson.ts";

const PATH = "scripts/tcp/echo_client.ts";
const SOURCE = `#!/usr/bin/env -S deno run --allow-net=127.0.0.1:10000
/**
 * TCP echo client
 *
 * What it shows.
 *
 * @lecture 002 Homework
 * @lecture 003 ex91C
 * @python  socket.connect → Deno.connect, f(a, b)[0, 1]
 * @python  socket.recv
 * @partner scripts/tcp/echo_server.ts
 * @log     before any run
 * @run     deno run --allow-net=127.0.0.1:10000 scripts/tcp/echo_client.ts "a message"
 * @stdin   typed
 * @expect  a message
 * @run     deno run --allow-net=127.0.0.1:10000 scripts/tcp/echo_client.ts --help
 * @expect  usage*
 * @online  deno run --allow-net=example.org:80 scripts/tcp/echo_client.ts --host example.org a
 * @argument MESSAGE     the text
 * @option  --port PORT  where (default: 10000)
 * @see     https://example.org/a
 * @see     https://example.org/b
 * @module
 */
`;

Deno.test("parseLesson reads what a header says", () => {
  const { runs, parameters, ...lesson } = parseLesson(PATH, SOURCE);
  assertEquals(lesson, {
    name: "tcp/echo_client",
    chapter: "tcp",
    path: PATH,
    title: "TCP echo client",
    description: "What it shows.",
    lectures: "002 Homework · 003 ex91C",
    python: [
      { call: "socket.connect", deno: "Deno.connect" },
      { call: "f(a, b)[0, 1]" },
      { call: "socket.recv" },
    ],
    partners: ["scripts/tcp/echo_server.ts"],
    see: ["https://example.org/a", "https://example.org/b"],
  });
  const heard = runs.map((
    { words, stdin, expect, log, online },
  ) => [words, stdin, expect, log, online]);
  assertEquals(heard, [
    [["a message"], ["typed"], ["a message"], ["before any run"], false],
    [["--help"], [], ["usage*"], [], false],
    [["--host", "example.org", "a"], [], [], [], true],
  ]);
  assertEquals(parameters.map(({ name }) => name), ["MESSAGE", "--port"]);
});

Deno.test("parseLesson reports every fault of a header", () => {
  const run =
    '@run     deno run --allow-net=127.0.0.1:10000 scripts/tcp/echo_client.ts "a message"';
  const cases: [text: string, replacement: string, fault: string][] = [
    ["@python  socket.recv", "@pyhton socket.recv", "line 10: unknown tag @pyhton"],
    ["/**\n", "/*\n", "line 2: no title, or no JSDoc block below the shebang"],
    ["/**\n", "/*\n", "no @run"],
    [
      "#!/usr/bin/env -S deno run --allow-net=127.0.0.1:10000\n",
      "",
      'line 1: the shebang is not "#!/usr',
    ],
    ["-S deno run --allow-net=127.0.0.1:10000", "-S deno run", "line 1: the shebang is not"],
    ["-S deno run --allow-net=127.0.0.1:10000", "-S deno run -A", "line 1: the shebang is not"],
    [" * @module\n", "", "the header does not end with @module"],
    [run, run.replace("echo_client", "other"), `line 13: runs scripts/tcp/other.ts, not ${PATH}`],
    [run, run.replace("--allow-net=127.0.0.1:10000", "-A"), "line 13: -A grants too much"],
    [run, run.replace(":10000", ":10000 --allow-read"), "line 13: --allow-read grants too much"],
    [run, "@run node echo_client.ts", 'line 13: cannot read "node echo_client.ts"'],
    [run, run + " > file", "line 13: cannot read"],
    ["@expect  usage*", "@see nothing", 'no @expect or @log for "deno run'],
    ["@option  --port PORT", "@option  port", 'line 20: cannot read "@option port'],
  ];
  for (const [text, replacement, fault] of cases) {
    const source = SOURCE.replace(text, () => replacement);
    assertThrows(() => parseLesson(PATH, source), LessonError, `${PATH}: `);
    assertThrows(() => parseLesson(PATH, source), LessonError, fault);
  }
});

Deno.test("parseLesson lists all faults at once, each with the path", () => {
  const error = assertThrows(
    () => parseLesson(PATH, "/**\n * @wrong\n * @wronger\n */"),
    LessonError,
  );
  assertEquals(error.message.split("\n"), [
    `${PATH}: line 2: unknown tag @wrong`,
    `${PATH}: line 3: unknown tag @wronger`,
    `${PATH}: line 2: no title, or no JSDoc block below the shebang`,
    `${PATH}: no @run`,
    `${PATH}: line 1: the shebang is not "#!/usr/bin/env -S deno run"`,
    `${PATH}: the header does not end with @module`,
  ]);
});

Deno.test("parseLesson gives a run the client that stands below it", () => {
  const client = "deno run --allow-net=127.0.0.1:10000 scripts/tcp/other.ts hello";
  const source = SOURCE.replace(" * @stdin", ` * @client  ${client}\n * @stdin`);
  const [first, second] = parseLesson(PATH, source).runs;
  assertEquals(first?.client?.line, client);
  assertEquals(second?.client, undefined);
  assertThrows(
    () => parseLesson(PATH, SOURCE.replace(" * @log", ` * @client  ${client}\n * @log`)),
    LessonError,
    "line 12: @client stands before any @run",
  );
  assertThrows(
    () => parseLesson(PATH, source.replace(client, "nc 127.0.0.1")),
    LessonError,
    'line 14: cannot read "nc 127.0.0.1"',
  );
});
