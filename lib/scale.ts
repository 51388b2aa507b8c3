/**
 * The scale of an axis: steps that people like to read.
 *
 * @module
 */

/**
 * The next of 1, 2, 5, 10, 20, 50 … (and 0.5, 0.2, 0.1 …) that is at least as large.
 *
 * @example
 * ```ts
 * import { niceStep } from "./scale.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([0.03, 1, 3, 60, 0].map(niceStep), [0.05, 1, 5, 100, 1]);
 * ```
 */
export function niceStep(least: number): number {
  if (least <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].map((digit) => digit * power)
    .find((step) => step >= least * 0.999_999)!;
  // 5 * 0.01 is 0.05, but 2 * 0.001 is 0.002 only after this
  return Number(step.toPrecision(1));
}

/** An axis between two values. */
export interface Scale {
  low: number;
  high: number;
  /** The values at which a line stands, from low to high. */
  ticks: number[];
  /** A value as it stands at the axis, with as many decimals as the steps have. */
  format(value: number): string;
}

/**
 * A scale that holds all values between two, and begins and ends at a tick.
 *
 * @param ticks about how many steps there shall be
 * @throws {RangeError} for what is no number
 *
 * @example
 * ```ts
 * import { scaleFor } from "./scale.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const { ticks, format } = scaleFor(-0.3, 0.42);
 * assertEquals(ticks.map(format), ["-0.4", "-0.2", "0.0", "0.2", "0.4", "0.6"]);
 * ```
 */
export function scaleFor(low: number, high: number, ticks = 4): Scale {
  if (!Number.isFinite(low) || !Number.isFinite(high)) {
    throw new RangeError(`there is no scale from ${low} to ${high}`);
  }
  // steps that numbers of this size tell well apart
  const smallest = Math.max(Math.abs(low), Math.abs(high)) * 1e-12;
  const step = niceStep(Math.max((high - low) / ticks, smallest));
  const first = Math.floor(low / step + 1e-6);
  const last = Math.max(Math.ceil(high / step - 1e-6), first + 1);
  const count = last - first + 1;
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-6));
  return {
    low: first * step,
    high: last * step,
    ticks: Array.from({ length: count }, (_, index) => (first + index) * step),
    format: (value) =>
      (value + 0).toLocaleString("en", {
        minimumFractionDigits: decimals,
        maximumFractionDigits: decimals,
      }).replace(/^-(?=[0.]*$)/, ""),
  };
}
