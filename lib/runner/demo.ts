/**
 * `deno task demo [chapter[/lesson]]`: every lesson run against its partners, with what each terminal
 * showed.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { visible } from "../display.ts";
import type { Lesson } from "../lesson.ts";
import type { Run } from "../run_line.ts";
import { choose, readLibrary } from "./library.ts";
import { type Play, play, playKey } from "./play.ts";

const USAGE = "usage: deno task demo [--serial] [--json] [CHAPTER[/LESSON]]";
const MOST_LINES = 40;

const coloured = Deno.stdout.isTerminal() && !Deno.noColor;
const paint = (code: number, text: string) => coloured ? `\x1b[${code}m${text}\x1b[0m` : text;
const [RED, GREEN, BOLD, DIM] = [31, 32, 1, 2];

/** A play, and the other lessons that it has shown. */
interface Performance {
  play: Play;
  also: Part["also"];
}

/** The transcript of a play, as a person at the terminals would have seen it. */
function transcript({ play, also }: Performance): string {
  const { run, terminals, faults, milliseconds } = play;
  const verdict = faults.length > 0 ? paint(RED, "FAILED") : paint(GREEN, "ok");
  const text = [play.lesson, ...also.map(({ lesson }) => lesson)].map((lesson) =>
    paint(BOLD, lesson.name) + ` — ${lesson.title}`
  );
  text[text.length - 1] += paint(DIM, ` (${seconds(milliseconds)})`) + ` ${verdict}`;
  terminals.forEach(({ command, lines, code }, index) => {
    text.push(`  terminal ${index + 1} $ ${command}`);
    for (const line of lines.slice(0, MOST_LINES)) {
      text.push("    " + paint(line.stream === "stderr" ? DIM : 0, visible(line.text)));
    }
    if (lines.length > MOST_LINES) text.push(`    … ${lines.length - MOST_LINES} more lines`);
    if (code !== 0) text.push(`    exit code ${code}`);
  });
  if (faults.length > 0) {
    text.push(...faults.map((fault) => paint(RED, `  ${fault}`)));
    for (const { expect, log } of [run, ...also.map(({ run }) => run)]) {
      text.push(...expect.map((pattern) => `  its @expect: ${pattern}`));
      text.push(...log.map((pattern) => `  its @log:    ${pattern}`));
    }
  }
  return text.join("\n") + "\n";
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

/** A run of a lesson, and those of other lessons that the same play shows. */
interface Part {
  run: Run;
  also: { lesson: Lesson; run: Run }[];
}

/** What is to be played for each lesson; a play that shows two lessons stands at the first one. */
function partsOf(chosen: Lesson[], lessons: Lesson[]): Map<Lesson, Part[]> {
  const first = new Map<string, Part>();
  const parts = new Map(chosen.map((lesson) => [lesson, [] as Part[]]));
  for (const lesson of chosen) {
    for (const run of lesson.runs.filter((run) => !run.online)) {
      const key = playKey(lesson, run, lessons);
      const shown = first.get(key);
      if (shown) shown.also.push({ lesson, run });
      else {
        const part: Part = { run, also: [] };
        first.set(key, part);
        parts.get(lesson)!.push(part);
      }
    }
  }
  return parts;
}

/** Runs all jobs, so many at once; gives the results in order, each as soon as those before it are there. */
async function* inOrder<T>(jobs: (() => Promise<T>)[], atOnce: number): AsyncGenerator<T> {
  const results = jobs.map(() => Promise.withResolvers<T>());
  // a job that fails is told where its result is taken; nothing is lost by not looking here
  for (const { promise } of results) promise.catch(() => {});
  let next = 0;
  const worker = async () => {
    while (next < jobs.length) {
      const mine = next++;
      await jobs[mine]!().then(results[mine]!.resolve, results[mine]!.reject);
    }
  };
  for (let count = 0; count < atOnce; count++) worker();
  for (const { promise } of results) yield await promise;
}

/** Keeps one line on the terminal that tells how far the demo is; nothing when stderr is a file. */
class Progress {
  readonly #shown: boolean;
  readonly #total: number;
  readonly #running = new Set<string>();
  #done = 0;

  constructor(total: number, quiet: boolean) {
    this.#total = total;
    this.#shown = Deno.stderr.isTerminal() && !quiet;
  }

  begin(name: string): void {
    this.#running.add(name);
    this.show();
  }

  end(name: string): void {
    this.#running.delete(name);
    this.#done++;
  }

  show(): void {
    this.#write(`${this.#done} of ${this.#total} done, running: ${[...this.#running].join(", ")}`);
  }

  clear(): void {
    this.#write("");
  }

  #write(line: string): void {
    if (!this.#shown) return;
    Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${line.slice(0, 79)}`));
  }
}

/** Plays the chosen lessons and shows each; says how many failed. */
async function performAll(
  chosen: Lesson[],
  lessons: Lesson[],
  { serial, json }: { serial: boolean; json: boolean },
): Promise<number> {
  const began = performance.now();
  const progress = new Progress(chosen.length, json);
  const parts = partsOf(chosen, lessons);
  const jobs = chosen.map((lesson) => async () => {
    progress.begin(lesson.name);
    const performed: Performance[] = [];
    for (const { run, also } of parts.get(lesson)!) {
      performed.push({ play: await play(lesson, run, lessons, { defaults: serial, also }), also });
    }
    progress.end(lesson.name);
    return performed;
  });
  const atOnce = serial ? 1 : Math.max(2, navigator.hardwareConcurrency * 2);
  const all: Performance[] = [];
  for await (const performed of inOrder(jobs, atOnce)) {
    all.push(...performed);
    if (json) continue;
    progress.clear();
    for (const each of performed) console.log(transcript(each));
    progress.show();
  }
  progress.clear();
  const failing = all.filter(({ play }) => play.faults.length > 0)
    .flatMap(({ play, also }) => [play.lesson, ...also.map(({ lesson }) => lesson)]);
  const failed = new Set(failing).size;
  if (json) console.log(JSON.stringify(all.flatMap(forPrograms), null, 2));
  else {
    const verdict = `${chosen.length} lessons, ${chosen.length - failed} passed, ${failed} failed`;
    const time = seconds(performance.now() - began);
    console.log(`${paint(failed > 0 ? RED : GREEN, verdict)} (${time})`);
  }
  return failed;
}

async function main(): Promise<number> {
  const unknown: string[] = [];
  const options = parseArgs(Deno.args, {
    boolean: ["serial", "json", "help"],
    string: ["_"],
    unknown: (word, key) => key === undefined || unknown.push(word) < 0,
  });
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  if (unknown.length > 0 || options._.length > 1) {
    console.error(`demo: cannot use "${unknown[0] ?? options._[1]}"\n${USAGE}`);
    return 2;
  }
  const { lessons, faults } = readLibrary();
  for (const fault of faults) console.error(fault);
  const name = options._[0] === undefined ? undefined : String(options._[0]);
  const chosen = choose(lessons, name);
  if (chosen.length === 0) {
    console.error(`demo: there is no lesson or chapter "${name}": deno task lessons lists them`);
    return 2;
  }
  const { serial, json } = options;
  const failed = await performAll(chosen, lessons, { serial, json });
  return failed + faults.length > 0 ? 1 : 0;
}

function forPrograms({ play, also }: Performance) {
  const { terminals, faults, milliseconds } = play;
  return [play, ...also].map(({ lesson, run }) => ({
    lesson: lesson.name,
    run: run.line,
    passed: faults.length === 0,
    faults,
    milliseconds,
    terminals,
  }));
}

if (import.meta.main) Deno.exit(await main());
