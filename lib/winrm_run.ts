/**
 * A command on a WinRM server from start to end.
 *
 * @module
 */

import { pause } from "./pause.ts";
import {
  createShell,
  deleteShell,
  type Output,
  receiveOutput,
  type RemoteCommand,
  sendInput,
  signalCommand,
  startCommand,
  type WsmanClient,
  WsmanFault,
} from "./winrm.ts";

/** How long goodbyes may take, in milliseconds. */
const GOODBYE = 4_000;
/** How much is sent at once: as base64 it stays far below the largest envelope. */
const PIECE = 32 * 1024;

/** How a command is run. */
export interface RunOptions {
  /** How its output is encoded; 65001, which is UTF-8, unless told. */
  codePage?: number;
  /** What it reads; nothing unless told. */
  input?: AsyncIterable<Uint8Array>;
  /** Gets what it prints, as it comes; the next output is asked for when this is done. */
  onOutput: (output: Output) => unknown;
  /** Ends the command. */
  signal?: AbortSignal;
  /** How long the server may wait for output before it says "nothing yet", in seconds; 20 unless told. */
  operationTimeout?: number;
}

/**
 * Runs a command line in a shell of its own. The shell is deleted whatever happens.
 *
 * @returns the exit code
 * @throws {WsmanFault} when the server answers a fault
 * @throws {WsmanError} when it cannot be reached or understood; its `kind` says which
 * @throws the signal's reason, when it is aborted
 *
 * @example
 * ```ts ignore
 * import { runCommand } from "./winrm_run.ts";
 * import { WsmanClient } from "./winrm.ts";
 *
 * using client = new WsmanClient({ hostname: "192.0.2.1", user: "student", password });
 * const exitCode = await runCommand(client, "hostname", {
 *   onOutput: ({ stdout }) => Deno.stdout.write(stdout),
 *   signal: AbortSignal.timeout(60_000),
 * });
 * ```
 */
export async function runCommand(
  client: WsmanClient,
  line: string,
  options: RunOptions,
): Promise<number> {
  const { signal, codePage } = options;
  const shellId = await createShell(client, { codePage, signal });
  try {
    const command = await startCommand(client, shellId, line, { signal });
    try {
      return await converse(client, command, options);
    } finally {
      await sayGoodbye(() => signalCommand(client, command, "terminate", { timeout: GOODBYE }));
    }
  } finally {
    await sayGoodbye(() => deleteShell(client, shellId, { timeout: GOODBYE }));
  }
}

/**
 * Sends what a command is to read while receiving what it prints, until it is done.
 *
 * @returns the exit code
 */
export async function converse(
  client: WsmanClient,
  command: RemoteCommand,
  options: Omit<RunOptions, "codePage">,
): Promise<number> {
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const sending = options.input
    ? sendAll(client, command, options.input, signal).catch((error) => stop.abort(error))
    : undefined;
  try {
    for (;;) {
      const { operationTimeout } = options;
      const output = await receiveOutput(client, command, { operationTimeout, signal });
      if (!output || isEmpty(output)) await pause(100); // so that nobody is asked without a break
      if (!output) continue; // nothing yet
      await options.onOutput(output);
      if (output.done) return output.exitCode ?? 0;
    }
  } finally {
    stop.abort(new DoneError());
    // an input that never ends is not waited for
    void sending;
  }
}

/** Whether it says that the command runs, and nothing else. */
export function isEmpty({ stdout, stderr, done }: Output): boolean {
  return !done && stdout.length === 0 && stderr.length === 0;
}

class DoneError extends Error {}

/** Sends all that a command is to read, and that it was all; stops when the command reads no more. */
export async function sendAll(
  client: WsmanClient,
  command: RemoteCommand,
  input: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const bytes of input) {
      for (let at = 0; at < bytes.length; at += PIECE) {
        await sendPatiently(client, command, bytes.subarray(at, at + PIECE), { signal });
      }
      signal.throwIfAborted();
    }
    await sendPatiently(client, command, new Uint8Array(), { end: true, signal });
  } catch (error) {
    // a command may end, or close its input, without having read all
    if (!(error instanceof WsmanFault)) throw error;
  }
}

/** Sends again while the server says that the command has not yet read enough to take more. */
async function sendPatiently(...given: Parameters<typeof sendInput>): Promise<void> {
  for (;;) {
    try {
      return await sendInput(...given);
    } catch (error) {
      if (!(error instanceof WsmanFault && error.timedOut)) throw error;
      await pause(100, given[3]?.signal);
    }
  }
}

/** Does the last of what there is to do: that it fails must not hide why. */
export async function sayGoodbye(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch {
    // the server ends what is left by itself, after a while
  }
}
