import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { type Lesson, LessonError } from "../../lib/lesson.ts";
import { readmeTable, withTable } from "../../lib/runner/lessons.ts";

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

Deno.test("readmeTable lists lessons by chapter and escapes what would end a cell", () => {
  const lesson = (name: string, title: string): Lesson => ({
    name,
    title,
    chapter: name.split("/")[0]!,
    path: `scripts/${name}.ts`,
    description: "",
    lectures: "002",
    python: "a | b",
    runs: [],
    partners: [],
    parameters: [],
    see: [],
  });
  const table = readmeTable([lesson("tcp/one", "First"), lesson("udp/two", "Second")]);
  assertEquals(table.match(/^### .*$/gm), ["### tcp", "### udp"]);
  assertStringIncludes(table, "| [one](scripts/tcp/one.ts) | First | 002 | a \\| b |\n");
  assertEquals(readmeTable([]), "");
});
