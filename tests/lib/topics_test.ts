import { assertEquals, assertThrows } from "@std/assert";
import { checkFilter, checkTopic, matches, sharedFilter } from "../../lib/topics.ts";
import { UsageError } from "../../lib/usage.ts";

const LONGEST = "é".repeat(32_767) + "x"; // 65,535 bytes

/** A text in few words, for the name of a step. */
const short = (text: string) => JSON.stringify(text.slice(0, 40));

/** Checks a table of texts, each with what is wrong with it, or with "" when nothing is. */
async function checkAll(t: Deno.TestContext, check: (text: string) => void, table: string[][]) {
  for (const [text, fault] of table as [string, string][]) {
    await t.step(`${short(text)} is ${fault === "" ? "taken" : "refused"}`, () => {
      if (fault === "") return check(text);
      assertThrows(() => check(text), UsageError, fault);
    });
  }
}

/** What holds for topics and filters alike. */
const EITHER = [
  ["bot", ""],
  ["/", ""],
  ["//", ""],
  [" ", ""],
  ["a b/ç/日本/😀", ""],
  ["911", ""],
  [LONGEST, ""],
  ["", "is empty"],
  [LONGEST + "x", "has 65536 bytes: at most 65535"],
  ["a\0b", '"a\\0b" has characters that no topic may have'],
  ["a\nb", "no topic may have"],
  ["a\x1b[2J", '"a\\x1b[2J" has characters'],
  ["a\x7f", "no topic may have"],
  ["a\x9b31m", "no topic may have"],
  ["half \ud83d of a pair", "no topic may have"],
];

Deno.test("checkTopic tells good topics from bad when", (t) =>
  checkAll(t, checkTopic, [
    ...EITHER,
    ["a$b", ""],
    ["a/$b", ""],
    ["+", "has + or #, which stand for many topics"],
    ["a/+/b", "has + or #"],
    ["a#", "has + or #"],
    ["#", "has + or #"],
    ["$SYS/uptime", "begins with $"],
    ["$share/group/bot", "begins with $"],
  ]));

Deno.test("checkFilter tells good filters from bad when", (t) =>
  checkAll(t, checkFilter, [
    ...EITHER,
    ["#", ""],
    ["+", ""],
    ["+/+", ""],
    ["/+", ""],
    ["a/+/b/#", ""],
    ["$SYS/#", ""],
    ["a/#/b", "goes on after #"],
    ["##", "has + or # beside other characters"],
    ["a#", "beside other characters"],
    ["a/b#", "beside other characters"],
    ["a+/b", "beside other characters"],
    ["a/+b", "beside other characters"],
    ["#/", "goes on after #"],
  ]));

Deno.test("sharedFilter names the group and the filter when both are good", () => {
  assertEquals(sharedFilter("workers", "jobs/#"), "$share/workers/jobs/#");
});

Deno.test("sharedFilter refuses when", async (t) => {
  const cases: [group: string, filter: string, fault: string][] = [
    ["", "jobs", 'the group "" must be a name'],
    ["a/b", "jobs", 'the group "a/b" must be a name'],
    ["a+", "jobs", "must be a name"],
    ["#", "jobs", "must be a name"],
    ["a\0", "jobs", "characters"],
    ["a\n", "jobs", "characters"],
    ["\ud800", "jobs", "characters"],
    ["workers", "a/#/b", "goes on after #"],
    ["workers", "", "is empty"],
    ["g".repeat(100), "x".repeat(65_500), "at most 65535"],
  ];
  for (const [group, filter, fault] of cases) {
    await t.step(`the group is ${short(group)} and the filter ${short(filter)}`, () => {
      assertThrows(() => sharedFilter(group, filter), UsageError, fault);
    });
  }
});

Deno.test("matches follows the examples of MQTT 5.0, 4.7, when", async (t) => {
  const player = "sport/tennis/player1";
  const cases: [filter: string, taken: string[], left: string[]][] = [
    [`${player}/#`, [player, `${player}/ranking`, `${player}/score/wimbledon`], ["sport/tennis"]],
    ["sport/#", ["sport", "sport/", player], ["sports", "Sport", "/sport"]],
    ["#", ["a", "/", "a/b", ""], ["$SYS/uptime"]],
    ["sport/tennis/+", [player, "sport/tennis/"], ["sport/tennis", `${player}/ranking`]],
    ["sport/+", ["sport/", "sport/x"], ["sport", "sport/x/y"]],
    ["+", ["finance", ""], ["/finance", "$SYS"]],
    ["+/+", ["/finance", "a/b"], ["finance", "a/b/c"]],
    ["/+", ["/finance", "/"], ["finance", "/a/b"]],
    ["+/tennis/#", ["sport/tennis", "/tennis/x"], ["sport/golf", "tennis"]],
    ["$SYS/#", ["$SYS", "$SYS/uptime"], ["SYS", "a/$SYS"]],
    ["$SYS/monitor/+", ["$SYS/monitor/Clients"], ["$SYS/monitor", "x/monitor/Clients"]],
    ["+/monitor/Clients", ["x/monitor/Clients"], ["$SYS/monitor/Clients"]],
    ["bot", ["bot"], ["Bot", "bot/", "/bot", "bo"]],
    ["a.b", ["a.b"], ["axb"]],
  ];
  for (const [filter, taken, left] of cases) {
    await t.step(`the filter is ${filter}`, () => {
      assertEquals(taken.filter((topic) => !matches(filter, topic)), []);
      assertEquals(left.filter((topic) => matches(filter, topic)), []);
    });
  }
});
