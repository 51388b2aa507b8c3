/**
 * The header of a lesson: its shebang and its first JSDoc block, taken apart.
 *
 * Nothing is judged here: a script reads its own header at each start, for its options and `--help`.
 * `lesson.ts` checks what a lesson must have.
 *
 * @module
 */

/** One `@name text` of a header; a text over several lines is joined by spaces. */
export interface Tag {
  name: string;
  text: string;
  /** Its line in the file, from 1. */
  line: number;
}

/** What a header says, in the order in which it says it. */
export interface Header {
  /** The first line without `#!`, or `""`. */
  shebang: string;
  /** The first line of the block. */
  title: string;
  /** What stands between the title and the first tag. */
  description: string;
  tags: Tag[];
}

/**
 * Takes the header of a script apart. A tag's text goes on over further lines until the next tag; a line
 * that ends in a backslash is joined without it, as in a shell.
 *
 * @example
 * ```ts
 * import { parseHeader } from "./header.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const header = parseHeader("#!/usr/bin/env deno\n/**\n * A title\n *\n * @see a\n *  b\n *" + "/");
 * assertEquals(header.title, "A title");
 * assertEquals(header.tags, [{ name: "see", text: "a b", line: 5 }]);
 * ```
 */
export function parseHeader(source: string): Header {
  const header: Header = { shebang: "", title: "", description: "", tags: [] };
  const lines = source.split(/\r?\n/);
  let at = 0;
  if (lines[0]?.startsWith("#!")) header.shebang = lines[at++]!.slice(2).trim();
  while (lines[at]?.trim() === "") at++;
  if (lines[at]?.trim() !== "/**") return header;

  const prose: string[] = [];
  for (at++; at < lines.length; at++) {
    const raw = lines[at]!.trim();
    if (raw.startsWith("*/")) break;
    const text = raw.replace(/^\* ?/, "");
    const tag = /^@(\w+)\s*(.*)$/.exec(text);
    const last = header.tags.at(-1);
    if (tag) header.tags.push({ name: tag[1]!, text: tag[2]!.trimEnd(), line: at + 1 });
    else if (!last) prose.push(text);
    else if (text.trim() !== "") last.text = joined(last.text, text.trim());
  }
  header.title = prose.find((line) => line !== "") ?? "";
  header.description = prose.slice(prose.indexOf(header.title) + 1).join("\n").trim();
  return header;
}

function joined(before: string, after: string): string {
  return before.endsWith("\\") ? before.slice(0, -1) + after : `${before} ${after}`.trim();
}
