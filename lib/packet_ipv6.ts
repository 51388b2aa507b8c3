/**
 * The internet layer: IPv6 headers. Scripts take them from `packets.ts`.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8200 RFC 8200} IPv6
 * @module
 */

import { checkField, ipText } from "./ip_bytes.ts";
import { addressBytes, checkCommon, type IpFields } from "./packet_ipv4.ts";
import { fieldsOf, type Layer } from "./packet_layer.ts";

/**
 * Builds an IPv6 header: 40 bytes, and no checksum, since those of TCP and UDP cover its addresses.
 *
 * @param payloadLength how many bytes follow, at most 65,535
 * @throws {SyntaxError} for what is no IP address
 * @throws {RangeError} for a value that does not fit its field
 *
 * @example
 * ```ts
 * import { ipv6Header, joined, PROTOCOL, readIpv6 } from "./packets.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const addresses = { source: "2001:db8::1", destination: "2001:db8::2" };
 * const fields = { ...addresses, protocol: PROTOCOL.UDP, timeToLive: 64 };
 * const packet = joined(ipv6Header(fields, 8), new Uint8Array(8));
 * assertEquals([packet.length, readIpv6(packet).fields], [48, fields]);
 * ```
 */
export function ipv6Header(fields: IpFields, payloadLength: number): Uint8Array<ArrayBuffer> {
  checkField("payload length of an IPv6 packet", payloadLength, 0xffff);
  checkCommon(fields);
  const header = new Uint8Array(40);
  const view = new DataView(header.buffer);
  view.setUint8(0, 6 << 4); // version 6; traffic class and flow label stay 0
  view.setUint16(4, payloadLength);
  view.setUint8(6, fields.protocol);
  view.setUint8(7, fields.timeToLive);
  header.set(addressBytes(fields.source, 16), 8);
  header.set(addressBytes(fields.destination, 16), 24);
  return header;
}

/**
 * Takes an IPv6 packet apart; an extension header is left in the payload, and its number is the protocol.
 *
 * @throws {PacketError} when it ends too early or is of another version
 */
export function readIpv6(packet: Uint8Array): Layer<IpFields> {
  const view = fieldsOf("IPv6", packet, 40);
  const version = view.getUint8(0) >> 4;
  if (version !== 6) view.refuse(`its version is ${version}`);
  const end = 40 + view.getUint16(4);
  if (end > packet.length) view.refuse(`it announces ${end} bytes, and there are ${packet.length}`);
  const fields = {
    source: ipText(packet.subarray(8, 24)),
    destination: ipText(packet.subarray(24, 40)),
    protocol: view.getUint8(6),
    timeToLive: view.getUint8(7),
  };
  return { fields, header: packet.subarray(0, 40), payload: packet.subarray(40, end) };
}
