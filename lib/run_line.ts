/**
 * The `@run` line of a lesson: a command that a person can paste, taken apart so that a program can run it.
 *
 * @module
 */

/** One way to run a lesson, and what must be seen when it runs. */
export interface Run {
  /** The line as it stands in the header. */
  line: string;
  /** Variables set before `deno run`: `NAME=value deno run …`. */
  env: Record<string, string>;
  /** Deno's flags, as written. */
  flags: string[];
  /** The script's path in the repository. */
  script: string;
  /** What follows the script's name. */
  words: string[];
  /** Whether it needs the real internet, and is not run here. */
  online: boolean;
  /** What to run in another terminal once this listens; when it has ended, this is stopped. */
  client?: Run;
  /** Lines typed into its standard input. */
  stdin: string[];
  /** Patterns that must come on stdout, in this order. */
  expect: string[];
  /** Patterns that must come on stderr, in this order. */
  log: string[];
}

/** Reads a `[NAME=value…] deno run [flags] script [arguments]` line, quotes as in a shell. */
export function parseRun(line: string, online = false): Run {
  const words = shellWords(line);
  const env: Record<string, string> = {};
  while (/^[A-Z_][A-Z0-9_]*=/.test(words[0] ?? "")) {
    const [name, ...value] = words.shift()!.split("=");
    env[name!] = value.join("=");
  }
  const script = words.findIndex((word) => word.endsWith(".ts"));
  if (words[0] !== "deno" || words[1] !== "run" || script < 0) {
    throw new SyntaxError(`cannot read "${line}": write deno run FLAGS scripts/….ts ARGUMENTS`);
  }
  const flags = words.slice(2, script);
  for (const flag of flags) {
    if (!flag.startsWith("-")) throw new SyntaxError(`"${flag}" is not a flag in "${line}"`);
    // -N=HOST:PORT is a grant as well, but nobody can see what it says, and no stage can move it
    if (/^(-[A-Z].*|--allow-\w+)$/.test(flag)) {
      throw new SyntaxError(
        `${flag} grants too much: name what the lesson needs, as in --allow-net=HOST:PORT`,
      );
    }
  }
  const rest = words.slice(script + 1);
  return {
    line,
    env,
    flags,
    script: words[script]!,
    words: rest,
    online,
    stdin: [],
    expect: [],
    log: [],
  };
}

/** Cuts a line into words as a shell does: spaces separate, quotes and backslashes hold together. */
function shellWords(line: string): string[] {
  const words: string[] = [];
  const token = /\s*((?:"(?:[^"\\$`]|\\.)*"|'[^']*'|\\.|[^\s"'\\|&;<>()$`])+)/y;
  while (token.lastIndex < line.trimEnd().length) {
    const found = token.exec(line);
    if (!found) {
      throw new SyntaxError(`cannot read "${line}": only words and quotes stand in a @run line`);
    }
    words.push(
      found[1]!.replace(
        /"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)/g,
        (_, double, single, one) =>
          double !== undefined ? double.replace(/\\(["\\$`])/g, "$1") : single ?? one,
      ),
    );
  }
  return words;
}
