/**
 * A process of a peer test, ours or theirs: what it prints is collected as bytes and as lines, every wait
 * has a deadline, and it is ended by its own id.
 *
 * @module
 */

const DEADLINE = 60_000; // ten times what the slowest takes on a busy machine

/** Waits for work at most so long. */
export async function within<T>(work: Promise<T>, what: () => string): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const late = () => reject(new Error(`${what()}: not within ${DEADLINE} ms`));
  const timer = setTimeout(late, DEADLINE);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** What a process prints on one stream. */
class Output {
  readonly lines: string[] = [];
  readonly finished: Promise<void>;
  #chunks: Uint8Array[] = [];
  #length = 0;
  #ended = false;
  #news = Promise.withResolvers<void>();

  constructor(
    stream: ReadableStream<Uint8Array>,
    readonly name: string,
    readonly copyTo?: (chunk: Uint8Array) => unknown,
  ) {
    this.finished = this.#collect(stream);
  }

  get bytes(): Uint8Array {
    const whole = new Uint8Array(this.#length);
    let at = 0;
    for (const chunk of this.#chunks) {
      whole.set(chunk, at);
      at += chunk.length;
    }
    return whole;
  }

  get text(): string {
    return new TextDecoder().decode(this.bytes);
  }

  /** The first line that matches, once it has come. */
  line(pattern: RegExp): Promise<RegExpExecArray> {
    let at = 0;
    return this.#until(`a line like ${pattern} of`, () => {
      while (at < this.lines.length) {
        const found = pattern.exec(this.lines[at++]!);
        if (found) return found;
      }
    });
  }

  /** Waits until so many bytes have come. */
  received(count: number): Promise<true> {
    return this.#until(`${count} bytes of`, () => this.#length >= count || undefined);
  }

  #until<T>(wanted: string, look: () => T | undefined): Promise<T> {
    const what = () => `${wanted} ${this.name}, which says:\n${this.text.slice(-2_000)}`;
    const looking = async () => {
      for (;;) {
        const found = look();
        if (found !== undefined) return found;
        if (this.#ended) throw new Error(`no ${what()}`);
        await this.#news.promise;
      }
    };
    return within(looking(), what);
  }

  async #collect(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of stream) {
      this.#chunks.push(chunk);
      this.#length += chunk.length;
      const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = parts.pop()!;
      for (const part of parts) this.lines.push(part);
      this.#tell();
      // not awaited: a peer that waits for its stdout to be taken must not wait for its stdin
      this.copyTo?.(chunk);
    }
    if (rest !== "") this.lines.push(rest);
    this.#ended = true;
    this.#tell();
  }

  #tell(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }
}

/** How a process is started. */
export interface ProcessOptions {
  env?: Record<string, string>;
  /** What it prints on stdout is its input. */
  echo?: boolean;
}

/** A running process. */
export class Process implements AsyncDisposable {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly #name: string;
  readonly #child: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  readonly #ended: Promise<number>;

  constructor([program, ...args]: string[], { env, echo }: ProcessOptions = {}) {
    this.#name = [program, ...args].join(" ").slice(0, 300);
    this.#child = new Deno.Command(program!, {
      args,
      env: { ...env, NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#stdin = this.#child.stdin.getWriter();
    // the failure is told to whoever writes
    this.#stdin.closed.catch(() => {});
    this.stdout = new Output(
      this.#child.stdout,
      `stdout of ${this.#name}`,
      echo ? (chunk) => this.send(chunk) : undefined,
    );
    this.stderr = new Output(this.#child.stderr, `stderr of ${this.#name}`);
    if (echo) this.stdout.finished.then(() => this.send());
    const all = [this.#child.status, this.stdout.finished, this.stderr.finished] as const;
    this.#ended = Promise.all(all).then(([status]) => status.code);
  }

  /** Writes to its stdin; ends the stdin when there is nothing to write. A process that has gone hears nothing. */
  async send(bytes?: Uint8Array): Promise<void> {
    try {
      await (bytes ? this.#stdin.write(bytes) : this.#stdin.close());
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe || error instanceof TypeError)) throw error;
    }
  }

  /** Waits for its end; gives the exit code. */
  end(): Promise<number> {
    return within(this.#ended, () => `the end of ${this.#name}, which says:\n${this.stderr.text}`);
  }

  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Sends a signal and waits for the end. */
  stop(signal: Deno.Signal): Promise<number> {
    this.signal(signal);
    return this.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended already
    }
    await this.send();
    await this.end();
  }
}
