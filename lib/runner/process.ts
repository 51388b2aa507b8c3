/**
 * A script as a process, with what it printed, line by line.
 *
 * @module
 */

/** A line that a process printed. */
export interface Line {
  stream: "stdout" | "stderr";
  text: string;
}

/** A running script. */
export interface Running extends AsyncDisposable {
  /** As a person would have typed it. */
  command: string;
  /** All lines so far, at most 10,000. */
  lines: Line[];
  /** The exit code, once it has ended; a signal that ended it counts as 128 and more, as in a shell. */
  ended: Promise<number>;
  /** Waits until what it printed fulfils a condition; false when it ends, or the time is up, before. */
  until(condition: (lines: Line[]) => boolean, milliseconds: number): Promise<boolean>;
  /** Sends Ctrl-C and waits; kills it when it has not ended after the time. */
  interrupt(milliseconds: number): Promise<number>;
}

const MOST_LINES = 10_000;

/** Starts Deno with the given arguments. */
export function start(
  words: string[],
  options: { command: string; cwd: string; env?: Record<string, string>; stdin?: string[] },
): Running {
  const { command, cwd, env, stdin = [] } = options;
  const child = new Deno.Command(Deno.execPath(), {
    args: words,
    cwd,
    env: { PATH: pathWithDeno(), ...env, NO_COLOR: "1" },
    stdin: stdin.length > 0 ? "piped" : "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();

  const lines: Line[] = [];
  const listeners = new Set<() => void>();
  const collect = async (stream: Line["stream"]) => {
    let rest = "";
    const add = (text: string) => {
      if (lines.length < MOST_LINES) lines.push({ stream, text });
    };
    for await (const text of child[stream].pipeThrough(new TextDecoderStream())) {
      const parts = (rest + text).split("\n");
      rest = parts.pop()!.slice(0, 65_536);
      parts.forEach(add);
      listeners.forEach((listener) => listener());
    }
    if (rest !== "") add(rest);
  };
  const output = Promise.all([collect("stdout"), collect("stderr")]);
  const ended = Promise.all([child.status, output]).then(([status]) => status.code);
  if (stdin.length > 0) type(child.stdin, stdin);

  const interrupt = async (milliseconds: number) => {
    tryKill(child, "SIGINT");
    const timer = setTimeout(() => tryKill(child, "SIGKILL"), milliseconds);
    try {
      return await ended;
    } finally {
      clearTimeout(timer);
    }
  };
  return {
    command,
    lines,
    ended,
    interrupt,
    until(condition, milliseconds) {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const look = () => {
        if (condition(lines)) resolve(true);
      };
      const timer = setTimeout(() => resolve(false), milliseconds);
      listeners.add(look);
      ended.then(() => resolve(false));
      look();
      return promise.finally(() => {
        clearTimeout(timer);
        listeners.delete(look);
      });
    },
    async [Symbol.asyncDispose]() {
      tryKill(child, "SIGKILL");
      await ended;
    },
  };
}

/** `deno` is this very Deno to the scripts as well: it may not be on the PATH, or a slower starter of it may. */
function pathWithDeno(): string {
  const folder = Deno.execPath().replace(/[/\\][^/\\]*$/, "");
  const separator = Deno.build.os === "windows" ? ";" : ":";
  return [folder, Deno.env.get("PATH") ?? ""].join(separator);
}

async function type(stdin: WritableStream<Uint8Array>, lines: string[]): Promise<void> {
  const writer = stdin.getWriter();
  try {
    await writer.write(new TextEncoder().encode(lines.join("\n") + "\n"));
    await writer.close();
  } catch {
    // it ended without reading what was typed; its exit code tells the rest
  }
}

function tryKill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // it has ended already
  }
}
