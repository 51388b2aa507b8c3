/**
 * NTP's timestamps: 32 bits of seconds since 1900 and 32 bits of a fraction. The seconds run over every
 * 136 years: on 7 February 2036 at 06:28:16 UTC era 1 begins, and the same numbers mean other times.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc5905#section-6 RFC 5905, Data Types}
 * @module
 */

/** From 1900 to 1970, in seconds. */
const TO_1970 = 2_208_988_800n;

/**
 * The timestamp of a time.
 *
 * @param milliseconds since 1970, with a fraction
 * @throws {RangeError} when it is no number
 *
 * @example The eras meet
 * ```ts
 * import { toTimestamp } from "./ntp_timestamp.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(toTimestamp(0), 2_208_988_800n << 32n);
 * assertEquals(toTimestamp(Date.UTC(2036, 1, 7, 6, 28, 16)), 0n);
 * ```
 */
export function toTimestamp(milliseconds: number): bigint {
  const seconds = Math.floor(milliseconds / 1000);
  const fraction = Math.round((milliseconds - seconds * 1000) / 1000 * 2 ** 32);
  return BigInt.asUintN(64, (BigInt(seconds) + TO_1970 << 32n) + BigInt(fraction));
}

/**
 * How long after `other` a timestamp is, in milliseconds; negative when it is before. The eras do not
 * matter, as long as the two are less than 68 years apart. The difference of the 64 bits is exact: two
 * numbers of milliseconds since 1970 could tell a difference to 0.25 µs only.
 *
 * @example
 * ```ts
 * import { millisecondsBetween, toTimestamp } from "./ntp_timestamp.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const before = toTimestamp(Date.UTC(2036, 1, 7, 6, 28, 15));
 * assertEquals(millisecondsBetween(before, 1n << 31n), 1500);
 * ```
 */
export function millisecondsBetween(other: bigint, timestamp: bigint): number {
  return Number(BigInt.asIntN(64, timestamp - other)) * 1000 / 2 ** 32;
}

/**
 * The time of a timestamp, in milliseconds since 1970: of its many meanings, one per era, the one that is
 * nearest to a known time.
 *
 * @param near milliseconds since 1970, less than 68 years off
 *
 * @example
 * ```ts
 * import { fromTimestamp } from "./ntp_timestamp.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(fromTimestamp(0n, Date.UTC(2030)), Date.UTC(2036, 1, 7, 6, 28, 16));
 * assertEquals(fromTimestamp(0n, Date.UTC(1930)), Date.UTC(1900));
 * ```
 */
export function fromTimestamp(timestamp: bigint, near: number): number {
  return near + millisecondsBetween(toTimestamp(near), timestamp);
}
