/**
 * The processes of the benchmark. Each is ended by its own id, and none outlives the benchmark.
 *
 * @module
 */

const running = new Set<Process>();

/** How a command is run. */
interface ProcessOptions {
  /** The one of which the line is read; stdout unless told. */
  stream?: "stdout" | "stderr";
  /** When it is ended, in milliseconds; 60,000 unless told. */
  limit?: number;
  /** Where its stderr goes; to the benchmark's own unless told. */
  log?: "inherit" | "null";
}

/** A command that runs, and the lines it prints. */
export class Process implements AsyncDisposable {
  readonly #command: string;
  readonly #child: Deno.ChildProcess;
  readonly #output: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;
  readonly #late: ReturnType<typeof setTimeout>;

  constructor(command: string[], options: ProcessOptions = {}) {
    const { stream = "stdout", limit = 60_000, log = "inherit" } = options;
    const [program, ...args] = command;
    this.#command = command.join(" ");
    this.#child = new Deno.Command(program!, {
      args,
      stdin: "piped",
      stdout: stream === "stdout" ? "piped" : "null",
      stderr: stream === "stderr" ? "piped" : log,
      env: { NO_COLOR: "1" },
    }).spawn();
    this.#output = this.#child[stream].getReader();
    this.#late = setTimeout(() => this.kill(), limit);
    running.add(this);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /**
   * The first line, which must be of the form `expected`; what comes with it is dropped.
   *
   * @param options.among how many lines may come before it is there; 1 unless told
   */
  async line(expected: RegExp, options: { among?: number } = {}): Promise<string> {
    const { among = 1 } = options;
    let lines: string[] = [""];
    for (const decoder = new TextDecoder(); lines.length <= among;) {
      const { value, done } = await this.#output.read();
      if (done) break;
      lines = (lines.join("\n") + decoder.decode(value, { stream: true })).split("\n");
      const found = lines.slice(0, -1).find((line) => expected.test(line));
      if (found !== undefined) return found;
    }
    // else a figure would be taken of a process that failed
    throw new Error(`${this.#command} says "${lines[0]}", not ${expected}`);
  }

  /** Waits for the end; whether the command succeeded. */
  async succeeded(): Promise<boolean> {
    return (await this.#child.status).success;
  }

  kill(): void {
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      // how Deno tells that it has ended by itself
      if (!(error instanceof TypeError)) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#late);
    this.kill();
    await this.#output.cancel();
    await this.#child.stdin.close().catch(() => {}); // the other end has gone
    await this.#child.status;
    running.delete(this);
  }
}

/** Starts a server, which says where it listens in its first line. */
export async function startServer(
  command: string[],
  log?: "inherit" | "null",
): Promise<{ server: Process; port: number }> {
  const server = new Process(command, { log });
  try {
    const line = await server.line(/^listening on .*:\d+$/);
    return { server, port: Number(line.split(":").at(-1)) };
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

/** Runs a command that prints one line, and gives it. */
export async function output(command: string[]): Promise<string> {
  await using process = new Process(command);
  const line = await process.line(/./);
  if (!await process.succeeded()) throw new Error(`${command.join(" ")} failed`);
  return line;
}

/** Whether a command can be run here. What it prints is not shown. */
export async function works(command: string[]): Promise<boolean> {
  const [program, ...args] = command;
  try {
    const quiet = { stdin: "null", stdout: "null", stderr: "null" } as const;
    return (await new Deno.Command(program!, { args, ...quiet }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Ends all that is still running, when the benchmark itself is ended. */
export function endAll(): void {
  for (const process of running) process.kill();
}
