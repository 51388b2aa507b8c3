/**
 * A checker's end of a connection to a student's program: nothing that the program does makes a call hang,
 * throw or take memory without limit; what it did is told instead.
 *
 * @module
 */

import { after, within } from "../deadline.ts";
import { quoted } from "../display.ts";
import { pause } from "../pause.ts";

/** What came, and what the other side did then. */
export interface Heard {
  bytes: Uint8Array;
  /** `more` when all that was waited for has come. */
  then: "more" | "silent" | "ended" | "reset";
}

const ROOM = 4_096, PART = 64 * 1024, STEP = 16 * 1024;

/** One connection. */
export class Exchange implements Disposable {
  readonly #connection: Deno.TcpConn;
  readonly #timeout: number;
  readonly #buffer = new Uint8Array(64 * 1024);
  /** A read that has begun and of which nobody has the result yet. */
  #reading: Promise<number | null> | undefined;
  /** What a read has brought beyond what was asked for: it is the beginning of what is heard next. */
  #surplus: Uint8Array = this.#buffer.subarray(0, 0);
  #closed = false;
  /** How many bytes the other side, and the systems between, have taken so far. */
  taken = 0;

  /** @param timeout how long the other side may be silent, or take nothing, in milliseconds */
  constructor(connection: Deno.TcpConn, timeout: number) {
    this.#connection = connection;
    this.#timeout = timeout;
    connection.setNoDelay(true);
  }

  /** Sends all; gives how many bytes the other side took before it left, or stopped taking any. */
  async send(data: Uint8Array | string): Promise<number> {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    let sent = 0;
    try {
      while (sent < bytes.length) {
        // in parts, to see how it gets on
        const part = bytes.subarray(sent, sent + PART);
        const count = await within(this.#timeout, this.#connection.write(part));
        sent += count;
        this.taken += count;
      }
    } catch {
      // it has gone, or takes nothing: what it answers tells more
    }
    return sent;
  }

  /** Waits until nothing more is taken for a moment: all buffers on the way are full, or all is sent. */
  async stalled(): Promise<void> {
    const due = performance.now() + 5_000;
    for (let before = -1; before !== this.taken && performance.now() < due;) {
      before = this.taken;
      await pause(250);
    }
  }

  /** Ends the sending side: the other side's read says so. */
  async end(): Promise<void> {
    await this.#connection.closeWrite().catch(() => {});
  }

  /**
   * Waits until `count` bytes have come, the stream has ended, or nothing comes for the timeout; where bytes come
   * drop by drop, ten times as long at most for each 16 KiB. More than asked for is given as well when it is
   * already there, up to 4 KiB; what is more than that comes first the next time.
   */
  async hear(count: number, timeout = this.#timeout): Promise<Heard> {
    const room = new Uint8Array(count + ROOM);
    let length = 0;
    let then: Heard["then"] = "more";
    for (let mark = 0, due = 0; length < count;) {
      // who reads byte by byte is slow, on a busy machine even more so, and right
      if (length >= mark) {
        due = performance.now() + 10 * timeout;
        mark = length + STEP;
      }
      if (performance.now() >= due) break;
      const got = await this.#read(timeout);
      if (typeof got === "string") {
        then = got;
        break;
      }
      const piece = got.subarray(0, room.length - length);
      room.set(piece, length);
      length += piece.length;
      this.#surplus = got.subarray(piece.length);
    }
    return { bytes: room.subarray(0, length), then };
  }

  /** All that comes until the stream ends, `limit` bytes at most. */
  hearOut(limit: number): Promise<Heard> {
    return this.hear(limit + 1);
  }

  async #read(timeout: number): Promise<Uint8Array | "silent" | "ended" | "reset"> {
    if (this.#surplus.length > 0) return this.#surplus;
    if (this.#closed) return "reset";
    this.#reading ??= this.#connection.read(this.#buffer).catch(() => -1);
    const reading = this.#reading;
    const { promise: late, resolve } = Promise.withResolvers<"silent">();
    using _deadline = after(timeout, () => resolve("silent"));
    const result = await Promise.race([reading, late]);
    if (result === "silent") return result;
    this.#reading = undefined;
    if (result === null) return "ended";
    return result < 0 ? "reset" : this.#buffer.subarray(0, result);
  }

  /** Closes; with bytes unread, the system sends a reset. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection.close();
  }
}

/**
 * Bytes as a report shows them: escaped, 80 at most.
 *
 * @example
 * ```ts
 * import { show } from "./exchange.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(show("a\n"), '"a\\n"');
 * ```
 */
export function show(data: Uint8Array | string): string {
  return quoted(data, { limit: 80 });
}

/**
 * What was heard, in words.
 *
 * @example
 * ```ts
 * import { heard } from "./exchange.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(heard({ bytes: new Uint8Array([104, 105]), then: "ended" }), '"hi", then the end of the stream');
 * assertEquals(heard({ bytes: new Uint8Array(), then: "silent" }), "nothing");
 * ```
 */
export function heard({ bytes, then }: Heard): string {
  const end = {
    more: "",
    silent: ", then nothing more",
    ended: ", then the end of the stream",
    reset: ", then a reset",
  }[then];
  if (bytes.length > 0) return show(bytes) + end;
  return {
    more: "nothing",
    silent: "nothing",
    ended: "the end of the stream",
    reset: "a reset",
  }[then];
}
