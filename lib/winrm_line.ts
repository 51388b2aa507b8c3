/**
 * A command line as the stand-in for Windows runs it: one of a list of programs, without a shell.
 *
 * @module
 */

import { scriptOf } from "./powershell.ts";
import { CommandError, splitCommand } from "./ssh_commands.ts";
import { ShellProcess } from "./winrm_process.ts";
import { Refusal } from "./wsman_reply.ts";
import { escapeXml } from "./xml.ts";

/**
 * Starts the program that a command line names. An encoded script for PowerShell is taken for a command line
 * too, and its errors are told as PowerShell tells them.
 *
 * @param programs the names of those that may be run
 * @throws {Refusal} for any other
 *
 * @example
 * ```ts
 * import { startLine } from "./winrm_line.ts";
 * import { Refusal } from "./wsman_reply.ts";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(() => startLine("rm -r /", ["echo"]), Refusal, "rm is not among the programs");
 * ```
 */
export function startLine(line: string, programs: string[]): ShellProcess {
  const script = scriptOf(line);
  const fail = (text: string) =>
    new ShellProcess({ stderr: script === undefined ? text : asObjects(text), exitCode: 1 });
  try {
    const words = splitCommand(script ?? line);
    const [program] = words;
    // a list of names: no other path to a program of the same name
    if (!programs.includes(program!)) {
      throw new Refusal(
        "w:AccessDenied",
        `${program!.slice(0, 100)} is not among the programs that may be run: ${
          programs.join(", ")
        }`,
        { code: "5" },
      );
    }
    return new ShellProcess(words);
  } catch (error) {
    if (error instanceof CommandError) return fail(`${error.message}\r\n`);
    if (error instanceof Deno.errors.NotFound) {
      return fail(`'${line.slice(0, 100)}': there is no such program\r\n`);
    }
    throw error;
  }
}

/** PowerShell's way to write errors where no console is: objects as XML. */
function asObjects(text: string): string {
  const escaped = text.replace(
    /\p{Cc}|_(?=x[0-9A-F]{4}_)/gu,
    (character) => `_x${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}_`,
  );
  const error = `<S S="Error">${escapeXml(escaped)}</S>`;
  const schema = "http://schemas.microsoft.com/powershell/2004/04";
  return `#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="${schema}">${error}</Objs>`;
}
