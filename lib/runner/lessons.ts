/**
 * `deno task lessons [lesson]`: a table of all lessons, or what one says and how it is run;
 * `deno task lessons --write` puts the table into the README.
 *
 * @module
 */

import { help } from "../cli.ts";
import { parseHeader } from "../header.ts";
import { type Lesson, LessonError } from "../lesson.ts";
import { choose, readLibrary, ROOT } from "./library.ts";

const USAGE = "usage: deno task lessons [--write | --check | LESSON]";

/** The README's table, one chapter after another. */
export function readmeTable(lessons: Lesson[]): string {
  const text: string[] = [];
  for (const chapter of new Set(lessons.map((lesson) => lesson.chapter))) {
    text.push(
      `### ${chapter}`,
      "",
      "| lesson | what it shows | lecture | Python |",
      "| - | - | - | - |",
    );
    for (const lesson of lessons.filter((each) => each.chapter === chapter)) {
      const { path, name, title, lectures, python } = lesson;
      const calls = python.map(({ call }) => `\`${call}\``).join(", ");
      const cells = [`[${name.split("/")[1]}](${path})`, title, lectures, calls];
      text.push(`| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`);
    }
    text.push("");
  }
  return text.join("\n");
}

/** The README's table of Python calls, each with what does the same in Deno and the scripts that show it. */
export function pythonTable(lessons: Lesson[]): string {
  const rows = new Map<string, string[]>();
  for (const { name, path, python } of lessons) {
    for (const { call, deno } of python) {
      const cell = (text: string) => `\`${text.replaceAll("|", "\\|")}\``;
      const row = `| ${cell(call)} | ${deno ? cell(deno) : ""} |`;
      rows.set(row, [...rows.get(row) ?? [], `[${name}](${path})`]);
    }
  }
  const lines = [...rows].map(([row, links]) => `${row} ${[...new Set(links)].join(", ")} |`);
  return ["| Python | Deno | scripts |", "| - | - | - |", ...lines.toSorted(), ""].join("\n");
}

/** The README with one of its tables made new: `lessons` or `python`. */
export function withTable(readme: string, table: string, name = "lessons"): string {
  const first = `<!-- ${name}: made by deno task lessons --write -->`,
    last = `<!-- end of ${name} -->`;
  const begin = readme.indexOf(first), end = readme.indexOf(last);
  if (begin < 0 || end < begin) {
    throw new LessonError(`README.md: the lines "${first}" and "${last}" are not there`);
  }
  return `${readme.slice(0, begin + first.length)}\n\n${table}\n${readme.slice(end)}`;
}

function list(lessons: Lesson[]): string {
  const width = Math.max(...lessons.map(({ name }) => name.length));
  const lines = lessons.map(({ name, title }) => `${name.padEnd(width)}  ${title}`);
  return [...lines, "", "deno task lessons NAME tells how one is run, deno task demo NAME runs it."]
    .join("\n");
}

function main(): number {
  const [word, ...more] = Deno.args;
  const known = word === undefined || !word.startsWith("-") ||
    ["--write", "--check", "--help"].includes(word);
  if (more.length > 0 || !known) {
    console.error(`lessons: cannot use "${more[0] ?? word}"\n${USAGE}`);
    return 2;
  }
  if (word === "--help") return console.log(USAGE), 0;
  const { lessons, faults } = readLibrary();
  for (const fault of faults) console.error(fault);
  const code = faults.length > 0 ? 1 : 0;
  if (word === "--write" || word === "--check") {
    if (code !== 0) return code;
    const file = new URL("README.md", ROOT);
    const before = Deno.readTextFileSync(file);
    const withLessons = withTable(before, readmeTable(lessons));
    const after = withTable(withLessons, pythonTable(lessons), "python");
    if (before === after) return 0;
    if (word === "--check") {
      console.error(
        "README.md: its table is not that of the headers: run deno task lessons --write",
      );
      return 1;
    }
    Deno.writeTextFileSync(file, after);
    return 0;
  }
  const chosen = choose(lessons, word);
  if (chosen.length === 0) {
    console.error(`lessons: there is no lesson or chapter "${word}": deno task lessons lists them`);
    return 2;
  }
  if (word === undefined || chosen.length > 1) return console.log(list(chosen)), code;
  for (const { path } of chosen) {
    console.log(help(parseHeader(Deno.readTextFileSync(new URL(path, ROOT)))));
  }
  return code;
}

if (import.meta.main) {
  try {
    Deno.exit(main());
  } catch (error) {
    if (!(error instanceof LessonError)) throw error;
    console.error(error.message);
    Deno.exit(1);
  }
}
