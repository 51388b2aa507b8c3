/**
 * Puts the fragments of one datagram together again, in whatever order they come.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc815 RFC 815} the list of holes
 * @module
 */

import { PacketError } from "./packet_layer.ts";

/** The most that a datagram can be long, and so the most memory that one takes: its length has 16 bits. */
const LONGEST = 65_535;

/** Bytes that have not come yet, first and last; the last is `Infinity` until the last fragment has come. */
export interface Hole {
  first: number;
  last: number;
}

/**
 * One datagram that is being put together. Fragments belong to it when source, destination, protocol and
 * identification are the same; to sort them, and to give up after a time, is the caller's part.
 *
 * Fragments that overlap are not made by any router, but by attackers, to get past filters that see single
 * fragments: a fragment that came twice is ignored, one that overlaps otherwise is refused
 * ({@link https://www.rfc-editor.org/rfc/rfc1858 RFC 1858}, {@link https://www.rfc-editor.org/rfc/rfc5722 RFC 5722}).
 *
 * @example
 * ```ts
 * import { Reassembly } from "./reassembly.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const datagram = new Reassembly();
 * datagram.add(8, new Uint8Array([9]), false); // the last fragment came first
 * assertEquals(datagram.holes, [{ first: 0, last: 7 }]);
 * datagram.add(0, new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]), true);
 * assertEquals(datagram.whole?.length, 9);
 * ```
 */
export class Reassembly {
  #holes: Hole[] = [{ first: 0, last: Infinity }];
  #bytes = new Uint8Array(0);

  /** What has not come yet, in order. */
  get holes(): readonly Readonly<Hole>[] {
    return this.#holes;
  }

  /** The whole payload, once there is no hole. */
  get whole(): Uint8Array<ArrayBuffer> | undefined {
    return this.#holes.length === 0 ? this.#bytes : undefined;
  }

  /**
   * Takes a fragment.
   *
   * @param offset where its bytes belong, a multiple of 8
   * @param more whether fragments follow behind it
   * @throws {PacketError} for one that no sender cuts so: too long in all, not a multiple of 8 in the middle,
   *   overlapping another, or behind the end; what came before is kept
   */
  add(offset: number, payload: Uint8Array, more: boolean): void {
    const end = offset + payload.length;
    const named = `the fragment of bytes ${offset} to ${end - 1}`;
    const refuse = (why: string): never => {
      throw new PacketError(`cannot take ${named}: ${why}`);
    };
    if (!Number.isInteger(offset) || offset < 0 || offset % 8 !== 0) {
      refuse("its offset is no multiple of 8");
    }
    if (end > LONGEST) refuse(`a datagram has at most ${LONGEST} bytes`);
    if (payload.length === 0) refuse("it is empty");
    if (more && payload.length % 8 !== 0) {
      refuse("only the last may be no multiple of 8 bytes long");
    }
    const last = end - 1;
    const index = this.#holes.findIndex((hole) => hole.first <= last && offset <= hole.last);
    const hole = this.#holes[index];
    if (!hole) {
      // no hole that it fills any part of: it came before, or lies behind the end
      if (last >= this.#bytes.length) refuse("the datagram ends before it");
      return;
    }
    if (hole.first > offset || hole.last < last) refuse("it overlaps another");
    if (!more && hole.last !== Infinity) refuse("it is a second end of the datagram");

    const left: Hole[] = [];
    if (hole.first < offset) left.push({ first: hole.first, last: offset - 1 });
    if (more && last < hole.last) left.push({ first: end, last: hole.last });
    this.#holes.splice(index, 1, ...left);
    if (end > this.#bytes.length) {
      const longer = new Uint8Array(end);
      longer.set(this.#bytes);
      this.#bytes = longer;
    }
    this.#bytes.set(payload, offset);
  }
}
