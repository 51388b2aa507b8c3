#!/usr/bin/env -S deno run
/**
 * IP cuts a datagram into fragments
 *
 * A wire carries packets up to its MTU (maximum transmission unit), Ethernet 1500 bytes. IPv4 cuts what is
 * longer: each fragment is a packet with a header of its own, which tells where its bytes belong. They are
 * routed one by one, so they may arrive in another order, and only the receiver puts them together. (In
 * IPv6 the sender alone may cut, never a router.)
 *
 * Two datagrams are sent here. All fragments of the first arrive, out of order: it is reassembled. Of the
 * second one is lost: the receiver waits a while, then throws the others away, since IP asks nobody to send
 * again. With --lose 0 it arrives as well. Nothing is really sent.
 *
 * @lecture 004 IP
 * @run     deno run scripts/layers/fragmentation.ts
 * @expect  a UDP datagram of 3000 + 8 bytes over wires with an MTU of 1500
 * @expect  fragment 2: bytes 1480 to 2959, offset 185 * 8, more fragments follow: a packet of 1500 bytes
 * @expect  datagram 1: reassembled, 3008 bytes, UDP checksum good
 * @expect  datagram 2: 1 of 3 fragments lost, bytes 1480 to 2959 missing: nothing is delivered
 * @run     deno run scripts/layers/fragmentation.ts --mtu 576 --size 1000 --lose 0
 * @expect  datagram 2: reassembled, 1008 bytes, UDP checksum good
 * @run     deno run --allow-write=/tmp/fragments.pcap scripts/layers/fragmentation.ts --pcap /tmp/fragments.pcap
 * @expect  datagram 1: reassembled, *
 * @log     wrote /tmp/fragments.pcap: tshark -V -r /tmp/fragments.pcap
 * @option  --mtu BYTES  the longest packet that the wire carries (default: 1500)
 * @option  --size BYTES  how many bytes the datagram carries (default: 3000)
 * @option  --lose COUNT  which fragment of the second datagram is lost, 2 unless told; 0 for none
 * @option  --pcap FILE  write the packets as they arrive there as well, for Wireshark and tshark
 * @see     https://www.rfc-editor.org/rfc/rfc791#section-2.3
 * @see     https://www.rfc-editor.org/rfc/rfc815
 * @module
 */

import { run } from "../../lib/cli.ts";
import { attempt } from "../../lib/errors.ts";
import * as packets from "../../lib/packets.ts";
import { pcapFile } from "../../lib/pcap.ts";
import { Reassembly } from "../../lib/reassembly.ts";
import { UsageError } from "../../lib/usage.ts";

const ADDRESSES = { source: "192.0.2.10", destination: "192.0.2.80" };
const PORTS = { sourcePort: 49152, destinationPort: 10000 };
const HEADER_LENGTH = 20;

/** A UDP datagram with a payload of `size` bytes: the letters of the alphabet, over and over. */
function datagramOf(size: number): Uint8Array {
  const payload = Uint8Array.from({ length: size }, (_, at) => 97 + at % 26);
  return packets.joined(packets.udpHeader(PORTS, ADDRESSES, payload), payload);
}

/** Cuts a datagram into IPv4 packets of at most `mtu` bytes, in their order. */
export function cut(datagram: Uint8Array, mtu: number, identification: number): Uint8Array[] {
  // the offset counts in units of 8 bytes, to fit into 13 bits: all pieces but the last are a multiple
  const room = Math.floor((mtu - HEADER_LENGTH) / 8) * 8;
  const whole = datagram.length + HEADER_LENGTH <= mtu;
  const pieces: Uint8Array[] = [];
  for (let offset = 0; offset < datagram.length; offset += whole ? datagram.length : room) {
    const piece = whole ? datagram : datagram.subarray(offset, offset + room);
    const header = packets.ipv4Header({
      ...ADDRESSES,
      protocol: packets.PROTOCOL.UDP,
      timeToLive: 64,
      identification, // tells the fragments of one datagram from those of another
      dontFragment: false, // TCP sets it: then a router drops what is too long, and says so
      moreFragments: offset + piece.length < datagram.length,
      fragmentOffset: offset,
    }, piece.length);
    pieces.push(packets.joined(header, piece));
  }
  return pieces;
}

