#!/usr/bin/env -S deno run --allow-run=ls,grep
/**
 * Two processes and a pipe between them: ls | grep Aug
 *
 * The standard output of the first process becomes the standard input of the second, and both run at the
 * same time. A pipe holds little: when the second is slow, the first waits. When the first ends, the second
 * reads the end of its input. When the second ends before, nobody reads any more, and the system ends the
 * first with the signal SIGPIPE at its next write. That is why `seq 1 1000000 | head` is done at once.
 *
 * A shell makes one pipe and gives each process an end of it. Deno makes a pipe to each of its children,
 * so the bytes pass through this program: it carries them from the one to the other. No shell is asked:
 * each command is cut into words here, and `|`, `>` or `$` in one is refused.
 *
 * @lecture 004 From pipes to sockets · 001 Advanced topics
 * @python  subprocess.Popen(stdout=PIPE) → Deno.Command.spawn, os.pipe → ReadableStream.pipeTo,
 *          process.wait → process.status
 * @run     deno run --allow-run=ls,grep scripts/ipc/pipe.ts "ls /etc" "grep hosts"
 * @expect  hosts
 * @log     ls ended with exit code 0
 * @log     grep ended with exit code 0
 * @run     deno run --allow-run=seq,head scripts/ipc/pipe.ts "seq 1 1000000" "head -n 2"
 * @expect  1
 * @expect  2
 * @log     seq was ended by SIGPIPE: nobody reads what it writes
 * @log     head ended with exit code 0
 * @argument [FIRST]   the command that writes (default: ls)
 * @argument [SECOND]  the command that reads (default: grep Aug)
 * @see     https://docs.deno.com/api/deno/~/Deno.Command
 * @see     https://man7.org/linux/man-pages/man7/pipe.7.html
 * @module
 */

import { run } from "../../lib/cli.ts";
import { CommandError, splitCommand } from "../../lib/ssh_commands.ts";
import { startProgram } from "../../lib/start_program.ts";
import { UsageError } from "../../lib/usage.ts";

/** Starts a program; what it says on stderr goes to our own. */
function start(
  [program, ...args]: string[],
  streams: Pick<Deno.CommandOptions, "stdin" | "stdout">,
): Promise<Deno.ChildProcess> {
  return startProgram(program!, () => new Deno.Command(program!, { args, ...streams }).spawn());
}

/** Says how a process ended, and gives the exit code that a shell would give. */
function ended(program: string, { code, signal }: Deno.CommandStatus): number {
  if (signal === "SIGPIPE") {
    console.error(`${program} was ended by SIGPIPE: nobody reads what it writes`);
  } else if (signal) console.error(`${program} was ended by ${signal}`);
  else console.error(`${program} ended with exit code ${code}`);
  return code; // for a signal Deno says 128 and the signal's number, as shells do
}

/** Runs `first | second`; gives the exit code of the second, as a shell does. */
export async function pipe(first: string[], second: string[]): Promise<number> {
  // `using` ends a process that is still there when something goes wrong
  await using writer = await start(first, { stdin: "inherit", stdout: "piped" });
  await using reader = await start(second, { stdin: "piped", stdout: "inherit" });
  try {
    // reads no faster than the second process takes; at the end it closes the second's input
    await writer.stdout.pipeTo(reader.stdin);
  } catch (error) {
    // the second has ended: pipeTo has then closed the first's output too, and its next write fails
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
  // a shell waits for both
  ended(first[0]!, await writer.status);
  return ended(second[0]!, await reader.status);
}

/** The words of a command line; what needs a shell, or is no command, is wrong usage. */
function wordsOf(line: string): string[] {
  try {
    return splitCommand(line);
  } catch (error) {
    throw error instanceof CommandError ? new UsageError(error.message) : error;
  }
}

export async function main(options: { first: string; second: string }): Promise<void> {
  Deno.exitCode = await pipe(wordsOf(options.first), wordsOf(options.second));
}

if (import.meta.main) await run(main);
