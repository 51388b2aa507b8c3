/**
 * Checks on Windows: one PowerShell script each.
 *
 * @module
 */

import type { Check } from "./fleet_checks.ts";
import { judgeContent, type Verdict, wanted, withReason } from "./fleet_verdict.ts";
import type { Output } from "./fleet_remote.ts";
import { powershellLine } from "./powershell.ts";

/** Any text as a PowerShell literal: between single quotes only these themselves are special. */
function literal(text: string): string {
  // PowerShell takes the typographic ones for the same
  return `'${text.replace(/['‘’‚‛]/g, "$&$&")}'`;
}

/**
 * Makes a check of a file, a port or a process.
 *
 * @param run runs a command line there
 */
export async function probeWindows(
  run: (line: string) => Promise<Output>,
  check: Exclude<Check, { command: string }>,
): Promise<Verdict> {
  const script = scriptFor(check);
  if (script === undefined) return { holds: false, found: "Windows knows no such modes" };
  const { code, stdout, stderr, stdoutCut } = await run(powershellLine(script));
  if (code !== 0) return { holds: false, found: withReason(`exit code ${code}`, stderr) };
  // the first line is the answer, the rest is content
  const [, answer, content] = /^([^\r\n]*)\r?\n?([^]*)$/.exec(stdout)!;
  if (answer !== "yes" && answer !== "no") {
    return { holds: false, found: withReason("no answer of PowerShell", stdout) };
  }
  const is = answer === "yes";
  if ("port" in check) {
    return wanted(is, check.listening ?? true, "a program listens", "nothing listens");
  }
  if ("process" in check) return wanted(is, check.running ?? true, "it runs", "it does not run");
  const there = wanted(is, check.exists ?? true, "it is there", "it is not there");
  const inside = check.contains ?? check.content;
  return is && inside !== undefined ? judgeContent(content!, check, stdoutCut) : there;
}

/** A script that prints `yes` or `no`, and after `yes` the content where that is wanted. */
function scriptFor(check: Exclude<Check, { command: string }>): string | undefined {
  const answer = (condition: string) => `if (${condition}) { 'yes' } else { 'no' }`;
  if ("port" in check) {
    const port = `-State Listen -LocalPort ${Number(check.port)} -ErrorAction SilentlyContinue`;
    return answer(`Get-NetTCPConnection ${port}`);
  }
  if ("process" in check) {
    const name = literal(check.process.replace(/\.exe$/i, ""));
    return answer(`Get-Process | Where-Object { $_.ProcessName -eq ${name} }`);
  }
  if (check.mode !== undefined) return undefined;
  const path = literal(check.file);
  if (check.contains === undefined && check.content === undefined) {
    return answer(`Test-Path -LiteralPath ${path}`);
  }
  return `if (Test-Path -LiteralPath ${path}) { 'yes'; ` +
    `[Console]::OutputEncoding = [Text.Encoding]::UTF8; ` +
    `[Console]::Write((Get-Content -Raw -Encoding UTF8 -LiteralPath ${path})) } else { 'no' }`;
}
