/**
 * A program that a WinRM shell runs: what it prints waits, within limits, until the client asks for it.
 *
 * @module
 */

import { after } from "./deadline.ts";

/** What is given to a client that asks. */
export interface Printed {
  stdout: Uint8Array;
  stderr: Uint8Array;
  /** Once it has ended and all its output is given. */
  exitCode?: number;
}

/** How much output waits before the program has to, and how much input before the client has to, in bytes. */
const MOST_WAITING = 256 * 1024;
/** How long a program may take to end itself, in milliseconds. */
const GRACE = 1_000;

/** A running program, or one that could not be started and only says why. */
export class ShellProcess {
  readonly #child: Deno.ChildProcess | undefined;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array> | undefined;
  readonly #waiting: { name: "stdout" | "stderr"; bytes: Uint8Array }[] = [];
  #size = 0;
  #unread = 0;
  #exitCode: number | undefined;
  #news = Promise.withResolvers<void>();
  #closed = false;
  /** When it has ended and nothing of it is left. */
  readonly ended: Promise<void>;

  /**
   * Starts a program without a shell; of this process' environment it gets nothing.
   *
   * @throws {Deno.errors.NotCapable} when `--allow-run` does not name it
   * @throws {Deno.errors.NotFound} when it is not there
   */
  constructor(words: string[] | { stderr: string; exitCode: number }) {
    if (!Array.isArray(words)) {
      this.#waiting.push({ name: "stderr", bytes: new TextEncoder().encode(words.stderr) });
      this.#exitCode = words.exitCode;
      this.ended = Promise.resolve();
      return;
    }
    const [program, ...args] = words;
    this.#child = new Deno.Command(program!, {
      args,
      clearEnv: true,
      env: { PATH: "/usr/local/bin:/usr/bin:/bin", LANG: "C.UTF-8" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    // a program may close its input at any time
    this.#writer.closed.catch(() => {});
    this.ended = this.#run(this.#child);
  }

  async #run(child: Deno.ChildProcess): Promise<void> {
    const [status] = await Promise.all([
      child.status,
      this.#collect("stdout", child.stdout),
      this.#collect("stderr", child.stderr),
    ]);
    this.#exitCode = status.code;
    this.#tell();
    await this.#writer!.abort().catch(() => {});
  }

  async #collect(name: "stdout" | "stderr", stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const bytes of stream) {
      if (this.#closed) continue; // nobody will ask
      // a copy: even a piece of one byte holds on to a buffer of 64 KiB
      this.#waiting.push({ name, bytes: bytes.slice() });
      this.#size += bytes.length;
      this.#tell();
      while (this.#size >= MOST_WAITING && !this.#closed) await this.#news.promise;
    }
  }

  #tell(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }

  /** Waits for news, at most until `due` on the clock of `performance.now`; whether there was time left. */
  async #wait(due: number): Promise<boolean> {
    const left = due - performance.now();
    if (left <= 0) return false;
    const { promise, resolve } = Promise.withResolvers<void>();
    using _deadline = after(left, resolve);
    await Promise.race([promise, this.#news.promise]);
    return true;
  }

  /**
   * What it has printed, at most `most` bytes of it; waits until there is something.
   *
   * @returns `undefined` when there is nothing in time
   */
  async receive(timeout: number, most: number): Promise<Printed | undefined> {
    const due = performance.now() + timeout;
    while (this.#waiting.length === 0 && this.#exitCode === undefined) {
      if (!await this.#wait(due)) return undefined;
    }
    // joined: to a client each piece by itself costs much more than its bytes
    const printed = { stdout: new Uint8Array(most), stderr: new Uint8Array(most) };
    const length = { stdout: 0, stderr: 0 };
    let [room, whole] = [most, 0];
    for (const piece of this.#waiting) {
      const taken = piece.bytes.subarray(0, room);
      printed[piece.name].set(taken, length[piece.name]);
      length[piece.name] += taken.length;
      room -= taken.length;
      piece.bytes = piece.bytes.subarray(taken.length);
      if (piece.bytes.length > 0) break;
      whole++;
    }
    this.#waiting.splice(0, whole);
    this.#size -= most - room;
    this.#tell();
    return {
      stdout: printed.stdout.subarray(0, length.stdout),
      stderr: printed.stderr.subarray(0, length.stderr),
      ...(this.#waiting.length === 0 && { exitCode: this.#exitCode }),
    };
  }

  /**
   * Gives it something to read; waits while it has not read what came before.
   *
   * @returns whether it was taken in time
   */
  async send(
    bytes: Uint8Array,
    end: boolean,
    timeout: number,
  ): Promise<boolean> {
    const due = performance.now() + timeout;
    while (this.#unread >= MOST_WAITING && this.#exitCode === undefined) {
      if (!await this.#wait(due)) return false;
    }
    if (!this.#writer || this.#exitCode !== undefined) return true; // nobody reads it any more
    this.#unread += bytes.length;
    const taken = () => {
      this.#unread -= bytes.length;
      this.#tell();
    };
    if (bytes.length > 0) this.#writer.write(bytes).then(taken, taken);
    if (end) this.#writer.close().catch(() => {});
    return true;
  }

  /** Ctrl-C: the program may do with it what it likes. */
  interrupt(): void {
    this.#kill("SIGINT");
  }

  /** Ends it, if need be by force, and forgets what it printed. */
  terminate(): void {
    this.#closed = true;
    this.#tell();
    this.#kill("SIGTERM");
    const force = after(GRACE, () => this.#kill("SIGKILL"));
    this.ended.finally(() => force[Symbol.dispose]());
  }

  #kill(signal: Deno.Signal): void {
    try {
      if (this.#exitCode === undefined) this.#child?.kill(signal);
    } catch {
      // it has just ended
    }
  }
}
