/**
 * Reads a byte stream in the pieces a protocol is made of: lines, delimited parts, exact counts. A TCP read
 * returns what happens to be there, half a line or three; what is too much is kept for the next call.
 *
 * @module
 */

import { LimitError, Lines } from "./lines.ts";
import { PatientInput, type Source, type Wait } from "./patient_input.ts";
import { Slab } from "./slab.ts";

export type { Source };

/** Limits of one call, or of all calls of a reader. */
export interface ReadOptions {
  /** The most bytes that one call may gather; 1 MiB unless told. */
  limit?: number;
  /** Milliseconds until all of what a call asks for must have come; 30,000 unless told. */
  timeout?: number;
  /** Ends the wait; nothing that arrives is lost. */
  signal?: AbortSignal;
}

/** The stream ended in the middle of something. What had come is still there for further calls. */
export class UnexpectedEof extends Error {
  override name = "UnexpectedEof";

  /**
   * @param received how many bytes of it came
   * @param wanted how many were wanted, or what should have ended it
   */
  constructor(readonly received: number, readonly wanted: number | string) {
    super(
      typeof wanted === "number"
        ? `the stream ended after ${received} of ${wanted} bytes`
        : `the stream ended after ${received} bytes, before ${wanted}`,
    );
  }
}

export { LimitError };

/**
 * A reader over a socket. `null` tells a clean end: the stream ended and nothing was left. An error, a
 * deadline or an abort loses nothing: the bytes that came stay, and the next call goes on with them.
 *
 * The byte arrays it gives are views that it never writes to again: they can be kept without a copy. One
 * call at a time.
 *
 * @example
 * ```ts
 * import { SocketReader } from "./reader.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = new TextEncoder().encode("HELO example.org\r\n1234rest");
 * const reader = SocketReader.from(bytes);
 * assertEquals(await reader.readLine(), "HELO example.org");
 * assertEquals(await reader.readExactly(4), new TextEncoder().encode("1234"));
 * assertEquals(await reader.readLine(), "rest");
 * assertEquals(await reader.readLine(), null);
 * ```
 */
export class SocketReader implements Source, AsyncIterable<string> {
  readonly #input: PatientInput;
  readonly #options: Required<Pick<ReadOptions, "limit" | "timeout">> & ReadOptions;
  readonly #slab = new Slab();
  readonly #lines = new Lines(this.#slab);
  #ended = false;

  /** @param options defaults for every call */
  constructor(source: Source, options: ReadOptions = {}) {
    this.#input = new PatientInput(source);
    this.#options = { limit: 1024 * 1024, timeout: 30_000, ...options };
  }

  /** A reader over bytes that are already there; each element of a list comes as a read of its own. */
  static from(data: Uint8Array | Uint8Array[], options: ReadOptions = {}): SocketReader {
    const parts = Array.isArray(data) ? [...data] : [data];
    return new SocketReader({
      read(into) {
        while (parts[0]?.length === 0) parts.shift();
        const part = parts[0];
        if (!part) return Promise.resolve(null);
        const count = Math.min(part.length, into.length);
        into.set(part.subarray(0, count));
        parts[0] = part.subarray(count);
        return Promise.resolve(count);
      },
    }, options);
  }

  /** The most bytes that one call gathers, unless the call says otherwise. */
  get limit(): number {
    return this.#options.limit;
  }

  /** How many bytes have come and wait to be taken. */
  get buffered(): number {
    this.#lines.settle();
    return this.#slab.length;
  }

