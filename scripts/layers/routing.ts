#!/usr/bin/env -S deno run
/**
 * A packet goes from network to network
 *
 * On one network a frame goes from card to card: MAC addresses say which. Between networks a router takes
 * the packet out of one frame and puts it into another. So the MAC addresses change at each hop, while the
 * IP addresses stay; of the packet only the TTL (time to live) and the header's checksum change.
 *
 * Each machine asks its own table only: the route with the longest prefix that matches the destination says
 * which machine is next, and ARP says which MAC address that has. A router that cannot go on tells the
 * sender by ICMP. Without options there is one router, R1, between two subnets; everything is simulated.
 *
 * @lecture 001 Network layer, homework · 002 The TCP/IP Stack, Internet
 * @run     deno run scripts/layers/routing.ts
 * @expect  sender has a packet for 192.168.2.20
 * @expect  *ARP: who has 192.168.1.1? R1: 02:00:00:00:01:01
 * @expect  R1 takes the frame, which is for its card 02:00:00:00:01:01
 * @expect  *ARP: who has 192.168.2.20? receiver: 02:00:00:00:00:02
 * @expect  the packet has arrived, with TTL 63
 * @expect  1    02:00:00:00:00:01  02:00:00:00:01:01  192.168.1.10     192.168.2.20     64 *
 * @expect  2    02:00:00:00:01:02  02:00:00:00:00:02  192.168.1.10     192.168.2.20     63 *
 * @run     deno run scripts/layers/routing.ts --to 192.168.1.20
 * @expect  *matches 192.168.1.0/24 and 0.0.0.0/0: the longest is 192.168.1.0/24, on this network
 * @expect  the packet has arrived, with TTL 64
 * @run     deno run scripts/layers/routing.ts --to 10.1.2.3 --interface R1:192.168.1.1/24 --interface R1:172.16.0.1/24 --interface R2:172.16.0.2/24 --interface R2:10.1.0.1/16 --interface R3:172.16.0.3/24 --route R1:0.0.0.0/0:172.16.0.3 --route R1:10.0.0.0/8:172.16.0.2
 * @expect  *matches 10.0.0.0/8 and 0.0.0.0/0: the longest is 10.0.0.0/8, through 172.16.0.2
 * @expect  the packet has arrived, with TTL 62
 * @run     deno run scripts/layers/routing.ts --ttl 1
 * @expect  the packet is lost: its TTL is used up; R1 tells 192.168.1.10 by ICMP: time exceeded
 * @option  --from ADDRESS  the sender, with the length of its prefix (default: 192.168.1.10/24)
 * @option  --to ADDRESS  the receiver (default: 192.168.2.20)
 * @option  --gateway ADDRESS  the sender's default gateway; unless told, the first router in its network
 * @option  --interface CARD...  a network card of a router, ROUTER:ADDRESS/LENGTH; unless told,
 *   R1:192.168.1.1/24 and R1:192.168.2.1/24
 * @option  --route ROUTE...  a line of a router's table, ROUTER:NETWORK/LENGTH:GATEWAY
 * @option  --ttl COUNT  how many routers may handle the packet, 1 to 255 (default: 64)
 * @see     https://www.rfc-editor.org/rfc/rfc1812#section-5.2
 * @see     https://www.rfc-editor.org/rfc/rfc826
 * @module
 */

import { run } from "../../lib/cli.ts";
import { formatNetwork, holds, sameNetwork } from "../../lib/ipv4_network.ts";
import type { Interface, Machine, Route } from "../../lib/machine.ts";
import * as packets from "../../lib/packets.ts";
import { machinesOf } from "../../lib/topology.ts";
import { UsageError } from "../../lib/usage.ts";

/** The routes of a machine that match an address, longest prefix first. */
export function matching({ routes }: Machine, address: string): Route[] {
  return routes.filter(({ network }) => holds(network, address))
    .toSorted((one, other) => other.network.prefix - one.network.prefix);
}

/** ARP: asks everyone on the network of a card who has an address. */
function whoHas(machines: Machine[], asking: Interface, address: string) {
  for (const machine of machines) {
    const card = machine.interfaces.find((each) =>
      each.address === address && sameNetwork(each.network, asking.network)
    );
    if (card) return { machine, card };
  }
}

