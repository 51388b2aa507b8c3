/**
 * How a test names a play, and what it shows when one fails.
 *
 * @module
 */

import type { Lesson } from "../../lib/lesson.ts";
import type { Run } from "../../lib/run_line.ts";
import type { Play } from "../../lib/runner/play.ts";

/** The lesson's name, with its arguments where it can be run in several ways. */
export function nameOf(lesson: Lesson, run: Run): string {
  return lesson.runs.length === 1 ? lesson.name : [lesson.name, ...run.words].join(" ");
}

/** All that a play showed, for the message of a failed test. */
export function shown({ faults, terminals }: Play): string {
  const transcripts = terminals.map(({ command, lines, code }) =>
    [`$ ${command}`, ...lines.map(({ stream, text }) => `${stream}: ${text}`), `exit code ${code}`]
      .join("\n")
  );
  return [...faults, ...transcripts].join("\n");
}
