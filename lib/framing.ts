/**
 * The four ways to tell where a message ends. TCP carries a stream of bytes: it keeps their order, not the
 * borders between what was written. Messages must be of a fixed length, or end in a delimiter, or say how
 * long they are, or end with the stream.
 *
 * Each way has a function that makes the bytes to send and one that takes a message from a reader; the
 * latter gives `null` at a clean end of the stream.
 *
 * @module
 */

import { LimitError, type ReadOptions, type SocketReader, UnexpectedEof } from "./reader.ts";

/** A message that cannot be sent this way. */
export class FramingError extends Error {
  override name = "FramingError";
}

/** The largest length that four bytes hold, 4 GiB less one. */
const MOST = 0xffff_ffff;

/**
 * Fixed length: fills a message up to `length` bytes with zeros.
 *
 * @throws {FramingError} when it is longer
 */
export function fixed(message: Uint8Array, length: number): Uint8Array {
  if (message.length > length) {
    throw new FramingError(
      `a message of ${message.length} bytes does not fit ${length}: cut it up`,
    );
  }
  const padded = new Uint8Array(length);
  padded.set(message);
  return padded;
}

/** Takes a message of a fixed length, its filling zeros with it: only the sender knows which are its own. */
export function readFixed(
  reader: SocketReader,
  length: number,
  options?: ReadOptions,
): Promise<Uint8Array | null> {
  return reader.readExactly(length, options);
}

/**
 * Delimiter: ends a message with a mark that does not stand in it.
 *
 * @throws {FramingError} when the mark stands in the message, or begins in it and would end early
 */
export function delimited(message: Uint8Array, delimiter: Uint8Array): Uint8Array {
  if (delimiter.length === 0) {
    throw new RangeError("cannot end a message with a delimiter of no bytes");
  }
  const framed = concatenated(message, delimiter);
  if (indexOf(framed, delimiter) !== message.length) {
    throw new FramingError(
      "the message contains the delimiter: escape it, or send a length instead",
    );
  }
  return framed;
}

/** Takes a message that ends in a delimiter. */
export function readDelimited(
  reader: SocketReader,
  delimiter: Uint8Array,
  options?: ReadOptions,
): Promise<Uint8Array | null> {
  return reader.readUntil(delimiter, options);
}

/**
 * Length prefix: sends the length first, in four bytes, most significant first (network byte order).
 *
 * @example
 * ```ts
 * import { prefixed } from "./framing.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(prefixed(new TextEncoder().encode("hi")), new Uint8Array([0, 0, 0, 2, 0x68, 0x69]));
 * ```
 */
export function prefixed(message: Uint8Array): Uint8Array {
  if (message.length > MOST) throw new FramingError(`a message has at most ${MOST} bytes`);
  const framed = new Uint8Array(4 + message.length);
  new DataView(framed.buffer).setUint32(0, message.length);
  framed.set(message, 4);
  return framed;
}

/** A length-prefixed message that has already come whole, or `undefined`: `tryPrefixed(r) ?? await …`. */
export function tryPrefixed(
  reader: SocketReader,
  options: ReadOptions = {},
): Uint8Array | undefined {
  const length = reader.peekNumber(4);
  const limit = options.limit ?? reader.limit;
  if (length === undefined || length > limit || reader.buffered < 4 + length) return undefined;
  return reader.tryExactly(4 + length)!.subarray(4);
}

/**
 * Takes a length-prefixed message.
 *
 * @throws {LimitError} as soon as a length over the limit is announced, before any of it is read
 * @throws {UnexpectedEof} when the stream ends in the middle
 */
export async function readPrefixed(
  reader: SocketReader,
  options: ReadOptions = {},
): Promise<Uint8Array | null> {
  const limit = options.limit ?? reader.limit;
  const needed = () => {
    const length = reader.peekNumber(4) ?? 0;
    if (length > limit) throw new LimitError(`a message of ${length} bytes`, limit);
    return 4 + length;
  };
  // nothing is taken before all has come, so that a deadline in the middle loses nothing
  if (await reader.fill(needed, options)) return reader.tryExactly(needed())!.subarray(4);
  const { buffered } = reader;
  if (buffered === 0) return null;
  if (buffered < 4) throw new UnexpectedEof(buffered, 4);
  throw new UnexpectedEof(buffered - 4, needed() - 4);
}

/** Shutdown: the message is all that comes until the sender closes its side with `closeWrite`. */
export function readToEnd(reader: SocketReader, options?: ReadOptions): Promise<Uint8Array> {
  return reader.readAll(options);
}

function concatenated(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

function indexOf(bytes: Uint8Array, mark: Uint8Array): number {
  for (let at = bytes.indexOf(mark[0]!); at >= 0; at = bytes.indexOf(mark[0]!, at + 1)) {
    if (mark.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  return -1;
}

export { LimitError, UnexpectedEof };
