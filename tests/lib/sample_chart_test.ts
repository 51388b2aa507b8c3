import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { sampleChart } from "../../lib/sample_chart.ts";
import { niceStep, scaleFor } from "../../lib/scale.ts";
import { chance } from "./helpers.ts";

type Line = Record<"@_y1" | "@_y2" | "@_class", string>;

/** The bars of the samples: first that of the offset, then that of the delay. */
function barsOf(svg: string): { offset: [number, number]; delay: [number, number] }[] {
  const parser = new XMLParser({ ignoreAttributes: false, isArray: (name) => name === "g" });
  const groups: { line: Line[] }[] = parser.parse(svg).svg.g;
  return groups.map(({ line: [offset, delay] }) => ({
    offset: [Number(offset!["@_y1"]), Number(offset!["@_y2"])],
    delay: [Number(delay!["@_y1"]), Number(delay!["@_y2"])],
  }));
}

const length = ([from, to]: [number, number]) => from - to;

Deno.test("sampleChart draws the offset's bar as long as its delay, and the delay from zero", () => {
  const svg = sampleChart([{ offset: 0, delay: 10 }, { offset: -3, delay: 5 }], "a");
  const [first, second] = barsOf(svg);
  assert(Math.abs(length(first!.offset) - 2 * length(second!.offset)) < 0.05);
  assert(Math.abs(length(first!.delay) - 2 * length(second!.delay)) < 0.05);
  assertEquals(first!.delay[0], second!.delay[0]);
  assert(second!.offset[0] > first!.offset[0], "a smaller offset is further down");
});

Deno.test("sampleChart marks the best sample by its shape, once, and says so", () => {
  const svg = sampleChart([{ offset: 1, delay: 3 }, { offset: 2, delay: 1 }], "a");
  assertEquals(svg.match(/class="best"/g)?.length, 1);
  assertEquals(svg.match(/<polygon /g)?.length, 2);
  assertStringIncludes(svg, "sample 2: offset 2.000 ms, delay 1.000 ms, the best");
  assertStringIncludes(svg, "prefers-color-scheme: dark");
});

Deno.test("sampleChart keeps everything in the picture, whatever the clocks say", () => {
  const next = chance(5905);
  const size = () => (next(2_001) - 1_000) * 10 ** (next(16) - 6);
  for (let count = 0; count < 300; count++) {
    const samples = Array.from({ length: 1 + next(100) }, () => ({
      offset: size(),
      delay: next(5) ? Math.abs(size()) : 0,
    }));
    const svg = sampleChart(samples, '<script>&"\x1b');
    assertEquals(XMLValidator.validate(svg), true);
    assert(!/NaN|Infinity/.test(svg) && !svg.includes("\x1b"));
    const height = Number(/height="(\d+)"/.exec(svg)![1]);
    for (const { offset, delay } of barsOf(svg)) {
      for (const y of [...offset, ...delay]) assert(y > 60 && y < height - 40, `${y}`);
    }
  }
});

Deno.test("sampleChart refuses what cannot be drawn", () => {
  assertThrows(() => sampleChart([], "a"), RangeError);
  assertThrows(() => sampleChart([{ offset: NaN, delay: 1 }], "a"), RangeError);
  assertThrows(() => sampleChart([{ offset: 1, delay: Infinity }], "a"), RangeError);
});

Deno.test("scaleFor holds its values between few ticks with labels that differ", () => {
  const next = chance(10);
  for (let count = 0; count < 5_000; count++) {
    const low = (next(2_000) - 1_000) * 10 ** (next(14) - 6);
    const high = low + next(1_000) * 10 ** (next(14) - 6);
    const scale = scaleFor(low, high);
    const slack = (scale.high - scale.low) * 1e-5;
    assert(scale.low <= low + slack && scale.high >= high - slack, `${low} ${high}`);
    assert(scale.ticks.length >= 2 && scale.ticks.length <= 8, `${scale.ticks}`);
    const labels = scale.ticks.map(scale.format);
    assertEquals(new Set(labels).size, labels.length, labels.join(" "));
    assert(!labels.some((label) => /^-[0.]*$/.test(label)));
  }
});

Deno.test("niceStep is the next of 1, 2 and 5 times a power of ten", () => {
  const cases = [[0.001, 0.001], [0.0011, 0.002], [0.3, 0.5], [7, 10], [200, 200], [201, 500]];
  for (const [least, step] of cases) assertEquals(niceStep(least!), step);
});
