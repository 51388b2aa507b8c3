#!/usr/bin/env -S deno run
/**
 * A message goes down the stack, and up again
 *
 * Each layer puts its own header before what it gets from the layer above, and does not look inside: HTTP
 * goes into a TCP segment, that into an IP packet, that into an Ethernet frame. At the receiver each layer
 * reads its own header, takes it off, and hands up the rest. A program sees the topmost layer only; the
 * operating system does what is shown here, and the network card the lowest part.
 *
 * Every byte is as it would be on the wire, checksums included; nothing is sent. Wireshark or tshark shows
 * the same layers in the file that --pcap writes.
 *
 * @lecture 001 OSI model, Data Flow · 002 The TCP/IP Stack
 * @run     deno run scripts/layers/encapsulation.ts "this is my message"
 * @expect  application  HTTP      124 bytes: POST /messages
 * @expect  transport    TCP       20 + 124 bytes: from port 49152 to port 80
 * @expect  internet     IPv4      20 + 144 bytes: from 192.0.2.10 to 192.0.2.80
 * @expect  link         Ethernet  14 + 164 bytes: from 02:00:00:00:00:10 to 02:00:00:00:00:80
 * @expect  00000000  02 00 00 00 00 80 02 00  00 00 00 10 08 00        |..............|
 * @expect  application  HTTP      the message is 18 bytes long
 * @expect  received "this is my message"
 * @run     deno run scripts/layers/encapsulation.ts --ipv6 "this is my message"
 * @expect  internet     IPv6      40 + 148 bytes: from 2001:db8::10 to 2001:db8::80
 * @expect  received "this is my message"
 * @run     deno run --allow-write=/tmp/message.pcap scripts/layers/encapsulation.ts --pcap /tmp/message.pcap "this is my message"
 * @expect  received "this is my message"
 * @log     wrote /tmp/message.pcap: tshark -V -r /tmp/message.pcap
 * @argument MESSAGE     the text to send; all of it must fit into one segment
 * @option  --ipv6       over IPv6 instead of IPv4
 * @option  --pcap FILE  write the frame there as well, for Wireshark and tshark
 * @see     https://www.rfc-editor.org/rfc/rfc1122#section-1.1.3
 * @module
 */

import { run } from "../../lib/cli.ts";
import { hexdump, quoted } from "../../lib/display.ts";
import { attempt } from "../../lib/errors.ts";
import * as packets from "../../lib/packets.ts";
import { pcapFile } from "../../lib/pcap.ts";
import { UsageError } from "../../lib/usage.ts";

/** An Ethernet frame carries at most so many bytes: its maximum transmission unit. */
const MTU = 1500;

// A layer names its end of the conversation in its own way: a MAC address is a network card on this wire,
// an IP address a machine anywhere, a port one program on it. These addresses are kept for examples.
const CLIENT = { mac: "02:00:00:00:00:10", v4: "192.0.2.10", v6: "2001:db8::10", port: 49152 };
const SERVER = { mac: "02:00:00:00:00:80", v4: "192.0.2.80", v6: "2001:db8::80", port: 80 };

/** What one layer adds to the frame. */
interface Part {
  layer: "link" | "internet" | "transport" | "application";
  protocol: string;
  bytes: Uint8Array;
}

const COLOURS = { link: 35, internet: 36, transport: 33, application: 32 };
const colourful = Deno.stdout.isTerminal() && !Deno.noColor;

function show(layer: Part["layer"], text: string): void {
  console.log(colourful ? text.replace(/^.*$/gm, `\x1b[${COLOURS[layer]}m$&\x1b[0m`) : text);
}

function tell(layer: Part["layer"], protocol: string, text: string): void {
  show(layer, `${layer.padEnd(11)}  ${protocol.padEnd(8)}  ${text}`);
}

