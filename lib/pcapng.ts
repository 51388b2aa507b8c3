/**
 * Packets in a file that Wireshark, tshark and tcpdump read, in the format that they write by themselves:
 * pcapng. It consists of blocks, and so a file can be written packet by packet and read while it grows.
 *
 * @see {@link https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html PCAP Next Generation}
 * @module
 */

import { ipBytes } from "./ip_bytes.ts";
import { joined } from "./packet_layer.ts";

/** What the packets of a file begin with (tcpdump's "link-layer header types"). */
export const LINK_TYPE = { ETHERNET: 1, RAW_IP: 101 } as const;

/** An option of a block: its number and its value. */
type Option = [code: number, value: string | Uint8Array];

/** An IP address and what it is called. */
export interface NamedAddress {
  address: string;
  name: string;
}

/** A packet to be written. */
export interface PacketToWrite {
  /** All of it, from the link type's own header on. */
  bytes: Uint8Array;
  /** When it was seen, in milliseconds since 1970; parts of a millisecond count down to 1 µs. */
  time: number;
}

/**
 * The blocks that a file begins with: what wrote it, where the packets come from, and names of addresses.
 *
 * @param options.from what Wireshark shows as the interface's name
 *
 * @example
 * ```ts
 * import { fileStart, LINK_TYPE, packetBlock } from "./pcapng.ts";
 * import { readCapture } from "./capture_reader.ts";
 * import { joined } from "./packets.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const file = joined(
 *   fileStart({ linkType: LINK_TYPE.RAW_IP, from: "tap" }),
 *   packetBlock({ bytes: new Uint8Array([0x45, 0]), time: 1_000.5 }),
 * );
 * const [packet] = readCapture(file);
 * assertEquals([...packet!.bytes, packet!.time], [0x45, 0, 1_000.5]);
 * ```
 */
export function fileStart(
  options: { linkType: number; from: string; names?: NamedAddress[] },
): Uint8Array<ArrayBuffer> {
  const { linkType, from, names = [] } = options;
  const section = new Uint8Array(16);
  const sectionView = new DataView(section.buffer);
  sectionView.setUint32(0, 0x1a2b3c4d, true); // its order tells a reader the order of bytes
  sectionView.setUint16(4, 1, true); // version 1.0
  sectionView.setBigInt64(8, -1n, true); // how long the section is stands nowhere: it may grow

  const source = new Uint8Array(8);
  new DataView(source.buffer).setUint16(0, linkType, true); // then: as many bytes a packet as there are
  return joined(
    block(0x0a0d0d0a, section, [[4, "Networking by running it"]]),
    block(1, source, [[2, from], [9, new Uint8Array([6])]]), // times count 10^-6 s
    ...(names.length > 0 ? [block(4, nameRecords(names), [])] : []),
  );
}

/**
 * A packet as a block (Enhanced Packet Block).
 *
 * @throws {RangeError} for a time before 1970
 */
export function packetBlock({ bytes, time }: PacketToWrite): Uint8Array<ArrayBuffer> {
  const microseconds = Math.round(time * 1_000);
  if (!(microseconds >= 0)) {
    throw new RangeError(`a capture holds times from 1970 on in milliseconds, not ${time}`);
  }
  const body = new Uint8Array(20 + padded(bytes.length));
  const view = new DataView(body.buffer);
  // 0 to 3: the first interface, and here the only one
  view.setUint32(4, Math.floor(microseconds / 2 ** 32), true);
  view.setUint32(8, microseconds >>> 0, true);
  view.setUint32(12, bytes.length, true); // how much of it stands here
  view.setUint32(16, bytes.length, true); // how long it was
  body.set(bytes, 20);
  return block(6, body, []);
}

/** Names of addresses (Name Resolution Block): Wireshark shows them without asking any DNS server. */
function nameRecords(names: NamedAddress[]): Uint8Array<ArrayBuffer> {
  const records = names.map(({ address, name }) => {
    const bytes = ipBytes(address);
    const value = joined(bytes, new TextEncoder().encode(`${name}\0`));
    return item(bytes.length === 4 ? 1 : 2, value);
  });
  return joined(...records, new Uint8Array(4));
}

/** A block: type, length, body, options, and the length again, so that one can go backwards. */
function block(type: number, body: Uint8Array, options: Option[]): Uint8Array<ArrayBuffer> {
  const encoded = options.map(([code, value]) =>
    item(code, typeof value === "string" ? new TextEncoder().encode(value) : value)
  );
  if (encoded.length > 0) encoded.push(new Uint8Array(4)); // the end of the options
  const content = joined(body, ...encoded);
  const whole = new Uint8Array(content.length + 12);
  const view = new DataView(whole.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, whole.length, true);
  whole.set(content, 8);
  view.setUint32(whole.length - 4, whole.length, true);
  return whole;
}

/** An option or a record: a number, a length, and the value, filled up to a multiple of four bytes. */
function item(code: number, value: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(4 + padded(value.length));
  const view = new DataView(whole.buffer);
  view.setUint16(0, code, true);
  view.setUint16(2, value.length, true);
  whole.set(value, 4);
  return whole;
}

function padded(length: number): number {
  return Math.ceil(length / 4) * 4;
}
