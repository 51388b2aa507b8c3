/**
 * Packets built and taken apart, layer by layer: Ethernet here and, from here as well, IPv4, IPv6, TCP and
 * UDP. Each header is given back as its bytes, so that a lesson can show it before it is sent.
 *
 * The readers trust nothing: bytes that end too early, or lengths that contradict them, are a
 * {@linkcode PacketError}. Options and extension headers are stepped over or refused, never interpreted.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc894 RFC 894} IP in Ethernet frames
 * @module
 */

import { checkField, macBytes, macText } from "./ip_bytes.ts";
import { fieldsOf, type Layer } from "./packet_layer.ts";

export { joined, type Layer, PacketError } from "./packet_layer.ts";
export { type IpFields, type Ipv4Fields, ipv4Header, PROTOCOL, readIpv4 } from "./packet_ipv4.ts";
export { ipv6Header, readIpv6 } from "./packet_ipv6.ts";
export { type Ports, readTcp, TCP_FLAG, type TcpFields, tcpHeader } from "./packet_tcp.ts";
export { readUdp, udpHeader } from "./packet_udp.ts";

/** What an Ethernet frame carries, by the numbers of its type field (IANA's "EtherType"). */
export const ETHER_TYPE = { IPv4: 0x0800, ARP: 0x0806, IPv6: 0x86dd } as const;

/** What an Ethernet header says. */
export interface EthernetFields {
  /** The MAC address of the card that is to take the frame. */
  destination: string;
  /** The MAC address of the card that sends it. */
  source: string;
  /** What the frame carries; see {@linkcode ETHER_TYPE}. */
  type: number;
}

/**
 * Builds an Ethernet header: 14 bytes. The check sequence behind the frame is the card's own work, and so
 * are the zeros that fill a short frame up; a capture on the sender's machine shows neither.
 *
 * @throws {SyntaxError} for what is no MAC address
 * @throws {RangeError} for a type that does not fit, or one below 0x600, which would be a length
 *
 * @example
 * ```ts
 * import { ETHER_TYPE, ethernetHeader, joined, readEthernet } from "./packets.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const fields = {
 *   destination: "02:00:00:00:00:02",
 *   source: "02:00:00:00:00:01",
 *   type: ETHER_TYPE.IPv4,
 * };
 * const frame = joined(ethernetHeader(fields), new Uint8Array(46));
 * assertEquals(readEthernet(frame).fields, fields);
 * ```
 */
export function ethernetHeader(fields: EthernetFields): Uint8Array<ArrayBuffer> {
  checkField("type of an Ethernet frame", fields.type, 0xffff);
  if (fields.type < 0x600) {
    throw new RangeError(`an Ethernet type is at least 1536, not ${fields.type}`);
  }
  const header = new Uint8Array(14);
  header.set(macBytes(fields.destination));
  header.set(macBytes(fields.source), 6);
  new DataView(header.buffer).setUint16(12, fields.type);
  return header;
}

/**
 * Takes an Ethernet frame apart. Its payload may end in filling zeros: how long it really is stands in the
 * header of the next layer.
 *
 * @throws {PacketError} when the frame ends within its header, or its type is a length (IEEE 802.3 LLC)
 */
export function readEthernet(frame: Uint8Array): Layer<EthernetFields> {
  const view = fieldsOf("Ethernet", frame, 14);
  const fields = {
    destination: macText(frame.subarray(0, 6)),
    source: macText(frame.subarray(6, 12)),
    type: view.getUint16(12),
  };
  if (fields.type < 0x600) view.refuse(`its type is the length ${fields.type}, not a protocol`);
  return { fields, header: frame.subarray(0, 14), payload: frame.subarray(14) };
}