/** Down the stack: each layer gets the bytes of the one above. Gives the parts in the order on the wire. */
export function down(message: string, ipv6: boolean): Part[] {
  const source = ipv6 ? CLIENT.v6 : CLIENT.v4;
  const destination = ipv6 ? SERVER.v6 : SERVER.v4;
  const ipLength = ipv6 ? 40 : 20;

  // the application layer: where we live and work. All that a program writes to its socket is this.
  const body = new TextEncoder().encode(message);
  const head = [
    "POST /messages HTTP/1.1",
    `Host: ${ipv6 ? `[${destination}]` : destination}`,
    "Content-Type: text/plain; charset=utf-8",
    `Content-Length: ${body.length}`,
  ];
  const http = packets.joined(new TextEncoder().encode(head.join("\r\n") + "\r\n\r\n"), body);
  const room = MTU - ipLength - 20;
  if (http.length > room) {
    throw new UsageError(
      `the message makes an HTTP request of ${http.length} bytes, and one TCP segment has room for ` +
        `${room}: give a shorter one`,
    );
  }
  console.log("down the stack");
  tell("application", "HTTP", `${http.length} bytes: POST /messages`);

  // the transport layer: ports, and the number of the first byte, so that TCP can order and repeat. The
  // connection is taken to be open already. Its checksum covers the IP addresses as well (pseudo header).
  const tcp = packets.tcpHeader(
    {
      sourcePort: CLIENT.port,
      destinationPort: SERVER.port,
      sequence: 1000,
      acknowledgment: 2000,
      flags: packets.TCP_FLAG.PSH + packets.TCP_FLAG.ACK,
      window: 65_535,
    },
    { source, destination },
    http,
  );
  tell("transport", "TCP", `20 + ${http.length} bytes: from port ${CLIENT.port} to port 80`);

  // the internet layer: where are we going, and how many routers may be passed on the way
  const length = tcp.length + http.length;
  const fields = { source, destination, protocol: packets.PROTOCOL.TCP, timeToLive: 64 };
  const whole = { identification: 1, dontFragment: true, moreFragments: false, fragmentOffset: 0 };
  const ip = ipv6
    ? packets.ipv6Header(fields, length)
    : packets.ipv4Header({ ...fields, ...whole }, length);
  const version = ipv6 ? "IPv6" : "IPv4";
  tell("internet", version, `${ip.length} + ${length} bytes: from ${source} to ${destination}`);

  // the link layer: to the next machine on this wire. The card adds a check sequence behind the frame.
  const type = packets.ETHER_TYPE[version];
  const ethernet = packets.ethernetHeader({ destination: SERVER.mac, source: CLIENT.mac, type });
  const carried = ip.length + length;
  tell("link", "Ethernet", `14 + ${carried} bytes: from ${CLIENT.mac} to ${SERVER.mac}`);
  return [
    { layer: "link", protocol: "Ethernet", bytes: ethernet },
    { layer: "internet", protocol: version, bytes: ip },
    { layer: "transport", protocol: "TCP", bytes: tcp },
    { layer: "application", protocol: "HTTP", bytes: http },
  ];
}

/** A card takes the frames that name it, a machine the packets that name it; others are not theirs to read. */
function forMe(address: string): string {
  if ([SERVER.mac, SERVER.v4, SERVER.v6].includes(address)) return `for ${address}, which is me`;
  throw new packets.PacketError(`cannot take what is for ${address}: that is not this machine`);
}

/** Up the stack: each layer reads its header, learns from it who is next, and hands up the rest. */
export function up(frame: Uint8Array): Uint8Array {
  const ethernet = packets.readEthernet(frame);
  const { destination, type } = ethernet.fields;
  const ipv6 = type === packets.ETHER_TYPE.IPv6;
  const version = ipv6 ? "IPv6" : "IPv4";
  const code = type.toString(16).padStart(4, "0");
  tell("link", "Ethernet", `${forMe(destination)}; type 0x${code}: up to ${version}`);

  const ip = ipv6 ? packets.readIpv6(ethernet.payload) : packets.readIpv4(ethernet.payload);
  const checked = ipv6 ? "has no checksum" : "checksum good";
  const me = forMe(ip.fields.destination);
  tell("internet", version, `${checked}; ${me}; protocol ${ip.fields.protocol}: up to TCP`);

  const tcp = packets.readTcp(ip.payload, ip.fields);
  const { destinationPort, sequence } = tcp.fields;
  const numbers = `bytes ${sequence} to ${sequence + tcp.payload.length - 1}`;
  tell(
    "transport",
    "TCP",
    `checksum good; ${numbers}; port ${destinationPort}: up to the web server`,
  );

  // HTTP's header is text; its end is an empty line, and it tells how long the message is
  const text = new TextDecoder("latin1").decode(tcp.payload);
  const length = Number(/^Content-Length: (\d+)\r$/m.exec(text)?.[1]);
  const start = text.indexOf("\r\n\r\n") + 4;
  tell("application", "HTTP", `the message is ${length} bytes long`);
  return tcp.payload.subarray(start, start + length);
}

export async function main(
  { message, ipv6, pcap }: { message: string; ipv6: boolean; pcap?: string },
): Promise<void> {
  const parts = down(message, ipv6);

  console.log("\non the wire");
  let offset = 0;
  for (const { layer, protocol, bytes } of parts) {
    const what = layer === "application" ? "request" : "header";
    tell(layer, protocol, `${what} of ${bytes.length} bytes`);
    show(layer, hexdump(bytes, { offset }));
    offset += bytes.length;
  }
  const frame = packets.joined(...parts.map(({ bytes }) => bytes));
  if (pcap !== undefined) {
    const file = pcapFile([{ frame, time: Date.now() }]);
    await attempt(`write ${pcap}`, () => Deno.writeFile(pcap, file));
    console.error(`wrote ${pcap}: tshark -V -r ${pcap}`);
  }

  console.log("\nup the stack");
  console.log(`received ${quoted(up(frame))}`);
}

if (import.meta.main) await run(main);
