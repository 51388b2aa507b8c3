/**
 * What was seen of a conversation, as the packets that would have carried it.
 *
 * A program between client and server sees bytes, not packets: the operating system has taken the headers off.
 * Here they are made again, so that Wireshark can show the conversation: the handshake, segments with sequence
 * numbers that fit, an acknowledgment when the other side has taken the bytes, and the close. Sizes of the
 * segments and their number are what a network with an MTU of 1,500 bytes would show, not what this machine
 * did.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9293 RFC 9293} TCP
 * @module
 */

import { parseAddress } from "./ip_address.ts";
import { ipText } from "./ip_bytes.ts";
import {
  ipv4Header,
  ipv6Header,
  joined,
  PROTOCOL,
  TCP_FLAG,
  tcpHeader,
  udpHeader,
} from "./packets.ts";
import { otherSide, type Side, type TapConversation, type TapEvent } from "./tap_event.ts";

const { SYN, ACK, PSH, FIN, RST } = TCP_FLAG;
const MTU = 1_500;
/** Both sides can take 65,535 times 2^7 bytes: whoever acknowledges late is not taken for one that is full. */
const WINDOW = 65_535, WINDOW_SCALE = 7;

/** How far a side's stream has come. */
interface Progress {
  /** The number of its next byte. */
  next: number;
  /** The number of the other side's byte that it wants next. */
  wanted: number;
}

/** Makes the packets of one conversation, in the order in which its events are told. */
export class TapPackets {
  readonly #transport: TapConversation["transport"];
  readonly #ends: Record<Side, { hostname: string; port: number }>;
  readonly #version6: boolean;
  readonly #progress: Record<Side, Progress>;
  #packets = 0;
  #over = false;

  /** @param random where the first sequence numbers come from; a test may have another */
  constructor(conversation: TapConversation, random: () => number = Math.random) {
    this.#transport = conversation.transport;
    this.#ends = sameFamily(conversation);
    this.#version6 = this.#ends.client.hostname.includes(":");
    const first = () => Math.floor(random() * 2 ** 32);
    this.#progress = { client: { next: first(), wanted: 0 }, server: { next: first(), wanted: 0 } };
  }

