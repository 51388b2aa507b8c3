/**
 * A child process that serves, and is replaced when it dies.
 *
 * @module
 */

import { ActionError, attempt } from "./errors.ts";
import { pause } from "./pause.ts";

/** How a child is started and ended. */
export interface ChildOptions {
  /** How long until it says that it listens, in milliseconds; 60,000 unless told. */
  timeout?: number;
  /** How long after a death the next one starts, in milliseconds; 1,000 unless told. */
  pause?: number;
  /** How long it may take to end, in milliseconds, before it is killed; 3,000 unless told. */
  grace?: number;
}

/**
 * A child process of a server, and after it died its successor.
 *
 * The child says `listening on …` on its standard output when it serves, and ends when its standard input
 * does: so it also ends when its parent was killed, and could not end it.
 */
export class SupervisedChild {
  #child: Deno.ChildProcess | undefined;
  #replacing: Promise<void> | undefined;
  readonly #stopping = new AbortController();

  /** @param program looked for on the PATH; what it prints on stderr goes to this program's own */
  constructor(
    readonly program: string,
    readonly args: string[],
    readonly options: ChildOptions = {},
  ) {}

  /** The process's number, while there is one. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /**
   * Starts it, and gives what it said once it listens.
   *
   * @throws {ActionError} when it ends before, or the program is not there or not permitted
   */
  async start(): Promise<string> {
    const { program, args } = this;
    const { timeout = 60_000 } = this.options;
    const child = this.#child = await spawn(program, args);
    try {
      const line = await attempt("start another process", firstLine(child), { timeout });
      this.#replacing = child.status.then((status) => this.#replace(child.pid, status));
      return line;
    } catch (error) {
      await this.#end(child);
      throw error;
    }
  }

  async #replace(pid: number, { code, signal }: Deno.CommandStatus): Promise<void> {
    this.#child = undefined;
    const { pause: milliseconds = 1_000 } = this.options;
    // at Ctrl-C both may get the signal, the child first
    if (!await pause(Math.min(milliseconds, 200), this.#stopping.signal)) return;
    const how = signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
    console.error(`process ${pid} ${how}: another takes its place`);
    while (await pause(milliseconds, this.#stopping.signal)) {
      try {
        await this.start();
        return console.error(`process ${this.pid} took the place of process ${pid}`);
      } catch (error) {
        if (!this.#stopping.signal.aborted) console.error((error as Error).message);
      }
    }
  }

  /** Ends it, by the end of its standard input; one that does not end is killed. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    if (this.#child) await this.#end(this.#child);
    await this.#replacing;
  }

  async #end(child: Deno.ChildProcess): Promise<void> {
    await child.stdin.close().catch(() => {}); // it has ended already
    const { grace = 3_000 } = this.options;
    const ended = new AbortController();
    const status = child.status.finally(() => ended.abort());
    if (await pause(grace, ended.signal)) kill(child);
    await status;
    this.#child = undefined;
  }
}

async function spawn(program: string, args: string[]): Promise<Deno.ChildProcess> {
  try {
    const streams = { stdin: "piped", stdout: "piped", stderr: "inherit" } as const;
    return await attempt(
      `start ${program}`,
      () => new Deno.Command(program, { args, ...streams }).spawn(),
    );
  } catch (error) {
    if (!(error instanceof ActionError) || !(error.cause instanceof Deno.errors.NotFound)) {
      throw error;
    }
    error.explanation.next = `Put the folder that has ${program} on the PATH.`;
    throw error;
  }
}

/** Waits for `listening on …`, then reads no more. */
async function firstLine(child: Deno.ChildProcess): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of child.stdout) {
    text += decoder.decode(piece, { stream: true });
    const line = /^(listening on .*)\n/m.exec(text);
    if (line) return line[1]!;
    if (text.length > 64 * 1024) throw new Error("it says much, but not that it listens");
  }
  throw new Error("it ended before it listened");
}

function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // it has just ended
  }
}
