#!/usr/bin/env -S deno run --allow-net=239.255.0.12:10012
/**
 * A member of a group: the receiver of multicast
 *
 * A broadcast disturbs every machine of a network, a multicast only those that have joined its group. Groups
 * are addresses that belong to nobody: 239.255.0.0/16 for one's own use in one's own network. Start this in
 * several terminals: reuseAddress lets all have the port, and each gets every message.
 *
 * One joins on one network card, told by its address: here the loopback interface. On Linux that keeps nothing out:
 * when any program has joined the group on another card, what comes in there is heard here, too (ip(7),
 * IP_MULTICAST_ALL, which Deno cannot turn off). The socket is bound to the group itself, which keeps out what
 * is sent to the port otherwise; Windows cannot do that, and gets 0.0.0.0. For an IPv6 group the socket gets ::,
 * since Deno does not let an address tell its interface, and so hears all that comes to the port. No datagram to
 * ff11::/16 leaves the machine:
 *
 *     deno run "--allow-net=[::]:10012" scripts/udp/multicast_receiver.ts --group ff11::12
 *     deno run "--allow-net=[::]:0,[ff11::12]:10012" scripts/udp/multicast_sender.ts --group ff11::12 "six"
 *
 * @lecture 003 Socket level: multicast
 * @python  setsockopt(IP_ADD_MEMBERSHIP) → socket.joinMulticastV4, setsockopt(SO_REUSEADDR) → reuseAddress,
 *          setsockopt(IP_DROP_MEMBERSHIP) → membership.leave, socket.recvfrom → socket.receive
 * @run     deno run --allow-net=239.255.0.12:10012 scripts/udp/multicast_receiver.ts
 * @log     joined 239.255.0.12 on 127.0.0.1
 * @expect  listening on 239.255.0.12:10012
 * @expect  127.0.0.1:* says "the news at ten"
 * @log     left 239.255.0.12
 * @client  deno run --allow-net=127.0.0.1:0,239.255.0.12:10012 scripts/udp/multicast_sender.ts "the news at ten"
 * @option  --group HOST      the group to join, IPv4 or IPv6 (default: 239.255.0.12)
 * @option  --port PORT       the port to hear (default: 10012)
 * @option  --interface CARD  the network card to join on: its address, or for IPv6 its number, 0 for the
 *          system's choice; unless told 127.0.0.1 or 0
 * @option  --count COUNT     leave after so many messages, 0 for no limit (default: 0)
 * @see     https://docs.deno.com/api/deno/~/Deno.DatagramConn
 * @see     https://man7.org/linux/man-pages/man7/ip.7.html
 * @see     https://www.rfc-editor.org/rfc/rfc2365
 * @see     https://www.rfc-editor.org/rfc/rfc4291#section-2.7
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { quoted } from "../../lib/display.ts";
import { attempt } from "../../lib/errors.ts";
import { isGroup6 } from "../../lib/multicast.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { UsageError } from "../../lib/usage.ts";

interface Options {
  group: string;
  port: number;
  interface?: string;
  count: number;
}

/** Prints what comes: true after so many messages, false when the socket is closed before. */
export async function hear(socket: Deno.DatagramConn, count: number): Promise<boolean> {
  const buffer = new Uint8Array(65_536);
  try {
    for (let heard = 0; count === 0 || heard < count; heard++) {
      const [message, from] = await socket.receive(buffer);
      console.log(`${formatEndpoint(from)} says ${quoted(message, { limit: 200 })}`);
    }
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) {
      return false;
    }
    throw error;
  }
}

export async function main(options: Options): Promise<void> {
  const { group, port, count } = options;
  const six = isGroup6(group);
  const card = options.interface ?? (six ? "0" : "127.0.0.1");
  if (six && !/^\d{1,9}$/.test(card)) {
    throw new UsageError(`--interface is the card's number for an IPv6 group, not "${card}"`);
  }
  const hostname = six ? "::" : Deno.build.os === "windows" ? "0.0.0.0" : group;
  const socket = await attempt(
    `bind ${formatEndpoint({ hostname, port })} for UDP`,
    () => Deno.listenDatagram({ transport: "udp", hostname, port, reuseAddress: true }),
  );
  // Python packs both addresses into bytes for IP_ADD_MEMBERSHIP
  const joining = six
    ? socket.joinMulticastV6(group, Number(card))
    : socket.joinMulticastV4(group, card);
  const membership = await attempt(`join ${group} on ${card}`, joining).catch((error) => {
    socket.close();
    throw error;
  });
  console.error(`joined ${group} on ${card}`);
  const leave = async () => {
    // closing the socket would do; this is for a program that goes on to hear something else
    await attempt(`leave ${group}`, membership.leave());
    console.error(`left ${group}`);
    socket.close();
  };
  using _stopping = onInterrupt(leave);
  console.log(`listening on ${formatEndpoint(socket.addr)}`);
  if (await hear(socket, count)) await leave();
}

if (import.meta.main) await run(main);
