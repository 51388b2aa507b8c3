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
import { explain } from "../../lib/errors.ts";
import { Later } from "../../lib/later.ts";
import { formatCounts, type LinkFaults, LossyLink, noCounts } from "../../lib/lossy.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { bind, localFor } from "../../lib/udp_socket.ts";
import { UsageError } from "../../lib/usage.ts";

/** How many clients have a way through at once. */
const MOST_SESSIONS = 64;
/** After how long without a datagram a client's way may be given to another, in milliseconds. */
const IDLE = 1_000;

/** One client's way to the server and back. */
interface Session {
  socket: Deno.DatagramConn;
  there: LossyLink;
  back: LossyLink;
  used: number;
}

/** Relays between clients and a server until the socket is closed. */
export class Relay {
  readonly there = noCounts();
  readonly back = noCounts();
  readonly #sessions = new Map<string, Session>();
  #opened = 0;

  constructor(
    readonly socket: Deno.DatagramConn,
    readonly server: Deno.NetAddr,
    readonly faults: LinkFaults,
    readonly seed: number,
    readonly later: Later,
  ) {}

  async run(): Promise<void> {
    try {
      await receiveAll(this.socket, async (datagram, client) => {
        const session = await this.#sessionOf(client);
        if (!session) return;
        this.#pass(session.there, datagram, session.socket, this.server);
      });
    } finally {
      for (const { socket } of this.#sessions.values()) socket.close();
    }
  }

  #pass(link: LossyLink, datagram: Uint8Array, through: Deno.DatagramConn, to: Deno.NetAddr): void {
    const now = performance.now();
    // the buffer that it came in is used again
    for (const { datagram: out, at } of link.pass(datagram.slice(), now)) {
      this.later.add(at - now, () => void through.send(out, to).catch(report));
    }
  }

  async #sessionOf(client: Deno.NetAddr): Promise<Session | undefined> {
    const name = formatEndpoint(client);
    const now = performance.now();
    const known = this.#sessions.get(name);
    if (known) {
      known.used = now;
      // a Map keeps its entries in the order in which they were set: the idlest is the first
      this.#sessions.delete(name);
      this.#sessions.set(name, known);
      return known;
    }
    const [idlest] = this.#sessions;
    if (idlest && this.#sessions.size >= MOST_SESSIONS) {
      if (now - idlest[1].used < IDLE) return; // a full network drops, too
      this.#sessions.delete(idlest[0]);
      idlest[1].socket.close();
    }
    const number = ++this.#opened;
    console.error(`session ${number}: ${name}`);
    const session: Session = {
      socket: await bind({ hostname: localFor(this.server.hostname) }),
      there: new LossyLink(this.faults, this.seed + 2 * number, this.there),
      back: new LossyLink(this.faults, this.seed + 2 * number + 1, this.back),
      used: now,
    };
    this.#sessions.set(name, session);
    const server = formatEndpoint(this.server);
    receiveAll(session.socket, (datagram, from) => {
      // only the server's answers are for the client
      if (formatEndpoint(from) !== server) return;
      this.#pass(session.back, datagram, this.socket, client);
    }).catch(report);
    return session;
  }
}

/** Gives every datagram to `handle`, until the socket is closed. What goes wrong with one ends nothing. */
async function receiveAll(
  socket: Deno.DatagramConn,
  handle: (datagram: Uint8Array, from: Deno.NetAddr) => unknown,
): Promise<void> {
  const memory = new Uint8Array(65_536);
  for (;;) {
    try {
      const [datagram, from] = await socket.receive(memory);
      await handle(datagram, from as Deno.NetAddr);
    } catch (error) {
      if (isClosed(error)) return;
      report(error);
    }
  }
}

function isClosed(error: unknown): boolean {
  return error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted;
}

function report(error: unknown): void {
  if (!isClosed(error)) console.error(explain(error).reason);
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
  const relay = new Relay(socket, server, faults, seed, later);
  console.log(`listening on ${formatEndpoint(socket.addr)}`);
  await relay.run();
  console.log(`to the server: ${formatCounts(relay.there)}`);
  console.log(`to the clients: ${formatCounts(relay.back)}`);
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
