/**
 * What the lessons of the chapter `layers` do with other options than those of their headers.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { ROOT } from "../../lib/runner/library.ts";

async function runLesson(lesson: string, ...words: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", `scripts/layers/${lesson}.ts`, ...words],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

for (
  const [lesson, words, message] of [
    ["encapsulation", ["x".repeat(1_500)], "one TCP segment has room for 1460"],
    ["encapsulation", ["--ipv6", "x".repeat(1_500)], "one TCP segment has room for 1440"],
    ["fragmentation", ["--mtu", "67"], "--mtu is from 68 to 65535 bytes, not 67"],
    ["fragmentation", ["--mtu", "65536"], "--mtu is from 68 to 65535 bytes, not 65536"],
    ["fragmentation", ["--size", "65508"], "--size is at most 65507 bytes, not 65508"],
    ["fragmentation", ["--lose", "4"], "--lose is at most 3, the last fragment, not 4"],
    ["routing", ["--ttl", "0"], "--ttl is from 1 to 255, not 0"],
    ["routing", ["--ttl", "256"], "--ttl is from 1 to 255, not 256"],
    ["routing", ["--to", "::1"], '"::1" is no IPv4 address'],
  ] as const
) {
  const shown = words.map((word) => word.slice(0, 20)).join(" ");
  Deno.test(`layers/${lesson} ends with 2 when called with ${shown}`, async () => {
    const { code, stdout, stderr } = await runLesson(lesson, ...words);
    assertEquals([code, stdout], [2, ""]);
    assertStringIncludes(stderr, message);
  });
}

for (
  const [lesson, words, line] of [
    ["encapsulation", ["\x1b[2J"], 'received "\\x1b[2J"'],
    ["fragmentation", ["--lose", "1"], "bytes 0 to 1479 missing: nothing is delivered"],
    ["fragmentation", ["--lose", "3"], "bytes 2960 and up missing: nothing is delivered"],
    ["fragmentation", ["--size", "0"], "1 of 1 fragments lost, all missing: nothing is delivered"],
    ["routing", ["--to", "192.168.1.10"], "the packet has arrived, with TTL 64"],
    ["routing", ["--to", "192.168.2.1"], "the packet has arrived, with TTL 64"],
    ["routing", ["--to", "10.0.0.1"], "R1 tells 192.168.1.10 by ICMP: network unreachable"],
    ["routing", ["--gateway", "192.168.1.7"], "nobody has 192.168.1.7; the program gets an error"],
    ["routing", ["--from", "10.0.0.1/8"], "no route matches; the program gets an error"],
  ] as const
) {
  Deno.test(`layers/${lesson} tells what comes of ${JSON.stringify(words)}`, async () => {
    const { code, stdout, stderr } = await runLesson(lesson, ...words);
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, line);
    assertEquals(stdout.includes("\x1b"), false);
  });
}

Deno.test("layers/routing ends by its TTL when two routers point at each other", async () => {
  const cards = ["R1:192.168.1.1/24", "R1:172.16.0.1/24", "R2:172.16.0.2/24"];
  const routes = ["R1:0.0.0.0/0:172.16.0.2", "R2:0.0.0.0/0:172.16.0.1"];
  const { code, stdout } = await runLesson(
    "routing",
    ...cards.flatMap((card) => ["--interface", card]),
    ...routes.flatMap((route) => ["--route", route]),
    ...["--to", "10.9.9.9", "--ttl", "255"],
  );
  assertEquals(code, 0);
  assertStringIncludes(stdout, "its TTL is used up; R1 tells 192.168.1.10 by ICMP: time exceeded");
  assertEquals(stdout.match(/^\d+ +02:/gm)?.length, 255);
});
