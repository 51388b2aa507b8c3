/**
 * How far another machine's clock is from one's own, from four times: when the question was sent and the
 * answer arrived, by one's own clock, and when the other got the question and sent the answer, by its clock.
 *
 *     other's clock          received ── answered
 *                            /              \
 *     own clock          sent                arrived
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc5905#section-8 RFC 5905, On-Wire Protocol}
 * @module
 */

/** The four times of a question and its answer, in milliseconds; RFC 5905's T1 to T4. */
export interface FourTimes {
  /** T1, by the own clock. */
  sent: number;
  /** T2, by the other's clock. */
  received: number;
  /** T3, by the other's clock. */
  answered: number;
  /** T4, by the own clock. */
  arrived: number;
}

/** What one question and its answer tell, in milliseconds. */
export interface Sample {
  /** How far the other's clock is ahead of the own; negative when it is behind. */
  offset: number;
  /** How long question and answer were on their way together. The offset is right to within half of it. */
  delay: number;
}

/** Four times that cannot be: the answer was sent before the question came, or was under way for no time. */
export class ImpossibleTimesError extends Error {
  override name = "ImpossibleTimesError";
}

/** Clocks step: two looks at one may be this far apart the wrong way, in milliseconds. */
const STEP = 1;

/**
 * Offset and delay. The offset is exact when both ways take equally long; if all of the delay was on one way,
 * it is wrong by half of the delay, and never by more.
 *
 * @throws {ImpossibleTimesError} when a clock was set in between, or the other side lies
 *
 * @example The other's clock is 100 ms ahead, each way takes 5 ms, and it takes 2 ms to answer
 * ```ts
 * import { sampleOf } from "./clock_offset.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const times = { sent: 1000, received: 1105, answered: 1107, arrived: 1012 };
 * assertEquals(sampleOf(times), { offset: 100, delay: 10 });
 * ```
 */
export function sampleOf({ sent, received, answered, arrived }: FourTimes): Sample {
  const offset = ((received - sent) + (answered - arrived)) / 2;
  const delay = (arrived - sent) - (answered - received);
  if (!Number.isFinite(offset)) throw new ImpossibleTimesError("the times are no numbers");
  if (answered < received - STEP) {
    throw new ImpossibleTimesError("the answer was sent before the question came");
  }
  if (delay < -STEP) {
    throw new ImpossibleTimesError("the answer took longer to make than it was waited for");
  }
  return { offset, delay: Math.max(0, delay) };
}

/**
 * The best of several samples: the one with the least delay. What holds a datagram up holds up one way more
 * than the other, and that error is at most half of the delay.
 *
 * @throws {RangeError} when there is none
 *
 * @example
 * ```ts
 * import { bestOf } from "./clock_offset.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(bestOf([{ offset: 9, delay: 20 }, { offset: 1, delay: 2 }]), { offset: 1, delay: 2 });
 * ```
 */
export function bestOf<T extends Sample>(samples: readonly T[]): T {
  if (samples.length === 0) throw new RangeError("the best of no samples");
  return samples.reduce((best, each) => each.delay < best.delay ? each : best);
}
