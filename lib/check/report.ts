/**
 * What a checker prints: each check with its outcome, what was not as expected below it, and a score.
 *
 * @module
 */

import type { Result } from "./check.ts";

/** How a report is printed. */
export interface ReportOptions {
  /** One JSON document at the end in place of lines. */
  json?: boolean;
  /** Colours; on a terminal without NO_COLOR unless told. */
  coloured?: boolean;
  /** Takes a line; prints it on stdout unless told. */
  print?: (line: string) => void;
}

/**
 * Prints results as they come. What a program sent is in them escaped and shortened already.
 *
 * @example
 * ```ts
 * import { Report } from "./report.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const lines: string[] = [];
 * const report = new Report("127.0.0.1:10000", { print: (line) => lines.push(line), coloured: false });
 * report.add({ name: "it answers", outcome: "passed" });
 * report.add({ name: "it is right", outcome: "failed", expected: '"a"', got: '"b"' });
 * assertEquals(report.end(), 1);
 * assertEquals(lines, [
 *   "checking 127.0.0.1:10000",
 *   " 1 ok    it answers",
 *   " 2 FAIL  it is right",
 *   '         expected  "a"',
 *   '         got       "b"',
 *   "score: 1 of 2",
 * ]);
 * ```
 */
export class Report {
  readonly #subject: string;
  readonly #results: Result[] = [];
  readonly #json: boolean;
  readonly #coloured: boolean;
  readonly #print: (line: string) => void;

  /** @param subject what is checked */
  constructor(subject: string, options: ReportOptions = {}) {
    this.#subject = subject;
    this.#json = options.json ?? false;
    this.#coloured = options.coloured ?? (Deno.stdout.isTerminal() && !Deno.noColor);
    this.#print = options.print ?? console.log;
    if (!this.#json) this.#print(`checking ${subject}`);
  }

  /** Takes the next result, and prints it. */
  add(result: Result): void {
    this.#results.push(result);
    if (this.#json) return;
    const { outcome, name, sent, expected, got, likely } = result;
    const mark = { passed: "ok  ", failed: "FAIL", "not tried": "-   " }[outcome];
    const colour = { passed: 32, failed: 31, "not tried": 2 }[outcome];
    const number = String(this.#results.length).padStart(2);
    this.#print(
      `${number} ${this.#paint(colour, mark)}  ${name}${
        outcome === "not tried" ? ": not tried" : ""
      }`,
    );
    for (const [label, text] of Object.entries({ sent, expected, got, likely })) {
      if (text !== undefined) {
        const shown = label === "likely" ? this.#paint(1, text) : text;
        this.#print(`         ${label.padEnd(9)} ${shown}`);
      }
    }
  }

  /** Prints the score; gives the exit code: 0 when all passed, else 1. */
  end(): number {
    const total = this.#results.length;
    const passed = this.#results.filter(({ outcome }) => outcome === "passed").length;
    const all = passed === total;
    if (this.#json) {
      const report = { subject: this.#subject, passed, total, checks: this.#results };
      this.#print(JSON.stringify(report, null, 2));
    } else this.#print(this.#paint(all ? 32 : 31, `score: ${passed} of ${total}`));
    return all ? 0 : 1;
  }

  #paint(code: number, text: string): string {
    return this.#coloured ? `\x1b[${code}m${text}\x1b[0m` : text;
  }
}
