/**
 * A command line cut into the words of one program, as a POSIX shell does, but without a shell: what only a
 * shell can do is refused, and not taken for something else.
 *
 * @module
 */

/** A command line that is none, or asks for a shell. */
export class CommandError extends Error {
  override name = "CommandError";
}

/** The longest command line, in characters. */
const MOST = 32 * 1024;
const NEEDS: Record<string, string> = {
  "|": "a pipe",
  ">": "a redirection",
  "<": "a redirection",
  ";": "a list of commands",
  "&": "a command in the background",
  "\n": "several lines",
  "$": "a variable",
  "`": "a command in a command",
  "(": "a group of commands",
  ")": "a group of commands",
  "*": "a file name pattern",
  "?": "a file name pattern",
  "[": "a file name pattern",
};

/**
 * Cuts a command line into words. Single quotes hold everything together; in double quotes a backslash keeps
 * the meaning of `$`, `` ` ``, `"` and itself away; elsewhere it does so for any character.
 *
 * @throws {CommandError} when a quote does not end, when there is no word, and for what needs a shell: pipes,
 * redirections, `;`, `&`, variables, patterns, comments, assignments
 * @see {@link https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_02 POSIX, Quoting}
 *
 * @example
 * ```ts
 * import { CommandError, splitCommand } from "./ssh_commands.ts";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * assertEquals(splitCommand("cut -d: -f1 /etc/passwd"), ["cut", "-d:", "-f1", "/etc/passwd"]);
 * assertEquals(splitCommand(`echo 'a  b' "c \\"d\\"" e\\ f ""`), ["echo", "a  b", 'c "d"', "e f", ""]);
 * assertThrows(() => splitCommand("cat x | sort"), CommandError, "| (a pipe) needs a shell");
 * ```
 */
export function splitCommand(line: string): string[] {
  if (line.length > MOST) {
    throw new CommandError(`a command line has at most ${MOST} characters, not ${line.length}`);
  }
  if (line.includes("\0")) throw new CommandError("a command line holds no zero byte");
  const words: string[] = [];
  let word: string | undefined;
  let at = 0;
  const quoted = (end: string): string => {
    let text = "";
    for (at++; line[at] !== end; at++) {
      if (at >= line.length) throw new CommandError(`the quote ${end} does not end`);
      const character = line[at]!;
      if (end === "'") text += character;
      else if (character === "\\" && /["\\$`\n]/.test(line[at + 1] ?? "")) {
        const next = line[++at]!;
        text += next === "\n" ? "" : next;
      } else if (character === "$" || character === "`") throw needsShell(character);
      else text += character;
    }
    return text;
  };
  for (; at < line.length; at++) {
    const character = line[at]!;
    // a line end may end the line, but not go on to another
    const end = (character === "\n" || character === "\r") && line.slice(at).trim() === "";
    if (character === " " || character === "\t" || end) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === "'" || character === '"') word = (word ?? "") + quoted(character);
    else if (character === "\\") {
      const next = line[++at];
      if (next === undefined) throw new CommandError("the command line ends with a backslash");
      // a backslash before a line end joins the lines
      if (next !== "\n") word = (word ?? "") + next;
    } else if (NEEDS[character]) throw needsShell(character);
    else if (word === undefined && (character === "#" || character === "~")) {
      throw needsShell(character, character === "#" ? "a comment" : "a home folder");
    } else if (character === "=" && words.length === 0 && /^[A-Za-z_]\w*$/.test(word ?? "")) {
      throw needsShell(`${word}=`, "an assignment");
    } else word = (word ?? "") + character;
  }
  if (word !== undefined) words.push(word);
  if (words.length === 0) throw new CommandError("there is no command");
  return words;
}

function needsShell(sign: string, what = NEEDS[sign]!): CommandError {
  const shown = sign === "\n" ? "a line end" : sign;
  return new CommandError(
    `${shown} (${what}) needs a shell, and none is asked here: one program is started, ` +
      `with the words as they are (quote ${sign === "\n" ? "it" : shown} to pass it on)`,
  );
}