/** The receiver: sorts fragments by their identification, and tells what became of each datagram. */
export function receive(arriving: Uint8Array[]): Map<number, Reassembly> {
  const datagrams = new Map<number, Reassembly>();
  for (const packet of arriving) {
    const { fields, payload } = packets.readIpv4(packet);
    const { identification, fragmentOffset, moreFragments } = fields;
    const datagram = datagrams.get(identification) ?? new Reassembly();
    datagrams.set(identification, datagram);
    datagram.add(fragmentOffset, payload, moreFragments);
    const end = fragmentOffset + payload.length - 1;
    console.log(
      `  datagram ${identification}, bytes ${fragmentOffset} to ${end}: ` +
        (datagram.whole ? "complete" : `missing ${missing(datagram)}`),
    );
  }
  return datagrams;
}

/** The receiver does not know how long a datagram is before its last fragment has come. */
function missing({ holes }: Reassembly): string {
  return holes.map(({ first, last }) =>
    last === Infinity ? `${first} and up` : `${first} to ${last}`
  ).join(", ");
}

/** Another order, as of packets that took different ways: the ends first, the two datagrams mixed. */
function outOfOrder(sent: Uint8Array[]): Uint8Array[] {
  const offset = (packet: Uint8Array) => packets.readIpv4(packet).fields.fragmentOffset;
  return sent.toSorted((one, other) => offset(other) - offset(one));
}

interface Options {
  mtu: number;
  size: number;
  lose?: number;
  pcap?: string;
}

export async function main({ mtu, size, lose, pcap }: Options): Promise<void> {
  if (mtu < 68 || mtu > 65_535) {
    // RFC 791 has every network carry 68 bytes: the longest header, and 8 bytes of data
    throw new UsageError(`--mtu is from 68 to 65535 bytes, not ${mtu}`);
  }
  if (size > 65_507) throw new UsageError(`--size is at most 65507 bytes, not ${size}`);
  const datagram = datagramOf(size);
  const [first, second] = [cut(datagram, mtu, 1), cut(datagram, mtu, 2)];
  const lost = lose ?? Math.min(2, second.length);
  if (lost > second.length) {
    throw new UsageError(`--lose is at most ${second.length}, the last fragment, not ${lost}`);
  }

  console.log(`a UDP datagram of ${size} + 8 bytes over wires with an MTU of ${mtu}`);
  for (const [index, packet] of first.entries()) {
    const { fields: { fragmentOffset, moreFragments }, payload } = packets.readIpv4(packet);
    const end = fragmentOffset + payload.length - 1;
    const follow = moreFragments ? "more fragments follow" : "the last";
    console.log(
      `fragment ${index + 1}: bytes ${fragmentOffset} to ${end}, offset ${
        fragmentOffset / 8
      } * 8, ` +
        `${follow}: a packet of ${packet.length} bytes`,
    );
  }

  const survivors = second.filter((_, index) => index + 1 !== lost);
  const arriving = outOfOrder([...first, ...survivors]);
  console.log("\nwhat arrives");
  const datagrams = receive(arriving);

  console.log("\nwhat is delivered");
  for (const identification of [1, 2]) {
    const received = datagrams.get(identification);
    if (received?.whole) {
      // the checksum of UDP covers all of it, which IP's own, over single headers, does not
      const { payload } = packets.readUdp(received.whole, ADDRESSES);
      const length = payload.length + 8;
      console.log(`datagram ${identification}: reassembled, ${length} bytes, UDP checksum good`);
    } else {
      const gap = received ? `bytes ${missing(received)}` : "all";
      console.log(
        `datagram ${identification}: 1 of ${second.length} fragments lost, ${gap} missing: ` +
          "nothing is delivered",
      );
    }
  }
  if (pcap !== undefined) await save(pcap, arriving);
}

async function save(path: string, arriving: Uint8Array[]): Promise<void> {
  const ethernet = packets.ethernetHeader({
    destination: "02:00:00:00:00:80",
    source: "02:00:00:00:00:01",
    type: packets.ETHER_TYPE.IPv4,
  });
  const began = Date.now();
  const captured = arriving.map((packet, index) => ({
    frame: packets.joined(ethernet, packet),
    time: began + index,
  }));
  await attempt(`write ${path}`, () => Deno.writeFile(path, pcapFile(captured)));
  console.error(`wrote ${path}: tshark -V -r ${path}`);
}

if (import.meta.main) await run(main);
