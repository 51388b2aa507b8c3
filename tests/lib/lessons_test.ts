import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { type Lesson, LessonError } from "../../lib/lesson.ts";
import { pythonTable, readmeTable, withTable } from "../../lib/runner/lessons.ts";

const BEGIN = "<!-- lessons: made by deno task lessons --write -->";
const END = "<!-- end of lessons -->";

Deno.test("withTable puts the table between its two lines and changes nothing else", () => {
  const readme = `before\n${BEGIN}\nold $& text\n${END}\nafter\n`;
  const result = `before\n${BEGIN}\n\nnew $& table\n${END}\nafter\n`;
  assertEquals(withTable(readme, "new $& table"), result);
  assertEquals(withTable(result, "new $& table"), result);
});

Deno.test("withTable tells which lines are missing", () => {
  for (const readme of ["", BEGIN, END, `${END}\n${BEGIN}`]) {
    assertThrows(() => withTable(readme, ""), LessonError, `"${BEGIN}" and "${END}" are not there`);
  }
});

const lesson = (name: string, title: string): Lesson => ({
  name,
  title,
  chapter: name.split("/")[0]!,
  path: `scripts/${name}.ts`,
  description: "",
  lectures: "002",
  python: [{ call: "a | b" }, { call: "recv", deno: "connection.read" }],
  runs: [],
  partners: [],
  parameters: [],
  see: [],
});

Deno.test("pythonTable gives each call once, with all scripts that show it", () => {
  const table = pythonTable([lesson("tcp/one", "First"), lesson("udp/two", "Second")]);
  const links = "[tcp/one](scripts/tcp/one.ts), [udp/two](scripts/udp/two.ts)";
  assertEquals(table.split("\n").slice(2), [
    `| \`a \\| b\` |  | ${links} |`,
    `| \`recv\` | \`connection.read\` | ${links} |`,
    "",
  ]);
});

Deno.test("readmeTable lists lessons by chapter and escapes what would end a cell", () => {
  const table = readmeTable([lesson("tcp/one", "First"), lesson("udp/two", "Second")]);
  assertEquals(table.match(/^### .*$/gm), ["### tcp", "### udp"]);
  assertStringIncludes(table, "| [one](scripts/tcp/one.ts) | First | 002 | `a \\| b`, `recv` |\n");
  assertEquals(readmeTable([]), "");
});
