#!/usr/bin/env -S deno run --allow-run=date
/**
 * A command, its output and its exit code
 *
 * The lecture's `os.system("ls")` gives its text to a shell, and a shell takes more from a text than meant:
 * with a file name like "; rm -rf ." a second command runs. Here a program gets its arguments one by one,
 * as they are, and no shell looks at them: "; echo hacked" is a strange argument, and no more than that.
 *
 * Deno also wants to know beforehand which programs may be run: --allow-run names them. A program that may
 * run is outside of Deno's other permissions, so name none that runs what it is told to (sh, env, xargs).
 *
 * @lecture 003 ETC TOPICS: etc system call · 001 Advanced topics
 * @python  os.system → Deno.Command.output, commands.getoutput → Deno.Command.spawn,
 *          time.strftime("%c") → Date.toLocaleString
 * @run     deno run --allow-run=date scripts/ipc/run_command.ts
 * @expect  now: * *:*:* 20*
 * @expect  20*
 * @log     date ended with exit code 0
 * @run     deno run --allow-run=echo scripts/ipc/run_command.ts echo "; echo hacked"
 * @expect  ; echo hacked*
 * @log     echo ended with exit code 0
 * @argument [PROGRAM]      what to run (default: date)
 * @argument [ARGUMENT...]  its arguments; write -- before the program when one starts with a dash
 * @option  --seconds SECONDS  how long it may take (default: 10)
 * @option  --limit BYTES      how much it may print (default: 1048576)
 * @see     https://docs.deno.com/api/deno/~/Deno.Command
 * @module
 */

import { run } from "../../lib/cli.ts";
import { attempt } from "../../lib/errors.ts";
import { startProgram } from "../../lib/start_program.ts";
import { writeOutput } from "../../lib/write_output.ts";

/** The time as the lecture prints it, `Sun Nov 22 10:00:00 2026`: Python's time.strftime("%c"). */
export function now(date = new Date()): string {
  const part = (options: Intl.DateTimeFormatOptions) => date.toLocaleString("en-US", options);
  const day = part({ weekday: "short" }) + " " + part({ month: "short" });
  const time = part({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  return `${day} ${String(date.getDate()).padStart(2)} ${time} ${date.getFullYear()}`;
}

export interface Options {
  program: string;
  argument: string[];
  seconds: number;
  limit: number;
}

/** Runs a program and collects what it prints, up to a limit. */
export async function output(options: Options): Promise<{ text: Uint8Array; code: number }> {
  const { program, argument, seconds, limit } = options;
  // with no default arguments, `date` prints in the words of the system's language: ask for figures
  const args = program === "date" && argument.length === 0 ? ["+%Y-%m-%d %H:%M:%S"] : argument;
  // `using` waits for the end of the program, however we leave
  await using child = await startProgram(
    program,
    () => new Deno.Command(program, { args, stdin: "null", stdout: "piped" }).spawn(),
  );
  // Python's getoutput, and Deno's output(), keep all that comes, however much that is
  const collect = async () => {
    const text = new Uint8Array(limit);
    let length = 0;
    for await (const piece of child.stdout) {
      if (length + piece.length > limit) throw new Error(`it prints more than ${limit} bytes`);
      text.set(piece, length);
      length += piece.length;
    }
    const { code } = await child.status;
    return { text: text.subarray(0, length), code };
  };
  try {
    return await attempt(`run ${program}`, collect, { timeout: seconds * 1_000 });
  } catch (error) {
    try {
      child.kill("SIGKILL"); // a program may ignore a polite SIGTERM
    } catch {
      // it has ended already, and only what it started still prints
    }
    throw error;
  }
}

export async function main(options: Options): Promise<void> {
  console.log(`now: ${now()}`);
  const { text, code } = await output(options);
  await writeOutput(Deno.stdout, text);
  console.error(`${options.program} ended with exit code ${code}`);
  Deno.exitCode = code;
}

if (import.meta.main) await run(main);
