/**
 * What came of the work on each machine of a fleet, as a table for people.
 *
 * @module
 */

import { visible } from "./display.ts";
import type { Finding } from "./fleet_checks.ts";
import type { Output } from "./fleet_remote.ts";

/** What came of one machine. */
export interface Result {
  host: string;
  /** As it is reached: `user@192.0.2.1:22`. */
  target: string;
  connection: "ssh" | "winrm";
  groups: string[];
  /** `unreachable`: nothing was done there; `failed`: it was reached, and something is not as it should be. */
  state: "ok" | "failed" | "unreachable";
  seconds: number;
  /** Why, when it is not ok and no check tells. */
  reason?: string;
  /** Of a command. */
  output?: Output;
  /** Of checks. */
  checks?: Finding[];
}

/** More lines of a machine than these are counted, not shown. */
const MOST_LINES = 200;
/** More characters of a line than these are counted, not shown. */
const LONGEST_LINE = 2_000;
const CUT = "… cut here: more than 1 MiB";

/**
 * The rows of one machine: the first tells its state, those below it are indented.
 *
 * @param width of the column with the names
 *
 * @example
 * ```ts
 * import { rowsOf } from "./fleet_table.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const common = { target: "me@web1:22", connection: "ssh" as const, groups: [] };
 * const output = { code: 0, stdout: "Linux\n", stderr: "" };
 * const result = { ...common, host: "web1", state: "ok" as const, seconds: 0.24, output };
 * assertEquals(rowsOf(result, 6), ["web1    ok             0.2 s  Linux"]);
 * ```
 */
export function rowsOf(result: Result, width: number): string[] {
  const { host, state, seconds } = result;
  const head = `${host.padEnd(width)}  ${state.padEnd(11)} ${seconds.toFixed(1).padStart(6)} s`;
  const details = detailsOf(result);
  const shown = details.slice(0, MOST_LINES);
  if (details.length > shown.length) {
    shown.push(`… ${details.length - shown.length} lines more (--json has them)`);
  }
  const indent = " ".repeat(head.length);
  return (shown.length > 0 ? shown : [""]).map((line, index) =>
    `${index === 0 ? head : indent}  ${line}`.trimEnd()
  );
}

function detailsOf({ reason, output, checks }: Result): string[] {
  const broken = checks?.filter(({ holds }) => !holds) ?? [];
  // not push(...): a call takes no hundred thousand arguments
  return [
    reason === undefined ? [] : linesOf(reason),
    output && output.code !== 0 ? [`exit code ${output.code}`] : [],
    output ? linesOf(output.stdout) : [],
    output?.stdoutCut ? [CUT] : [],
    output ? linesOf(output.stderr) : [],
    output?.stderrCut ? [CUT] : [],
    checks ? [`${checks.length - broken.length} of ${checks.length} checks hold`] : [],
    broken.map(({ check, found }) => `${visible(check)}: ${visible(found)}`),
  ].flat();
}

/** What a machine says could be anything. */
const linesOf = (text: string) =>
  text.trimEnd().split(/\r?\n/).filter((line) => line !== "").map((line) => {
    const more = line.length - LONGEST_LINE;
    return more <= 0
      ? visible(line)
      : `${visible(line.slice(0, LONGEST_LINE))}… ${more} characters more`;
  });

/** How many are in which state: `3 hosts: 2 ok, 1 failed`. */
export function summaryOf(results: Result[]): string {
  const states = (["ok", "failed", "unreachable"] as const)
    .map((state) => [results.filter((result) => result.state === state).length, state] as const)
    .filter(([count]) => count > 0)
    .map(([count, state]) => `${count} ${state}`);
  return `${results.length} ${results.length === 1 ? "host" : "hosts"}: ${states.join(", ")}`;
}
