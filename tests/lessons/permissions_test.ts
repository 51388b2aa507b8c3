/**
 * The permission proof: a lesson fails when any one of its grants is taken away, and says which flag is
 * missing. A grant that can be taken away without harm is too much, and so is one for a whole host where a
 * port would do.
 *
 * @module
 */

import { assert, assertNotEquals, assertStringIncludes } from "@std/assert";
import { readLessons } from "../../lib/runner/library.ts";
import { play } from "../../lib/runner/play.ts";
import { grantsOf, isWholeHost } from "../../lib/runner/stage.ts";
import { nameOf, shown } from "./shown.ts";

const lessons = readLessons();

for (const lesson of lessons) {
  for (const run of lesson.runs.filter((run) => !run.online)) {
    const name = nameOf(lesson, run);
    for (const without of grantsOf(run)) {
      const grant = `--allow-${without.kind}=${without.value}`;
      Deno.test(`${name} names ${grant} when it is missing`, async () => {
        const result = await play(lesson, run, lessons, { without });
        assertNotEquals(result.faults, [], `it passes without ${grant}`);
        const mine = result.terminals.find((terminal) => terminal.lesson === lesson.name);
        assert(mine, `it was not started:\n${shown(result)}`);
        const stderr = mine.lines.filter((line) => line.stream === "stderr");
        assertStringIncludes(
          stderr.map((line) => line.text).join("\n"),
          result.missingFlag!,
          shown(result),
        );
      });
    }

    for (const { value } of grantsOf(run).filter(isWholeHost)) {
      Deno.test(`${name} fails when it is granted single ports of ${value} only`, async () => {
        const ports = lesson.parameters.filter(({ value }) => value === "PORT");
        const narrow = ["0", ...ports.map(({ fallback }) => fallback)].map((port) =>
          `${value}:${port}`
        );
        const result = await play(lesson, run, lessons, {
          flags: (stage) =>
            run.flags.map((flag) =>
              flag.startsWith("--allow-net=") ? stage.move(`--allow-net=${narrow}`) : flag
            ),
        });
        assertNotEquals(result.faults, [], `${narrow} would do: name the port`);
        assertStringIncludes(shown(result), "Deno was not given --allow-net=");
      });
    }
  }
}
