import { assertEquals, assertThrows } from "@std/assert";
import { LimitError, Lines } from "../../lib/lines.ts";
import { Slab } from "../../lib/slab.ts";
import { decode, encode } from "./helpers.ts";

/** A slab with text that has come, and the lines in it. */
function filled(text: string): { slab: Slab; lines: Lines; add: (text: string) => void } {
  const slab = new Slab();
  const add = (text: string) => {
    for (const byte of encode(text)) {
      slab.room()[0] = byte;
      slab.end++;
    }
  };
  add(text);
  return { slab, lines: new Lines(slab), add };
}

/** The bytes that wait behind the lines taken. */
function rest({ slab, lines }: ReturnType<typeof filled>): string {
  lines.settle();
  return decode(slab.bytes.subarray(slab.start, slab.end));
}

Deno.test("Lines.settle moves the slab behind the last line taken", () => {
  const text = "é1\r\n\n€3\n4\r\nrest";
  const after = [text, "\n€3\n4\r\nrest", "€3\n4\r\nrest", "4\r\nrest", "rest"];
  for (let taken = 0; taken < after.length; taken++) {
    const given = filled(text);
    for (let count = 0; count < taken; count++) given.lines.take(100);
    assertEquals(rest(given), after[taken]);
    assertEquals(rest(given), after[taken], "settled twice");
  }
});

Deno.test("Lines.take gives undefined until a line's end has come", () => {
  const { lines, add } = filled("");
  for (const part of ["a", "b", "\r"]) {
    add(part);
    assertEquals(lines.take(100), undefined);
  }
  add("\nc\n");
  assertEquals([lines.take(100), lines.take(100), lines.take(100)], ["ab", "c", undefined]);
});

Deno.test("Lines.takeDecoded gives all that have come when the line before it asked for all", () => {
  const many = Array.from({ length: 1_000 }, (_, index) => `line ${index}`);
  const given = filled(many.join("\n") + "\nrest");
  assertEquals([given.lines.take(100_000, true), ...given.lines.takeDecoded()], many);
  assertEquals(given.lines.takeDecoded(), []);
  assertEquals(rest(given), "rest");
});

Deno.test("Lines.take keeps to the limit of each call when lines are decoded already", () => {
  const given = filled("a\nbcdef\ng\n");
  assertEquals(given.lines.take(100), "a");
  assertThrows(() => given.lines.take(4), LimitError, "a line is longer than the limit of 4 bytes");
  assertEquals([given.lines.take(5), given.lines.take(1)], ["bcdef", "g"]);
});

Deno.test("Lines.take gives lines of every length when they are longer than what is decoded at once", () => {
  const lengths = [0, 1, 126, 127, 128, 129, 255, 256, 257, 1_000, 3, 0, 70_000, 2];
  const { lines } = filled(lengths.map((length) => "é".repeat(length) + "\r\n").join(""));
  for (const length of lengths) assertEquals(lines.take(200_000)?.length, length);
  assertEquals(lines.take(200_000), undefined);
});
