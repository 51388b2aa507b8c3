/**
 * The frames that WebSocket messages are made of, as bytes.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6455#section-5 RFC 6455, section 5}
 * @module
 */

import { DeadlineError } from "./deadline.ts";
import { type SocketReader, UnexpectedEof } from "./reader.ts";

/** What a frame is: a piece of a message, or a word between the two ends. */
export const OPCODES = {
  continuation: 0,
  text: 1,
  binary: 2,
  close: 8,
  ping: 9,
  pong: 10,
} as const;

/** One frame. */
export interface Frame {
  /** Whether the message ends with it (FIN). */
  final: boolean;
  opcode: number;
  payload: Uint8Array<ArrayBuffer>;
}

/** The other side broke the rules; the code is what a close frame tells it. */
export class WebSocketError extends Error {
  override name = "WebSocketError";

  /** @param code 1002 a fault in the protocol, 1007 no UTF-8, 1009 too long, 1001 going away, 1013 later */
  constructor(readonly code: number, message: string) {
    super(message);
  }
}

/**
 * Writes a frame. A client masks what it sends, with a new random key each time, so that nobody can choose what
 * bytes go over the line: proxies that know no WebSocket could take chosen ones for a request.
 *
 * @param mask the key, 4 bytes; none for a server
 *
 * @example
 * ```ts
 * import { encodeFrame, OPCODES } from "./websocket_frame.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const payload = new TextEncoder().encode("Hi");
 * const frame = encodeFrame({ final: true, opcode: OPCODES.text, payload });
 * assertEquals(frame, Uint8Array.of(0x81, 2, 0x48, 0x69));
 * const masked = encodeFrame({ final: true, opcode: OPCODES.text, payload }, Uint8Array.of(1, 2, 3, 4));
 * assertEquals(masked, Uint8Array.of(0x81, 0x82, 1, 2, 3, 4, 0x49, 0x6b));
 * ```
 */
export function encodeFrame(
  { final, opcode, payload }: Frame,
  mask?: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const { length } = payload;
  const size = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const start = 2 + size + (mask ? 4 : 0);
  const frame = new Uint8Array(start + length);
  const view = new DataView(frame.buffer);
  frame[0] = (final ? 0x80 : 0) | opcode;
  frame[1] = (mask ? 0x80 : 0) | (size === 0 ? length : size === 2 ? 126 : 127);
  if (size === 2) view.setUint16(2, length);
  if (size === 8) view.setBigUint64(2, BigInt(length));
  frame.set(payload, start);
  if (mask) {
    frame.set(mask, start - 4);
    applyMask(frame.subarray(start), mask);
  }
  return frame;
}

/** Masks bytes in their place; a second time it unmasks them. */
export function applyMask(bytes: Uint8Array, mask: Uint8Array): void {
  for (let at = 0; at < bytes.length; at++) bytes[at]! ^= mask[at & 3]!;
}

/** How {@linkcode readFrame} reads. */
export interface FrameOptions {
  /** Whether frames have to be masked: a server's rule for its clients. */
  masked: boolean;
  /** The most bytes of a payload. */
  limit: number;
  /** Asked for each payload before it comes; may throw. */
  admit?: (bytes: number) => void;
  /** Milliseconds until a frame begins. */
  idle: number;
  /** Milliseconds until a frame that has begun is there; 30,000 unless told. */
  timeout?: number;
}

/**
 * Reads a frame, and refuses what the protocol forbids.
 *
 * @returns `null` when the stream ended between two frames
 * @throws {WebSocketError} for a reserved bit or opcode, a mask that is missing or too much, a length that could
 * be written shorter, a control frame that is long or in pieces, and for too many bytes
 * @throws {DeadlineError} when no frame begins; nothing is lost then
 * @throws {UnexpectedEof} when the stream ends in a frame
 *
 * @example
 * ```ts
 * import { SocketReader } from "./reader.ts";
 * import { readFrame } from "./websocket_frame.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const reader = SocketReader.from(Uint8Array.of(0x89, 2, 0x48, 0x69));
 * const frame = await readFrame(reader, { masked: false, limit: 1_000, idle: 1_000 });
 * assertEquals([frame?.opcode, frame?.payload], [9, Uint8Array.of(0x48, 0x69)]);
 * ```
 */
export async function readFrame(
  reader: SocketReader,
  options: FrameOptions,
): Promise<Frame | null> {
  const { masked, limit, idle, timeout = 30_000 } = options;
  if (!await reader.fill(2, { timeout: idle })) {
    if (reader.buffered === 0) return null;
    throw new UnexpectedEof(1, 2);
  }
  const due = performance.now() + timeout;
  const take = async (count: number) => {
    const bytes = await reader.readExactly(count, {
      limit: Math.max(limit, 14),
      timeout: Math.max(0, due - performance.now()),
    }).catch((error) => {
      // its beginning was taken: it cannot be waited for again
      if (!(error instanceof DeadlineError)) throw error;
      throw new WebSocketError(1001, `a frame did not come within ${timeout / 1000} s`);
    });
    if (!bytes) throw new UnexpectedEof(0, count);
    return bytes;
  };
  const [first, second] = await take(2) as unknown as [number, number];
  const opcode = first & 0x0f;
  if (first & 0x70) throw new WebSocketError(1002, "a reserved bit is set");
  if (!Object.values<number>(OPCODES).includes(opcode)) {
    throw new WebSocketError(1002, `there is no opcode ${opcode}`);
  }
  const isMasked = second >= 0x80;
  if (isMasked !== masked) {
    throw new WebSocketError(
      1002,
      masked ? "a client's frame is not masked" : "a server's frame is masked",
    );
  }
  let length: number | bigint = second & 0x7f;
  const final = first >= 0x80;
  if (opcode >= 8 && (length > 125 || !final)) {
    throw new WebSocketError(1002, "a control frame is longer than 125 bytes, or in pieces");
  }
  if (length === 126) {
    length = viewOf(await take(2)).getUint16(0);
    if (length < 126) throw new WebSocketError(1002, "a length is not written in the shortest way");
  } else if (length === 127) {
    length = viewOf(await take(8)).getBigUint64(0);
    if (length < 65_536n || length >= 1n << 63n) {
      throw new WebSocketError(1002, "a length is not written in the shortest way, or no length");
    }
  }
  // said before it comes: nothing of it is kept
  if (length > limit) throw new WebSocketError(1009, `a message has more than ${limit} bytes`);
  options.admit?.(Number(length));
  const mask = masked ? await take(4) : undefined;
  const payload = length > 0 ? await take(Number(length)) : new Uint8Array();
  if (mask) applyMask(payload, mask);
  return { final, opcode, payload };
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
