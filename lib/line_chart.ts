/**
 * A line through points, as an SVG picture that any browser shows.
 *
 * @see {@link https://www.w3.org/TR/SVG2/ SVG 2}
 * @module
 */

import { escaped } from "./svg.ts";

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
const TOP = 48;
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
  const top = niceAbove(Math.max(...points.map(([, value]) => value)));
  const step = (WIDTH - LEFT - RIGHT) / Math.max(1, points.length - 1);
  const across = (index: number) => round(LEFT + index * step);
  const up = (value: number) => round(HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM));
  const text = (left: number, down: number, what: string, anchor = "middle") =>
    `<text x="${left}" y="${down}" text-anchor="${anchor}">${escaped(what)}</text>`;
  const middle = (LEFT + WIDTH - RIGHT) / 2;
  const lines = [0, 1, 2, 3, 4].map((quarter) => {
    const value = top * quarter / 4;
    const height = up(value);
    return `<path d="M${LEFT} ${height}H${WIDTH - RIGHT}" stroke="#ccc"/>` +
      text(LEFT - 8, height + 4, String(round(value)), "end");
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" ` +
    `width="${WIDTH}" height="${HEIGHT}" role="img" font-family="sans-serif" font-size="13">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    ...lines,
    `<polyline fill="none" stroke="#0b63b0" stroke-width="2" points="${
      points.map(([, value], index) => `${across(index)},${up(value)}`).join(" ")
    }"/>`,
    ...points.map(([at, value], index) =>
      `<circle cx="${across(index)}" cy="${up(value)}" r="4" fill="#0b63b0"/>` +
      text(across(index), HEIGHT - BOTTOM + 20, String(at))
    ),
    text(middle, 24, title),
    text(middle, HEIGHT - 12, x),
    text(LEFT - 8, 32, y, "end"),
    "</svg>\n",
  ].join("\n");
}

/** The next of 1, 2, 4, 6, 8, 10 times a power of ten. */
function niceAbove(value: number): number {
  if (value === 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 6, 8, 10].map((factor) => factor * power).find((nice) => nice >= value)!;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
