/**
 * What one side of a TCP connection sent, put in order from the segments of a capture: these may be late,
 * sent again, or not there at all.
 *
 * @module
 */

/** Bytes of one packet within what a side sent. */
export interface FlowPiece {
  packet: number;
  /** Where it begins; a piece that does not begin where the one before it ends comes behind a hole. */
  offset: number;
  bytes: Uint8Array;
}

/**
 * The segments of one side, in whatever order they were captured, of one connection after the other. They
 * refer to the bytes that they are given: however large a hole is, it takes no memory.
 *
 * @example
 * ```ts
 * import { CaptureStream } from "./capture_stream.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const stream = new CaptureStream();
 * const encode = (text: string) => new TextEncoder().encode(text);
 * stream.begin(2 ** 32 - 2); // two bytes before the numbers begin again at 0
 * stream.add(8, 0, encode("llo")); // came too early
 * stream.add(9, 2 ** 32 - 2, encode("hel")); // the first "l" was sent in both
 * const pieces = stream.pieces.map(({ packet, bytes }) => [packet, new TextDecoder().decode(bytes)]);
 * assertEquals(pieces, [[9, "hel"], [8, "lo"]]);
 * ```
 */
export class CaptureStream {
  #first: number | undefined;
  readonly #segments: FlowPiece[] = [];
  /** Where the connection begins, and how far the stream has come. */
  #start = -Infinity;
  #end = 0;
  /** A number in the circle of 2^32, and its place on the line that has no end. */
  #sequence: number | undefined;
  #offset = 0;

  /** The number of the first byte of the connection, when its beginning was seen. */
  get first(): number | undefined {
    return this.#first;
  }

  /**
   * Another connection begins: nothing reaches across from the one before.
   *
   * @param first the number of its first byte; not told, the first segment that comes may not be the first one
   */
  begin(first?: number): void {
    this.#first = this.#sequence = first;
    // behind a hole, into which all fits that may still come from before the first segment
    this.#offset = this.#end + (first === undefined ? 2 ** 31 : 1);
    this.#start = first === undefined ? -Infinity : this.#offset;
  }

  /**
   * Takes a segment.
   *
   * @param packet the number of the packet that it came in
   * @param sequence the number of its first byte
   */
  add(packet: number, sequence: number, bytes: Uint8Array): void {
    // no segment is half a circle away from the one before it
    this.#offset += (sequence - (this.#sequence ?? sequence)) | 0;
    this.#sequence = sequence;
    // a probe whether the other side is still there carries a byte before the first
    const before = Math.max(0, this.#start - this.#offset);
    if (before >= bytes.length) return;
    this.#segments.push(rest({ packet, offset: this.#offset, bytes }, before));
    this.#end = Math.max(this.#end, this.#offset + bytes.length);
  }

  /** What was sent, in order, each byte once: what was sent again is left out, as by the receiver. */
  get pieces(): FlowPiece[] {
    const pieces: FlowPiece[] = [];
    let end = -Infinity;
    for (const segment of this.#segments.sort((a, b) => a.offset - b.offset)) {
      const again = Math.max(0, end - segment.offset);
      if (again >= segment.bytes.length) continue;
      pieces.push(rest(segment, again));
      end = segment.offset + segment.bytes.length;
    }
    return pieces;
  }
}

/** A piece without its first bytes. */
function rest(piece: FlowPiece, count: number): FlowPiece {
  if (count === 0) return piece;
  const { packet, offset, bytes } = piece;
  return { packet, offset: offset + count, bytes: bytes.subarray(count) };
}
