/**
 * The checker of time servers: right ones pass in whatever format, and of each wrong one it names the mistake.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { TIME_CHECKS } from "../../lib/check/time_checks.ts";
import { judge, serving, testWrong } from "./wrong/serving.ts";
import { answering, FORMATS, WRONG_TIME } from "./wrong/time.ts";

testWrong(
  "check_time",
  [
    ...FORMATS.map(([name, format]) =>
      [`writes the time ${name} (none)`, answering(format), /^all passed$/] as const
    ),
    ...WRONG_TIME,
  ].map(([mistake, way, verdict]) => [mistake, async () => {
    await using server = serving(way);
    return await judge(TIME_CHECKS, server.where);
  }, verdict]),
);

Deno.test("check_time blames the format, and nothing else, when a right server writes the time in letters", async () => {
  await using server = serving(answering(() => "half past nine"));
  const results = await judge(TIME_CHECKS, server.where, { all: true });
  const failed = results.filter(({ outcome }) => outcome === "failed");
  for (const { likely } of failed) assertMatch(likely!, /^that is no time that can be read/);
  assertEquals(failed.length, 6);
});
