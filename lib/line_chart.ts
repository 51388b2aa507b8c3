/**
 * A line through points, as an SVG picture that any browser shows, on a light and a dark page.
 *
 * @see {@link https://www.w3.org/TR/SVG2/ SVG 2}
 * @module
 */

import { scaleFor } from "./scale.ts";
import { type Attributes, element, escaped, picture } from "./svg.ts";

/** What stands at the picture. */
export interface LineChartOptions {
  title: string;
  /** What goes from left to right, and its unit. */
  x: string;
  /** What goes upwards from 0, and its unit. */
  y: string;
}

const WIDTH = 640;
const HEIGHT = 400;
const LEFT = 80;
const RIGHT = 24;
const TOP = 72;
const BOTTOM = 56;

/**
 * Draws points as a line, in their order from left to right. The x axis has equal steps, one for each
 * point, with its value below: right for 1, 2, 4, 8 and so on.
 *
 * @param points x and y, at least one, none negative
 * @throws {RangeError} when there is no point, or one that is no number
 *
 * @example
 * ```ts
 * import { lineChart } from "./line_chart.ts";
 * import { assertMatch } from "@std/assert";
 *
 * const svg = lineChart([[1, 10], [2, 20]], { title: "Speed", x: "clients", y: "MB/s" });
 * assertMatch(svg, /^<svg .*<polyline .*<\/svg>\n$/s);
 * ```
 */
export function lineChart(
  points: readonly (readonly [x: number, y: number])[],
  { title, x, y }: LineChartOptions,
): string {
  if (points.length === 0) throw new RangeError("a chart needs at least one point");
  if (!points.flat().every((value) => Number.isFinite(value) && value >= 0)) {
    throw new RangeError("the points of a chart are numbers of at least 0");
  }
  const scale = scaleFor(0, Math.max(...points.map(([, value]) => value)));
  const step = (WIDTH - LEFT - RIGHT) / Math.max(1, points.length - 1);
  const across = (index: number) => LEFT + index * step;
  const up = (value: number) => HEIGHT - BOTTOM - value / scale.high * (HEIGHT - TOP - BOTTOM);
  const text = (left: number, down: number, what: string, attributes: Attributes = {}) =>
    element("text", { x: left, y: down, ...attributes }, escaped(what));
  const middle = { "text-anchor": "middle" };
  const lines = scale.ticks.flatMap((value) => {
    const height = up(value);
    const ends = { x1: LEFT, x2: WIDTH - RIGHT, y1: height, y2: height };
    return [
      element("line", { class: value === 0 ? "axis" : "grid", ...ends }),
      text(LEFT - 8, height + 4, scale.format(value), { class: "faint", "text-anchor": "end" }),
    ];
  });
  const drawn = points.flatMap(([at, value], index) => {
    const tip = element("title", {}, escaped(`${at} ${x}: ${scale.format(value)} ${y}`));
    return [
      element("circle", { class: "mark", cx: across(index), cy: up(value), r: 4 }, tip),
      text(across(index), HEIGHT - BOTTOM + 20, String(at), { class: "faint", ...middle }),
    ];
  });
  const style = `
    svg { --mark: #0550ae; } @media (prefers-color-scheme: dark) { svg { --mark: #79c0ff; } }
    .title { font-size: 17px; font-weight: 600; }
    .mark { fill: var(--mark); } .line { fill: none; stroke: var(--mark); stroke-width: 2; }`;
  const description = points.map(([at, value]) => `${at} ${x}: ${scale.format(value)} ${y}`);
  const line = points.map(([, value], index) =>
    `${across(index).toFixed(2)},${up(value).toFixed(2)}`
  );
  return picture(
    { title, description: description.join("; "), width: WIDTH, height: HEIGHT, style },
    text(16, 28, title, { class: "title" }),
    text(16, 56, y, { class: "faint" }),
    ...lines,
    element("polyline", { class: "line", points: line.join(" ") }),
    ...drawn,
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, x, { class: "faint", ...middle }),
  );
}
