/**
 * Prefix notation: `192.168.2.100/24` is an address whose first 24 bits name the network and whose other
 * bits name a host in it.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc4632#section-3.1 RFC 4632, 3.1}
 * @see {@link https://www.rfc-editor.org/rfc/rfc4291#section-2.3 RFC 4291, 2.3}
 * @module
 */

import { type IpAddress, mappedAddress, parseAddress } from "./ip_address.ts";

/** A network, and the address that it was given by. */
export interface Subnet {
  address: IpAddress;
  /** How many bits name the network. */
  prefix: number;
  /** The first address, all host bits 0. */
  network: IpAddress;
  /** The last address, all host bits 1; in IPv4 that of the broadcast. */
  last: IpAddress;
  netmask: IpAddress;
  /** The host's piece of the address, all network bits 0. */
  host: IpAddress;
  /** How many addresses there are: a bigint, since IPv6 has up to 2 ** 128. */
  count: bigint;
  /**
   * The first and the last that a host may have. IPv4 keeps the network's own and the broadcast's, IPv6 the
   * first, which means its routers; a network of two has two hosts (RFC 3021, RFC 6164).
   */
  hosts: [first: IpAddress, last: IpAddress];
}

/**
 * Reads an address with its prefix; without one it is a network of one address. Host bits may be set.
 *
 * @throws {SyntaxError} for what is no address, or a prefix that is no number from 0 to 32 (IPv6: 128)
 *
 * @example
 * ```ts
 * import { formatAddress } from "./ip_address.ts";
 * import { parseSubnet } from "./subnet.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const { network, last, count } = parseSubnet("192.168.2.100/24");
 * assertEquals([network, last].map((each) => formatAddress(each)), ["192.168.2.0", "192.168.2.255"]);
 * assertEquals(count, 256n);
 * ```
 */
export function parseSubnet(text: string): Subnet {
  const slash = text.indexOf("/");
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  const { version, bytes } = address;
  const bits = bytes.length * 8;
  const digits = slash < 0 ? String(bits) : text.slice(slash + 1);
  const prefix = /^\d{1,3}$/.test(digits) ? Number(digits) : Infinity;
  if (prefix > bits) {
    throw new SyntaxError(
      `"${text}" has no prefix of IPv${version}: write a number from 0 to ${bits} after the slash`,
    );
  }
  const mask = bytes.map((_, at) => 0xff00 >> Math.min(8, Math.max(0, prefix - at * 8)) & 0xff);
  const made = (piece: (byte: number, mask: number) => number): IpAddress => ({
    version,
    bytes: bytes.map((byte, at) => piece(byte, mask[at]!)),
  });
  const network = made((byte, mask) => byte & mask);
  const last = made((byte, mask) => byte | ~mask & 0xff);
  // only the last byte changes: the first address ends in a 0 bit and the last in a 1
  const few = prefix >= bits - 1;
  const hosts: Subnet["hosts"] = [
    few ? network : stepped(network, 1),
    few || version === 6 ? last : stepped(last, -1),
  ];
  return {
    address,
    prefix,
    network,
    last,
    netmask: { version, bytes: mask },
    host: made((byte, mask) => byte & ~mask),
    count: 2n ** BigInt(bits - prefix),
    hosts,
  };
}

function stepped({ version, bytes }: IpAddress, step: 1 | -1): IpAddress {
  return { version, bytes: bytes.with(-1, bytes.at(-1)! + step) };
}

/** Whether an address is inside a network; one of the other IP version never is. */
export function contains({ network, netmask }: Subnet, { bytes }: IpAddress): boolean {
  return bytes.length === network.bytes.length &&
    bytes.every((byte, at) => (byte & netmask.bytes[at]!) === network.bytes[at]);
}

const KINDS: [kind: string, networks: Subnet[]][] = [
  ["unspecified", ["0.0.0.0", "::"]],
  ["loopback", ["127.0.0.0/8", "::1"]], // RFC 1122, RFC 4291
  ["private", ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"]], // RFC 1918, RFC 4193
  ["link-local", ["169.254.0.0/16", "fe80::/10"]], // RFC 3927, RFC 4291
  ["multicast", ["224.0.0.0/4", "ff00::/8"]], // RFC 5771, RFC 4291
  ["broadcast", ["255.255.255.255"]], // RFC 919
  ["documentation", ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"]],
].map(([kind, networks]) => [kind as string, (networks as string[]).map(parseSubnet)]);

/**
 * What kind of address it is: `private`, `loopback`, `link-local`, `multicast`, `unspecified`, `broadcast`,
 * `documentation`, or else `other`, such as one of the internet. An IPv4-mapped one is judged by its IPv4
 * address. Whether it is safe to be visited is another question: see `private_address.ts`.
 *
 * @example
 * ```ts
 * import { parseAddress } from "./ip_address.ts";
 * import { kindOf } from "./subnet.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(kindOf(parseAddress("10.10.10.51")), "private");
 * assertEquals(kindOf(parseAddress("fe80::1")), "link-local");
 * ```
 */
export function kindOf(address: IpAddress): string {
  const judged = mappedAddress(address) ?? address;
  const found = KINDS.find(([, networks]) => networks.some((each) => contains(each, judged)));
  return found?.[0] ?? "other";
}
