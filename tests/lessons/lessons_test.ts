/**
 * Every lesson, run as its header says: its partners started, its flags and no others, and what it prints
 * compared.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { readLessons, ROOT } from "../../lib/runner/library.ts";
import { play } from "../../lib/runner/play.ts";
import { nameOf, shown } from "./shown.ts";

const lessons = readLessons();

/** Runs a script with Deno and gives all that came of it. */
async function runScript(words: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", ...words],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

for (const lesson of lessons) {
  const { flags } = lesson.runs[0]!;
  for (const run of lesson.runs.filter((run) => !run.online)) {
    Deno.test(`${nameOf(lesson, run)} prints what its header says`, async () => {
      const result = await play(lesson, run, lessons);
      assertEquals(result.faults, [], shown(result));
    });
  }

  Deno.test(`${lesson.name} tells how it is used when asked for --help`, async () => {
    const { code, stdout, stderr } = await runScript([...flags, lesson.path, "--help"]);
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, lesson.title);
    for (const { name } of lesson.parameters) assertStringIncludes(stdout, name);
    for (const { line } of lesson.runs) assertStringIncludes(stdout, line);
  });

  Deno.test(`${lesson.name} ends with 2 and a usage line when an option is unknown`, async () => {
    const { code, stdout, stderr } = await runScript([...flags, lesson.path, "--no-such-option"]);
    assertEquals([code, stdout], [2, ""]);
    assertStringIncludes(stderr, "there is no option --no-such-option");
    // variables of the environment may stand before it
    assertStringIncludes(stderr, "\nusage: ");
    assertStringIncludes(stderr, `deno run ${flags.join(" ")}`);
  });

  const required = lesson.parameters.filter(({ option, optional }) => !option && !optional);
  if (required.length > 0) {
    Deno.test(`${lesson.name} ends with 2 and a usage line when an argument is missing`, async () => {
      const { code, stdout, stderr } = await runScript([...flags, lesson.path]);
      assertEquals([code, stdout], [2, ""]);
      assertStringIncludes(stderr, `the argument ${required[0]!.name} is missing`);
      assertStringIncludes(stderr, "\nusage: ");
    });
  }

  Deno.test(`${lesson.name} starts through its shebang when it is executed`, async () => {
    const bin = await Deno.makeTempDir();
    try {
      await Deno.symlink(Deno.execPath(), `${bin}/deno`);
      const { code, stdout } = await new Deno.Command(new URL(lesson.path, ROOT), {
        args: ["--help"],
        env: { PATH: `${bin}:${Deno.env.get("PATH")}` },
      }).output();
      assertEquals(code, 0);
      assertStringIncludes(new TextDecoder().decode(stdout), lesson.title);
    } finally {
      await Deno.remove(bin, { recursive: true });
    }
  });
}

Deno.test("the README's table is that of the headers", async () => {
  const { code, stderr } = await runScript(["--allow-read", "lib/runner/lessons.ts", "--check"]);
  assertEquals(code, 0, stderr);
});
