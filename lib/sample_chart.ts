/**
 * Samples of another clock as an SVG picture: the offset of each with its uncertainty, and below it the delay.
 *
 * @module
 */

import { bestOf, type Sample } from "./clock_offset.ts";
import { type Scale, scaleFor } from "./scale.ts";
import { element, escaped, picture } from "./svg.ts";

const WIDTH = 640, LEFT = 110, RIGHT = 24, PANEL = 170, TOP = 84, GAP = 64;
const HEIGHT = TOP + 2 * PANEL + GAP + 52;

const STYLE = `
  svg { --mark: #0550ae; --best: #bf5b00; }
  @media (prefers-color-scheme: dark) { svg { --mark: #79c0ff; --best: #f0883e; } }
  .title { font-size: 17px; font-weight: 600; }
  .mark { fill: var(--mark); } .span { stroke: var(--mark); stroke-width: 2; opacity: 0.55; }
  .best .mark { fill: var(--best); } .best .span { stroke: var(--best); opacity: 1; }`;

/**
 * Draws samples from left to right in their order. The true offset lies within each bar, which reaches half of
 * the delay to both sides; the best sample, with the least delay, has another colour and another shape.
 *
 * @throws {RangeError} when there is none, or one that is no number
 *
 * @example
 * ```ts
 * import { sampleChart } from "./sample_chart.ts";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const svg = sampleChart([{ offset: 1.5, delay: 2 }, { offset: 2, delay: 1 }], "the clock of a");
 * assertStringIncludes(svg, "<title>sample 2: offset 2.000 ms, delay 1.000 ms, the best</title>");
 * ```
 */
export function sampleChart(samples: readonly Sample[], title: string): string {
  const best = bestOf(samples);
  const offsets = scaleFor(
    Math.min(...samples.map(({ offset, delay }) => offset - delay / 2)),
    Math.max(...samples.map(({ offset, delay }) => offset + delay / 2)),
  );
  const delays = scaleFor(0, Math.max(...samples.map(({ delay }) => delay)));
  const step = (WIDTH - LEFT - RIGHT) / samples.length;
  const across = (index: number) => LEFT + step * (index + 0.5);
  const upper = heightOn(offsets, TOP), lower = heightOn(delays, TOP + PANEL + GAP);

  const drawn = samples.map((sample, index) => {
    const { offset, delay } = sample;
    const x = across(index);
    const ends = { y1: upper(offset - delay / 2), y2: upper(offset + delay / 2) };
    const isBest = sample === best;
    const name = `sample ${index + 1}: offset ${offset.toFixed(3)} ms, ` +
      `delay ${delay.toFixed(3)} ms${isBest ? ", the best" : ""}`;
    return element(
      "g",
      isBest ? { class: "best" } : {},
      element("title", {}, escaped(name)),
      element("line", { class: "span", x1: x, x2: x, ...ends }),
      mark(x, upper(offset), isBest),
      element("line", { class: "span", x1: x, x2: x, y1: lower(0), y2: lower(delay) }),
      mark(x, lower(delay), isBest),
    );
  });
  const summary = `best of ${samples.length}: offset ${best.offset.toFixed(3)} ms, ` +
    `right to within ${(best.delay / 2).toFixed(3)} ms`;
  return picture(
    { title, description: summary, width: WIDTH, height: HEIGHT, style: STYLE },
    element("text", { class: "title", x: 16, y: 28 }, escaped(title)),
    element("text", { class: "faint", x: 16, y: 48 }, escaped(summary)),
    ...panel(offsets, upper, "offset in ms, and how far it may be wrong"),
    ...panel(delays, lower, "delay in ms, there and back"),
    ...numbers(samples.length, across),
    element(
      "text",
      { class: "faint", x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 12, "text-anchor": "middle" },
      "sample",
    ),
    ...drawn,
  );
}

/** Where a value stands in a panel that begins so far down. */
function heightOn({ low, high }: Scale, top: number): (value: number) => number {
  return (value) => top + PANEL * (high - value) / (high - low);
}

function panel(scale: Scale, height: (value: number) => number, heading: string): string[] {
  const text = { class: "faint", x: 16, y: height(scale.high) - 12 };
  return [
    element("text", text, escaped(heading)),
    ...scale.ticks.flatMap((value) => {
      const at = { x1: LEFT, x2: WIDTH - RIGHT, y1: height(value), y2: height(value) };
      const label = { class: "faint", x: LEFT - 8, y: height(value) + 4, "text-anchor": "end" };
      // an axis where the offset is zero, which is not always in sight
      return [
        element("line", { class: Math.abs(value) < 1e-12 ? "axis" : "grid", ...at }),
        element("text", label, escaped(scale.format(value))),
      ];
    }),
  ];
}

/** The numbers of the samples, as many as have room. */
function numbers(count: number, across: (index: number) => number): string[] {
  const each = Math.ceil(count / 16);
  return Array.from({ length: count }, (_, index) => index)
    .filter((index) => index % each === 0)
    .map((index) => {
      const at = { class: "faint", x: across(index), y: HEIGHT - 32, "text-anchor": "middle" };
      return element("text", at, String(index + 1));
    });
}

/** A dot, or for the best a diamond: told apart without colour as well. */
function mark(x: number, y: number, best: boolean): string {
  if (!best) return element("circle", { class: "mark", cx: x, cy: y, r: 4 });
  const corners = [[x, y - 7], [x + 7, y], [x, y + 7], [x - 7, y]];
  const points = corners.map((corner) => corner.map((at) => at.toFixed(2)).join(",")).join(" ");
  return element("polygon", { class: "mark", points });
}
