/**
 * SVG as text: elements with their attributes, and everything escaped.
 *
 * @module
 */

const ESCAPES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * A text as it may stand between tags and in an attribute. What XML forbids, most control characters and
 * half surrogate pairs, becomes U+FFFD ({@link https://www.w3.org/TR/xml/#charsets XML 1.0, 2.2}).
 *
 * @example
 * ```ts
 * import { escaped } from "./svg.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(escaped('<a b="c">&\0'), "&lt;a b=&quot;c&quot;&gt;&amp;\ufffd");
 * ```
 */
export function escaped(text: string): string {
  return text.toWellFormed()
    .replace(/(?![\t\n\r])\p{Cc}|[\ufffe\uffff]/gu, "\ufffd")
    .replace(/[&<>"']/g, (character) => ESCAPES[character]!);
}

/** Names and values of an element's attributes; numbers are rounded to hundredths. */
export type Attributes = Record<string, string | number>;

/**
 * An element. Its content is markup: other elements, or a text that went through {@linkcode escaped}.
 *
 * @example
 * ```ts
 * import { element, escaped } from "./svg.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(element("rect", { x: 1 / 3, class: "a" }), '<rect x="0.33" class="a"/>');
 * assertEquals(element("text", {}, escaped("1 < 2")), "<text>1 &lt; 2</text>");
 * ```
 */
export function element(name: string, attributes: Attributes, ...content: string[]): string {
  const written = Object.entries(attributes).map(([key, value]) =>
    ` ${key}="${
      escaped(typeof value === "number" ? String(Math.round(value * 100) / 100) : value)
    }"`
  ).join("");
  return content.length === 0
    ? `<${name}${written}/>`
    : `<${name}${written}>${content.join("")}</${name}>`;
}

/** What every picture has. */
export interface PictureOptions {
  /** Read aloud in place of the picture, and shown as its name. */
  title: string;
  /** What the picture tells, for those who do not see it. */
  description: string;
  width: number;
  height: number;
  /** CSS beside the common rules: `text`, `.axis`, `.grid`, `.faint`, and `--ink`, `--paper`. */
  style?: string;
}

/** A whole picture, readable on a light and on a dark page: its own background goes with the reader's choice. */
export function picture(options: PictureOptions, ...content: string[]): string {
  const { title, description, width, height, style = "" } = options;
  const css = `
    svg { --ink: #1b1f24; --paper: #ffffff; --line: #8c959f; --faint: #57606a; }
    @media (prefers-color-scheme: dark) {
      svg { --ink: #e6edf3; --paper: #0d1117; --line: #6e7681; --faint: #9da7b3; }
    }
    .paper { fill: var(--paper); }
    text { fill: var(--ink); font: 13px system-ui, sans-serif; }
    .faint { fill: var(--faint); }
    .axis { stroke: var(--line); fill: none; }
    .grid { stroke: var(--line); fill: none; opacity: 0.35; }
    ${style}
  `;
  const attributes = {
    xmlns: "http://www.w3.org/2000/svg",
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: "img",
    "aria-labelledby": "title description",
  };
  return element(
    "svg",
    attributes,
    element("title", { id: "title" }, escaped(title)),
    element("desc", { id: "description" }, escaped(description)),
    element("style", {}, css),
    element("rect", { class: "paper", width, height }),
    ...content,
  ) + "\n";
}
