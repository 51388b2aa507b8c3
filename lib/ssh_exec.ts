/**
 * A command on an SSH connection: its three streams, and how it ended.
 *
 * @module
 */

import type { Readable } from "node:stream";
import { after, within } from "./deadline.ts";
import type { Source } from "./patient_input.ts";
import type { Channel, Client } from "./ssh2.ts";
import { SshError } from "./ssh_errors.ts";
import type { Sink } from "./terminal_output.ts";
import { writeOutput } from "./write_output.ts";

/** How a command is run. */
export interface ExecOptions {
  /** What it reads; nothing unless told. */
  stdin?: Source;
  /** Where its output goes, as fast as that takes it; nowhere unless told. */
  stdout?: Sink;
  stderr?: Sink;
  /** Ends the command: its reason is the name of the signal that it gets, `INT` or `TERM`. */
  signal?: AbortSignal;
  /** How long it has to end at a signal before it is left alone, in milliseconds; 2,000 unless told. */
  grace?: number;
  /** How long it may print nothing, in milliseconds; for ever unless told. */
  idle?: number;
  /** How long the server may take to start it, in milliseconds; as the connection's timeout unless told. */
  timeout?: number;
}

/** How a command ended: by itself, with a code, or by a signal. */
export interface Ended {
  code: number | null;
  /** `TERM`, `KILL` … */
  signal?: string;
  /** Whether it was left to itself: it did not end at the signal, and may still run. */
  left?: boolean;
}

/** The numbers of the signals that SSH has names for ({@link https://www.rfc-editor.org/rfc/rfc4254#section-6.10 RFC 4254, 6.10}). */
const SIGNALS: Record<string, number> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  ABRT: 6,
  FPE: 8,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
};

/**
 * The exit code that tells how a command ended, as a shell does: its own, or 128 and the signal's number.
 *
 * @example
 * ```ts
 * import { exitCode } from "./ssh_exec.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(exitCode({ code: null, signal: "TERM" }), 143);
 * ```
 */
export function exitCode({ code, signal }: Ended): number {
  return code ?? 128 + (SIGNALS[signal ?? ""] ?? 0);
}

/** What ssh2 keeps of one stream before it stops the server. */
const MOST = 2 * 1024 * 1024;

/** Runs a command; `lost` rejects when the connection goes. */
export async function runCommand(
  client: Client,
  command: string,
  options: ExecOptions & { timeout: number; lost: Promise<never> },
): Promise<Ended> {
  const { stdin, stdout, stderr, signal, grace = 2_000, idle = Infinity, timeout, lost } = options;
  const opening = within(timeout, open(client, command));
  opening.catch(() => {});
  const { channel, exit, closed } = await Promise.race([opening, lost]);
  const { promise: stopped, resolve: leave, reject: giveUp } = Promise.withResolvers<Ended>();
  using quiet = new Idle(idle, giveUp);
  using _stopping = onAbort(signal, () => {
    const name = String(signal!.reason);
    // not channel.signal, which does nothing once stdin has ended
    if (channel.outgoing.state !== "closed") client._protocol.signal(channel.outgoing.id, name);
    return after(grace, () => leave({ code: null, signal: name, left: true }));
  });
  if (stdin) feed(channel, stdin, closed).catch(giveUp);
  else channel.end();
  const finished = Promise.all([
    drain(channel, channel.stderr, quiet, stdout),
    drain(channel.stderr, channel, quiet, stderr),
    closed,
  ]).then(() => {
    if (exit.ended) return exit.ended;
    throw new SshError("the server does not tell how it ended");
  });
  // whichever loses the race later fails unheard
  finished.catch(() => {});
  stopped.catch(() => {});
  try {
    return await Promise.race([
      finished,
      stopped,
      lost.catch((error) => {
        // a server may tell how a command ended and hang up before the channel is closed
        if (exit.ended && channel.readableEnded && channel.stderr.readableEnded) return exit.ended;
        throw error;
      }),
    ]);
  } finally {
    channel.close();
  }
}

/** A command that was started. */
interface Started {
  channel: Channel;
  /** Filled when the server tells. */
  exit: { ended?: Ended };
  closed: Promise<void>;
}

function open(client: Client, command: string): Promise<Started> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error) return reject(new SshError(`the server does not run it (${error.message})`));
      // listened to at once: a short command ends in the same packet that says that it has begun
      const exit: Started["exit"] = {};
      channel.on("exit", (code: number | null, name?: string) => {
        exit.ended = { code, ...name && { signal: name.replace(/^SIG/, "") } };
      });
      channel.on("error", () => {}); // what is written when the command has ended
      // a stream destroys itself when both directions have ended, and ssh2's destroy closes the channel:
      // before the server has told the exit code
      channel.destroy = () => channel;
      const closed = new Promise<void>((done) => channel.on("close", () => done()));
      resolve({ channel, exit, closed });
    });
  });
}

/**
 * Copies one output; waits while too much of the other one is kept, since both share a window.
 */
function drain(stream: Readable, other: Readable, quiet: Idle, sink?: Sink): Promise<void> {
  const copy = async (chunk: Uint8Array) => {
    stream.pause();
    await quiet.during(sink ? writeOutput(sink, chunk) : Promise.resolve());
    while (other.readableLength >= MOST && stream.readableLength < MOST && !other.readableEnded) {
      await new Promise<void>((resolve) => after(20, resolve));
    }
    stream.resume();
  };
  let copied = Promise.resolve();
  return new Promise((resolve, reject) => {
    stream.on("data", (chunk: Uint8Array) => {
      // in their order: ssh2 lets a stream flow again when the channel closes
      copied = copied.then(() => copy(chunk));
      copied.catch(reject);
    });
    // the end comes while the last bytes are still being written
    stream.on("end", () => copied.then(resolve, reject));
  });
}

async function feed(channel: Channel, stdin: Source, closed: Promise<void>): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  for (;;) {
    const count = await Promise.race([stdin.read(buffer), closed]);
    if (typeof count !== "number") break;
    const taken = new Promise<void>((resolve) => {
      channel.write(buffer.slice(0, count), () => resolve());
    });
    await Promise.race([taken, closed]);
  }
  channel.end();
}

/** Gives up when nothing has come for so long. While what has come is not taken yet, that is not its fault. */
class Idle implements Disposable {
  #last = performance.now();
  #untaken = 0;
  #waiting: Disposable;

  constructor(readonly limit: number, readonly giveUp: (error: Error) => void) {
    this.#waiting = after(limit, () => this.#look());
  }

  async during(taking: Promise<void>): Promise<void> {
    this.#untaken++;
    await taking;
    this.#untaken--;
    this.#last = performance.now();
  }

  #look(): void {
    const since = this.#untaken > 0 ? performance.now() : this.#last;
    const left = since + this.limit - performance.now();
    if (left > 0) return void (this.#waiting = after(left, () => this.#look()));
    const reason = `it printed nothing for ${this.limit / 1000} s`;
    this.giveUp(new SshError(reason, "The command may still run there."));
  }

  [Symbol.dispose](): void {
    this.#waiting[Symbol.dispose]();
  }
}

function onAbort(signal: AbortSignal | undefined, stop: () => Disposable): Disposable {
  let grace: Disposable | undefined;
  const onSignal = () => grace = stop();
  if (signal?.aborted) onSignal();
  else signal?.addEventListener("abort", onSignal, { once: true });
  return {
    [Symbol.dispose]() {
      signal?.removeEventListener("abort", onSignal);
      grace?.[Symbol.dispose]();
    },
  };
}
