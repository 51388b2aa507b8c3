/**
 * What the packets of a capture carry: the bytes of each side of each conversation, in order, with the packet
 * in which each came.
 *
 * @module
 */

import type { CapturedPacket } from "./capture_reader.ts";
import { ipText } from "./ip_bytes.ts";
import { PROTOCOL } from "./packets.ts";

/** Bytes of one packet within a flow. */
export interface FlowPiece {
  packet: number;
  /** Where it begins in the flow. */
  offset: number;
  bytes: Uint8Array;
}

/** All that one side sent to the other. */
export interface Flow {
  /** `127.0.0.1:50000`. */
  from: string;
  to: string;
  protocol: "TCP" | "UDP";
  pieces: FlowPiece[];
}

interface Segment {
  protocol: "TCP" | "UDP";
  from: string;
  to: string;
  /** With TCP: the number of the first byte, and whether a connection begins here. */
  sequence?: number;
  begins: boolean;
  payload: Uint8Array;
}

/**
 * Sorts the payloads of a capture by conversation and side. What TCP sent again is left out, as by the
 * receiver, and so is what no one asked for: other protocols, damaged packets, fragments.
 *
 * A capture cannot know whether a checksum was filled in by the network card later, so none is checked.
 */
export function flowsOf(packets: CapturedPacket[]): Flow[] {
  const flows = new Map<string, Flow & { expected?: number; length: number }>();
  for (const packet of packets) {
    const segment = segmentOf(packet);
    if (!segment) continue;
    const { protocol, from, to, payload, sequence } = segment;
    const key = `${protocol} ${from} ${to}`;
    let flow = flows.get(key);
    if (!flow) flows.set(key, flow = { from, to, protocol, pieces: [], length: 0 });
    if (segment.begins) flow.expected = (sequence! + 1) >>> 0;
    if (payload.length === 0) continue;
    let fresh = payload;
    if (sequence !== undefined) {
      // how far ahead of what is expected, in a circle of 2^32 numbers
      const ahead = (sequence - (flow.expected ?? sequence)) | 0;
      if (ahead < 0) fresh = payload.subarray(Math.min(payload.length, -ahead));
      if (fresh.length === 0) continue;
      flow.expected = (sequence + payload.length) >>> 0;
      // something was missed: no message may reach across the hole
      if (ahead > 0) flow.length += 1;
    }
    flow.pieces.push({ packet: packet.number, offset: flow.length, bytes: fresh });
    flow.length += fresh.length;
    // a datagram is a message of its own
    if (protocol === "UDP") flow.length += 1;
  }
  return [...flows.values()].map(({ from, to, protocol, pieces }) => ({
    from,
    to,
    protocol,
    pieces,
  }));
}

function segmentOf(packet: CapturedPacket): Segment | undefined {
  try {
    const ip = internetPacket(packet);
    return ip && transport(ip);
  } catch (error) {
    // it ends in the middle of a header
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Takes off what stands before the IP header; what that is, the link type tells. */
function internetPacket({ linkType, bytes }: CapturedPacket): Uint8Array | undefined {
  // raw IP; null or loop: 4 bytes (macOS); Linux "any": 16 or 20 bytes
  const fixed: Record<number, number> = {
    101: 0,
    12: 0,
    228: 0,
    229: 0,
    0: 4,
    108: 4,
    113: 16,
    276: 20,
  };
  if (linkType in fixed) return bytes.subarray(fixed[linkType]!);
  if (linkType !== 1 || bytes.length < 14) return undefined;
  // Ethernet, perhaps with the tag of a VLAN
  const tagged = bytes[12] === 0x81 && bytes[13] === 0;
  return bytes.subarray(tagged ? 18 : 14);
}

function transport(ip: Uint8Array): Segment | undefined {
  const view = new DataView(ip.buffer, ip.byteOffset, ip.byteLength);
  const version = view.getUint8(0) >> 4;
  let header: number, end: number, protocol: number, source: string, destination: string;
  if (version === 4) {
    header = (view.getUint8(0) & 15) * 4;
    end = view.getUint16(2);
    protocol = view.getUint8(9);
    if ((view.getUint16(6) & 0x3fff) !== 0) return undefined;
    [source, destination] = [12, 16].map((at) => [...ip.subarray(at, at + 4)].join(".")) as [
      string,
      string,
    ];
  } else if (version === 6) {
    header = 40;
    end = 40 + view.getUint16(4);
    protocol = view.getUint8(6);
    [source, destination] = [8, 24].map((at) => `[${ipText(ip.subarray(at, at + 16))}]`) as [
      string,
      string,
    ];
  } else return undefined;
  // 0 stands for a length that was too large for the field (segmentation by the network card)
  if (version === 4 && end === 0 || end > ip.length) end = ip.length;
  const from = `${source}:${view.getUint16(header)}`;
  const to = `${destination}:${view.getUint16(header + 2)}`;
  if (protocol === PROTOCOL.UDP) {
    const payload = ip.subarray(header + 8, end);
    return { protocol: "UDP", from, to, begins: false, payload };
  }
  if (protocol !== PROTOCOL.TCP) return undefined;
  const length = (view.getUint8(header + 12) >> 4) * 4;
  const payload = ip.subarray(header + length, Math.max(header + length, end));
  const begins = (view.getUint8(header + 13) & 2) !== 0;
  return { protocol: "TCP", from, to, sequence: view.getUint32(header + 4), begins, payload };
}
