/**
 * The frame of the exercises' checkers.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { type Check, Gone, Mismatch, type Result, runChecks } from "../../lib/check/check.ts";
import { Report } from "../../lib/check/report.ts";
import { readTime } from "../../lib/check/time_text.ts";

const nothing = () => ({ [Symbol.dispose]() {} });
const pass = (name: string): Check<Disposable> => ({ name, run: () => Promise.resolve() });
const fail = (name: string, error: Error): Check<Disposable> => ({
  name,
  run: () => Promise.reject(error),
});
const wrong = new Mismatch({ expected: "one", got: "two" });
const outcomes = (results: Result[]) => results.map(({ outcome }) => outcome);

Deno.test("runChecks tries what follows when a check fails", async () => {
  const results = await runChecks([pass("a"), fail("b", wrong), pass("c")], nothing);
  assertEquals(outcomes(results), ["passed", "failed", "passed"]);
});

Deno.test("runChecks tries nothing more when it is told to stop at the first failure", async () => {
  const checks = [pass("a"), fail("b", wrong), pass("c")];
  const results = await runChecks(checks, nothing, { stopAtFirst: true });
  assertEquals(outcomes(results), ["passed", "failed", "not tried"]);
});

Deno.test("runChecks tries nothing more when the first success does not come", async () => {
  const results = await runChecks([{ ...fail("a", wrong), first: true }, pass("b")], nothing);
  assertEquals(outcomes(results), ["failed", "not tried"]);
});

for (
  const [when, meanwhile, likely] of [
    ["was gone before the check", false, "by the first"],
    ["went in the middle of the check", true, "by the second"],
  ] as const
) {
  Deno.test(`runChecks names who ended the program when it ${when}`, async () => {
    const gone = new Gone({ expected: "a connection", got: "none", likely: "start it" }, meanwhile);
    const results = await runChecks([
      { ...pass("a"), ifGone: "by the first" },
      { ...fail("b", gone), ifGone: "by the second" },
      pass("c"),
    ], nothing);
    assertEquals(outcomes(results), ["passed", "failed", "not tried"]);
    assertEquals(results[1]!.likely, likely);
  });
}

Deno.test("runChecks fails a check and disposes of its trial when it does not end", async () => {
  let disposed = 0;
  const endless = { name: "a", deadline: 50, run: () => new Promise<void>(() => {}) };
  const results = await runChecks(
    [endless, pass("b")],
    () => ({ [Symbol.dispose]: () => disposed++ }),
  );
  assertEquals(outcomes(results), ["failed", "passed"]);
  assertEquals([results[0]!.expected, disposed], ["an end within 0.05 s", 2]);
});

Deno.test("runChecks throws when the checker itself has an error", async () => {
  await assertRejects(() => runChecks([fail("a", new TypeError("a bug"))], nothing), TypeError);
});

Deno.test("a report counts what was not tried as missing when it gives the score", () => {
  const lines: string[] = [];
  const report = new Report("it", { json: true, print: (line) => lines.push(line) });
  report.add({ name: "a", outcome: "passed" });
  report.add({ name: "b", outcome: "not tried" });
  assertEquals(report.end(), 1);
  const { passed, total } = JSON.parse(lines.join("\n"));
  assertEquals([passed, total], [1, 2]);
});

const NOW = Date.UTC(2026, 10, 25, 23, 59, 58);

for (
  const [text, off] of [
    ["Wed Nov 25 23:59:58 2026", 0],
    ["Thu Nov 26 05:30:01 2026", 3],
    ["2026-11-25T23:59:55.500Z received 1795651195.4 sent 1795651195.5", -2.5],
    ["20261125T235958Z", 0],
    ["23:59:58", 0],
    ["Wed Nov 25 23:59:58 1999", Infinity],
    ["25.11.26 23:40:00", -298],
    ["1795651198", 0],
    ["1795651198000", 0],
    ["1795651000.5", -197.5],
    ["99:99:99", undefined],
    ["12:30", undefined],
    ["", undefined],
  ] as const
) {
  Deno.test(`readTime tells how far it is off when it reads "${text}"`, () => {
    assertEquals(readTime(text, NOW).off, off);
  });
}
