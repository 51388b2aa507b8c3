/**
 * Text as XML writes it.
 *
 * @module
 */

/** A text that is not XML, or more of it than is taken. */
export class XmlError extends Error {
  override name = "XmlError";
}

/**
 * Makes a text a part of a document, in an element or in an attribute's quotes. Line ends and tabs are
 * written as numbers, since a reader would otherwise change them.
 *
 * @throws {XmlError} for what XML has no way to write: most control characters, halves of characters
 * @see {@link https://www.w3.org/TR/xml/#charsets XML 1.0, section 2.2}
 *
 * @example
 * ```ts
 * import { escapeXml } from "./xml_text.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(escapeXml('1 < 2 & "x"'), "1 &lt; 2 &amp; &quot;x&quot;");
 * ```
 */
export function escapeXml(text: string): string {
  refuseBad(text);
  return text.replace(/[&<>"'\t\n\r]/g, (character) => ESCAPES[character]!);
}

/** @throws {XmlError} for a character that no document may have */
export function refuseBad(text: string): void {
  const bad = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.exec(text)?.[0];
  if (bad === undefined) return;
  const code = bad.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
  throw new XmlError(`XML cannot carry the character U+${code}`);
}

const ESCAPES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
  "\t": "&#9;",
  "\n": "&#10;",
  "\r": "&#13;",
};

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** The five entities that every document has, and characters by number; there are no others. */
export function decodeEntities(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(
    /&(?:#x([0-9a-fA-F]{1,6})|#(\d{1,7})|(\w{1,8}));|&/g,
    (all, hex, decimal, name) => {
      const code = hex ? parseInt(hex, 16) : decimal ? Number(decimal) : undefined;
      if (code !== undefined && code <= 0x10ffff) {
        const character = String.fromCodePoint(code);
        refuseBad(character);
        return character;
      }
      if (name && Object.hasOwn(ENTITIES, name)) return ENTITIES[name]!;
      throw new XmlError(`it is not XML: ${all.slice(0, 12)} stands for nothing`);
    },
  );
}

/** The lines of a document, an element each, indented; for people: white space between elements is added. */
export function indented(document: string): string[] {
  let depth = 0;
  const lines = document.replace(/>\s*</g, ">\n<")
    // an empty element stays on its line
    .replace(/^(<[^/?!\n][^<\n]*(?<!\/)>)\n(?=<\/)/gm, "$1");
  return lines.split("\n").map((line) => {
    const opens = /^<[^/?!]/.test(line) && !/\/>$|<\/[^<>]*>$/.test(line);
    if (line.startsWith("</")) depth--;
    const shown = "  ".repeat(Math.min(Math.max(depth, 0), 32)) + line;
    if (opens) depth++;
    return shown;
  });
}
