/**
 * What a bad network does to datagrams: it loses, repeats, delays, overtakes and damages them, and lets only
 * so many bytes through in a second. All by a seed: the same datagrams in the same order fare the same.
 *
 * @module
 */

import { seeded } from "./random.ts";

/** What happens on the way; nothing unless told. */
export interface LinkFaults {
  /** How often a datagram is lost: 0 never, 1 always. */
  drop?: number;
  /** How often one comes twice. */
  duplicate?: number;
  /** How often one is held up, so that later ones overtake it. */
  reorder?: number;
  /** How often one bit is flipped. */
  corrupt?: number;
  /** How long each takes, in milliseconds. */
  delay?: number;
  /** How much longer one takes that is held up, in milliseconds; 5 unless told. */
  hold?: number;
  /** How many bytes go through in a second; no limit unless told. */
  bandwidth?: number;
  /** How many bytes wait at most for their turn where the bandwidth is limited; 65,536 unless told. */
  queue?: number;
}

/** What has happened to the datagrams of one direction. */
export interface LinkCounts {
  came: number;
  /** Sent on: counted by whoever does it, when it is done. */
  went: number;
  /** Could not be sent on. */
  failed: number;
  dropped: number;
  duplicated: number;
  reordered: number;
  corrupted: number;
  /** Found a queue full: the one before the bandwidth, or another's. */
  overflowed: number;
}

/** A datagram that comes out at the other end. */
export interface Passage {
  datagram: Uint8Array;
  /** When, in milliseconds of the caller's clock. */
  at: number;
}

/** Counts from nothing. */
export function noCounts(): LinkCounts {
  return {
    came: 0,
    went: 0,
    failed: 0,
    dropped: 0,
    duplicated: 0,
    reordered: 0,
    corrupted: 0,
    overflowed: 0,
  };
}

/**
 * One direction of a link. It decides only: it neither waits nor sends.
 *
 * @example
 * ```ts
 * import { LossyLink } from "./lossy.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const link = new LossyLink({ drop: 0.5, delay: 20 }, 1);
 * const came = [1, 2, 3, 4].flatMap((byte) => link.pass(new Uint8Array([byte]), 100));
 * assertEquals(came.length, 4 - link.counts.dropped);
 * assertEquals(came[0]!.at, 120);
 * ```
 */
export class LossyLink {
  readonly #faults: Required<LinkFaults>;
  readonly #chance: () => number;
  #freeAt = 0;

  /**
   * @param counts where to count; several links may share one
   * @throws {RangeError} for a rate that is not from 0 to 1, or a negative time or size
   */
  constructor(faults: LinkFaults, seed: number, readonly counts: LinkCounts = noCounts()) {
    const { drop = 0, duplicate = 0, reorder = 0, corrupt = 0 } = faults;
    const { delay = 0, hold = 5, bandwidth = Infinity, queue = 65_536 } = faults;
    for (const [name, rate] of Object.entries({ drop, duplicate, reorder, corrupt })) {
      if (!(rate >= 0 && rate <= 1)) throw new RangeError(`${name} is from 0 to 1, not ${rate}`);
    }
    for (const [name, amount] of Object.entries({ delay, hold, bandwidth, queue })) {
      if (!(amount >= 0)) throw new RangeError(`${name} is at least 0, not ${amount}`);
    }
    this.#faults = { drop, duplicate, reorder, corrupt, delay, hold, bandwidth, queue };
    this.#chance = seeded(seed);
  }

  /**
   * What becomes of a datagram that comes in now: it comes out never, once or twice.
   *
   * @param now milliseconds of a clock that does not go back
   * @returns the datagram itself, or a copy where it is changed
   */
  pass(datagram: Uint8Array, now: number): Passage[] {
    const { drop, duplicate, reorder, corrupt, delay, hold } = this.#faults;
    const { counts } = this;
    // always as many draws, so that one fault does not shift the others
    const [dropped, doubled, late, damaged, where] = Array.from({ length: 5 }, this.#chance);
    counts.came++;
    if (dropped! < drop) {
      counts.dropped++;
      return [];
    }
    let copy = datagram;
    if (damaged! < corrupt && datagram.length > 0) {
      counts.corrupted++;
      const bit = Math.floor(where! * datagram.length * 8);
      copy = datagram.slice();
      copy[bit >> 3]! ^= 1 << (bit & 7);
    }
    let extra = 0;
    if (late! < reorder) {
      counts.reordered++;
      extra = hold;
    }
    const out: Passage[] = [];
    const copies = doubled! < duplicate ? 2 : 1;
    counts.duplicated += copies - 1;
    for (let each = 0; each < copies; each++) {
      const through = this.#throttled(copy.length, now);
      if (through === undefined) continue;
      // the second copy is not held up, and comes before the first
      out.push({ datagram: copy, at: through + delay + (each === 0 ? extra : 0) });
    }
    return out;
  }

  /** When the last bit is through; nothing when too much is waiting already. */
  #throttled(length: number, now: number): number | undefined {
    const { bandwidth, queue } = this.#faults;
    if (bandwidth === Infinity) return now;
    const start = Math.max(now, this.#freeAt);
    if ((start - now) / 1000 * bandwidth > queue) {
      this.counts.overflowed++;
      return undefined;
    }
    return this.#freeAt = start + length / bandwidth * 1000;
  }
}

/** Says in one line what has happened. */
export function formatCounts(counts: LinkCounts): string {
  const { came, went, failed, dropped, duplicated, reordered, corrupted, overflowed } = counts;
  const waiting = came + duplicated - dropped - overflowed - went - failed;
  return `${came} came, ${dropped} dropped, ${duplicated} duplicated, ${reordered} reordered, ` +
    `${corrupted} corrupted, ${overflowed} found the queue full, ${went} went on` +
    (failed > 0 ? `, ${failed} could not be sent` : "") +
    (waiting > 0 ? `, ${waiting} were still on the way` : "");
}
