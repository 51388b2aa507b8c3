/**
 * The segments of `reliable_sender.ts` and `reliable_receiver.ts`: one in each datagram.
 *
 *     bytes  0 to 3   CRC-32 of all that follows
 *            4 to 11  the transfer, a random number: segments of another are told apart by it
 *            12       what the segment is
 *            13 to 16 its number
 *            17 …     data
 *
 * Numbers are big-endian, as in all Internet headers.
 *
 * @module
 */

import { crc32 } from "./crc32.ts";

/** What a segment is. Start, data and end are numbered in one row: the start is 0, the end is the last. */
export const Kind = {
  /** Opens a transfer (TCP: SYN). */
  Start: 1,
  /** Carries data. */
  Data: 2,
  /** Tells that this was all (TCP: FIN). */
  End: 3,
  /**
   * Its number is the next one that is awaited: all below have come (TCP: ACK). A bit is set in its data for
   * each later one that has come early (TCP: SACK), beginning with the one behind the awaited.
   */
  Acknowledgement: 4,
  /** Who sends it has left the transfer, and answers nothing more of it (TCP: RST). */
  Leave: 5,
} as const;

/** One segment. */
export interface Segment {
  transfer: bigint;
  kind: typeof Kind[keyof typeof Kind];
  /** From 0 to 4,294,967,295. */
  number: number;
  /** At most {@linkcode MOST_PAYLOAD} bytes, and empty in all but data and acknowledgements. */
  payload: Uint8Array;
}

/** The bytes before the data. */
export const HEADER_BYTES = 17;

/** The most data in a segment, in bytes. */
export const MOST_PAYLOAD = 8_192;

/** The highest number of a segment. */
export const MOST_NUMBER = 0xffff_ffff;

const EMPTY = new Uint8Array();

/**
 * Writes a segment as the bytes of a datagram.
 *
 * @throws {RangeError} when the number or the data does not fit
 *
 * @example
 * ```ts
 * import { Kind, packSegment, parseSegment } from "./reliable_segment.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const payload = new TextEncoder().encode("hello");
 * const bytes = packSegment({ transfer: 7n, kind: Kind.Data, number: 1, payload });
 * assertEquals(parseSegment(bytes)?.payload, payload);
 * bytes[20]! ^= 1;
 * assertEquals(parseSegment(bytes), undefined); // damaged on the way
 * ```
 */
export function packSegment(
  { transfer, kind, number, payload = EMPTY }: Omit<Segment, "payload"> & Partial<Segment>,
): Uint8Array<ArrayBuffer> {
  if (!(number >= 0 && number <= MOST_NUMBER)) {
    throw new RangeError(`a segment's number is 0 to ${MOST_NUMBER}, not ${number}`);
  }
  if (payload.length > MOST_PAYLOAD) {
    throw new RangeError(
      `a segment carries at most ${MOST_PAYLOAD} bytes of data, not ${payload.length}`,
    );
  }
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(4, transfer);
  view.setUint8(12, kind);
  view.setUint32(13, number);
  bytes.set(payload, HEADER_BYTES);
  view.setUint32(0, crc32(bytes.subarray(4)));
  return bytes;
}

/**
 * Reads a segment. What is damaged, or no segment at all, is `undefined`: it is as good as lost, and the
 * sender sends it again.
 *
 * @returns a segment whose payload is a view of `bytes`: copy it to keep it
 */
export function parseSegment(bytes: Uint8Array): Segment | undefined {
  if (bytes.length < HEADER_BYTES || bytes.length > HEADER_BYTES + MOST_PAYLOAD) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const kind = view.getUint8(12) as Segment["kind"];
  if (kind < Kind.Start || kind > Kind.Leave) return;
  const payload = bytes.subarray(HEADER_BYTES);
  if (kind === Kind.Data ? payload.length === 0 : payload.length > longestOf(kind)) return;
  if (view.getUint32(0) !== crc32(bytes.subarray(4))) return;
  return { transfer: view.getBigUint64(4), kind, number: view.getUint32(13), payload };
}

function longestOf(kind: Segment["kind"]): number {
  return kind === Kind.Acknowledgement ? MOST_AHEAD / 8 : 0;
}

/** How far ahead of the awaited segment others are kept and acknowledged. */
export const MOST_AHEAD = 1_024;

/** Sets the bits of numbers, each counted from 0 and below {@linkcode MOST_AHEAD}. */
export function bitsOf(numbers: Iterable<number>): Uint8Array {
  const bits = new Uint8Array(MOST_AHEAD / 8);
  let used = 0;
  for (const number of numbers) {
    bits[number >> 3]! |= 1 << (number & 7);
    used = Math.max(used, (number >> 3) + 1);
  }
  return bits.subarray(0, used);
}

/** Whether the bit of a number is set. */
export function hasBit(bits: Uint8Array, number: number): boolean {
  return number >= 0 && ((bits[number >> 3] ?? 0) & 1 << (number & 7)) !== 0;
}
