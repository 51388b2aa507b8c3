/**
 * What was found on a machine, beside what was wanted.
 *
 * @module
 */

import { visible } from "./display.ts";

/** What a probe found, and whether that is what was wanted. */
export interface Verdict {
  holds: boolean;
  found: string;
}

/**
 * Whether a text is what a check wants.
 *
 * @param cut whether the text goes on where nobody has looked
 */
export function judgeContent(
  text: string,
  { contains, content }: { contains?: string; content?: string },
  cut = false,
): Verdict {
  if (content !== undefined && cut && content.startsWith(text)) {
    return content === text
      ? { holds: false, found: "its content goes on behind what was wanted" }
      : undecided("so far it is as wanted");
  }
  if (content !== undefined && text !== content) {
    return { holds: false, found: `its content is ${shown(text)}` };
  }
  if (contains !== undefined && !text.includes(contains)) {
    return cut
      ? undecided(`"${contains}" is not in it`)
      : { holds: false, found: `"${contains}" is not in its ${text.length} characters` };
  }
  return { holds: true, found: "as wanted" };
}

/** The answer may stand in the part of an output that was not kept. */
export function undecided(found: string): Verdict {
  return { holds: false, found: `not known, only the first MiB was looked at: ${found}` };
}

/** Compares whether something is so with whether it should be. */
export function wanted(is: boolean, should: boolean, yes: string, no: string): Verdict {
  return { holds: is === should, found: is ? yes : no };
}

/** What went wrong, with the first line of what a program says about it. */
export function withReason(what: string, stderr: string): string {
  const line = stderr.trim().split(/\r?\n/)[0]!;
  return line === "" ? what : `${what}: ${visible(line).slice(0, 200)}`;
}

/** The first line of an output, and how much more there is. */
export function shown(text: string): string {
  const lines = text.trimEnd().split(/\r?\n/);
  if (lines.length === 1 && lines[0] === "") return "nothing";
  const more = lines.length > 1 ? ` and ${lines.length - 1} lines more` : "";
  return `"${visible(lines[0]!).slice(0, 100)}"${more}`;
}
