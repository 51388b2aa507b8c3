import { assertEquals } from "@std/assert";
import { parseHeader } from "../../lib/header.ts";

const SOURCE = `#!/usr/bin/env -S deno run
/**
 * A title
 *
 * First line,
 *   indented.
 *
 * Second paragraph.
 *
 * @lecture 001
 * @run     deno run a.ts \\
 *          --port 1
 * @empty
 *
 * @see     one
 *          two
 */
// @not a tag
`;

Deno.test("parseHeader takes a header apart", () => {
  for (const source of [SOURCE, SOURCE.replaceAll("\n", "\r\n"), SOURCE.replace("\n", "\n\n\n")]) {
    const { shebang, title, description, tags } = parseHeader(source);
    assertEquals(shebang, "/usr/bin/env -S deno run");
    assertEquals(title, "A title");
    assertEquals(description, "First line,\n  indented.\n\nSecond paragraph.");
    assertEquals(tags.map(({ name, text }) => [name, text]), [
      ["lecture", "001"],
      ["run", "deno run a.ts --port 1"],
      ["empty", ""],
      ["see", "one two"],
    ]);
  }
  assertEquals(parseHeader(SOURCE).tags.map(({ line }) => line), [10, 11, 13, 15]);
});

Deno.test("parseHeader leaves empty what is not there", () => {
  const empty = { shebang: "", title: "", description: "", tags: [] };
  assertEquals(parseHeader(""), empty);
  assertEquals(parseHeader("import x;\n/**\n * not at the top\n */"), empty);
  assertEquals(parseHeader("/* plain */"), empty);
  assertEquals(parseHeader("#! deno"), { ...empty, shebang: "deno" });
  assertEquals(parseHeader("/**\n */\n"), empty);
  assertEquals(parseHeader("/**\n *\n * Only a title\n */"), { ...empty, title: "Only a title" });
});

Deno.test("parseHeader takes for a tag only what stands at a line's start", () => {
  const { title, description, tags } = parseHeader("/**\n * Title\n * mail to a@b.example\n */");
  assertEquals([title, description, tags], ["Title", "mail to a@b.example", []]);
});
