/**
 * All lessons of the collection, found below `scripts/` and checked against each other.
 *
 * @module
 */

import { type Lesson, LessonError, parseLesson } from "../lesson.ts";
import type { Run } from "../run_line.ts";

/** The repository's root, where `@run` lines are meant to be pasted. */
export const ROOT = new URL("../../", import.meta.url);

/** Chapters in reading order; within one, lessons go by name, a server before its client. */
const CHAPTERS = "hosts layers tcp udp ipc time http tls mail remote mqtt slack analyzer exercises"
  .split(" ");

/** The lessons whose headers are sound, and what is wrong with the others. */
export interface Library {
  lessons: Lesson[];
  faults: string[];
}

/**
 * Reads every lesson.
 *
 * @throws {LessonError} that lists the faults of all headers at once
 */
export function readLessons(root: URL = ROOT): Lesson[] {
  const { lessons, faults } = readLibrary(root);
  if (faults.length > 0) throw new LessonError(faults.join("\n"));
  return lessons;
}

/** Reads every lesson; one with a fault in its header is left out, and so is one that needs it. */
export function readLibrary(root: URL = ROOT): Library {
  let lessons: Lesson[] = [];
  const faults: string[] = [];
  for (const path of scriptsBelow("scripts", root)) {
    const file = new URL(path, root);
    try {
      const { mode } = Deno.statSync(file);
      if (mode !== null && (mode & 0o111) === 0) {
        throw new LessonError(`${path}: not executable (chmod +x)`);
      }
      lessons.push(parseLesson(path, Deno.readTextFileSync(file)));
    } catch (error) {
      if (!(error instanceof LessonError)) throw error;
      faults.push(error.message);
    }
  }
  for (let before = -1; before !== lessons.length;) {
    before = lessons.length;
    const paths = new Set(lessons.map((lesson) => lesson.path));
    lessons = lessons.filter((lesson) => {
      const missing = faultsOf(lesson, paths);
      faults.push(...missing);
      return missing.length === 0;
    });
  }
  const place = ({ chapter, name }: Lesson) =>
    String(CHAPTERS.indexOf(chapter)).padStart(2, "0") +
    name.replace(/_(client|sender)$/, "_server~");
  return { lessons: lessons.sort((one, other) => place(one) < place(other) ? -1 : 1), faults };
}

/** What a lesson needs and the collection does not have. */
function faultsOf({ path, partners, chapter, runs }: Lesson, paths: Set<string>): string[] {
  const clients = runs.flatMap(({ client }) => client ? [client.script] : []);
  return [
    ...(CHAPTERS.includes(chapter) ? [] : [`${path}: "${chapter}" is no chapter`]),
    ...partners.filter((partner) => !paths.has(partner))
      .map((partner) => `${path}: its partner ${partner} does not exist`),
    ...clients.filter((client) => !paths.has(client))
      .map((client) => `${path}: its client ${client} does not exist`),
  ];
}

function* scriptsBelow(folder: string, root: URL): Generator<string> {
  for (const entry of Deno.readDirSync(new URL(folder, root))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* scriptsBelow(path, root);
    else if (entry.name.endsWith(".ts")) yield path;
  }
}

/** The lessons that a name means: all for none, a chapter, one lesson, or its path. */
export function choose(lessons: Lesson[], name: string | undefined): Lesson[] {
  if (name === undefined) return lessons;
  const wanted = name.replace(/^(\.\/)?scripts\//, "").replace(/\.ts$|\/$/, "");
  return lessons.filter((lesson) => lesson.name === wanted || lesson.chapter === wanted);
}

/** Whether a lesson goes on until it is stopped. */
export function isServer(lesson: Lesson): boolean {
  return lesson.runs.some(({ expect, log }) =>
    [...expect, ...log].some((pattern) => pattern.startsWith("listening on "))
  );
}

/** Whether one run of a lesson goes on until it is stopped; one without leave for the network does not. */
export function serves(lesson: Lesson, run: Run): boolean {
  return isServer(lesson) && run.flags.some((flag) => flag.startsWith("--allow-net="));
}

/** The lesson that shows a server at work: the first that names it as its partner and ends by itself. */
export function clientOf(server: Lesson, lessons: Lesson[]): Lesson | undefined {
  return lessons.find((lesson) => lesson.partners.includes(server.path) && !isServer(lesson));
}

/** What must be running before a lesson starts, partners of partners first. */
export function partnersOf(lesson: Lesson, lessons: Lesson[]): Lesson[] {
  const found: Lesson[] = [];
  for (const path of lesson.partners) {
    const partner = lessons.find((other) => other.path === path)!;
    for (const each of [...partnersOf(partner, lessons), partner]) {
      if (!found.includes(each)) found.push(each);
    }
  }
  return found;
}
