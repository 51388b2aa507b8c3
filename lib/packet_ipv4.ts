/**
 * The internet layer: IPv4 headers. Scripts take them from `packets.ts`.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc791 RFC 791} IPv4
 * @module
 */

import { internetChecksum } from "./checksum.ts";
import { checkField, ipBytes, ipText } from "./ip_bytes.ts";
import { fieldsOf, type Layer } from "./packet_layer.ts";

/** What an IP packet carries, by the numbers of its protocol field (IANA's "Protocol Numbers"). */
export const PROTOCOL = { ICMP: 1, TCP: 6, UDP: 17 } as const;

/** What an IP header of either version says. */
export interface IpFields {
  /** The sender's IP address. */
  source: string;
  /** The receiver's IP address. */
  destination: string;
  /** What the packet carries; see {@linkcode PROTOCOL}. */
  protocol: number;
  /** How many routers it may still pass, from 0 to 255: IPv4's time to live, IPv6's hop limit. */
  timeToLive: number;
}

/** What an IPv4 header says besides, which is all about fragments. */
export interface Ipv4Fields extends IpFields {
  /** The same in all fragments of one datagram, from 0 to 65,535. */
  identification: number;
  /** Whether routers must not cut it. */
  dontFragment: boolean;
  /** Whether fragments follow behind this one. */
  moreFragments: boolean;
  /** Where in the datagram this payload belongs, in bytes: a multiple of 8, at most 65,528. */
  fragmentOffset: number;
}

/**
 * Builds an IPv4 header without options: 20 bytes, with its checksum.
 *
 * @param payloadLength how many bytes follow, at most 65,515
 * @throws {SyntaxError} for what is no IP address
 * @throws {RangeError} for a value that does not fit its field
 *
 * @example
 * ```ts
 * import { ipv4Header } from "./packet_ipv4.ts";
 * import { internetChecksum } from "./checksum.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const header = ipv4Header({
 *   source: "192.0.2.1",
 *   destination: "192.0.2.2",
 *   protocol: 6,
 *   timeToLive: 64,
 *   identification: 1,
 *   dontFragment: true,
 *   moreFragments: false,
 *   fragmentOffset: 0,
 * }, 100);
 * assertEquals([header.length, internetChecksum(header)], [20, 0]);
 * ```
 */
export function ipv4Header(fields: Ipv4Fields, payloadLength: number): Uint8Array<ArrayBuffer> {
  checkField("identification of an IPv4 packet", fields.identification, 0xffff);
  checkField("fragment offset divided by 8", fields.fragmentOffset / 8, 0x1fff);
  checkField("payload length of an IPv4 packet", payloadLength, 65_515);
  checkCommon(fields);
  const header = new Uint8Array(20);
  const view = new DataView(header.buffer);
  view.setUint8(0, 4 << 4 | 5); // version 4, and 5 words of 4 bytes
  view.setUint16(2, 20 + payloadLength);
  view.setUint16(4, fields.identification);
  const flags = Number(fields.dontFragment) << 14 | Number(fields.moreFragments) << 13;
  view.setUint16(6, flags | fields.fragmentOffset / 8);
  view.setUint8(8, fields.timeToLive);
  view.setUint8(9, fields.protocol);
  header.set(addressBytes(fields.source, 4), 12);
  header.set(addressBytes(fields.destination, 4), 16);
  view.setUint16(10, internetChecksum(header)); // last, and over zeros in its own place
  return header;
}

/** Refuses what does not fit the fields that both versions have. */
export function checkCommon({ protocol, timeToLive }: IpFields): void {
  checkField("protocol of an IP packet", protocol, 0xff);
  checkField("time to live of an IP packet", timeToLive, 0xff);
}

/** The bytes of an address that must be of one version. */
export function addressBytes(address: string, length: number): Uint8Array {
  const bytes = ipBytes(address);
  if (bytes.length === length) return bytes;
  throw new SyntaxError(`"${address}" is no IPv${length === 4 ? 4 : 6} address`);
}

/**
 * Takes an IPv4 packet apart: options are part of the header, and filling zeros behind it are left off.
 *
 * @throws {PacketError} when it ends too early, is of another version, its lengths contradict each other, or
 *   its checksum is wrong
 */
export function readIpv4(packet: Uint8Array): Layer<Ipv4Fields> {
  const view = fieldsOf("IPv4", packet, 20);
  const version = view.getUint8(0) >> 4;
  if (version !== 4) view.refuse(`its version is ${version}`);
  const length = (view.getUint8(0) & 15) * 4;
  const total = view.getUint16(2);
  if (length < 20 || length > total) view.refuse(`its length is ${length} of ${total} bytes`);
  if (total > packet.length) {
    view.refuse(`it announces ${total} bytes, and there are ${packet.length}`);
  }
  const header = packet.subarray(0, length);
  if (internetChecksum(header) !== 0) view.refuse("its checksum is wrong, bytes were changed");
  const flags = view.getUint16(6);
  const fields = {
    source: ipText(header.subarray(12, 16)),
    destination: ipText(header.subarray(16, 20)),
    protocol: view.getUint8(9),
    timeToLive: view.getUint8(8),
    identification: view.getUint16(4),
    dontFragment: (flags & 0x4000) !== 0,
    moreFragments: (flags & 0x2000) !== 0,
    fragmentOffset: (flags & 0x1fff) * 8,
  };
  return { fields, header, payload: packet.subarray(length, total) };
}
