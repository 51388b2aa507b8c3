/**
 * The checker of servers for many clients: a right one passes, and of each wrong one it names the mistake.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { MANY_CHECKS } from "../../lib/check/many_checks.ts";
import { serve } from "../../scripts/tcp/many_clients_async.ts";
import { startScript } from "../hostile/script.ts";
import { answersOnce, echo, sharedConnection, WRONG_MANY } from "./wrong/many.ts";
import { firstFailure, inTurn, judge, serving, testWrong, type Way } from "./wrong/serving.ts";

Deno.test("check_many_clients finds nothing wrong when the server is tcp/many_clients_async", async () => {
  await using server = serving((listener) => serve(listener));
  assertEquals(firstFailure(await judge(MANY_CHECKS, server.where, { all: true })), "all passed");
});

for (const way of ["workers", "processes"]) {
  Deno.test(`check_many_clients finds nothing wrong when the server is tcp/many_clients_${way}`, async () => {
    const path = `scripts/tcp/many_clients_${way}.ts`;
    // the workers listen on the port that the first thread found free
    const flags = (flag: string) => flag.replace(":10000", way === "workers" ? "" : ":0");
    await using server = startScript(path, { words: ["--port", "0"], flags });
    const port = Number(await server.printed(/^listening on 127\.0\.0\.1:(\d+)$/m));
    const where = { hostname: "127.0.0.1", port };
    assertEquals(firstFailure(await judge(MANY_CHECKS, where, { all: true })), "all passed");
  });
}

testWrong(
  "check_many_clients",
  WRONG_MANY.map(([mistake, way, verdict]) => [mistake, async () => {
    await using server = serving(way);
    return await judge(MANY_CHECKS, server.where);
  }, verdict]),
);

for (
  const [mistake, way, verdict, count] of [
    ["serves one client at a time", inTurn(echo), /^it serves one client at a time/, 6],
    ["shares the connection", sharedConnection, /^clients get each other's answers/, 6],
    [
      "answers each client once",
      answersOnce,
      /^it closes.* after the first message of a client/,
      3,
    ],
  ] as [string, Way, RegExp, number][]
) {
  Deno.test(`check_many_clients blames nothing else in any check when a server ${mistake}`, async () => {
    await using server = serving(way);
    const options = { all: true, timeout: 1_000, silence: 100 };
    const results = await judge(MANY_CHECKS, server.where, options);
    const failed = results.filter(({ outcome }) => outcome === "failed");
    for (const { likely } of failed) assertMatch(likely!, verdict);
    assertEquals(failed.length, count);
  });
}
