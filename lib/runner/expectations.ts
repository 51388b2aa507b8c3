/**
 * What a lesson prints, compared with what its header says.
 *
 * @module
 */

import type { Run } from "../run_line.ts";
import type { Line, Running } from "./process.ts";
import type { Stage } from "./stage.ts";

/**
 * Waits until a server has printed what it must, since what its client sent may still be under way; a line
 * that comes at Ctrl-C only is not waited for longer than the server has something to say.
 */
export async function caughtUp(running: Running, run: Run, stage: Stage): Promise<void> {
  const due = performance.now() + 5_000;
  for (let seen = -1; seen < running.lines.length && performance.now() < due;) {
    const before = seen = running.lines.length;
    const done = (lines: Line[]) => missing(lines, run, stage).length === 0;
    if (done(running.lines)) return;
    await running.until((lines) => lines.length > before || done(lines), 300);
  }
}

/** What the header expects and the lines do not have. */
export function missing(lines: Line[], run: Run, stage: Stage): string[] {
  return ([["stdout", run.expect], ["stderr", run.log]] as const).flatMap(([stream, patterns]) => {
    const first = firstMissing(lines, stream, patterns.map(stage.move));
    return first === undefined ? [] : [`expected on ${stream}: ${first}`];
  });
}

/** The first pattern that no line matches after those before it; `*` stands for any characters. */
export function firstMissing(
  lines: Line[],
  stream: Line["stream"],
  patterns: string[],
): string | undefined {
  const texts = lines.filter((line) => line.stream === stream).map((line) => line.text);
  let at = 0;
  for (const pattern of patterns) {
    const escaped = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
    const wanted = new RegExp(`^${escaped.join(".*")}$`, "s");
    const found = texts.findIndex((text, index) => index >= at && wanted.test(text.trimEnd()));
    if (found < 0) return pattern;
    at = found + 1;
  }
}
