/**
 * Where mails are kept while they come in: in blocks, out of a room that all of them share.
 *
 * @module
 */

/** Room in memory that all mails under way share. */
export class Room {
  #free: number;

  /** @param bytes how much there is */
  constructor(bytes: number) {
    this.#free = bytes;
  }

  /** Takes some; false when there is not so much. */
  take(bytes: number): boolean {
    if (bytes > this.#free) return false;
    this.#free -= bytes;
    return true;
  }

  give(bytes: number): void {
    this.#free += bytes;
  }
}

/**
 * Many small pieces in few large blocks: kept one by one, an empty line would take a hundred times its two bytes.
 *
 * @example
 * ```ts
 * import { Blocks, Room } from "./mail_blocks.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const room = new Room(10_000);
 * const blocks = new Blocks(room);
 * assertEquals(blocks.add(new Uint8Array(100)), true);
 * assertEquals(blocks.add(new Uint8Array(20_000)), false);
 * blocks.clear();
 * assertEquals(room.take(10_000), true);
 * ```
 */
export class Blocks {
  #blocks: Uint8Array[] = [];
  /** How much of the last block is used. */
  #used = 0;
  #taken = 0;
  size = 0;

  constructor(readonly room: Room) {}

  get pieces(): Uint8Array[] {
    return this.#blocks.map((block, at) =>
      at === this.#blocks.length - 1 ? block.subarray(0, this.#used) : block
    );
  }

  /** False when there is no room for all of it. */
  add(bytes: Uint8Array): boolean {
    for (let rest = bytes; rest.length > 0;) {
      let block = this.#blocks.at(-1);
      if (!block || this.#used === block.length) {
        // most mails are small
        block = new Uint8Array(this.#blocks.length === 0 ? 4 * 1024 : 64 * 1024);
        if (!this.room.take(block.length)) return false;
        this.#taken += block.length;
        this.#blocks.push(block);
        this.#used = 0;
      }
      const piece = rest.subarray(0, block.length - this.#used);
      block.set(piece, this.#used);
      this.#used += piece.length;
      this.size += piece.length;
      rest = rest.subarray(piece.length);
    }
    return true;
  }

  clear(): void {
    this.room.give(this.#taken);
    this.#taken = this.#used = this.size = 0;
    this.#blocks = [];
  }
}
