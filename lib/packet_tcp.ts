/**
 * The transport layer: TCP headers. Scripts take them from `packets.ts`.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9293#section-3.1 RFC 9293, 3.1} TCP
 * @module
 */

import { type AddressPair, internetChecksum, pseudoHeader } from "./checksum.ts";
import { checkField } from "./ip_bytes.ts";
import { fieldsOf, type Layer } from "./packet_layer.ts";

/** TCP's flags, to be added up. */
export const TCP_FLAG = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16, URG: 32 } as const;

/** The two ports, which name the processes that talk, from 0 to 65,535. */
export interface Ports {
  sourcePort: number;
  destinationPort: number;
}

/** What a TCP header says. */
export interface TcpFields extends Ports {
  /** The number of the first byte that it carries, from 0 to 2^32 - 1. */
  sequence: number;
  /** The number of the next byte that the sender wants to get. */
  acknowledgment: number;
  /** A sum of {@linkcode TCP_FLAG}. */
  flags: number;
  /** How many bytes the sender can take, from 0 to 65,535; times 2^n when the two have agreed on a scale. */
  window: number;
  /** Options behind the header, as their bytes: a multiple of 4, at most 40. None unless told. */
  options?: Uint8Array;
}

/**
 * Builds a TCP header with its checksum: 20 bytes, and the options where there are any.
 *
 * @param addresses which the checksum covers as well
 * @param payload what follows the header, at most 65,515 bytes
 * @throws {RangeError} for a value that does not fit its field
 *
 * @example
 * ```ts
 * import { TCP_FLAG, tcpHeader } from "./packet_tcp.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const header = tcpHeader(
 *   {
 *     sourcePort: 49152,
 *     destinationPort: 80,
 *     sequence: 1,
 *     acknowledgment: 1,
 *     flags: TCP_FLAG.PSH + TCP_FLAG.ACK,
 *     window: 65535,
 *   },
 *   { source: "192.0.2.1", destination: "192.0.2.2" },
 *   new TextEncoder().encode("hello"),
 * );
 * assertEquals(header.length, 20);
 * ```
 */
export function tcpHeader(
  fields: TcpFields,
  addresses: AddressPair,
  payload: Uint8Array,
): Uint8Array<ArrayBuffer> {
  checkPorts(fields);
  checkField("sequence number of TCP", fields.sequence, 0xffff_ffff);
  checkField("acknowledgment number of TCP", fields.acknowledgment, 0xffff_ffff);
  checkField("sum of TCP flags", fields.flags, 0xff);
  checkField("window of TCP", fields.window, 0xffff);
  checkField("length of a TCP payload", payload.length, 65_515);
  const { options = new Uint8Array(0) } = fields;
  if (options.length % 4 !== 0 || options.length > 40) {
    throw new RangeError(
      `the options of TCP are a multiple of 4 bytes, at most 40, not ${options.length}`,
    );
  }
  const header = new Uint8Array(20 + options.length);
  header.set(options, 20);
  const view = new DataView(header.buffer);
  view.setUint16(0, fields.sourcePort);
  view.setUint16(2, fields.destinationPort);
  view.setUint32(4, fields.sequence);
  view.setUint32(8, fields.acknowledgment);
  view.setUint8(12, header.length / 4 << 4); // in words of 4 bytes
  view.setUint8(13, fields.flags);
  view.setUint16(14, fields.window);
  const pseudo = pseudoHeader(addresses, 6, header.length + payload.length);
  view.setUint16(16, internetChecksum(pseudo, header, payload));
  return header;
}

/** Refuses what is no port. */
export function checkPorts({ sourcePort, destinationPort }: Ports): void {
  checkField("source port", sourcePort, 0xffff);
  checkField("destination port", destinationPort, 0xffff);
}

/**
 * Takes a TCP segment apart; options are part of the header.
 *
 * @throws {PacketError} when it ends within its header or its checksum is wrong
 */
export function readTcp(segment: Uint8Array, addresses: AddressPair): Layer<TcpFields> {
  const view = fieldsOf("TCP", segment, 20);
  const length = (view.getUint8(12) >> 4) * 4;
  if (length < 20 || length > segment.length) {
    view.refuse(`its length is ${length} of ${segment.length} bytes`);
  }
  if (internetChecksum(pseudoHeader(addresses, 6, segment.length), segment) !== 0) {
    view.refuse("the checksum is wrong, bytes were changed");
  }
  const fields = {
    sourcePort: view.getUint16(0),
    destinationPort: view.getUint16(2),
    sequence: view.getUint32(4),
    acknowledgment: view.getUint32(8),
    flags: view.getUint8(13),
    window: view.getUint16(14),
  };
  return { fields, header: segment.subarray(0, length), payload: segment.subarray(length) };
}
