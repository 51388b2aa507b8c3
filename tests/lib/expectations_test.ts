import { assertEquals } from "@std/assert";
import { firstMissing } from "../../lib/runner/expectations.ts";

const LINES = [
  { stream: "stdout" as const, text: "listening on 127.0.0.1:10000" },
  { stream: "stderr" as const, text: "a log" },
  { stream: "stdout" as const, text: "got 3 bytes  \r" },
  { stream: "stdout" as const, text: "a+b (c) [d] $e ^f {g} |h \\i ?" },
  { stream: "stdout" as const, text: "" },
  { stream: "stdout" as const, text: "got 3 bytes" },
];

Deno.test("firstMissing gives the first pattern that no line matches after those before it", () => {
  const cases: [patterns: string[], missing: string | undefined][] = [
    [[], undefined],
    [["listening on 127.0.0.1:10000"], undefined],
    [["listening on *"], undefined],
    [["*:10000"], undefined],
    [["*on*:*"], undefined],
    [["*"], undefined],
    [["listening"], "listening"],
    [["on 127.0.0.1:10000"], "on 127.0.0.1:10000"],
    [["listening on 127.0.0.1:10000*"], undefined],
    [["listening on 127x0.0.1:10000"], "listening on 127x0.0.1:10000"],
    [["got 3 bytes", "got 3 bytes"], undefined],
    [["got 3 bytes", "got 3 bytes", "got 3 bytes"], "got 3 bytes"],
    [["got *", "listening on *"], "listening on *"],
    [["a log"], "a log"],
    [["a+b (c) [d] $e ^f {g} |h \\i ?"], undefined],
    [["a+b (c) [*] $e ^f {g} |h \\i ?", "", "got*"], undefined],
    [["*", "*", "*", "*", "*"], undefined],
    [["*", "*", "*", "*", "*", "*"], "*"],
  ];
  for (const [patterns, missing] of cases) {
    assertEquals(firstMissing(LINES, "stdout", patterns), missing, patterns.join(" / "));
  }
  assertEquals(firstMissing(LINES, "stderr", ["a log"]), undefined);
  assertEquals(firstMissing([], "stdout", ["*"]), "*");
});