/** The frame of one hop, in real bytes: a header of the link layer before one of the internet layer. */
function frameOf(from: string, to: string, fields: packets.Ipv4Fields): Uint8Array {
  const type = packets.ETHER_TYPE.IPv4;
  return packets.joined(
    packets.ethernetHeader({ destination: to, source: from, type }),
    packets.ipv4Header(fields, 0),
  );
}

/**
 * Follows a packet from machine to machine, and tells what each of them does.
 *
 * @returns the frame of each hop, and what became of the packet
 */
export function follow(machines: Machine[], destination: string, timeToLive: number) {
  let machine = machines[0]!;
  const source = machine.interfaces[0]!.address;
  const frames: Uint8Array[] = [];
  const lost = (why: string, report: string) => {
    // the sender itself needs no message: its program gets an error from connect or sendto
    const told = frames.length === 0
      ? "the program gets an error"
      : `${machine.name} tells ${source} by ICMP: ${report}`;
    return { frames, outcome: `the packet is lost: ${why}; ${told}` };
  };

  console.log(`sender has a packet for ${destination}`);
  for (;;) {
    if (machine.interfaces.some(({ address }) => address === destination)) {
      return { frames, outcome: `the packet has arrived, with TTL ${timeToLive}` };
    }
    if (frames.length > 0) {
      // without TTL, a packet would go in circles for ever when routers point at each other
      if (timeToLive === 1) return lost("its TTL is used up", "time exceeded");
      console.log(`  TTL: ${timeToLive} becomes ${--timeToLive}`);
    }

    const routes = matching(machine, destination);
    const [route] = routes;
    if (!route) return lost("no route matches", "network unreachable");
    const { out, gateway } = route;
    const names = routes.map(({ network }) => formatNetwork(network));
    const longest = names.length > 1 ? `: the longest is ${names[0]}` : "";
    const way = gateway === undefined ? "on this network" : `through ${gateway}`;
    console.log(`  route: ${destination} matches ${names.join(" and ")}${longest}, ${way}`);

    // ARP asks for the gateway, never for an address behind it
    const next = gateway ?? destination;
    const neighbour = whoHas(machines, out, next);
    const answer = neighbour ? `${neighbour.machine.name}: ${neighbour.card.mac}` : "no answer";
    console.log(`  ARP: who has ${next}? ${answer}`);
    if (!neighbour) return lost(`nobody has ${next}`, "host unreachable");

    frames.push(frameOf(out.mac, neighbour.card.mac, {
      source,
      destination,
      protocol: packets.PROTOCOL.UDP,
      timeToLive,
      identification: 1,
      dontFragment: true,
      moreFragments: false,
      fragmentOffset: 0,
    }));
    machine = neighbour.machine;
    console.log(`${machine.name} takes the frame, which is for its card ${neighbour.card.mac}`);
  }
}

const WIDTHS = [3, 17, 17, 15, 15, 3, 8];

interface Options {
  from: string;
  to: string;
  gateway?: string;
  interface: string[];
  route: string[];
  ttl: number;
}

export function main({ from, to, gateway, interface: cards, route: routes, ttl }: Options): void {
  if (ttl < 1 || ttl > 255) throw new UsageError(`--ttl is from 1 to 255, not ${ttl}`);
  const interfaces = cards.length > 0 ? cards : ["R1:192.168.1.1/24", "R1:192.168.2.1/24"];
  const machines = machinesOf({ from, to, gateway, interfaces, routes });
  const { frames, outcome } = follow(machines, to, ttl);
  console.log(outcome);
  if (frames.length === 0) return;

  const row = (...cells: unknown[]) =>
    console.log(cells.map((cell, at) => String(cell).padEnd(WIDTHS[at]!)).join("  ").trimEnd());
  console.log();
  row("hop", "source MAC", "destination MAC", "source IP", "destination IP", "TTL", "checksum");
  for (const [index, frame] of frames.entries()) {
    const { fields: macs, payload } = packets.readEthernet(frame);
    const { fields, header } = packets.readIpv4(payload);
    const { source, destination, timeToLive } = fields;
    const checksum = header.slice(10, 12).toHex();
    row(index + 1, macs.source, macs.destination, source, destination, timeToLive, checksum);
  }
}

if (import.meta.main) await run(main);
