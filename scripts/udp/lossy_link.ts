#!/usr/bin/env -S deno run --allow-net=127.0.0.1
/**
 * A bad network on one's own machine
 *
 * A relay for datagrams that does on purpose, and by a seed, what networks do by accident: datagrams get
 * lost, come twice, overtake each other, are damaged or late. IP promises no more than that. Put it between
 * any UDP client and server to see how they bear it.
 *
 * Each client has a socket of its own towards the server, as behind a router with NAT: that is how an answer
 * finds its way back. The same seed, the same order of datagrams: the same fate of each.
 *
 * The grant names the host without a port, since answers go to ports that the clients choose.
 *
 * @lecture 001 Transport layer: TCP and UDP · 004 IP, an unreliable protocol
 * @python  socket.recvfrom → socket.receive, socket.sendto → socket.send
 * @run     deno run --allow-net=127.0.0.1 scripts/udp/lossy_link.ts \
 *          --drop 10 --duplicate 5 --reorder 5 --corrupt 2 --delay 5
 * @expect  listening on 127.0.0.1:10013
 * @log     session 1: 127.0.0.1:*
 * @client  deno run --allow-read=/etc/services --allow-net=127.0.0.1:0,127.0.0.1:10013 \
 *          scripts/udp/reliable_sender.ts /etc/services --port 10013 --segment 200 --patience 2
 * @partner scripts/udp/reliable_receiver.ts
 * @expect  to the server: * came, * dropped, * duplicated, * reordered, * corrupted, 0 found the queue full, * went on
 * @expect  to the clients: * came, *
 * @option  --host HOST              the address to listen on (default: 127.0.0.1)
 * @option  --port PORT              the port to listen on, 0 for a free one (default: 10013)
 * @option  --to ENDPOINT            the server behind the link (default: 127.0.0.1:10014)
 * @option  --drop PERCENT           how many are lost (default: 0)
 * @option  --duplicate PERCENT      how many come twice (default: 0)
 * @option  --reorder PERCENT        how many are held up and overtaken (default: 0)
 * @option  --corrupt PERCENT        how many get one bit flipped (default: 0)
 * @option  --delay MILLISECONDS     how long each takes, one way (default: 0)
 * @option  --hold MILLISECONDS      how much longer the overtaken take (default: 5)
 * @option  --bandwidth BYTES        how many go through in a second, each way; 0 for no limit (default: 0)
 * @option  --seed COUNT             another seed, another fate (default: 1)
 * @see     https://man7.org/linux/man-pages/man8/tc-netem.8.html
 * @module
 */

import { formatEndpoint, type NetEndpoint, parseEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { Later } from "../../lib/later.ts";
import {
  formatCounts,
  type LinkCounts,
  type LinkFaults,
  LossyLink,
  noCounts,
} from "../../lib/lossy.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { relayDatagrams, type UdpSession } from "../../lib/udp_relay.ts";
import { bind } from "../../lib/udp_socket.ts";
import { UsageError } from "../../lib/usage.ts";

/** Relays between clients and a server until the socket is closed; each client meets a fate of its own. */
export async function relay(
  socket: Deno.DatagramConn,
  server: Deno.NetAddr,
  { faults, seed, later, there, back }: Link,
): Promise<void> {
  const links = new Map<UdpSession, { there: LossyLink; back: LossyLink }>();
  const pass = (link: LossyLink, datagram: Uint8Array, send: UdpSession["toServer"]) => {
    const { counts } = link;
    const done = (sent: boolean) => counts[sent ? "went" : "failed"]++;
    for (const { datagram: out, at } of link.pass(datagram, performance.now())) {
      const waits = later.add(at, () => send(out, done) || counts.overflowed++);
      if (!waits) counts.overflowed++;
    }
  };
  await relayDatagrams(socket, server, {
    opened(session) {
      const { number, client } = session;
      console.error(`session ${number}: ${formatEndpoint(client)}`);
      links.set(session, {
        there: new LossyLink(faults, seed + 2 * number, there),
        back: new LossyLink(faults, seed + 2 * number + 1, back),
      });
    },
    fromClient: (session, datagram) => pass(links.get(session)!.there, datagram, session.toServer),
    fromServer: (session, datagram) => pass(links.get(session)!.back, datagram, session.toClient),
    closed: (session) => links.delete(session),
  });
}

/** What happens on the way, in both directions, and how often it did. */
interface Link {
  faults: LinkFaults;
  seed: number;
  later: Later;
  there: LinkCounts;
  back: LinkCounts;
}

interface Options {
  host: string;
  port: number;
  to: string;
  drop: string;
  duplicate: string;
  reorder: string;
  corrupt: string;
  delay: number;
  hold: number;
  bandwidth: number;
  seed: number;
}

export async function main(options: Options): Promise<void> {
  const { host: hostname, port, delay, hold, bandwidth, seed } = options;
  const faults: LinkFaults = { delay, hold, bandwidth: bandwidth || Infinity };
  for (const name of ["drop", "duplicate", "reorder", "corrupt"] as const) {
    if (!/^(100|\d{1,2}(\.\d+)?)$/.test(options[name])) {
      throw new UsageError(`--${name} is a percentage from 0 to 100, not "${options[name]}"`);
    }
    faults[name] = Number(options[name]) / 100;
  }
  const server = { transport: "udp", ...netEndpoint(options.to) } as const;
  const socket = await bind({ hostname, port });
  using later = new Later();
  using _stopping = onInterrupt(() => socket.close());
  const [there, back] = [noCounts(), noCounts()];
  console.log(`listening on ${formatEndpoint(socket.addr)}`);
  await relay(socket, server, { faults, seed, later, there, back });
  console.log(`to the server: ${formatCounts(there)}`);
  console.log(`to the clients: ${formatCounts(back)}`);
}

function netEndpoint(text: string): NetEndpoint {
  try {
    const endpoint = parseEndpoint(text);
    if (!("path" in endpoint) && /^[\d.]+$|:/.test(endpoint.hostname)) return endpoint;
  } catch {
    // said below
  }
  throw new UsageError(`--to is an IP address and a port, as 127.0.0.1:10014, not "${text}"`);
}

if (import.meta.main) await run(main);
