/**
 * Checks made on a machine that is reached: one short command each, whose output is judged here. The commands
 * need no shell there.
 *
 * @module
 */

import { type Check, describeCheck, type Finding } from "./fleet_checks.ts";
import type { Output, Remote } from "./fleet_remote.ts";
import { listeningPorts, modeOf } from "./fleet_unix.ts";
import {
  judgeContent,
  shown,
  undecided,
  type Verdict,
  wanted,
  withReason,
} from "./fleet_verdict.ts";
import { probeWindows } from "./fleet_windows.ts";
import { fillIn, posixWord, windowsWord } from "./inventory_words.ts";

/**
 * Makes one check.
 *
 * @param variables of the host, put in place of `{{ name }}` in any text of the check
 * @throws the signal's reason, and when the machine is lost
 */
export async function probe(
  remote: Remote,
  check: Check,
  variables: Record<string, string>,
  signal: AbortSignal,
): Promise<Finding> {
  const filled = filledIn(check, variables, remote.system);
  const run = (command: string) => remote.run(command, signal);
  const { holds, found } = "command" in filled
    ? await probeCommand(run, filled)
    : remote.system === "windows"
    ? await probeWindows(run, filled)
    : await probeUnix(run, filled);
  return { check: describeCheck(filled), holds, found };
}

/** In a command a value is one word, whatever is in it; elsewhere it is taken as it is. */
function filledIn(
  check: Check,
  variables: Record<string, string>,
  system: Remote["system"],
): Check {
  const quote = system === "windows" ? windowsWord : posixWord;
  const filled = Object.entries(check).map(([key, value]) => [
    key,
    typeof value === "string"
      ? fillIn(value, variables, key === "command" ? quote : undefined)
      : value,
  ]);
  return Object.fromEntries(filled);
}

type Run = (command: string) => Promise<Output>;
type Of<Key extends string> = Extract<Check, { [key in Key]: unknown }>;

async function probeCommand(run: Run, check: Of<"command">): Promise<Verdict> {
  const { exit = 0, prints } = check;
  const { code, stdout, stderr, stdoutCut } = await run(check.command);
  if (code !== exit) return { holds: false, found: withReason(`exit code ${code}`, stderr) };
  if (prints !== undefined && !stdout.includes(prints)) {
    if (stdoutCut) return undecided(`"${prints}" is not in it`);
    return { holds: false, found: `it prints ${shown(stdout)}, not "${prints}"` };
  }
  return { holds: true, found: shown(stdout) };
}

async function probeUnix(run: Run, check: Exclude<Check, Of<"command">>): Promise<Verdict> {
  if ("file" in check) return await probeFile(run, check);
  if ("port" in check) {
    const { listening = true } = check;
    const list = await listeningPorts(run);
    if (typeof list === "string") return { holds: false, found: list };
    const listens = list.ports.has(Number(check.port));
    if (!listens && list.cut) return undecided("the port is not in it");
    return wanted(listens, listening, "a program listens", "nothing listens");
  }
  const { running = true } = check;
  const { code, stdout, stderr, stdoutCut } = await run("ps -A -o comm=");
  if (code !== 0) return { holds: false, found: withReason("no list of processes", stderr) };
  // Linux keeps 15 characters of a name, others the whole path
  const names = stdout.split("\n").map((line) => line.trim().replace(/^.*\//, ""));
  const count =
    names.filter((name) =>
      name === check.process || name.length === 15 && check.process.startsWith(name)
    ).length;
  if (count === 0 && stdoutCut) return undecided("it is not in the list");
  return wanted(count > 0, running, `${count} of it`, "it does not run");
}

/** Any other failure, as that a folder may not be entered, does not tell that a file is not there. */
const ABSENT = /: (No such file or directory|Not a directory)/;

async function probeFile(run: Run, check: Of<"file">): Promise<Verdict> {
  const { file, exists = true, mode, contains, content } = check;
  const path = posixWord(file);
  // its mode is written the same on every Unix, unlike the options of stat
  const list = `ls -ldL -- ${path}`;
  let { code, stdout, stderr } = await run(list);
  if (code !== 0 && !ABSENT.test(stderr)) {
    // it may have said so in the language of the machine; without env it stays unknown
    ({ code, stdout, stderr } = await run(`env LC_ALL=C ${list}`));
  }
  if (code !== 0) {
    const absent = ABSENT.test(stderr);
    const what = absent ? "it is not there" : "it is not known whether it is there";
    return { holds: !exists && absent, found: withReason(what, stderr) };
  }
  if (!exists) return { holds: false, found: "it is there" };
  const itsMode = modeOf(stdout);
  if (mode !== undefined && itsMode !== mode.padStart(4, "0")) {
    return { holds: false, found: `mode ${itsMode ?? shown(stdout)}` };
  }
  if (contains === undefined && content === undefined) {
    return { holds: true, found: `mode ${itsMode}` };
  }
  const inside = await run(`cat -- ${path}`);
  if (inside.code !== 0) return { holds: false, found: withReason("unreadable", inside.stderr) };
  return judgeContent(inside.stdout, check, inside.stdoutCut);
}
