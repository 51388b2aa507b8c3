/**
 * Lines out of a slab. Decoding text costs more by the call than by the byte, so all lines that have come
 * are decoded together and then handed out one by one.
 *
 * @module
 */

import type { Slab } from "./slab.ts";

const LF = 0x0a, CR = 0x0d;
const LEAST_AHEAD = 128, MOST_AHEAD = 64 * 1024;

/** More came, or was announced, than the reader gathers. What had come is still there. */
export class LimitError extends Error {
  override name = "LimitError";

  /** @param limit in bytes */
  constructor(what: string, readonly limit: number) {
    super(`${what} is longer than the limit of ${limit} bytes`);
  }
}

/** Takes lines from a slab; ends are LF and CRLF. */
export class Lines {
  readonly #slab: Slab;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  /** Decoded lines; their bytes stay in the slab until all are taken, or {@linkcode settle} is called. */
  #lines: string[] = [];
  #taken = 0;
  /** The limit that the decoded lines keep to. */
  #limit = 0;
  /**
   * How many bytes are decoded together: more and more while only lines are taken, few again when something
   * else is, since what was decoded is then decoded once more.
   */
  #ahead = LEAST_AHEAD;
  /** Where the decoded lines end in the slab. */
  #end = 0;
  /** How many waiting bytes are known to hold no LF. */
  #searched = 0;

  constructor(slab: Slab) {
    this.#slab = slab;
  }

  /**
   * The next line, or `undefined` when none has come whole.
   *
   * @param all whether all others that have come are decoded with it, for {@linkcode takeDecoded}
   */
  take(limit: number, all = false): string | undefined {
    if (all || limit < this.#limit) this.settle();
    if (this.#taken === this.#lines.length && !this.#decode(limit, all)) return undefined;
    return this.#lines[this.#taken++];
  }

  /** All other lines that are decoded already. */
  takeDecoded(): string[] {
    const lines = this.#lines.slice(this.#taken);
    this.#taken = this.#lines.length;
    return lines;
  }

  /** Decodes bytes that no line's end follows. */
  decode(bytes: Uint8Array): string {
    return this.#decoder.decode(bytes);
  }

  /** Moves the slab behind the last line taken, for a call that wants something else than lines. */
  settle(): void {
    if (this.#lines.length === 0) return;
    const slab = this.#slab;
    if (this.#taken === this.#lines.length) slab.start = this.#end;
    else {
      for (; this.#taken > 0; this.#taken--) slab.start = slab.bytes.indexOf(LF, slab.start) + 1;
      this.#ahead = LEAST_AHEAD;
    }
    this.#lines = [];
    this.#taken = 0;
    this.#searched = 0;
  }

  /** Forgets how far was searched, when bytes were taken by another way. */
  restart(): void {
    this.#searched = 0;
  }

  #decode(limit: number, all: boolean): boolean {
    this.settle();
    const { bytes, start, end } = this.#slab;
    // a line and its CRLF: all lines in this window but a single one are within the limit
    const window = bytes.subarray(start, Math.min(end, start + limit + 2));
    const near = all ? window.length : Math.min(window.length, this.#searched + this.#ahead);
    const last = window.subarray(this.#searched, near).lastIndexOf(LF);
    const found = last < 0 ? window.indexOf(LF, near) : this.#searched + last;
    const length = found < 0 ? window.length : found;
    const cut = window[length - 1] === CR ? length - 1 : length;
    if (cut > limit && (found < 0 || window.indexOf(LF) === length)) {
      throw new LimitError("a line", limit);
    }
    if (found < 0) {
      this.#searched = length;
      return false;
    }
    const text = this.#decoder.decode(window.subarray(0, length));
    this.#lines = text.split("\n");
    if (text.includes("\r")) {
      this.#lines = this.#lines.map((line) => line.endsWith("\r") ? line.slice(0, -1) : line);
    }
    this.#end = start + length + 1;
    this.#limit = limit;
    this.#ahead = Math.min(this.#ahead * 2, MOST_AHEAD);
    return true;
  }
}
