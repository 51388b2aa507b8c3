/**
 * One play of a lesson: its partners started, the lesson run as a process with exactly its declared flags,
 * what it prints compared with its header, and all that was started stopped again.
 *
 * The demo, the lesson tests and the permission proof all come from here.
 *
 * @module
 */

import { DeadlineError, within } from "../deadline.ts";
import type { Lesson } from "../lesson.ts";
import type { Run } from "../run_line.ts";
import { caughtUp, missing } from "./expectations.ts";
import { clientOf, isServer, partnersOf, ROOT, serves } from "./library.ts";
import { type Line, type Running, start } from "./process.ts";
import { flagsWithout, type Grant, movedWords, setStage, type Stage } from "./stage.ts";

/** What one terminal of a play showed. */
export interface Terminal {
  lesson: string;
  command: string;
  lines: Line[];
  /** The exit code. */
  code: number;
}

/** What came of a play. */
export interface Play {
  lesson: Lesson;
  run: Run;
  /** In the order in which they were started. */
  terminals: Terminal[];
  /** What was not as the header says; empty when the lesson passed. */
  faults: string[];
  milliseconds: number;
  /** The grant that was taken away, as its flag reads on this stage. */
  missingFlag?: string;
}

/** How {@linkcode play} goes about it. */
export interface PlayOptions {
  /** Keep the ports of the header where they are free. */
  defaults?: boolean;
  /** Take this grant away from the lesson. */
  without?: Grant;
  /** Run the lesson with other flags than its own. */
  flags?: (stage: Stage) => string[];
  /** Other lessons whose play this is as well, by {@linkcode playKey}: what they print is compared, too. */
  also?: { lesson: Lesson; run: Run }[];
  /** For a start, and for the run itself: 60,000 ms each, since a first start may download packages. */
  timeout?: number;
}

/** Plays one run of a lesson; once more on other ports when somebody took one in the meantime. */
export async function play(
  lesson: Lesson,
  run: Run,
  lessons: Lesson[],
  options: PlayOptions = {},
): Promise<Play> {
  for (let tries = 1;; tries++) {
    const result = await playOnce(lesson, run, lessons, options);
    const taken = result.terminals.some(({ lines }) =>
      lines.some(({ text }) => text.includes("another program has that address"))
    );
    if (!taken || tries === 3) return result;
  }
}

async function playOnce(
  lesson: Lesson,
  run: Run,
  lessons: Lesson[],
  { defaults, without, flags, also = [], timeout = 60_000 }: PlayOptions,
): Promise<Play> {
  const began = performance.now();
  const cast = castOf(lesson, run, lessons);
  using stage = setStage(cast.map((each) => each.run), {
    defaults,
    lessons: cast.map((each) => each.lesson),
  });
  const faults: string[] = [];
  const started: { running: Running; lesson: Lesson; code?: number }[] = [];
  const hasEnded = async (actor: typeof started[number]) => {
    const { running, lesson: { path } } = actor;
    actor.code = await within(timeout, running.ended).catch((error) => {
      if (!(error instanceof DeadlineError)) throw error;
      faults.push(`${path} did not end within ${timeout / 1000} s`);
      return running.interrupt(1_000);
    });
    if (actor.code !== 0) faults.push(`${path} ended with exit code ${actor.code}`);
  };
  try {
    for (const each of cast) {
      const mine = each.lesson === lesson;
      const its = !mine
        ? each.run.flags
        : flags?.(stage) ?? (without ? flagsWithout(each.run, without) : each.run.flags);
      const running = startRun(each.lesson, each.run, its, stage);
      const actor: typeof started[number] = { running, lesson: each.lesson };
      started.push(actor);
      if (each.serves) {
        if (await running.until(listening, timeout)) continue;
        actor.code = await running.interrupt(2_000);
        faults.push(`${each.lesson.path} did not print "listening on …"`);
        break;
      }
      await hasEnded(actor);
    }
    const itself = started.find((actor) => actor.lesson === lesson);
    if (itself && cast.at(-1)?.serves && run.client && started.length === cast.length) {
      // its client goes on, so it is the lesson that ends by itself
      await hasEnded(itself);
    }
    for (const shown of [{ lesson, run }, ...also]) {
      const server = started.find((each) =>
        each.lesson === shown.lesson && each.code === undefined
      );
      if (server) await caughtUp(server.running, shown.run, stage);
    }
    for (const actor of started.toReversed()) {
      if (actor.code !== undefined) continue;
      actor.code = await actor.running.interrupt(5_000);
      if (actor.code !== 0) {
        faults.push(`${actor.lesson.path} ended with exit code ${actor.code} at Ctrl-C, not 0`);
      }
    }
  } finally {
    for (const { running } of started) await running[Symbol.asyncDispose]();
  }
  const terminals = started.map(({ running, lesson, code }) => ({
    lesson: lesson.name,
    command: running.command,
    lines: running.lines,
    code: code!,
  }));
  for (const shown of [{ lesson, run }, ...also]) {
    const its = terminals.find((terminal) => terminal.lesson === shown.lesson.name)?.lines ?? [];
    faults.push(...missing(its, shown.run, stage));
  }
  return {
    lesson,
    run,
    terminals,
    faults,
    milliseconds: performance.now() - began,
    missingFlag: without && `--allow-${without.kind}=${stage.move(without.value)}`,
  };
}

