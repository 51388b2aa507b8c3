/**
 * A server that another program starts for a while, as a process.
 *
 * @module
 */

import { ActionError, attempt } from "./errors.ts";
import { pause } from "./pause.ts";

/** A server that runs, until it is disposed of. */
export interface StartedServer extends AsyncDisposable {
  readonly pid: number;
  /** What it said once it listened. */
  readonly line: string;
}

/**
 * Starts a server, and waits until it says `listening on …` on its standard output. Disposing of it asks it to
 * end (SIGTERM), and kills it after 5 seconds. What it says on stderr is shown only when it fails to start.
 *
 * @param program looked for on the PATH
 * @param options.env variables that it gets besides those of this process
 * @throws {ActionError} when the program is not there or not permitted, or ends before it listens
 */
export async function startServer(
  program: string,
  args: string[],
  options: { env?: Record<string, string> } = {},
): Promise<StartedServer> {
  const child = await spawn(program, args, options.env);
  const said = collect(child.stderr);
  const end = async () => {
    kill(child, "SIGTERM");
    const ended = new AbortController();
    const status = child.status.finally(() => ended.abort());
    if (await pause(5_000, ended.signal)) kill(child, "SIGKILL");
    await Promise.all([status, said.finished]);
  };
  try {
    const line = await attempt("start a server", firstLine(child.stdout), { timeout: 60_000 });
    return { pid: child.pid, line, [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    const why = said.text.trim().split("\n")[0];
    throw why ? new Error(`cannot start a server: ${why}`) : error;
  }
}

async function spawn(
  program: string,
  args: string[],
  env?: Record<string, string>,
): Promise<Deno.ChildProcess> {
  try {
    const streams = { stdin: "null", stdout: "piped", stderr: "piped" } as const;
    return await attempt(
      `start ${program}`,
      () => new Deno.Command(program, { args, env, ...streams }).spawn(),
    );
  } catch (error) {
    if (error instanceof ActionError && error.cause instanceof Deno.errors.NotFound) {
      error.explanation.next = `Put the folder that has ${program} on the PATH.`;
    }
    throw error;
  }
}

/** Reads a stream to its end, so that who writes is never held up, and keeps the first 64 KiB. */
function collect(stream: ReadableStream<Uint8Array>) {
  const decoder = new TextDecoder();
  const collected = { text: "", finished: Promise.resolve() };
  collected.finished = (async () => {
    for await (const piece of stream) {
      if (collected.text.length < 64 * 1024) {
        collected.text += decoder.decode(piece, { stream: true });
      }
    }
  })();
  return collected;
}

async function firstLine(stdout: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of stdout) {
    text += decoder.decode(piece, { stream: true });
    const line = /^(listening on .*)\n/m.exec(text);
    if (line) return line[1]!;
    if (text.length > 64 * 1024) throw new Error("it says much, but not that it listens");
  }
  throw new Error("it ended before it listened");
}

function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // it has ended
  }
}
