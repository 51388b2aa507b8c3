/**
 * Addresses that lead into one's own network. A service that fetches what strangers name must not fetch
 * from there: routers, printers and databases trust their neighbours.
 *
 * @see {@link https://www.iana.org/assignments/iana-ipv4-special-registry IANA's special-purpose registry}
 * @module
 */

const PRIVATE_V4: [network: string, bits: number][] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
];

/**
 * Whether an IP address is private, loopback, link-local, multicast or reserved. IPv6 addresses that carry
 * an IPv4 address are judged by that.
 *
 * @param address as `URL.hostname` writes it, with or without brackets
 *
 * @example
 * ```ts
 * import { isPrivate } from "./private_address.ts";
 * import { assert } from "@std/assert";
 *
 * assert(isPrivate("192.168.1.8") && isPrivate("::1") && isPrivate("::ffff:10.0.0.1"));
 * assert(!isPrivate("93.184.216.34") && !isPrivate("2606:2800:220:1::1"));
 * ```
 */
export function isPrivate(address: string): boolean {
  const bare = address.replace(/^\[|\]$/g, "");
  // what is no address at all is not to be trusted either
  if (!bare.includes(":")) {
    return !/^(\d{1,3}\.){3}\d{1,3}$/.test(bare) || isPrivateV4(numberOf(bare));
  }
  // the URL parser writes every IPv6 address in one way, its last 32 bits in hexadecimal too
  const words = wordsOf(new URL(`http://[${bare.replace(/%.*$/, "")}]/`).hostname.slice(1, -1));
  const [first = 0, second = 0] = words;
  const zeros = (count: number) => words.slice(0, count).every((word) => word === 0);
  const last = words[6]! * 0x1_0000 + words[7]!;
  if (zeros(5) && words[5] === 0xffff) return isPrivateV4(last);
  if (zeros(6)) return true; // ::, ::1 and the old ::1.2.3.4
  if (first === 0x64 && second === 0xff9b && words.slice(2, 6).every((word) => word === 0)) {
    return isPrivateV4(last); // NAT64
  }
  if (first === 0x2002) return isPrivateV4(second * 0x1_0000 + words[2]!); // 6to4
  // 2001::/23 is for protocols, such as Teredo; 2001:db8::/32 and 3fff::/20 are for examples
  if (first === 0x2001 && (second < 0x200 || second === 0xdb8)) return true;
  if (first === 0x3fff && second < 0x1000) return true;
  // 2000::/3 is all that is given out
  return first >> 13 !== 1;
}

function isPrivateV4(address: number): boolean {
  return PRIVATE_V4.some(([network, bits]) => {
    const size = 2 ** (32 - bits);
    return Math.floor(address / size) === Math.floor(numberOf(network) / size);
  });
}

function numberOf(dotted: string): number {
  return dotted.split(".").reduce((number, part) => number * 256 + Number(part), 0);
}

function wordsOf(address: string): number[] {
  const [before = "", after] = address.split("::");
  const left = before === "" ? [] : before.split(":");
  const right = after === undefined || after === "" ? [] : after.split(":");
  const zeros = after === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array<string>(zeros).fill("0"), ...right].map((word) => parseInt(word, 16));
}
