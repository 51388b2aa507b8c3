/**
 * How often each client may ask: a bucket of tokens for each, which fills up slowly. A question takes one.
 *
 * @module
 */

interface Bucket {
  tokens: number;
  /** When it was last looked at, in milliseconds. */
  seen: number;
  told: boolean;
}

/** What is done with a question: it is answered, refused once, and then passed over. */
export type Verdict = "answer" | "refuse" | "ignore";

/**
 * Counts the questions of each client. Who asks too often is told so once, and again only after a question
 * of his was answered: an answer to each would make the flood twice as large.
 *
 * @example
 * ```ts
 * import { Allowance } from "./allowance.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const allowance = new Allowance({ perSecond: 1, burst: 2 });
 * const verdicts = [0, 0, 0, 0, 1000].map((now) => allowance.take("127.0.0.1", now));
 * assertEquals(verdicts, ["answer", "answer", "refuse", "ignore", "answer"]);
 * ```
 */
export class Allowance {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #most: number;
  readonly #buckets = new Map<string, Bucket>();

  /**
   * @param options.perSecond how many tokens come in a second
   * @param options.burst how many a bucket holds
   * @param options.most how many clients are remembered, 10,000 unless told; then the one that was silent
   * longest is forgotten
   */
  constructor(options: { perSecond: number; burst: number; most?: number }) {
    this.#perSecond = options.perSecond;
    this.#burst = options.burst;
    this.#most = options.most ?? 10_000;
  }

  /** How many clients are remembered. */
  get clients(): number {
    return this.#buckets.size;
  }

  /** A client asks, at a time in milliseconds that never goes back. */
  take(client: string, now = performance.now()): Verdict {
    const bucket = this.#buckets.get(client) ??
      { tokens: this.#burst, seen: now, told: false };
    const grown = bucket.tokens + (now - bucket.seen) / 1000 * this.#perSecond;
    bucket.tokens = Math.min(this.#burst, grown);
    bucket.seen = now;
    // a Map keeps the order of insertion: the first is the one that was silent longest
    this.#buckets.delete(client);
    this.#buckets.set(client, bucket);
    if (this.#buckets.size > this.#most) {
      this.#buckets.delete(this.#buckets.keys().next().value!);
    }
    if (bucket.tokens >= 1) {
      bucket.tokens--;
      bucket.told = false;
      return "answer";
    }
    if (bucket.told) return "ignore";
    bucket.told = true;
    return "refuse";
  }
}