  /** What is there, as `Deno.Conn.read` gives it: bytes kept from before come first. */
  async read(into: Uint8Array, options: ReadOptions = {}): Promise<number | null> {
    if (into.length === 0) return 0;
    if (this.buffered === 0 && !await this.#more(this.#wait(options))) return null;
    const count = Math.min(into.length, this.buffered);
    const { bytes, start } = this.#slab;
    into.set(bytes.subarray(start, start + count));
    this.#slab.skip(count);
    this.#lines.restart();
    return count;
  }

  /** A line that has already come, or `undefined`: in a loop, `tryLine() ?? await readLine()` is fastest. */
  tryLine(options: ReadOptions = {}): string | undefined {
    return this.#lines.take(options.limit ?? this.limit);
  }

  /**
   * The next line without its LF or CRLF, as UTF-8; at the end of the stream what is left, then `null`.
   *
   * @throws {LimitError} when no line's end comes within the limit
   */
  readLine(options: ReadOptions = {}): Promise<string | null> {
    return this.#nextLine(options);
  }

  /** All whole lines that have come, at least one, at the end what is left, then `null`: the fastest way. */
  async readLines(options: ReadOptions = {}): Promise<string[] | null> {
    const first = await this.#nextLine(options, true);
    if (first === null) return null;
    const lines = this.#lines.takeDecoded();
    lines.unshift(first);
    return lines;
  }

  /** Line by line until the end: `for await (const line of reader)`. */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<string> {
    for (let line; (line = this.tryLine() ?? await this.readLine()) !== null;) yield line;
  }

  /**
   * What comes before a delimiter of any length; the delimiter is taken too.
   *
   * @throws {UnexpectedEof} when the stream ends before it
   * @throws {LimitError} when it does not come within the limit
   */
  async readUntil(
    delimiter: Uint8Array | string,
    options: ReadOptions = {},
  ): Promise<Uint8Array<ArrayBuffer> | null> {
    const mark = typeof delimiter === "string" ? new TextEncoder().encode(delimiter) : delimiter;
    if (mark.length === 0) throw new RangeError("cannot read until a delimiter of no bytes");
    const limit = options.limit ?? this.limit;
    let searched = 0;
    for (const wait = this.#wait(options);;) {
      const { buffered } = this;
      const found = this.#slab.find(mark, searched);
      const length = found < 0 ? buffered - mark.length + 1 : found;
      if (length > limit) throw new LimitError("what comes before the delimiter", limit);
      if (found >= 0) return this.#lend(length, mark.length);
      searched = Math.max(0, length);
      if (await this.#more(wait)) continue;
      if (this.buffered === 0) return null;
      throw new UnexpectedEof(this.buffered, "the delimiter");
    }
  }

  /** Exactly `count` bytes when they have already come, or `undefined`. */
  tryExactly(count: number): Uint8Array<ArrayBuffer> | undefined {
    return this.buffered >= count ? this.#lend(count) : undefined;
  }

  /**
   * Exactly `count` bytes; `null` when the stream ends before the first.
   *
   * @throws {UnexpectedEof} that tells how many came and how many were wanted
   * @throws {LimitError} when `count` is over the limit
   */
  async readExactly(
    count: number,
    options: ReadOptions = {},
  ): Promise<Uint8Array<ArrayBuffer> | null> {
    const limit = options.limit ?? this.limit;
    if (count > limit) throw new LimitError(`a part of ${count} bytes`, limit);
    if (await this.fill(count, options)) return this.#lend(count);
    if (this.buffered === 0) return null;
    throw new UnexpectedEof(this.buffered, count);
  }

  /**
   * Waits until at least `count` bytes have come, and takes none; false when the stream ends before.
   *
   * @param count a number, or a function that tells it anew from what has come so far
   */
  async fill(count: number | (() => number), options: ReadOptions = {}): Promise<boolean> {
    for (const wait = this.#wait(options);;) {
      const wanted = typeof count === "number" ? count : count();
      if (this.buffered >= wanted) return true;
      if (!await this.#more(wait, wanted)) return false;
    }
  }

  /**
   * The unsigned number in the next `size` bytes, 1 to 4, most significant first, without taking them;
   * `undefined` when they have not come.
   */
  peekNumber(size: number): number | undefined {
    this.#lines.settle();
    return this.#slab.peekNumber(size);
  }

  /** Everything until the stream ends, perhaps nothing. */
  async readAll(options: ReadOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    const limit = options.limit ?? this.limit;
    for (const wait = this.#wait(options);;) {
      if (this.buffered > limit) throw new LimitError("the stream", limit);
      if (!await this.#more(wait)) return this.#lend(this.buffered);
    }
  }

  async #nextLine(options: ReadOptions, all = false): Promise<string | null> {
    const limit = options.limit ?? this.limit;
    for (const wait = this.#wait(options);;) {
      const line = this.#lines.take(limit, all);
      if (line !== undefined) return line;
      if (await this.#more(wait)) continue;
      // a CR at the very end was not counted, since an LF could have followed
      if (this.buffered > limit) throw new LimitError("a line", limit);
      const rest = this.#lend(this.buffered);
      return rest.length === 0 ? null : this.#lines.decode(rest);
    }
  }

  #lend(count: number, surplus = 0): Uint8Array<ArrayBuffer> {
    this.#lines.restart();
    return this.#slab.lend(count, surplus);
  }

  /** The limits of a call; its deadline is set when it first has to wait. */
  #wait(options: ReadOptions): Wait {
    return { ...this.#options, ...options, due: 0 };
  }

  /** Waits for more bytes; false at the end of the stream. `wanted` is how many the caller waits for. */
  async #more(wait: Wait, wanted = 0): Promise<boolean> {
    if (this.#ended) return false;
    this.#lines.settle();
    const count = await this.#input.read(() => this.#slab.room(wanted), wait);
    if (count === null) this.#ended = true;
    else this.#slab.end += count;
    return count !== null;
  }
}
