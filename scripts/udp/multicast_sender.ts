#!/usr/bin/env -S deno run --allow-net=127.0.0.1:0,239.255.0.12:10012
/**
 * A message to a group: the sender of multicast
 *
 * One datagram to the group's address, and every member gets it. A sender need not be a member, and does not
 * learn how many there are.
 *
 * How far it goes is told by its TTL, which each router lowers: 0 stays on this machine, 1 in this network,
 * more go through routers. Deno sets a TTL only through a membership, so this joins first and leaves at once;
 * and IPv6 sockets have none to set there (node:dgram's setMulticastTTL does it): an IPv6 group tells by its
 * second byte how far it reaches, ff11:: not out of the machine and ff12:: to the next router.
 *
 * On which network card it leaves is told by the address that the socket is bound to: on Linux 127.0.0.1 keeps it
 * on the loopback interface. Python has IP_MULTICAST_IF for that, as has node:dgram with setMulticastInterface.
 * Elsewhere on the card that the routes name, even with 127.0.0.1: there the TTL of 0 keeps it in.
 *
 * Whether members on this machine get it, too, is told by loopback, which Deno has off unless told. On the
 * loopback interface it makes no difference, where all that is sent comes back.
 *
 * @lecture 003 Socket level: multicast
 * @python  setsockopt(IP_MULTICAST_TTL) → membership.setTTL, setsockopt(IP_MULTICAST_LOOP) → loopback,
 *          socket.sendto → socket.send
 * @partner scripts/udp/multicast_receiver.ts
 * @run     deno run --allow-net=127.0.0.1:0,239.255.0.12:10012 scripts/udp/multicast_sender.ts "the news at ten"
 * @log     sent 15 bytes to 239.255.0.12:10012 from 127.0.0.1:* with TTL 0
 * @run     deno run --allow-net=127.0.0.1:0,239.255.0.12:10012 scripts/udp/multicast_sender.ts "for our network" --ttl 1
 * @log     sent 15 bytes to 239.255.0.12:10012 from 127.0.0.1:* with TTL 1
 * @argument MESSAGE         what to say
 * @option  --group HOST     the group, IPv4 or IPv6 (default: 239.255.0.12)
 * @option  --port PORT      the port that the members have (default: 10012)
 * @option  --from HOST      the own address, on the network card to send from; unless told 127.0.0.1 or ::
 * @option  --ttl COUNT      how many routers it may pass, plus 1; 0 stays here (default: 0)
 * @option  --no-loopback    not for the members on this machine
 * @see     https://docs.deno.com/api/deno/~/Deno.MulticastV4Membership
 * @see     https://www.rfc-editor.org/rfc/rfc1112
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { attempt } from "../../lib/errors.ts";
import { isGroup6 } from "../../lib/multicast.ts";
import { UsageError } from "../../lib/usage.ts";

interface Options {
  message: string;
  group: string;
  port: number;
  from?: string;
  ttl: number;
  noLoopback: boolean;
}

export async function main({ message, group, port, ttl, ...options }: Options): Promise<void> {
  if (ttl > 255) throw new UsageError(`--ttl is from 0 to 255, not ${ttl}`);
  const six = isGroup6(group);
  const hostname = options.from ?? (six ? "::" : "127.0.0.1");
  const socket = await attempt(
    `open a UDP socket on ${hostname}`,
    () =>
      Deno.listenDatagram({ transport: "udp", hostname, port: 0, loopback: !options.noLoopback }),
  );
  try {
    if (!six) {
      const membership = await attempt(
        `join ${group} on ${hostname}`,
        () => socket.joinMulticastV4(group, hostname),
      );
      await attempt(`set the TTL to ${ttl}`, membership.setTTL(ttl));
      await attempt(`leave ${group}`, membership.leave());
    }
    const bytes = new TextEncoder().encode(message);
    const to: Deno.NetAddr = { transport: "udp", hostname: group, port };
    await attempt(`send to ${formatEndpoint(to)}`, () => socket.send(bytes, to));
    const from = formatEndpoint(socket.addr);
    const reach = six ? "" : ` with TTL ${ttl}`;
    console.error(`sent ${bytes.length} bytes to ${formatEndpoint(to)} from ${from}${reach}`);
  } finally {
    socket.close();
  }
}

if (import.meta.main) await run(main);
