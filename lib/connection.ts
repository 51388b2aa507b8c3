/**
 * One open conversation of a server or client: reads and writes as `Deno.Conn` has them, with what real
 * use needs around them.
 *
 * @module
 */

import { formatEndpoint } from "./address.ts";
import { finish } from "./finish.ts";
import type { Stream } from "./joined_writes.ts";
import { crowded, readInTurn } from "./turns.ts";

/** What a handler of `serve` and a caller of `connect` get. */
export class Connection implements Disposable {
  readonly #inner: Stream;
  /** The other side, as `127.0.0.1:50000`; a client of a Unix socket has no name. */
  readonly remote: string;
  /** Set by each read and write; who watches for idleness clears it. */
  active = true;
  /** Why the connection was closed from this side, if it was. */
  closedFor: Error | undefined;

  constructor(inner: Stream) {
    this.#inner = inner;
    this.remote = inner.remoteAddr.transport === "unix"
      ? "a local client"
      : formatEndpoint(inner.remoteAddr);
    // two small writes and a read would otherwise wait 40 ms for the other side's acknowledgement
    if ("setNoDelay" in inner) (inner as unknown as Deno.TcpConn).setNoDelay(true);
  }

  get localAddr(): Deno.Addr {
    return this.#inner.localAddr;
  }

  get remoteAddr(): Deno.Addr {
    return this.#inner.remoteAddr;
  }

  /** Reads what is there; `null` when the other side has ended its stream. */
  read(into: Uint8Array): Promise<number | null> {
    this.active = true;
    // handed on as it is: a promise of our own around it would cost each message
    return crowded() ? readInTurn(this.#inner, into) : this.#inner.read(into);
  }

  /**
   * Writes all of `bytes`, as Python's `sendall`, and gives their number. One write at a time.
   *
   * It waits while the other side takes nothing: `serve` ends such a wait with its idle timeout.
   */
  write(bytes: Uint8Array): Promise<number> {
    this.active = true;
    return this.#inner.write(bytes).then((count) =>
      count === bytes.length ? count : this.#writeRest(bytes, count)
    );
  }

  async #writeRest(bytes: Uint8Array, sent: number): Promise<number> {
    while (sent < bytes.length) {
      this.active = true;
      sent += await this.#inner.write(bytes.subarray(sent));
    }
    return sent;
  }

  /** Ends this side's stream (half-close): the other side reads an end, and can still send. */
  closeWrite(): Promise<void> {
    return this.#inner.closeWrite();
  }

  /** Closes at once; a read or write that waits fails with `reason`. */
  close(reason?: Error): void {
    this.closedFor ??= reason;
    try {
      this.#inner.close();
    } catch (error) {
      // closing what is closed is no fault
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  /**
   * Closes so that the other side gets all that was sent: see {@linkcode finish}.
   *
   * @param milliseconds how long the other side has to end its stream
   */
  finish(milliseconds = 2_000): Promise<void> {
    return finish(this, { timeout: milliseconds });
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
