/**
 * A Worker that is replaced when it fails: what a thread does wrong is told, and the program goes on.
 *
 * @module
 */

import { pause } from "./pause.ts";

/**
 * The address of a module that calls a function, made from the function's text: a Worker that starts from it
 * reads no file, and needs no permission to. The function can use nothing that is declared outside of it.
 *
 * @example
 * ```ts
 * import { codeOf } from "./supervised_worker.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const code = codeOf(() => (globalThis as unknown as Worker).postMessage(6 * 7));
 * const worker = new Worker(code, { type: "module" });
 * assertEquals((await new Promise<MessageEvent>((resolve) => worker.onmessage = resolve)).data, 42);
 * worker.terminate();
 * ```
 */
export function codeOf(work: () => unknown): string {
  return URL.createObjectURL(new Blob([`(${work})()`], { type: "text/javascript" }));
}

/** What a worker says: that it serves, that its last conversation is over, or why it cannot serve. */
type Answer = "listening" | "over" | { name: string; message: string };

/** A Worker of a server, and after it failed its successor. */
export class SupervisedWorker {
  #worker: Worker | undefined;
  readonly #stopping = new AbortController();
  #over = Promise.withResolvers<void>();

  /**
   * @param code the worker's module, see {@linkcode codeOf}. Its first message is `task`, to which it
   *   answers "listening", or the name and message of an error; to the message "stop", "over"
   * @param name for messages about it: `worker 1`
   * @param options.pause how long after a failure the next one starts, in milliseconds; 1,000 unless told
   */
  constructor(
    readonly code: string,
    readonly name: string,
    readonly task: unknown,
    readonly options: { pause?: number } = {},
  ) {}

  /**
   * Starts it, and settles when it listens.
   *
   * @throws {Error} what it answered instead, or what it failed with
   */
  start(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const worker = this.#worker = new Worker(this.code, { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      if (data === "listening") return resolve();
      if (data === "over") return this.#over.resolve();
      // only data goes from thread to thread: an error comes without its class
      const { NotCapable } = Deno.errors;
      reject(data.name === "NotCapable" ? new NotCapable(data.message) : new Error(data.message));
    };
    worker.onerror = (event) => {
      event.preventDefault(); // else the whole program ends
      this.#worker = undefined;
      this.#over.resolve();
      reject(new Error(event.message));
    };
    const served = promise.then(() => this.#over.promise);
    served.then(() => this.#replace(), () => worker.terminate());
    worker.postMessage(this.task);
    return promise;
  }

  /** Runs when a worker that served is no more. */
  async #replace(): Promise<void> {
    const { signal } = this.#stopping;
    for (; !signal.aborted;) {
      console.error(`${this.name} failed: another takes its place`);
      if (!await pause(this.options.pause ?? 1_000, signal)) return;
      this.#over = Promise.withResolvers();
      try {
        return await this.start();
      } catch (error) {
        console.error(`${this.name} cannot be replaced: ${(error as Error).message}`);
      }
    }
  }

  /** Lets it end its conversations, for as long as they take, then ends it. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#worker?.postMessage("stop");
    if (this.#worker) await this.#over.promise;
    this.#worker?.terminate();
  }
}