  /**
   * The packets of an event, from the IP header on; none when nothing of it would be seen on a wire.
   *
   * @example
   * ```ts
   * import { TapPackets } from "./tap_packets.ts";
   * import { assertEquals } from "@std/assert";
   *
   * const conversation = {
   *   number: 1,
   *   transport: "tcp" as const,
   *   client: { name: "127.0.0.1:50000", hostname: "127.0.0.1", port: 50000 },
   *   server: { name: "127.0.0.1:80", hostname: "127.0.0.1", port: 80 },
   * };
   * const packets = new TapPackets(conversation);
   * const [syn] = packets.of({ kind: "asked", conversation, from: "client", time: 0 });
   * assertEquals(syn!.length, 20 + 28); // IPv4, and TCP with two options
   * ```
   */
  of({ kind, from, bytes = new Uint8Array(0) }: TapEvent): Uint8Array<ArrayBuffer>[] {
    if (this.#transport === "udp") return kind === "data" ? [this.#datagram(from, bytes)] : [];
    if (this.#over) return [];
    const { client, server } = this.#progress;
    switch (kind) {
      case "asked":
        return [this.#segment("client", SYN)];
      case "connected":
        server.wanted = client.next;
        return [this.#segment("server", SYN | ACK), this.#acknowledgment("client")];
      case "refused":
        server.wanted = client.next;
        this.#over = true;
        return [this.#segment("server", RST | ACK)];
      case "unreachable":
        return [];
      case "data":
        return this.#segments(from, bytes);
      case "delivered":
        return [this.#acknowledgment(otherSide(from))];
      case "end":
        return [this.#segment(from, FIN | ACK)];
      case "reset":
        this.#over = true;
        return [this.#segment(from, RST | ACK)];
    }
  }

  /** Bytes in segments as large as the network lets through; the last one says: hand it on (PSH). */
  #segments(from: Side, bytes: Uint8Array): Uint8Array<ArrayBuffer>[] {
    const most = this.#mostPerSegment;
    const segments = [];
    for (let at = 0; at < bytes.length; at += most) {
      const last = at + most >= bytes.length;
      segments.push(this.#segment(from, last ? PSH | ACK : ACK, bytes.subarray(at, at + most)));
    }
    return segments;
  }

  #acknowledgment(by: Side): Uint8Array<ArrayBuffer> {
    this.#progress[by].wanted = this.#progress[otherSide(by)].next;
    return this.#segment(by, ACK);
  }

  #segment(
    from: Side,
    flags: number,
    payload: Uint8Array = new Uint8Array(0),
  ): Uint8Array<ArrayBuffer> {
    const { next, wanted } = this.#progress[from];
    const begins = (flags & SYN) !== 0;
    const header = tcpHeader(
      {
        sourcePort: this.#ends[from].port,
        destinationPort: this.#ends[otherSide(from)].port,
        sequence: next,
        acknowledgment: flags & ACK ? wanted : 0,
        flags,
        window: flags & RST ? 0 : WINDOW,
        ...(begins && { options: this.#options() }),
      },
      this.#addresses(from),
      payload,
    );
    // SYN and FIN count as a byte each
    const counted = payload.length + Number(begins) + Number((flags & FIN) !== 0);
    this.#progress[from].next = (next + counted) >>> 0;
    return this.#packet(from, PROTOCOL.TCP, header, payload);
  }

  /** How large a segment may be (RFC 9293, 3.7.1), and by which factor windows count (RFC 7323, 2). */
  #options(): Uint8Array {
    const size = this.#mostPerSegment;
    return new Uint8Array([2, 4, size >> 8, size & 255, 1, 3, 3, WINDOW_SCALE]);
  }

  get #mostPerSegment(): number {
    return MTU - (this.#version6 ? 40 : 20) - 20;
  }

  #datagram(from: Side, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    const ports = {
      sourcePort: this.#ends[from].port,
      destinationPort: this.#ends[otherSide(from)].port,
    };
    return this.#packet(from, PROTOCOL.UDP, udpHeader(ports, this.#addresses(from), bytes), bytes);
  }

  #addresses(from: Side): { source: string; destination: string } {
    return {
      source: this.#ends[from].hostname,
      destination: this.#ends[otherSide(from)].hostname,
    };
  }

  #packet(
    from: Side,
    protocol: number,
    header: Uint8Array,
    payload: Uint8Array,
  ): Uint8Array<ArrayBuffer> {
    const fields = { ...this.#addresses(from), protocol, timeToLive: 64 };
    const length = header.length + payload.length;
    const whole = { dontFragment: true, moreFragments: false, fragmentOffset: 0 };
    const ip = this.#version6
      ? ipv6Header(fields, length)
      : ipv4Header({ ...fields, ...whole, identification: ++this.#packets & 0xffff }, length);
    return joined(ip, header, payload);
  }
}

/**
 * The addresses of both ends in one family. A server on `::` sees IPv4 clients as `::ffff:127.0.0.1`; and the
 * one in the middle may speak IPv6 to one side and IPv4 to the other, which is then written that way as well.
 */
function sameFamily(
  { client, server }: TapConversation,
): Record<Side, { hostname: string; port: number }> {
  const both = { client: unmapped(client.hostname), server: unmapped(server.hostname) };
  const six = both.client.includes(":") || both.server.includes(":");
  const written = (hostname: string) =>
    six && !hostname.includes(":") ? ipText(mapped(hostname)) : hostname;
  return {
    client: { hostname: written(both.client), port: client.port },
    server: { hostname: written(both.server), port: server.port },
  };
}

/** An address without its zone, and as IPv4 when it only wraps one. */
function unmapped(hostname: string): string {
  const { bytes } = parseAddress(hostname);
  const isMapped = bytes.length === 16 && bytes.slice(0, 10).every((byte) => byte === 0) &&
    bytes[10] === 0xff && bytes[11] === 0xff;
  return ipText(new Uint8Array(isMapped ? bytes.slice(12) : bytes));
}

function mapped(hostname: string): Uint8Array {
  return joined(
    new Uint8Array(10),
    new Uint8Array([0xff, 0xff]),
    new Uint8Array(parseAddress(hostname).bytes),
  );
}
