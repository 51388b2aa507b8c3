/**
 * An exchange as a sequence diagram: a line of life for each end, an arrow for each message, time downwards.
 *
 * @module
 */

import { type Attributes, element, escaped, picture } from "./svg.ts";

/** Something between two lines of life, or at one. */
export interface Arrow {
  /** The line where it begins, by its number from 0, and where it ends; the same for what happens at one end. */
  from: number;
  to: number;
  /** What stands at it. */
  text: string;
  /** Milliseconds since the beginning; never less than that of the arrow before. */
  time: number;
  /** What carries nothing: drawn dashed. */
  quiet?: boolean;
}

/** What a diagram shows. */
export interface DiagramOptions {
  title: string;
  /** The names of the lines, from left to right. */
  ends: string[];
  arrows: Arrow[];
  /** How many arrows came after the last one that is drawn. */
  leftOut?: number;
}

const LEFT = 110;
const BETWEEN = 340;
const TOP = 92;
const ROW = 40;
/** A pause of at least so many milliseconds gets a row of its own. */
const PAUSE = 100;
/** As many characters as fit on an arrow. */
const MOST_TEXT = 44;

/**
 * Draws the diagram, as an SVG picture that any browser shows, readable on a light and on a dark page.
 *
 * @throws {RangeError} when there is no line of life, or an arrow goes to one that is not there
 *
 * @example
 * ```ts
 * import { sequenceDiagram } from "./sequence_diagram.ts";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const svg = sequenceDiagram({
 *   title: "hello",
 *   ends: ["client", "server"],
 *   arrows: [{ from: 0, to: 1, text: '"hi"', time: 0 }],
 * });
 * assertStringIncludes(svg, "&quot;hi&quot;");
 * ```
 */
export function sequenceDiagram(options: DiagramOptions): string {
  const { title, ends, arrows, leftOut = 0 } = options;
  if (ends.length === 0) throw new RangeError("a sequence diagram needs at least one end");
  const across = (end: number) => {
    if (!(end in ends)) throw new RangeError(`the sequence diagram has no end number ${end}`);
    return LEFT + BETWEEN / 2 + end * BETWEEN;
  };
  const content: string[] = [];
  let down = TOP;
  let before = arrows[0]?.time ?? 0;
  for (const arrow of arrows) {
    const pause = arrow.time - before;
    if (pause >= PAUSE) {
      content.push(label(LEFT - 12, down + 4, `${seconds(pause)} s pass`, { class: "pause" }));
      down += ROW;
    }
    before = arrow.time;
    content.push(label(LEFT - 12, down + 4, seconds(arrow.time), { class: "time" }));
    content.push(drawn(arrow, across(arrow.from), across(arrow.to), down));
    down += ROW;
  }
  if (leftOut > 0) {
    content.push(label(LEFT - 12, down + 4, `… ${leftOut} more`, { class: "pause" }));
    down += ROW;
  }
  const width = LEFT + ends.length * BETWEEN;
  const height = down + 8;
  const lives = ends.map((name, end) =>
    element("line", {
      class: "life",
      x1: across(end),
      x2: across(end),
      y1: TOP - 24,
      y2: height - 12,
    }) +
    label(across(end), TOP - 36, shortened(name, 40), { "text-anchor": "middle", class: "end" })
  );
  const description = `${arrows.length + leftOut} events between ${ends.join(", ")}: ` +
    arrows.slice(0, 20).map(({ text }) => shortened(text, MOST_TEXT)).join("; ");
  return picture(
    { title, description, width, height, style: STYLE },
    element("defs", {}, HEAD),
    element("text", { x: 16, y: 28, class: "title" }, escaped(title)),
    ...lives,
    ...content,
  );
}

function drawn({ from, to, text, quiet }: Arrow, x1: number, x2: number, y: number): string {
  const shown = shortened(text, MOST_TEXT);
  if (from === to) {
    return element("circle", { class: "dot", cx: x1, cy: y, r: 4 }) +
      label(x1 + 12, y + 4, shown, {});
  }
  return element("line", {
    class: quiet ? "arrow quiet" : "arrow",
    x1,
    // the head stands before the line of life
    x2: x2 + (x1 < x2 ? -2 : 2),
    y1: y,
    y2: y,
    "marker-end": "url(#head)",
  }) + label((x1 + x2) / 2, y - 7, shown, { "text-anchor": "middle" });
}

function label(x: number, y: number, text: string, attributes: Attributes): string {
  return element("text", { x, y, ...attributes }, escaped(text));
}

function shortened(text: string, most: number): string {
  const characters = [...text];
  return characters.length <= most ? text : characters.slice(0, most - 1).join("") + "…";
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1_000).toFixed(3);
}

const HEAD = element(
  "marker",
  {
    id: "head",
    viewBox: "0 0 10 10",
    refX: 9,
    refY: 5,
    markerWidth: 8,
    markerHeight: 8,
    orient: "auto",
  },
  element("path", { d: "M0 0L10 5L0 10z", class: "head" }),
);

const STYLE = `
    .title { font-size: 16px; font-weight: 600; }
    .end { font-weight: 600; }
    .life { stroke: var(--line); stroke-width: 1.5; }
    .arrow { stroke: var(--ink); stroke-width: 1.5; }
    .quiet { stroke-dasharray: 5 4; }
    .head, .dot { fill: var(--ink); }
    .time, .pause { text-anchor: end; fill: var(--faint); font-size: 12px; }
    .pause { font-style: italic; }
`;
