/**
 * IPv4 networks as routing tables have them, addresses as text.
 *
 * @module
 */

import { formatAddress, parseAddress } from "./ip_address.ts";
import { contains, parseSubnet, type Subnet } from "./subnet.ts";

/**
 * Reads `ADDRESS/LENGTH`: the address as it is written, and the network that it belongs to.
 *
 * @throws {SyntaxError} for anything else, IPv6 included
 *
 * @example
 * ```ts
 * import { formatNetwork, readAddress } from "./ipv4_network.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const { address, network } = readAddress("192.168.1.10/24");
 * assertEquals([address, formatNetwork(network)], ["192.168.1.10", "192.168.1.0/24"]);
 * ```
 */
export function readAddress(text: string): { address: string; network: Subnet } {
  if (!text.includes("/")) {
    throw new SyntaxError(
      `cannot read "${text}": write an address and the length of its prefix, as in 192.168.1.10/24`,
    );
  }
  const network = parseSubnet(text);
  const address = formatAddress(network.address);
  checkVersion(address);
  return { address, network };
}

/**
 * Refuses what is no IPv4 address.
 *
 * @throws {SyntaxError} that shows what was given
 */
export function checkVersion(address: string): void {
  if (parseAddress(address).version !== 4) {
    throw new SyntaxError(`"${address}" is no IPv4 address: write one such as 192.168.1.10`);
  }
}

/** Writes a network in prefix notation: `192.168.1.0/24`. */
export function formatNetwork({ network, prefix }: Subnet): string {
  return `${formatAddress(network)}/${prefix}`;
}

/** Whether an address begins with the bits of a network's prefix. */
export function holds(network: Subnet, address: string): boolean {
  return contains(network, parseAddress(address));
}

/** Whether two networks are the same one, however each was given. */
export function sameNetwork(one: Subnet, other: Subnet): boolean {
  return formatNetwork(one) === formatNetwork(other);
}

/**
 * What an address means when it is that of no machine: the first of a network is the network itself, the
 * last everyone in it. Networks of one or two addresses have machines only
 * ({@link https://www.rfc-editor.org/rfc/rfc3021 RFC 3021}).
 */
export function meaning(network: Subnet, address: string): string | undefined {
  if (network.prefix >= 31) return undefined;
  if (address === formatAddress(network.network)) return "the network itself";
  if (address === formatAddress(network.last)) return "everyone in the network";
}
