/**
 * A program that runs for an SSH session: its three streams are the client's, and it ends when the client
 * goes.
 *
 * @module
 */

import { after } from "./deadline.ts";
import { type Ending, type SessionChannel, SIGNALS } from "./ssh_channel.ts";

/** How a program is run. */
export interface ProgramOptions {
  /** Whether the client's input is the program's; otherwise it has none. */
  input: boolean;
  /** The user's name, for `USER` and `LOGNAME`. */
  user: string;
  /** Told when it runs. */
  onStart?: (running: Running) => void;
}

/** A running program. */
export interface Running {
  pid: number;
  /** Sends a signal by SSH's name for it, without `SIG`; others are left alone. */
  signal(name: string): void;
}

/** How long a program may take to end itself when its client has gone, in milliseconds. */
const GRACE = 2_000;

/**
 * Starts a program without a shell and waits for its end. It gets no variable of this process but a search
 * path of the system's: what stands in this process' environment is none of its clients' business.
 *
 * @param words the program's name and its arguments
 * @returns how it ended; 126 with the fault when it cannot be run, 127 when it is not there, as shells do
 */
export async function runProgram(
  [name = "", ...args]: string[],
  channel: SessionChannel,
  options: ProgramOptions,
): Promise<Ending & { fault?: unknown }> {
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(name, {
      args,
      clearEnv: Deno.build.os !== "windows",
      env: {
        PATH: "/usr/local/bin:/usr/bin:/bin",
        LANG: "C.UTF-8",
        USER: options.user,
        LOGNAME: options.user,
      },
      stdin: options.input ? "piped" : "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    return { code: error instanceof Deno.errors.NotFound ? 127 : 126, fault: error };
  }
  const ended = new AbortController();
  const kill = (signal: Deno.Signal) => {
    try {
      if (!ended.signal.aborted) child.kill(signal);
    } catch {
      // it has just ended
    }
  };
  options.onStart?.({
    pid: child.pid,
    signal: (signal) => SIGNALS.includes(signal) && kill(`SIG${signal}` as Deno.Signal),
  });
  const stdin = options.input ? child.stdin.getWriter() : undefined;
  let force: Disposable | undefined;
  const leave = () => {
    kill("SIGTERM");
    force = after(GRACE, () => kill("SIGKILL"));
  };
  channel.gone.addEventListener("abort", leave, { once: true });
  if (channel.gone.aborted) leave();
  try {
    if (stdin) feed(channel, stdin);
    const [status] = await Promise.all([
      child.status.finally(() => ended.abort()),
      drain(child.stdout, channel, "stdout"),
      drain(child.stderr, channel, "stderr"),
    ]);
    return status.signal ? { signal: status.signal.slice(3) } : { code: status.code };
  } finally {
    // it may have ended before its input has
    stdin?.abort().catch(() => {});
    force?.[Symbol.dispose]();
    channel.gone.removeEventListener("abort", leave);
  }
}

/** Hands the client's input on, until it ends or nobody reads it any more. */
async function feed(
  channel: SessionChannel,
  stdin: WritableStreamDefaultWriter<Uint8Array>,
): Promise<void> {
  // the failure is told to whoever writes
  stdin.closed.catch(() => {});
  try {
    for (let piece; (piece = await channel.read()) !== null;) await stdin.write(piece);
    await stdin.close();
  } catch {
    // a program need not read what is sent to it, but the client must not wait until it does
    channel.discard();
  }
}

async function drain(
  output: ReadableStream<Uint8Array>,
  channel: SessionChannel,
  to: "stdout" | "stderr",
): Promise<void> {
  const reader = output.getReader();
  // another process may hold the stream open after the program has ended
  const leave = () => void reader.cancel().catch(() => {});
  channel.gone.addEventListener("abort", leave, { once: true });
  try {
    if (channel.gone.aborted) leave();
    for (let next; !(next = await reader.read()).done;) await channel.write(to, next.value);
  } finally {
    channel.gone.removeEventListener("abort", leave);
  }
}
