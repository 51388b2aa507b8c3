/**
 * What the packets of a capture carry: the bytes of each side of each conversation, in order, with the packet
 * in which each came.
 *
 * @module
 */

import type { CapturedPacket } from "./capture_reader.ts";
import { CaptureStream, type FlowPiece } from "./capture_stream.ts";
import { ipText } from "./ip_bytes.ts";
import { PROTOCOL, TCP_FLAG } from "./packets.ts";

export type { FlowPiece } from "./capture_stream.ts";

/** All that one side sent to the other. */
export interface Flow {
  /** `127.0.0.1:50000`. */
  from: string;
  to: string;
  protocol: "TCP" | "UDP";
  /** In the order of the stream, which need not be that of the packets. */
  pieces: FlowPiece[];
}

interface Segment {
  protocol: "TCP" | "UDP";
  from: string;
  to: string;
  /** The number of the first byte of the payload; datagrams have none. */
  sequence: number;
  /** Whether a connection begins here, and whether this is the side that asks for it. */
  begins: boolean;
  asks: boolean;
  payload: Uint8Array;
}

/**
 * Sorts the payloads of a capture by conversation and side, those of TCP by their sequence numbers. What TCP
 * sent again is left out, as by the receiver, and so is what no one asked for: other protocols, damaged
 * packets, fragments. Between connections, between datagrams, and where something was missed, is a hole.
 *
 * A capture cannot know whether a checksum was filled in by the network card later, so none is checked.
 *
 * @example
 * ```ts
 * import { flowsOf } from "./capture_flows.ts";
 * import { readCapture } from "./capture_reader.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const file = new URL("../scripts/analyzer/echo.pcapng", import.meta.url);
 * const flows = flowsOf(readCapture(Deno.readFileSync(file)));
 * assertEquals(flows.map(({ to }) => to).includes("127.0.0.1:10000"), true);
 * ```
 */
export function flowsOf(packets: CapturedPacket[]): Flow[] {
  const sides = new Map<string, Omit<Flow, "pieces"> & { stream: CaptureStream }>();
  for (const packet of packets) {
    const segment = segmentOf(packet);
    if (!segment) continue;
    const { protocol, from, to, sequence, begins, asks, payload } = segment;
    const key = `${protocol} ${from} ${to}`;
    let side = sides.get(key);
    if (!side) sides.set(key, side = { from, to, protocol, stream: new CaptureStream() });
    const { stream } = side;
    if (protocol === "UDP") stream.begin(sequence);
    // a SYN that was sent again has the number of the first one
    else if (begins && stream.first !== sequence) {
      stream.begin(sequence);
      if (asks) sides.get(`${protocol} ${to} ${from}`)?.stream.begin();
    }
    if (payload.length > 0) stream.add(packet.number, sequence, payload);
  }
  return [...sides.values()].map(({ stream, ...side }) => ({ ...side, pieces: stream.pieces }));
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
    return { protocol: "UDP", from, to, sequence: 0, begins: false, asks: false, payload };
  }
  if (protocol !== PROTOCOL.TCP) return undefined;
  const length = (view.getUint8(header + 12) >> 4) * 4;
  const payload = ip.subarray(header + length, Math.max(header + length, end));
  const flags = view.getUint8(header + 13);
  const begins = (flags & TCP_FLAG.SYN) !== 0;
  const asks = begins && (flags & TCP_FLAG.ACK) === 0;
  // SYN counts as a byte, and the payload comes behind it
  const sequence = (view.getUint32(header + 4) + Number(begins)) >>> 0;
  return { protocol: "TCP", from, to, sequence, begins, asks, payload };
}
