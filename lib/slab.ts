/**
 * The bytes of a stream that have come and were not taken yet, in one block of memory that grows with what
 * the peer sends.
 *
 * Views that were given away are never written over: a new block is begun instead. So a caller can keep
 * what it got without a copy, and many small messages share one block.
 *
 * @module
 */

const FIRST = 4 * 1024;
const USUAL = 64 * 1024;

/** A block of memory with the bytes that wait in it. */
export class Slab {
  /** The block; what waits is `[start, end)`. */
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST);
  start = 0;
  end = 0;
  #lent = false;

  /** How many bytes wait. */
  get length(): number {
    return this.end - this.start;
  }

  /** Takes bytes without giving them. */
  skip(count: number): void {
    this.start += count;
  }

  /** Gives bytes as a view that may be kept, and takes `surplus` more. */
  lend(count: number, surplus = 0): Uint8Array<ArrayBuffer> {
    const view = this.bytes.subarray(this.start, this.start + count);
    if (count > 0) this.#lent = true;
    this.start += count + surplus;
    return view;
  }

  /**
   * Where the next bytes may be read into. Make it known with `end` how many came.
   *
   * @param wanted how many bytes in a row the caller waits for
   */
  room(wanted = 0): Uint8Array<ArrayBuffer> {
    const left = this.length;
    if (left === 0 && !this.#lent && this.bytes.length <= USUAL) this.start = this.end = 0;
    const size = this.bytes.length;
    const free = size - this.end;
    // a block that was filled to the brim is too small for this peer
    if (free === 0 || free < size / 4 && this.start + wanted > size) {
      // no more is set aside than twice what has come: an announced length costs the peer its bytes
      const next = Math.max(Math.min(USUAL, size * 4), left + Math.min(wanted, left), left * 2);
      const bytes = new Uint8Array(next);
      bytes.set(this.bytes.subarray(this.start, this.end));
      this.bytes = bytes;
      this.start = 0;
      this.end = left;
      this.#lent = false;
    }
    return this.bytes.subarray(this.end);
  }

  /** Where `mark` begins, counted from `start` and not before `from`; -1 where it does not. */
  find(mark: Uint8Array, from = 0): number {
    const { start, end } = this;
    // what lies behind `end` would be searched in vain, again and again while little comes at a time
    const bytes = this.bytes.subarray(0, end);
    const last = end - mark.length;
    for (let at = start + from; at <= last; at++) {
      at = bytes.indexOf(mark[0]!, at);
      if (at < 0 || at > last) return -1;
      let same = 1;
      while (same < mark.length && bytes[at + same] === mark[same]) same++;
      if (same === mark.length) return at - start;
    }
    return -1;
  }

  /** The number in the next `size` bytes, most significant first, without taking them. */
  peekNumber(size: number): number | undefined {
    if (this.length < size) return undefined;
    let number = 0;
    for (let at = this.start; at < this.start + size; at++) number = number * 256 + this.bytes[at]!;
    return number;
  }
}
