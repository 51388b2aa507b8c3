/**
 * Which addresses are groups.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc5771 RFC 5771} for IPv4
 * @see {@link https://www.rfc-editor.org/rfc/rfc4291#section-2.7 RFC 4291, 2.7} for IPv6
 * @module
 */

import { UsageError } from "./usage.ts";

/**
 * Tells an IPv6 group from an IPv4 one.
 *
 * @throws {UsageError} for what is no multicast address
 *
 * @example
 * ```ts
 * import { isGroup6 } from "./multicast.ts";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * assertEquals([isGroup6("239.255.0.12"), isGroup6("ff11::12")], [false, true]);
 * assertThrows(() => isGroup6("192.168.1.8"));
 * ```
 */
export function isGroup6(group: string): boolean {
  if (/^ff[\da-f]{2}:[\da-f:.]+$/i.test(group)) return true;
  if (/^(22[4-9]|23\d)(\.\d{1,3}){3}$/.test(group)) return false;
  throw new UsageError(
    `--group is an address from 224.0.0.0 to 239.255.255.255 or in ff00::/8, not "${group}"`,
  );
}
