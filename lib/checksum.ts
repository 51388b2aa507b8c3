/**
 * The Internet checksum: how IP, TCP, UDP and ICMP notice that bytes were changed on the way.
 *
 * It finds accidents, not attacks: whoever changes a packet can compute its checksum anew, and 16-bit words
 * that have changed places are not noticed.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc1071 RFC 1071, Computing the Internet Checksum}
 * @module
 */

import { checkField, ipBytes } from "./ip_bytes.ts";

/**
 * Computes the Internet checksum: the complement of the one's complement sum of all 16-bit words. An odd
 * byte at the very end is followed by a zero for the sum.
 *
 * Over bytes that hold their own checksum the result is 0: that is how a receiver checks.
 *
 * @param parts what is summed, one behind the other as if it were one piece
 * @returns a number from 0 to 0xffff
 *
 * @example
 * ```ts
 * import { internetChecksum } from "./checksum.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const words = new Uint8Array([0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]);
 * assertEquals(internetChecksum(words), 0x220d); // RFC 1071, 3: the sum is 0xddf2
 * ```
 */
export function internetChecksum(...parts: Uint8Array[]): number {
  let sum = 0;
  let odd = false; // whether the last byte began a word that the next part ends
  for (const part of parts) {
    let at = 0;
    if (odd && part.length > 0) {
      sum += part[at++]!;
      odd = false;
    }
    // pairs, and the carries only once for each part: a capture computes this for every byte that passes
    const pairs = part.length - 1;
    for (; at < pairs; at += 2) sum += part[at]! << 8 | part[at + 1]!;
    if (at < part.length) {
      sum += part[at]! << 8;
      odd = true;
    }
    while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000); // the carries come back in
  }
  return ~sum & 0xffff;
}

/** The addresses that a pseudo header is made of. */
export interface AddressPair {
  /** The sender's IP address, as text. */
  source: string;
  /** The receiver's IP address, of the same family. */
  destination: string;
}

/**
 * The pseudo header: TCP and UDP sum it before their own header, and it is never sent. It makes a segment
 * that was delivered to another address, or as another protocol, look damaged.
 *
 * @param protocol 6 for TCP, 17 for UDP
 * @param length of the transport header and what follows it, in bytes, at most 65,535
 * @throws {SyntaxError} for what is no IP address
 * @throws {TypeError} for addresses of two families
 * @throws {RangeError} for a protocol or length that does not fit its field
 * @see {@link https://www.rfc-editor.org/rfc/rfc9293#section-3.1 RFC 9293, 3.1} for IPv4
 * @see {@link https://www.rfc-editor.org/rfc/rfc8200#section-8.1 RFC 8200, 8.1} for IPv6
 *
 * @example
 * ```ts
 * import { pseudoHeader } from "./checksum.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const pair = { source: "192.0.2.1", destination: "192.0.2.2" };
 * assertEquals([...pseudoHeader(pair, 6, 20)], [192, 0, 2, 1, 192, 0, 2, 2, 0, 6, 0, 20]);
 * ```
 */
export function pseudoHeader(
  { source, destination }: AddressPair,
  protocol: number,
  length: number,
): Uint8Array<ArrayBuffer> {
  const from = ipBytes(source);
  const to = ipBytes(destination);
  if (from.length !== to.length) {
    throw new TypeError(`${source} and ${destination} are not of one family: give two of one`);
  }
  checkField("protocol of a pseudo header", protocol, 0xff);
  checkField("length of a pseudo header", length, 0xffff);
  const version4 = from.length === 4;
  const header = new Uint8Array(2 * from.length + (version4 ? 4 : 8));
  const view = new DataView(header.buffer, 2 * from.length);
  header.set(from);
  header.set(to, from.length);
  if (version4) {
    view.setUint8(1, protocol);
    view.setUint16(2, length);
  } else {
    view.setUint32(0, length);
    view.setUint8(7, protocol);
  }
  return header;
}
