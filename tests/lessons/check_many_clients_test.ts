/**
 * The checker of servers for many clients: a right one passes, and of each wrong one it names the mistake.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { MANY_CHECKS } from "../../lib/check/many_checks.ts";
import { serve } from "../../scripts/tcp/many_clients_async.ts";
import { WRONG_MANY } from "./wrong/many.ts";
import { firstFailure, judge, serving, testWrong } from "./wrong/serving.ts";

Deno.test("check_many_clients finds nothing wrong when the server is tcp/many_clients_async", async () => {
  await using server = serving((listener) => serve(listener));
  assertEquals(firstFailure(await judge(MANY_CHECKS, server.where, { all: true })), "all passed");
});

testWrong(
  "check_many_clients",
  WRONG_MANY.map(([mistake, way, verdict]) => [mistake, async () => {
    await using server = serving(way);
    return await judge(MANY_CHECKS, server.where);
  }, verdict]),
);
