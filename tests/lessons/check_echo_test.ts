/**
 * The checker of echo servers: right ones pass, and of each wrong one it names the mistake.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { ECHO_BASICS } from "../../lib/check/echo_checks.ts";
import { ECHO_HARD } from "../../lib/check/echo_hard_checks.ts";
import { serve } from "../../scripts/tcp/echo_server.ts";
import { WRONG_ECHO, WRONG_IN_MANY } from "./wrong/echo.ts";
import { firstFailure, judge, serving, testWrong } from "./wrong/serving.ts";

const CHECKS = [...ECHO_BASICS, ...ECHO_HARD];

Deno.test("check_echo finds nothing wrong when the server is tcp/echo_server", async () => {
  await using server = serving((listener) => serve(listener));
  const results = await judge(CHECKS, server.where, { timeout: 3_000, all: true });
  assertEquals(firstFailure(results), "all passed");
  assertEquals(results.length, CHECKS.length);
});

testWrong(
  "check_echo",
  WRONG_ECHO.map(([mistake, way, verdict]) => [mistake, async () => {
    await using server = serving(way);
    return await judge(CHECKS, server.where);
  }, verdict]),
);

for (const [mistake, way, verdict] of WRONG_IN_MANY) {
  Deno.test(`check_echo blames nothing else in any check when a server ${mistake}`, async () => {
    await using server = serving(way);
    const options = { all: true, timeout: 500, silence: 100 };
    const results = await judge(CHECKS, server.where, options);
    const failed = results.filter(({ outcome }) => outcome === "failed");
    assert(failed.length >= 4, JSON.stringify(failed));
    for (const { likely } of failed) assertMatch(likely!, verdict);
  });
}