/** The same for two lessons when they are shown by the same play: a server, and the client that visits it. */
export function playKey(lesson: Lesson, run: Run, lessons: Lesson[]): string {
  return JSON.stringify(castOf(lesson, run, lessons).map((each) => each.run.line));
}

interface Actor {
  lesson: Lesson;
  run: Run;
  /** Whether it goes on until it is stopped. */
  serves: boolean;
}

/** Who plays, in the order of their entrance: partners, the lesson, and who makes a server show its work. */
function castOf(lesson: Lesson, run: Run, lessons: Lesson[]): Actor[] {
  const { client } = run;
  if (client) {
    const visitor = lessons.find(({ path }) => path === client.script)!;
    return [
      ...partnersOf(lesson, lessons).map(asPartner),
      { lesson, run, serves: true },
      { lesson: visitor, run: client, serves: isServer(visitor) },
    ];
  }
  // a server without a client of its own is shown by the first lesson that names it as its partner
  const last = serves(lesson, run) && clientOf(lesson, lessons) || lesson;
  return [...partnersOf(last, lessons).map(asPartner), {
    ...asPartner(last),
    serves: last === lesson ? serves(lesson, run) : isServer(last),
  }]
    .map((actor) => actor.lesson === lesson ? { ...actor, run } : actor);
}

function asPartner(lesson: Lesson): Actor {
  return { lesson, run: lesson.runs.find(({ online }) => !online)!, serves: true };
}

function listening(lines: Line[]): boolean {
  return lines.some(({ text }) => text.startsWith("listening on "));
}

function startRun(lesson: Lesson, run: Run, flags: string[], stage: Stage): Running {
  const moved = flags.map(stage.move);
  const words = movedWords(lesson, run, stage);
  const typed = [
    ...Object.entries(run.env).map(([name, value]) => `${name}=${value}`),
    "deno",
    "run",
  ];
  return start(["run", "--no-prompt", ...moved, new URL(run.script, ROOT).pathname, ...words], {
    command: [...typed, ...moved, run.script, ...words].map(quotedWord).join(" "),
    cwd: stage.folder,
    env: run.env,
    stdin: run.stdin.map(stage.move),
  });
}

function quotedWord(word: string): string {
  return /^[\w@%+=:,./[\]-]+$/.test(word) ? word : `"${word.replace(/["\\$`]/g, "\\$&")}"`;
}
