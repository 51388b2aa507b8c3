/**
 * How long to wait for an acknowledgement: out of the round trips measured so far, as TCP does it.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6298 RFC 6298, Computing TCP's Retransmission Timer}
 * @module
 */

/** Limits of the retransmission timeout, in milliseconds. */
export interface RoundTripOptions {
  /** The timeout before anything was measured; 1,000 unless told, as in the RFC. */
  first?: number;
  /**
   * The shortest; 10 unless told. The RFC says 1,000, Linux takes 200: their receivers may hold an
   * acknowledgement back for long, ours never does.
   */
  least?: number;
  /** The longest; 2,000 unless told. */
  most?: number;
}

/** G in the RFC: by how much a timer or an acknowledgement may be late on a busy machine, in milliseconds. */
const CLOCK = 10;

/**
 * Estimates the retransmission timeout.
 *
 * @example
 * ```ts
 * import { RoundTrip } from "./round_trip.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const trip = new RoundTrip();
 * trip.measured(100);
 * assertEquals(trip.timeout, 300); // 100 + 4 * 50: the first variation is half of the first trip
 * trip.backOff();
 * assertEquals(trip.timeout, 600);
 * ```
 */
export class RoundTrip {
  /** SRTT, the smoothed round trip, in milliseconds; 0 before the first was measured. */
  smoothed = 0;
  /** RTTVAR, by how much the round trips differ from it. */
  variation = 0;
  /** RTO, how long to wait before a segment is sent again. */
  timeout: number;
  readonly #least: number;
  readonly #most: number;
  readonly #first: number;
  #any = false;

  constructor({ first = 1_000, least = 10, most = 2_000 }: RoundTripOptions = {}) {
    this.timeout = this.#first = first;
    this.#least = least;
    this.#most = most;
  }

  /**
   * Takes in a round trip, in milliseconds. Only of a segment that was sent once: of one sent twice nobody
   * knows which sending was acknowledged (Karn's algorithm, RFC 6298, 3).
   */
  measured(trip: number): void {
    if (this.#any) {
      this.variation = 3 / 4 * this.variation + 1 / 4 * Math.abs(this.smoothed - trip);
      this.smoothed = 7 / 8 * this.smoothed + 1 / 8 * trip;
    } else {
      this.#any = true;
      this.smoothed = trip;
      this.variation = trip / 2;
    }
    this.progress();
  }

  /** Doubles the timeout: it was over without an acknowledgement (RFC 6298, 5.5). */
  backOff(): void {
    this.timeout = Math.min(this.#most, 2 * this.timeout);
  }

  /**
   * Takes the doubling back, once something new was acknowledged. The RFC would wait for a new measurement;
   * where a fifth of all is lost that comes too rarely.
   */
  progress(): void {
    const timeout = this.#any ? this.smoothed + Math.max(CLOCK, 4 * this.variation) : this.#first;
    this.timeout = Math.min(this.#most, Math.max(this.#least, timeout));
  }
}
