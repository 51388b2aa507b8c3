/**
 * What several tests of lib need: bytes, chance that can be repeated, and a source of bytes that does as it
 * is told.
 *
 * @module
 */

import { type Endpoint, formatEndpoint, parseEndpoint } from "../../lib/address.ts";
import { pause } from "../../lib/pause.ts";
import { LimitError, type Source, UnexpectedEof } from "../../lib/reader.ts";

export function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

export function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

export function concat(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Cuts bytes before each of the places, which go up. */
export function cut(bytes: Uint8Array, ...places: number[]): Uint8Array[] {
  return [0, ...places].map((place, index) => bytes.slice(place, places[index]));
}

/** Cuts bytes into pieces of one length. */
export function pieces(bytes: Uint8Array, length: number): Uint8Array[] {
  const count = Math.ceil(bytes.length / length);
  return Array.from({ length: count }, (_, index) => bytes.slice(index * length).slice(0, length));
}

/** Bytes cut in every way that a test needs: not at all, everywhere, and at each single place. */
export function* everyCut(bytes: Uint8Array): Generator<Uint8Array[]> {
  yield [bytes];
  yield pieces(bytes, 1);
  for (let place = 1; place < bytes.length; place++) yield cut(bytes, place);
}

/** Bytes cut at every pair of places. */
export function* everyPairOfCuts(bytes: Uint8Array): Generator<Uint8Array[]> {
  for (let first = 1; first < bytes.length; first++) {
    for (let second = first + 1; second < bytes.length; second++) yield cut(bytes, first, second);
  }
}

/** Chance that a seed repeats: each call gives a whole number below `limit` (mulberry32). */
export function chance(seed: number): (limit: number) => number {
  return (limit) => {
    seed = seed + 0x6d2b79f5 | 0;
    let mixed = Math.imul(seed ^ seed >>> 15, seed | 1);
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61);
    return ((mixed ^ mixed >>> 14) >>> 0) % limit;
  };
}

/** An error in few words, to compare two ways to the same end. */
export function inWords(error: unknown): string {
  if (error instanceof UnexpectedEof) return `end after ${error.received}, before ${error.wanted}`;
  if (error instanceof LimitError) return `over ${error.limit}`;
  return String(error);
}

/** A source whose reads wait until the test sends something, ends the stream or makes it fail. */
export class Feed implements Source {
  #parts: Uint8Array[] = [];
  #ended = false;
  #failure: Error | undefined;
  #wake = () => {};
  /** How many reads have begun. */
  reads = 0;

  send(data: string | Uint8Array): void {
    this.#parts.push(typeof data === "string" ? encode(data) : data);
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** Makes one read fail, once what was sent before is read. */
  fail(error: Error): void {
    this.#failure = error;
    this.#wake();
  }

  async read(into: Uint8Array): Promise<number | null> {
    this.reads++;
    while (this.#parts.length === 0 && !this.#ended && !this.#failure) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const part = this.#parts[0];
    if (part) {
      const count = Math.min(part.length, into.length);
      into.set(part.subarray(0, count));
      if (count < part.length) this.#parts[0] = part.subarray(count);
      else this.#parts.shift();
      return count;
    }
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure) throw failure;
    return null;
  }
}

/** Where a server listens, as `connect` wants it. */
export function endpointOf(server: { addr: Deno.Addr }): Endpoint {
  return parseEndpoint(formatEndpoint(server.addr));
}

/** A folder that is removed at the end of a block. */
export function temporaryFolder(): Disposable & { path: string } {
  const path = Deno.makeTempDirSync({ prefix: "lib-test-" });
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

/** Everything that comes from a connection until it ends. */
export async function readAll(source: Source): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const buffer = new Uint8Array(64 * 1024);
  for (let count; (count = await source.read(buffer)) !== null;) parts.push(buffer.slice(0, count));
  return concat(...parts);
}

/**
 * Tries something until it succeeds, for half a minute. What was just closed is closed a moment later: a program that
 * another test is starting has it open too, until its own code is loaded.
 */
export async function soon<T>(work: () => T | Promise<T>): Promise<T> {
  for (const due = performance.now() + 30_000;;) {
    try {
      return await work();
    } catch (error) {
      if (performance.now() > due) throw error;
      await pause(20);
    }
  }
}

/** Leaves the file of a Unix socket whose server was killed. */
export async function leaveStaleSocket(path: string): Promise<void> {
  const script = 'Deno.listen({ transport: "unix", path: Deno.args[0] });' +
    'Deno.kill(Deno.pid, "SIGKILL")';
  await new Deno.Command(Deno.execPath(), { args: ["eval", script, path] }).output();
  if (!(await Deno.lstat(path)).isSocket) throw new Error(`${path} is no socket`);
}
