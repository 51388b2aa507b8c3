/**
 * Bar charts as SVG: groups of bars side by side, one or more charts below each other.
 *
 * @module
 */

import { niceStep } from "./scale.ts";
import { element, escaped, picture } from "./svg.ts";

/** One chart: how much each series has in each group. */
export interface Bars {
  /** What is measured and in which unit, above the bars. */
  heading: string;
  /** A value for each series in each group, in their order: at least 0; `undefined` where there is none. */
  values: (number | undefined)[][];
  /** Writes a value above its bar and at the axis; in English with at most three digits unless told. */
  format?: (value: number) => string;
}

/** The whole picture. */
export interface BarChart {
  title: string;
  description: string;
  /** The names below the groups. */
  groups: string[];
  /** The names of the bars in a group, in the legend. */
  series: string[];
  charts: Bars[];
}

// told apart by lightness as well as by hue, on white and on black
const COLOURS = [
  ["#0a3069", "#9ecbff"],
  ["#bf5b00", "#f0883e"],
  ["#1a7f64", "#56d4b0"],
  ["#8250df", "#bc8cff"],
  ["#6e7781", "#b1bac4"],
  ["#a40e26", "#ff7b72"],
];

const LEFT = 80, RIGHT = 20, TOP = 80, HEIGHT = 220, GAP = 70, BAR = 44, SPACE = 32;

/**
 * Draws it. All charts share groups and series; each has its own scale, from 0.
 *
 * @throws {RangeError} for a value below 0 or not finite, more than 6 series, or rows that do not fit
 *
 * @example
 * ```ts
 * import { barChart } from "./bar_chart.ts";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const svg = barChart({
 *   title: "Speed",
 *   description: "tea is slower than water",
 *   groups: ["cold", "hot"],
 *   series: ["tea", "water"],
 *   charts: [{ heading: "litres per second", values: [[1, 2], [3, 4]] }],
 * });
 * assertStringIncludes(svg, "<title>water, hot: 4</title>");
 * ```
 */
export function barChart({ title, description, groups, series, charts }: BarChart): string {
  if (series.length > COLOURS.length) {
    throw new RangeError(`at most ${COLOURS.length} series, not ${series.length}`);
  }
  const group = series.length * BAR + SPACE;
  const width = Math.max(LEFT + groups.length * group + RIGHT, 420);
  const rules = (dark: 0 | 1) =>
    series.map((_, index) => `.s${index} { fill: ${COLOURS[index]![dark]}; }`).join(" ");
  const style = `${rules(0)} @media (prefers-color-scheme: dark) { ${rules(1)} }
    .title { font-size: 17px; font-weight: 600; } .value { font-size: 11px; }`;
  const drawn = charts.map((chart, index) =>
    element(
      "g",
      { transform: `translate(0 ${TOP + index * (HEIGHT + GAP)})` },
      ...bars(chart, groups, series, group, width),
    )
  );
  return picture(
    { title, description, width, height: TOP + charts.length * (HEIGHT + GAP), style },
    element("text", { class: "title", x: 16, y: 28 }, escaped(title)),
    ...legend(series, width),
    ...drawn,
  );
}

function legend(series: string[], width: number): string[] {
  const each = (width - LEFT - RIGHT) / Math.max(series.length, 3);
  return series.flatMap((name, index) => [
    element("rect", { class: `s${index}`, x: LEFT + index * each, y: 42, width: 12, height: 12 }),
    element("text", { x: LEFT + index * each + 17, y: 53 }, escaped(name)),
  ]);
}

function bars(
  { heading, values, format = short }: Bars,
  groups: string[],
  series: string[],
  group: number,
  width: number,
): string[] {
  if (values.length !== groups.length || values.some((row) => row.length !== series.length)) {
    throw new RangeError(`"${heading}" has not one row of ${series.length} values for each group`);
  }
  const all = values.flat().filter((value) => value !== undefined);
  const wrong = all.find((value) => !(value >= 0 && value < Infinity));
  if (wrong !== undefined) throw new RangeError(`"${heading}" has the value ${wrong}`);
  const step = niceStep(Math.max(...all, 0) / 4);
  const top = step * Math.max(1, Math.ceil(Math.max(...all, 0) / step));
  const y = (value: number) => 24 + (HEIGHT - 24) * (1 - value / top);

  const parts = [element("text", { class: "faint", x: 16, y: 6 }, escaped(heading))];
  for (let value = 0; value <= top * 1.001; value += step) {
    const at = { x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) };
    parts.push(element("line", { class: value === 0 ? "axis" : "grid", ...at }));
    const label = { class: "faint", x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" };
    parts.push(element("text", label, escaped(format(value))));
  }
  groups.forEach((name, row) => {
    const x = LEFT + SPACE / 2 + row * group;
    const middle = { x: x + (group - SPACE) / 2, y: HEIGHT + 20, "text-anchor": "middle" };
    parts.push(element("text", middle, escaped(name)));
    series.forEach((one, column) => {
      const value = values[row]![column];
      if (value === undefined) return;
      const box = { x: x + column * BAR + 2, y: y(value), width: BAR - 4, height: y(0) - y(value) };
      const tip = element("title", {}, escaped(`${one}, ${name}: ${format(value)}`));
      parts.push(element("rect", { class: `s${column}`, ...box }, tip));
      const above = { class: "value", x: box.x + box.width / 2, y: box.y - 4 };
      parts.push(element("text", { ...above, "text-anchor": "middle" }, escaped(format(value))));
    });
  });
  return parts;
}

function short(value: number): string {
  return value.toLocaleString("en", { maximumSignificantDigits: 3 });
}
