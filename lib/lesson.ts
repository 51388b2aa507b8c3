/**
 * A lesson: what its header says, checked. The demo, the tests, `deno task lessons` and the README's table
 * are all made from this.
 *
 * @module
 */

import { type Header, parseHeader, type Tag } from "./header.ts";
import { parseRun, type Run } from "./run_line.ts";
import { type Parameter, parametersOf } from "./usage.ts";

/** A Python call of the lectures, from `@python socket.accept → listener.accept, …`. */
export interface PythonCall {
  call: string;
  /** What does it in Deno, where one call does. */
  deno?: string;
}

/** A script with its header understood. */
export interface Lesson {
  /** `tcp/echo_client`. */
  name: string;
  chapter: string;
  /** The script's path in the repository. */
  path: string;
  title: string;
  description: string;
  lectures: string;
  /** The lecture's Python calls, each with what does the same here. */
  python: PythonCall[];
  runs: Run[];
  /** Paths of the scripts that must be running first, in this order. */
  partners: string[];
  parameters: Parameter[];
  see: string[];
}

/** A header that is not as `ARCHITECTURE` asks; its message lists every fault with its line. */
export class LessonError extends Error {
  override name = "LessonError";
}

const KNOWN = "lecture python run online partner client argument option stdin expect log see module"
  .split(
    " ",
  );

/**
 * Reads a lesson from the text of its script.
 *
 * `@client`, `@stdin`, `@expect` and `@log` belong to the `@run` above them; all but `@client` may also stand
 * above the first.
 *
 * @param path the script's path in the repository: `scripts/tcp/echo_client.ts`
 * @throws {LessonError} for an unknown tag, a missing or unreadable `@run`, a shebang with other flags
 */
export function parseLesson(path: string, source: string): Lesson {
  const header = parseHeader(source);
  const faults: string[] = [];
  for (const { name, line } of header.tags) {
    if (!KNOWN.includes(name)) faults.push(`line ${line}: unknown tag @${name}`);
  }
  if (header.title === "") faults.push("line 2: no title, or no JSDoc block below the shebang");
  const runs = runsOf(header, path, faults);
  const offline = runs.filter((run) => !run.online);
  if (offline.length === 0) faults.push("no @run");
  for (const run of offline) {
    if (run.expect.length + run.log.length === 0) {
      faults.push(`no @expect or @log for "${run.line}"`);
    }
  }
  const shebang = `/usr/bin/env -S deno run ${runs[0]?.flags.join(" ") ?? ""}`.trim();
  if (header.shebang !== shebang) faults.push(`line 1: the shebang is not "#!${shebang}"`);
  if (header.tags.at(-1)?.name !== "module") faults.push("the header does not end with @module");

  let parameters: Parameter[] = [];
  try {
    parameters = parametersOf(header);
  } catch (error) {
    faults.push((error as Error).message);
  }
  if (faults.length > 0) throw new LessonError(`${path}: ${faults.join(`\n${path}: `)}`);
  const texts = (name: string) =>
    header.tags.filter((tag) => tag.name === name).map((tag) => tag.text);
  const name = path.replace(/^scripts\//, "").replace(/\.ts$/, "");
  return {
    name,
    chapter: name.split("/")[0]!,
    path,
    title: header.title,
    description: header.description,
    lectures: texts("lecture").join(" · "),
    python: texts("python").flatMap(pythonCalls),
    runs,
    partners: texts("partner"),
    parameters,
    see: texts("see"),
  };
}

function runsOf(header: Header, path: string, faults: string[]): Run[] {
  const runs: Run[] = [];
  const early: Tag[] = [];
  for (const tag of header.tags) {
    if (tag.name === "run" || tag.name === "online") {
      try {
        const run = parseRun(tag.text, tag.name === "online");
        if (run.script !== path) faults.push(`line ${tag.line}: runs ${run.script}, not ${path}`);
        runs.push(run);
      } catch (error) {
        faults.push(`line ${tag.line}: ${(error as Error).message}`);
      }
    } else if (tag.name === "client") {
      const run = runs.at(-1);
      try {
        if (run) run.client = parseRun(tag.text);
        else faults.push(`line ${tag.line}: @client stands before any @run`);
      } catch (error) {
        faults.push(`line ${tag.line}: ${(error as Error).message}`);
      }
    } else if (tag.name === "expect" || tag.name === "log" || tag.name === "stdin") {
      const run = runs.at(-1);
      if (run) run[tag.name].push(tag.text);
      else early.push(tag);
    }
  }
  for (const tag of early) runs[0]?.[tag.name as "expect" | "log" | "stdin"].push(tag.text);
  return runs;
}

/** Cuts at commas, but not inside parentheses and brackets. */
function pythonCalls(text: string): PythonCall[] {
  const parts = text.match(/(?:\([^()]*(?:\([^()]*\)[^()]*)*\)|\[[^\]]*\]|[^,])+/g) ?? [];
  return parts.map((part) => {
    const [call, deno] = part.split("→").map((each) => each.trim());
    return { call: call!, ...(deno && { deno }) };
  });
}
