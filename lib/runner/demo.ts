/**
 * `deno task demo [chapter[/lesson]]`: every lesson run against its partners, with what each terminal
 * showed.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { visible } from "../display.ts";
import type { Lesson } from "../lesson.ts";
import { choose, readLibrary } from "./library.ts";
import { type Play, play } from "./play.ts";

const USAGE = "usage: deno task demo [--serial] [--json] [CHAPTER[/LESSON]]";
const MOST_LINES = 40;

const coloured = Deno.stdout.isTerminal() && !Deno.noColor;
const paint = (code: number, text: string) => coloured ? `\x1b[${code}m${text}\x1b[0m` : text;
const [RED, GREEN, BOLD, DIM] = [31, 32, 1, 2];

/** The transcript of a play, as a person at the terminals would have seen it. */
function transcript({ lesson, run, terminals, faults, milliseconds }: Play): string {
  const verdict = faults.length > 0 ? paint(RED, "FAILED") : paint(GREEN, "ok");
  const text = [
    paint(BOLD, lesson.name) + ` — ${lesson.title}` + paint(DIM, ` (${seconds(milliseconds)})`) +
    ` ${verdict}`,
  ];
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
    text.push(...run.expect.map((pattern) => `  its @expect: ${pattern}`));
    text.push(...run.log.map((pattern) => `  its @log:    ${pattern}`));
  }
  return text.join("\n") + "\n";
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
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
  const jobs = chosen.map((lesson) => async () => {
    progress.begin(lesson.name);
    const plays: Play[] = [];
    for (const run of lesson.runs.filter((run) => !run.online)) {
      plays.push(await play(lesson, run, lessons, { defaults: serial }));
    }
    progress.end(lesson.name);
    return plays;
  });
  const atOnce = serial ? 1 : Math.max(2, navigator.hardwareConcurrency * 2);
  const all: Play[][] = [];
  for await (const plays of inOrder(jobs, atOnce)) {
    all.push(plays);
    if (json) continue;
    progress.clear();
    for (const each of plays) console.log(transcript(each));
    progress.show();
  }
  progress.clear();
  const failed = all.filter((plays) => plays.some(({ faults }) => faults.length > 0)).length;
  if (json) console.log(JSON.stringify(all.flat().map(forPrograms), null, 2));
  else {
    const verdict = `${all.length} lessons, ${all.length - failed} passed, ${failed} failed`;
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

function forPrograms({ lesson, run, terminals, faults, milliseconds }: Play) {
  const name = lesson.name;
  return {
    lesson: name,
    run: run.line,
    passed: faults.length === 0,
    faults,
    milliseconds,
    terminals,
  };
}

if (import.meta.main) Deno.exit(await main());
