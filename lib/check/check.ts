/**
 * The frame of the exercises' checkers: checks in their order, each with a deadline, and what came of each.
 *
 * @module
 */

import { DeadlineError, within } from "../deadline.ts";

/** One thing that a program must do. */
export interface Check<T> {
  /** What is then seen, as a sentence: `a short message comes back`. */
  name: string;
  /** Tries it; throws a {@linkcode Mismatch} when it is not so. */
  run(trial: T): Promise<void>;
  /** The most milliseconds that it may take; 10,000 unless told. More where the timeout is longer than usual. */
  deadline?: number;
  /** The likely mistake when the program is no longer there after this check. */
  ifGone?: string;
  /** Nothing else is worth trying when this fails. */
  first?: boolean;
}

/** What a check saw, in words. */
export interface Finding {
  /** What was sent or done. */
  sent?: string;
  expected: string;
  got: string;
  /** The mistake that most often leads to this. */
  likely?: string;
}

/** The program did something else than it should. */
export class Mismatch extends Error {
  override name = "Mismatch";

  constructor(readonly finding: Finding) {
    super(`expected ${finding.expected}, got ${finding.got}`);
  }
}

/** The program is not there: further checks make no sense. */
export class Gone extends Mismatch {
  override name = "Gone";

  /** @param meanwhile whether it was there when the check began */
  constructor(finding: Finding, readonly meanwhile = false) {
    super(finding);
  }
}

/** What came of one check. */
export interface Result extends Partial<Finding> {
  name: string;
  outcome: "passed" | "failed" | "not tried";
}

/** How {@linkcode runChecks} goes about it. */
export interface CheckOptions {
  /** Tries nothing after the first failure. */
  stopAtFirst?: boolean;
  /** How long a program may be silent, in milliseconds; deadlines are for 3,000, and grow with what is above. */
  timeout?: number;
  /** Told each result as it is there. */
  onResult?: (result: Result) => void;
}

/**
 * Tries one check after another. A check that does not end within its deadline has failed; what it opened is
 * closed by disposing of its trial. An error that is no {@linkcode Mismatch} is thrown on: it is the checker's own.
 *
 * @param begin makes what one check works with
 *
 * @example
 * ```ts
 * import { Mismatch, runChecks } from "./check.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const checks = [
 *   { name: "one is one", run: async () => {} },
 *   {
 *     name: "it says two",
 *     run: () => Promise.reject(new Mismatch({ expected: "two", got: "one", likely: "it cannot count" })),
 *   },
 * ];
 * const results = await runChecks(checks, () => ({ [Symbol.dispose]() {} }));
 * assertEquals(results.map(({ outcome }) => outcome), ["passed", "failed"]);
 * assertEquals(results[1]?.likely, "it cannot count");
 * ```
 */
export async function runChecks<T extends Disposable>(
  checks: readonly Check<T>[],
  begin: () => T,
  options: CheckOptions = {},
): Promise<Result[]> {
  const results: Result[] = [];
  let previous: Check<T> | undefined;
  const slowness = Math.max(1, (options.timeout ?? USUAL_TIMEOUT) / USUAL_TIMEOUT);
  let over = false;
  for (const check of checks) {
    const { gone, ...result } = over ? NOT_TRIED : await tried(check, begin, slowness);
    if (gone) {
      // where it was there for the check before, that is what ended it
      result.likely = (gone === "meanwhile" ? check : previous)?.ifGone ?? result.likely;
      over = true;
    }
    if (result.outcome === "failed" && (check.first || options.stopAtFirst)) over = true;
    results.push({ name: check.name, ...result });
    options.onResult?.(results.at(-1)!);
    previous = check;
  }
  return results;
}

interface Outcome extends Omit<Result, "name"> {
  /** Whether the program is there no more. */
  gone?: "before" | "meanwhile" | false;
}

const USUAL_TIMEOUT = 3_000;

const NOT_TRIED: Outcome = { outcome: "not tried" };

async function tried<T extends Disposable>(
  check: Check<T>,
  begin: () => T,
  slowness: number,
): Promise<Outcome> {
  const deadline = Math.round((check.deadline ?? 10_000) * slowness);
  using trial = begin();
  try {
    await within(deadline, check.run(trial));
    return { outcome: "passed" };
  } catch (error) {
    if (error instanceof Mismatch) {
      const gone = error instanceof Gone && (error.meanwhile ? "meanwhile" : "before");
      return { outcome: "failed", ...error.finding, gone };
    }
    if (!(error instanceof DeadlineError)) throw error;
    return {
      outcome: "failed",
      expected: `an end within ${deadline / 1000} s`,
      got: "it went on and on",
      likely: "bytes come or are taken so slowly, or so many of them, that there is no end to it",
    };
  }
}
