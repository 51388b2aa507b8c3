/**
 * What stands between a socket and the MQTT broker: the broker's library wants a Node stream, and trusts
 * its clients. This one counts: a packet that announces too much, and a client that takes nothing, are cut
 * off before they cost memory.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";

/** What is too much. */
export interface StreamLimits {
  /** The largest packet that a client may send, in bytes; 256 KiB unless told. */
  packet?: number;
  /** How much may wait for a client that does not read, in bytes; 1 MiB unless told. */
  backlog?: number;
}

/** A Node stream over anything that sends and closes. */
export class MqttStream extends Duplex {
  readonly #guard: PacketGuard;
  readonly #backlog: number;
  readonly #send: (bytes: Uint8Array) => Promise<unknown>;
  readonly #close: (reason?: Error) => void;
  /** How many bytes wait, and those of them that are not under way yet. */
  #waiting = 0;
  #queue: Uint8Array[] = [];
  #sending: Promise<void> | undefined;
  #wanted = Promise.withResolvers<void>();

  /**
   * @param send sends bytes and settles when they are gone
   * @param close closes the socket
   */
  constructor(
    send: (bytes: Uint8Array) => Promise<unknown>,
    close: (reason?: Error) => void,
    limits: StreamLimits = {},
  ) {
    super();
    this.#guard = new PacketGuard(limits.packet ?? 256 * 1024);
    this.#backlog = limits.backlog ?? 1024 * 1024;
    this.#send = send;
    this.#close = close;
    // why it was cut off is told by who destroyed it; without a listener Node ends the process
    this.on("error", () => {});
  }

  /** Hands on what came from the socket; settles when the broker can take more. */
  async received(bytes: Uint8Array): Promise<void> {
    this.#guard.check(bytes);
    // the socket's buffer is used again, the broker keeps payloads
    if (this.destroyed || this.push(bytes.slice())) return;
    await this.#wanted.promise;
  }

  /**
   * All that is there. On Deno, read() gives one chunk of several, and the broker, which calls it once for
   * each "readable", would wait for ever for the rest of a long packet. read(0) takes nothing: it is how Node
   * asks for more.
   */
  override read(size?: number | null): Uint8Array | null {
    if (typeof size === "number") return super.read(size);
    const chunks: Uint8Array[] = [];
    for (let chunk; (chunk = super.read()) !== null;) chunks.push(chunk);
    return chunks.length > 1 ? Buffer.concat(chunks) : chunks[0] ?? null;
  }

  override _read(): void {
    this.#wanted.resolve();
    this.#wanted = Promise.withResolvers();
  }

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error) => void): void {
    this.#waiting += chunk.length;
    if (this.#waiting > this.#backlog) {
      return done(new Error(`it does not read: ${this.#waiting} bytes wait for it`));
    }
    this.#queue.push(chunk);
    this.#sending ??= this.#sendAll();
    // one slow reader must not hold up the others: the broker goes on while this waits here
    done();
  }

  async #sendAll(): Promise<void> {
    // the broker writes a packet in several parts: they leave together
    await Promise.resolve();
    try {
      while (this.#queue.length > 0) {
        const bytes = this.#queue.length > 1 ? Buffer.concat(this.#queue) : this.#queue[0]!;
        this.#queue = [];
        await this.#send(bytes);
        this.#waiting -= bytes.length;
      }
    } catch (error) {
      this.destroy(error as Error);
    } finally {
      this.#sending = undefined;
    }
  }

  override _final(done: () => void): void {
    if (this.#sending) this.#sending.finally(done);
    else done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#wanted.resolve();
    this.#close(error ?? undefined);
    done(error);
  }
}

/** Follows the lengths of packets in a stream of bytes, and refuses one that is too long. */
export class PacketGuard {
  readonly #limit: number;
  /** Bytes of the present packet that are still to come. */
  #left = 0;
  /** Where in the fixed header the stream is: -1 before it, else how many bytes of the length came. */
  #lengthBytes = -1;
  #length = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Looks at the next bytes of the stream.
   *
   * @throws {RangeError} for a packet over the limit, or a length that is none (MQTT 5.0, 1.5.5)
   */
  check(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#left > 0) {
        const step = Math.min(this.#left, bytes.length - at);
        this.#left -= step;
        at += step;
        continue;
      }
      const byte = bytes[at++]!;
      if (this.#lengthBytes < 0) {
        this.#lengthBytes = this.#length = 0;
        continue;
      }
      this.#length += (byte & 0x7f) * 128 ** this.#lengthBytes++;
      if (byte & 0x80) {
        if (this.#lengthBytes === 4) {
          throw new RangeError("it sent a packet without a proper length");
        }
        continue;
      }
      if (this.#length > this.#limit) {
        throw new RangeError(`it announced a packet of ${this.#length} bytes, over ${this.#limit}`);
      }
      this.#left = this.#length;
      this.#lengthBytes = -1;
    }
  }
}
