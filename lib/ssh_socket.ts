/**
 * The Node stream that the library ssh2 wants for a socket. It makes a client wait that takes nothing: what
 * such a client sends is not read, so that no answers pile up for it.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import type { Connection } from "./connection.ts";
import { after } from "./deadline.ts";

/** What may wait for a client before it is no longer listened to, in bytes. */
const MOST_UNSENT = 1024 * 1024;
/** How long the last bytes may take to leave, in milliseconds. */
const LINGER = 2_000;

/** A connection as a Node stream. */
export class SshSocket extends Duplex {
  /** ssh2 hands it on with each client. */
  readonly remoteAddress: string;
  /** Whether keys have been agreed on. */
  welcome = false;
  readonly #connection: Connection;
  readonly #closed = Promise.withResolvers<void>();
  /** Settles when bytes have left, or the socket is closed. */
  #news = Promise.withResolvers<void>();
  #lingers: Disposable | undefined;

  constructor(connection: Connection) {
    super({ writableHighWaterMark: MOST_UNSENT });
    this.#connection = connection;
    this.remoteAddress = connection.remote;
    // why it was cut off is told by who did it; without a listener Node ends the process
    this.on("error", () => {});
  }

  /**
   * Hands on what comes until the other side ends, or the socket is closed from this side.
   *
   * @param most of what may wait to be sent while it listens, in bytes; a mebibyte unless told
   */
  async run(most = MOST_UNSENT): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    try {
      for (let count; (count = await this.#connection.read(buffer)) !== null;) {
        // the buffer is used again, and ssh2 keeps pieces of what it gets
        this.push(Buffer.from(buffer.subarray(0, count)));
        await this.flushed(most);
      }
      this.push(null);
      this.end();
      await this.#closed.promise;
    } catch (error) {
      // of a client that was cut off, who did that tells why
      if (!this.destroyed && !this.writableEnded) throw error;
    } finally {
      this.destroy();
    }
  }

  /** Settles when at most so many bytes wait to be sent; half a mebibyte unless told. */
  async flushed(most = MOST_UNSENT / 2): Promise<void> {
    while (this.writableLength > most && !this.destroyed) await this.#news.promise;
  }

  override _read(): void {}

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error) => void): void {
    this.#connection.write(chunk).then(() => this.#sent(done), done);
  }

  override _writev(chunks: { chunk: Uint8Array }[], done: (error?: Error) => void): void {
    const bytes = Buffer.concat(chunks.map(({ chunk }) => chunk));
    this.#connection.write(bytes).then(() => this.#sent(done), done);
  }

  #sent(done: () => void): void {
    done();
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }

  /** Ends this side; a client that then takes nothing, or does not end its own, is not waited for. */
  override end(): this {
    this.#lingers ??= after(LINGER, () => this.destroy());
    return super.end();
  }

  override _final(done: () => void): void {
    this.#connection.closeWrite().then(done, () => done());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#lingers?.[Symbol.dispose]();
    this.#news.resolve();
    this.#closed.resolve();
    this.#connection.close(error ?? undefined);
    done(error);
  }
}
