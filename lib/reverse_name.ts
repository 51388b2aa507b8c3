/**
 * The name under which DNS keeps the host of an address.
 *
 * @module
 */

import { ip6Bytes } from "./dns_data.ts";

/**
 * The reverse name of an IP address: its parts from the last to the first, since in a name the general
 * stands last; below `in-addr.arpa` for IPv4 (RFC 1035, 3.5), digit by digit below `ip6.arpa` for IPv6
 * ({@link https://www.rfc-editor.org/rfc/rfc3596#section-2.5 RFC 3596, 2.5}).
 *
 * @param address in its canonical form
 * @throws {DnsFormatError} when it has a colon and is no IPv6 address
 *
 * @example
 * ```ts
 * import { reverseName } from "./reverse_name.ts";
 * import { assert, assertEquals } from "@std/assert";
 *
 * assertEquals(reverseName("192.168.1.8"), "8.1.168.192.in-addr.arpa");
 * assert(reverseName("fd00::8").startsWith("8.0.0.0."));
 * ```
 */
export function reverseName(address: string): string {
  if (!address.includes(":")) return `${address.split(".").reverse().join(".")}.in-addr.arpa`;
  const digits = ip6Bytes(address).flatMap((byte) => [byte >> 4, byte & 15]);
  return `${digits.reverse().map((digit) => digit.toString(16)).join(".")}.ip6.arpa`;
}
