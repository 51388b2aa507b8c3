/**
 * Where a lesson is played: free ports in place of those its header names, and a folder of its own in place
 * of `/tmp`, so that many lessons run at once and none depends on what else runs on the machine.
 *
 * @module
 */

import type { Lesson } from "../lesson.ts";
import type { Run } from "../run_line.ts";
import { freePort, isFree } from "./free_port.ts";
import { ROOT } from "./library.ts";

/** The ports and the folder of one play. */
export interface Stage extends Disposable {
  folder: string;
  /** Puts the moved ports and paths into any text of a header. */
  move(text: string): string;
}

/**
 * Sets a stage for runs that belong together.
 *
 * @param options.defaults keep the ports of the headers where they are free
 * @param options.lessons those that are run: the ports that their options have by default move as well, where
 *   a grant is for a whole host and so names none
 */
export function setStage(
  runs: Run[],
  options: { defaults?: boolean; lessons?: Lesson[] } = {},
): Stage {
  const ports = new Map<string, string>();
  const byDefault = runs.some((run) => grantsOf(run).some(isWholeHost))
    ? (options.lessons ?? []).flatMap(defaultPortsOf)
    : [];
  for (const port of [...runs.flatMap(portsOf), ...byDefault]) {
    if (!ports.has(port)) {
      ports.set(port, options.defaults && isFree(Number(port)) ? port : String(freePort()));
    }
  }
  const folder = Deno.makeTempDirSync({ prefix: "lesson-" });
  const number = /(?<![\d.])\d+(?!\d|\.\d)/g;
  return {
    folder,
    move: (text) =>
      text.replace(number, (digits) => ports.get(digits) ?? digits)
        .replace(/\/tmp\//g, `${folder}/`)
        // a file beside the script: the stage is another folder than the one where people run it
        .replace(/(^|[=,])scripts\//g, `$1${ROOT.pathname}scripts/`),
    [Symbol.dispose]: () => Deno.removeSync(folder, { recursive: true }),
  };
}

/** The ports that the net grants of a run name. */
function portsOf(run: Run): string[] {
  return grantsOf(run)
    .filter(({ kind }) => kind === "net")
    .map(({ value }) => /:([1-9]\d*)$/.exec(value)?.[1])
    .filter((port) => port !== undefined);
}

/** The ports that the options of a lesson have when they are not given. */
function defaultPortsOf({ parameters }: Lesson): string[] {
  return parameters
    .filter(({ value }) => value === "PORT" || value === "ENDPOINT")
    .map(({ fallback = "" }) => /(?:^|:)([1-9]\d*)$/.exec(fallback)?.[1])
    .filter((port) => port !== undefined);
}

/** One thing that a flag permits: `net` and `127.0.0.1:80`. */
export interface Grant {
  kind: string;
  value: string;
}

/** Everything that the flags of a run permit, one by one. */
export function grantsOf(run: Run): Grant[] {
  return run.flags.flatMap((flag) => {
    const found = /^--allow-(\w+)=(.*)$/.exec(flag);
    return (found?.[2]?.split(",") ?? []).map((value) => ({ kind: found![1]!, value }));
  });
}

/** Whether a grant is for all ports of a host. */
export function isWholeHost({ kind, value }: Grant): boolean {
  return kind === "net" && !/:\d+$|^unix:/.test(value);
}

/** The flags of a run with one grant taken away. */
export function flagsWithout(run: Run, grant: Grant): string[] {
  return run.flags.flatMap((flag) => {
    const prefix = `--allow-${grant.kind}=`;
    if (!flag.startsWith(prefix)) return [flag];
    const rest = flag.slice(prefix.length).split(",").filter((value) => value !== grant.value);
    return rest.length > 0 ? [prefix + rest.join(",")] : [];
  });
}

/**
 * The arguments of a run, moved, with an option for each port or path that its defaults would take: the
 * header says `(default: 10000)`, and the stage has another.
 */
export function movedWords(lesson: Lesson, run: Run, stage: Stage): string[] {
  const words = run.words.map(stage.move);
  for (const { name, option, fallback } of lesson.parameters) {
    if (!option || fallback === undefined || stage.move(fallback) === fallback) continue;
    const end = run.words.indexOf("--");
    const options = end < 0 ? run.words : run.words.slice(0, end);
    if (!options.some((word) => word === name || word.startsWith(`${name}=`))) {
      words.unshift(name, stage.move(fallback));
    }
  }
  return words;
}
