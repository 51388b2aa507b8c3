/**
 * Small writes that leave together.
 *
 * Nagle's algorithm holds the second of two small writes back until the first is acknowledged, and the other
 * side may take 40 ms for that. On a TCP connection `setNoDelay(true)` turns it off, but Deno's server side of
 * TLS has no such call: there, writes are collected and sent as one.
 *
 * @module
 */

import { after } from "./deadline.ts";

/** What is used of a connection. */
export type Stream = Pick<
  Deno.Conn,
  "read" | "write" | "closeWrite" | "close" | "localAddr" | "remoteAddr"
>;

/** As much as one TLS record holds. */
const ROOM = 16 * 1024;

/**
 * Joins small writes: they are sent before the next read, when 16 KiB have come together, at the end of the
 * stream, or after a millisecond. What goes wrong with a write is told by the next call.
 *
 * @example
 * ```ts
 * import { joinWrites } from "./joined_writes.ts";
 * import { assertEquals } from "@std/assert";
 *
 * using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
 * using client = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
 * using accepted = await listener.accept();
 * const joined = joinWrites(accepted);
 * await joined.write(new Uint8Array(4));
 * await joined.write(new Uint8Array(3));
 * await joined.closeWrite();
 * assertEquals(await client.read(new Uint8Array(16)), 7);
 * ```
 */
export function joinWrites(inner: Stream): Stream {
  return new JoinedWrites(inner);
}

class JoinedWrites implements Stream {
  readonly #inner: Stream;
  #held: Uint8Array[] = [];
  #length = 0;
  #soon: Disposable | undefined;
  /** All writes before; each goes on where the last one ended. */
  #sending: Promise<void> = Promise.resolve();

  constructor(inner: Stream) {
    this.#inner = inner;
  }

  get localAddr(): Deno.Addr {
    return this.#inner.localAddr;
  }

  get remoteAddr(): Deno.Addr {
    return this.#inner.remoteAddr;
  }

  async read(into: Uint8Array): Promise<number | null> {
    await this.#flush();
    return await this.#inner.read(into);
  }

  async write(bytes: Uint8Array): Promise<number> {
    if (this.#length + bytes.length > ROOM) await this.#flush();
    if (bytes.length > ROOM) {
      await this.#send(bytes);
      return bytes.length;
    }
    // the caller may use its buffer again
    this.#held.push(bytes.slice());
    this.#length += bytes.length;
    // a failure is kept in #sending, for the next call
    this.#soon ??= after(1, () => this.#flush().catch(() => {}));
    return bytes.length;
  }

  async closeWrite(): Promise<void> {
    await this.#flush();
    await this.#inner.closeWrite();
  }

  close(): void {
    this.#soon?.[Symbol.dispose]();
    this.#inner.close();
  }

  async #flush(): Promise<void> {
    this.#soon?.[Symbol.dispose]();
    this.#soon = undefined;
    if (this.#length > 0) {
      const bytes = new Uint8Array(this.#length);
      let at = 0;
      for (const piece of this.#held) {
        bytes.set(piece, at);
        at += piece.length;
      }
      this.#held = [];
      this.#length = 0;
      await this.#send(bytes);
    } else await this.#sending;
  }

  #send(bytes: Uint8Array): Promise<void> {
    this.#sending = this.#sending.then(async () => {
      for (let sent = 0; sent < bytes.length;) {
        sent += await this.#inner.write(bytes.subarray(sent));
      }
    });
    return this.#sending;
  }
}
