/**
 * The channel of one SSH session, seen from the server: the program's three streams, with backpressure in
 * both directions, and how it ended.
 *
 * @module
 */

import type { RawChannel } from "./ssh2_server.ts";

/** How a program ended: with a code, or by a signal without `SIG`, as SSH writes it. */
export type Ending = { code: number } | { signal: string };

/** The signals that SSH knows ({@link https://www.rfc-editor.org/rfc/rfc4254#section-6.9 RFC 4254, 6.9}). */
export const SIGNALS = [
  ...["ABRT", "ALRM", "FPE", "HUP", "ILL", "INT", "KILL", "PIPE", "QUIT", "SEGV", "TERM"],
  ...["USR1", "USR2"],
];

/** A session's channel. */
export class SessionChannel {
  readonly #raw: RawChannel;
  readonly #flushed: () => Promise<void>;
  /** Aborted when the client has closed the channel, or has gone. */
  readonly gone: AbortSignal;
  readonly #queue: Uint8Array[] = [];
  #ended = false;
  #news = Promise.withResolvers<void>();
  #turn: Promise<void> = Promise.resolve();

  /**
   * @param raw ssh2's channel
   * @param gone aborted when nobody is there any more
   * @param flushed settles when the connection has sent nearly all
   * @param onFault told of a client that sends more than it may
   */
  constructor(
    raw: RawChannel,
    gone: AbortSignal,
    flushed: () => Promise<void>,
    onFault: (error: Error) => void,
  ) {
    this.#raw = raw;
    this.gone = gone;
    this.#flushed = flushed;
    gone.addEventListener("abort", () => this.#tell());
    const push = raw.push.bind(raw);
    raw.push = (data) => {
      // ssh2 would keep whatever comes, however much it is
      if (raw.incoming.window < 0) onFault(new Error("it sent more than its window allows"));
      return push(data);
    };
    // ssh2 calls these by itself some time later, and throws when the connection has ended meanwhile
    for (const name of ["eof", "close", "_read"] as const) {
      const original = raw[name].bind(raw);
      raw[name] = (size: number = 0) => {
        if (!gone.aborted) original(size);
      };
    }
    raw.on("data", (data: Uint8Array) => {
      raw.pause();
      this.#queue.push(data);
      this.#tell();
    });
    raw.on("end", () => {
      this.#ended = true;
      this.#tell();
    });
    raw.on("error", () => {});
  }

  /** The next piece of the client's input; `null` at its end, or when the client has gone. */
  async read(): Promise<Uint8Array | null> {
    for (;;) {
      const piece = this.#queue.shift();
      if (piece) return piece;
      if (this.#ended || this.gone.aborted) return null;
      this.#raw.resume();
      await this.#news.promise;
    }
  }

  /** Throws away what else comes: a client that still sends must not wait for nobody. */
  discard(): void {
    this.#raw.removeAllListeners("data");
    this.#raw.resume();
  }

  /**
   * Sends a piece of the program's output, and settles when the client has room for more. When the client
   * has gone it settles at once.
   */
  write(to: "stdout" | "stderr", bytes: Uint8Array): Promise<void> {
    // ssh2 can only remember one piece that waits for room: one after another
    const writing = this.#turn.then(() => this.#writeOne(to, bytes));
    this.#turn = writing.catch(() => {});
    return writing;
  }

  async #writeOne(to: "stdout" | "stderr", bytes: Uint8Array): Promise<void> {
    await this.#flushed();
    if (this.gone.aborted) return;
    const raw = this.#raw;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.gone.addEventListener("abort", () => resolve(), { once: true });
    (to === "stdout" ? raw : raw.stderr).write(bytes, () => resolve());
    await promise;
    // it would send what waited last once more, when the other stream waits
    raw._chunk =
      raw._chunkcb =
      raw._chunkErr =
      raw._chunkcbErr =
        undefined;
  }

  /** Tells how the program ended, and closes the channel. */
  async finish(ending: Ending): Promise<void> {
    await this.#turn;
    this.discard();
    if (this.gone.aborted) return;
    if ("code" in ending) this.#raw.exit(ending.code);
    else if (SIGNALS.includes(ending.signal)) this.#raw.exit(ending.signal, false, "");
    // as a shell would tell it: SSH has no name for this signal
    else this.#raw.exit(255);
    this.#raw.end();
  }

  #tell(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }
}
