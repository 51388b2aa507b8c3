/** Every lesson, started as a student does who forgets the flags: it says what is missing, without a trace. */

import { assert, assertMatch } from "@std/assert";
import { readLessons } from "../../lib/runner/library.ts";
import { startDeno } from "../hostile/script.ts";
import { within } from "../hostile/waits.ts";

for (const { name, path } of readLessons()) {
  Deno.test(`${name} shows no trace when it is started without any flag`, async () => {
    await using script = startDeno([], path);
    const code = await within("its end", script.ended, 60_000);
    assert(code <= 2, `exit code ${code}`);
    const said = script.stdout + script.stderr;
    assert(!/^ +at /m.test(said), said);
    // a lesson that needs nothing, or a word first, may also do its work
    if (code === 1) assertMatch(script.stderr, /Deno was not given --(allow|ignore)-/);
    if (code === 2) assertMatch(script.stderr, /\nusage: /);
  });
}
