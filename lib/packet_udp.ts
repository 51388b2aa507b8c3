/**
 * The transport layer: UDP headers. Scripts take them from `packets.ts`.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc768 RFC 768} UDP
 * @module
 */

import { type AddressPair, internetChecksum, pseudoHeader } from "./checksum.ts";
import { checkField } from "./ip_bytes.ts";
import { fieldsOf, type Layer } from "./packet_layer.ts";
import { checkPorts, type Ports } from "./packet_tcp.ts";

/**
 * Builds a UDP header: 8 bytes, with its checksum.
 *
 * @param addresses which the checksum covers as well
 * @param payload what follows the header, at most 65,527 bytes, in an IPv4 packet 65,507
 * @throws {RangeError} for a value that does not fit its field
 *
 * @example
 * ```ts
 * import { joined, readUdp, udpHeader } from "./packets.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const addresses = { source: "192.0.2.1", destination: "192.0.2.2" };
 * const ports = { sourcePort: 49152, destinationPort: 53 };
 * const payload = new TextEncoder().encode("hello");
 * const datagram = joined(udpHeader(ports, addresses, payload), payload);
 * assertEquals(readUdp(datagram, addresses).fields, ports);
 * ```
 */
export function udpHeader(
  fields: Ports,
  addresses: AddressPair,
  payload: Uint8Array,
): Uint8Array<ArrayBuffer> {
  checkPorts(fields);
  checkField("length of a UDP payload", payload.length, 65_527);
  const header = new Uint8Array(8);
  const view = new DataView(header.buffer);
  const length = header.length + payload.length;
  view.setUint16(0, fields.sourcePort);
  view.setUint16(2, fields.destinationPort);
  view.setUint16(4, length);
  const checksum = internetChecksum(pseudoHeader(addresses, 17, length), header, payload);
  view.setUint16(6, checksum || 0xffff); // 0 means that there is none, and both are zero in the sum
  return header;
}

/**
 * Takes a UDP datagram apart. Over IPv4 its checksum may be missing (0); over IPv6 it must be there.
 *
 * @throws {PacketError} when it ends too early, its length contradicts that, or its checksum is wrong
 */
export function readUdp(datagram: Uint8Array, addresses: AddressPair): Layer<Ports> {
  const view = fieldsOf("UDP", datagram, 8);
  const length = view.getUint16(4);
  if (length < 8 || length > datagram.length) {
    view.refuse(`it announces ${length} bytes, and there are ${datagram.length}`);
  }
  const whole = datagram.subarray(0, length);
  const unchecked = view.getUint16(6) === 0 && !addresses.source.includes(":");
  if (!unchecked && internetChecksum(pseudoHeader(addresses, 17, length), whole) !== 0) {
    view.refuse("the checksum is wrong, bytes were changed");
  }
  const fields = { sourcePort: view.getUint16(0), destinationPort: view.getUint16(2) };
  return { fields, header: datagram.subarray(0, 8), payload: datagram.subarray(8, length) };
}
