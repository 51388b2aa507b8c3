/**
 * The 48 bytes of the Network Time Protocol, of which SNTP is the simple use.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc5905#section-7.3 RFC 5905, Packet Header Variables}
 * @see {@link https://www.rfc-editor.org/rfc/rfc4330 RFC 4330, SNTP}
 * @module
 */

/** How long a message is, without extension fields and signature. */
export const SNTP_BYTES = 48;

/** Who sends: a client (3) asks, a server (4) answers; or one of two peers (1) asks, the other (2) answers. */
export const Mode = { active: 1, passive: 2, client: 3, server: 4 } as const;

/** What the 48 bytes say. A timestamp is a number of 64 bits: seconds since 1900 and, in the lower half, 2^-32 s. */
export interface SntpMessage {
  /** 0; 1 or 2 when this day's last minute has 61 or 59 seconds; 3 when the sender's clock is not set. */
  leap: number;
  version: number;
  mode: number;
  /** How far from a reference clock: 1 has one, 2 asks a 1 …; 16 and more nobody; 0 is a kiss-o'-death. */
  stratum: number;
  /** The longest time between two questions, as a power of two in seconds. */
  poll: number;
  /** How fine the clock is, as a power of two in seconds. */
  precision: number;
  /** To the reference clock and back, in milliseconds. */
  rootDelay: number;
  /** How wrong the clock may be, in milliseconds. */
  rootDispersion: number;
  /** Four bytes: a name at stratum 0 and 1, else an address or a hash of one. */
  referenceId: Uint8Array;
  /** When the sender's clock was last set. */
  reference: bigint;
  /** The transmit timestamp of the question, in an answer. */
  originate: bigint;
  /** When the question came. */
  receive: bigint;
  /** When this was sent. */
  transmit: bigint;
}

/** Bytes that are no such message. */
export class SntpFormatError extends Error {
  override name = "SntpFormatError";
}

/**
 * The bytes of a message.
 *
 * @throws {RangeError} when a number does not fit its place
 *
 * @example
 * ```ts
 * import { packSntp, parseSntp } from "./sntp.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = packSntp({ version: 4, mode: 3, transmit: 42n });
 * assertEquals(bytes.length, 48);
 * assertEquals(parseSntp(bytes).transmit, 42n);
 * ```
 */
export function packSntp(message: Partial<SntpMessage>): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(SNTP_BYTES);
  const view = new DataView(bytes.buffer);
  const whole = (name: keyof SntpMessage, least: number, most: number): number => {
    const value = (message[name] ?? 0) as number;
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new RangeError(`${name} is from ${least} to ${most}, not ${value}`);
  };
  // leap, version and mode share the first byte: 2, 3 and 3 bits
  bytes[0] = whole("leap", 0, 3) << 6 | whole("version", 0, 7) << 3 | whole("mode", 0, 7);
  bytes[1] = whole("stratum", 0, 255);
  view.setInt8(2, whole("poll", -128, 127));
  view.setInt8(3, whole("precision", -128, 127));
  view.setInt32(4, toShort(message.rootDelay ?? 0));
  view.setUint32(8, toShort(message.rootDispersion ?? 0));
  const { referenceId = new Uint8Array(4) } = message;
  if (referenceId.length !== 4) throw new RangeError("referenceId has 4 bytes");
  bytes.set(referenceId, 12);
  for (const [index, name] of TIMESTAMPS.entries()) {
    const value = message[name] ?? 0n;
    if (value !== BigInt.asUintN(64, value)) throw new RangeError(`${name} has 64 bits`);
    view.setBigUint64(16 + 8 * index, value);
  }
  return bytes;
}

const TIMESTAMPS = ["reference", "originate", "receive", "transmit"] as const;

/** Milliseconds as seconds with 16 bits before the point and 16 behind it. */
function toShort(milliseconds: number): number {
  const short = Math.round(milliseconds / 1000 * 65_536);
  if (Math.abs(short) < 2 ** 31) return short;
  throw new RangeError(`${milliseconds} ms are too many for a root delay or dispersion`);
}

/**
 * Reads a message; what follows the 48 bytes, extension fields and a signature, is passed over.
 *
 * @throws {SntpFormatError} when there are fewer bytes
 */
export function parseSntp(bytes: Uint8Array): SntpMessage {
  if (bytes.length < SNTP_BYTES) {
    throw new SntpFormatError(`${bytes.length} bytes are fewer than the ${SNTP_BYTES} of SNTP`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const first = bytes[0]!;
  return {
    leap: first >> 6,
    version: first >> 3 & 7,
    mode: first & 7,
    stratum: bytes[1]!,
    poll: view.getInt8(2),
    precision: view.getInt8(3),
    rootDelay: view.getInt32(4) * 1000 / 65_536,
    rootDispersion: view.getUint32(8) * 1000 / 65_536,
    referenceId: bytes.slice(12, 16),
    reference: view.getBigUint64(16),
    originate: view.getBigUint64(24),
    receive: view.getBigUint64(32),
    transmit: view.getBigUint64(40),
  };
}
