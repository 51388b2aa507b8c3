/** Captures of TCP made segment by segment, as no tap would see them: late, lost, sent again. */
import { ipv4Header, joined, PROTOCOL, TCP_FLAG, tcpHeader } from "../../lib/packets.ts";
import { fileStart, LINK_TYPE, packetBlock } from "../../lib/pcapng.ts";

/** Who sends a segment: the client is 10.0.0.1:5000, the server 10.0.0.2:6000. */
export interface SegmentOptions {
  server?: boolean;
  /** Added up; ACK unless told. */
  flags?: number;
  /** 0 unless told. */
  acknowledgment?: number;
}

/** A packet from its IP header on. */
export function segment(
  sequence: number,
  payload: string | Uint8Array = "",
  { server = false, flags = TCP_FLAG.ACK, acknowledgment = 0 }: SegmentOptions = {},
): Uint8Array<ArrayBuffer> {
  const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
  const [source, destination] = server ? ["10.0.0.2", "10.0.0.1"] : ["10.0.0.1", "10.0.0.2"];
  const [sourcePort, destinationPort] = server ? [6_000, 5_000] : [5_000, 6_000];
  const addresses = { source: source!, destination: destination! };
  const numbers = { sequence: sequence >>> 0, acknowledgment: acknowledgment >>> 0 };
  const ports = { sourcePort: sourcePort!, destinationPort: destinationPort! };
  const tcp = tcpHeader({ ...ports, ...numbers, flags, window: 65_535 }, addresses, bytes);
  const whole = { dontFragment: true, moreFragments: false, fragmentOffset: 0, identification: 0 };
  const ip = { ...addresses, ...whole, protocol: PROTOCOL.TCP, timeToLive: 64 };
  return joined(ipv4Header(ip, tcp.length + bytes.length), tcp, bytes);
}

/** The file of packets, a millisecond apart. */
export function captureOf(packets: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const start = fileStart({ linkType: LINK_TYPE.RAW_IP, from: "test" });
  const blocks = packets.map((bytes, index) => packetBlock({ bytes, time: 1e12 + index }));
  const file = new Uint8Array(blocks.reduce((sum, { length }) => sum + length, start.length));
  file.set(start);
  let at = start.length;
  for (const block of blocks) {
    file.set(block, at);
    at += block.length;
  }
  return file;
}
