import { assert, assertEquals } from "@std/assert";
import { parseContentRange, rangeOf } from "../../lib/byte_range.ts";
import { chance } from "./helpers.ts";

Deno.test("rangeOf gives the part that is asked for of 10 bytes by", async (t) => {
  const cases: [header: string | null, range: ReturnType<typeof rangeOf>][] = [
    [null, undefined],
    ["bytes=0-0", [0, 0]],
    ["bytes=0-", [0, 9]],
    ["bytes=9-", [9, 9]],
    [" bytes=2-5 ", [2, 5]],
    ["bytes=2-99", [2, 9]],
    ["bytes=-1", [9, 9]],
    ["bytes=-99", [0, 9]],
    ["bytes=-0", null],
    ["bytes=10-", null],
    ["bytes=10-20", null],
    ["bytes=5-2", undefined],
    ["bytes=-", undefined],
    ["bytes=0-1,3-4", undefined],
    ["bytes 0-1", undefined],
    ["lines=0-1", undefined],
    ["bytes=+1-", undefined],
    ["bytes=1-9999999999999999999", undefined],
  ];
  for (const [header, range] of cases) {
    await t.step(String(header), () => assertEquals(rangeOf(header, 10), range));
  }
});

Deno.test("parseContentRange refuses what contradicts itself", () => {
  assertEquals(parseContentRange("bytes 0-9/10"), { first: 0, last: 9, total: 10 });
  assertEquals(parseContentRange("Bytes 0-9/*"), { first: 0, last: 9, total: undefined });
  for (
    const text of ["bytes 0-10/10", "bytes 5-4/10", "bytes */10", "bytes=0-9/10", "", "0-9/10"]
  ) {
    assertEquals(parseContentRange(text), undefined, text);
  }
  assertEquals(parseContentRange(null), undefined);
});

Deno.test("ranges of random text lie inside what they are ranges of", () => {
  const next = chance(206);
  const pieces = ["bytes", "=", " ", "-", "/", "*", "0", "7", "99", "123456789012345", ","];
  for (let round = 0; round < 100_000; round++) {
    const tail = Array.from({ length: next(7) }, () => pieces[next(pieces.length)]).join("");
    const range = rangeOf(`bytes=${tail}`, 100);
    if (range) assert(0 <= range[0] && range[0] <= range[1] && range[1] < 100, tail);
    const part = parseContentRange(`bytes ${tail}`);
    if (part) assert(part.first <= part.last && part.last < (part.total ?? Infinity), tail);
  }
});
