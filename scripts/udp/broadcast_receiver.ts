#!/usr/bin/env -S deno run --allow-net=127.255.255.255:10011,127.0.0.1
/**
 * Hearing what is said to all: the receiver of broadcasts
 *
 * A datagram to a network's broadcast address reaches every machine there, and on each all programs that have
 * the port: reuseAddress lets several have it at once. Start this in several terminals, each with a --name.
 *
 * It hears on the broadcast address itself, so that nothing reaches it that is sent to this machine alone, and
 * answers from a second socket, since a broadcast address is nobody's to send from. Other systems than Linux
 * cannot bind such an address, nor has their loopback one: give --host 0.0.0.0 there, and hear a real network.
 *
 * The second grant names the host without a port, since answers go to ports that the senders choose.
 *
 * @lecture 003 A. socket package: Address ('<broadcast>')
 * @python  setsockopt(SO_REUSEADDR) → reuseAddress, socket.bind → Deno.listenDatagram,
 *          socket.recvfrom → socket.receive, socket.sendto → socket.send
 * @run     deno run --allow-net=127.255.255.255:10011,127.0.0.1 scripts/udp/broadcast_receiver.ts --name kitchen
 * @expect  listening on 127.255.255.255:10011
 * @expect  127.0.0.1:* asks "is anybody there?"
 * @client  deno run --allow-net=127.0.0.1:0,127.255.255.255:10011 scripts/udp/broadcast_sender.ts "is anybody there?"
 * @option  --name NAME  who answers (default: somebody)
 * @option  --host HOST  the broadcast address to hear (default: 127.255.255.255)
 * @option  --port PORT  the port to hear (default: 10011)
 * @option  --from HOST  the own address to answer from (default: 127.0.0.1)
 * @see     https://docs.deno.com/api/deno/~/Deno.listenDatagram
 * @see     https://man7.org/linux/man-pages/man7/ip.7.html
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { quoted } from "../../lib/display.ts";
import { attempt, explain } from "../../lib/errors.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { bind } from "../../lib/udp_socket.ts";
import { UsageError } from "../../lib/usage.ts";

/** Answers each datagram that `hearing` gets, until that is closed. */
export async function answerAll(
  hearing: Deno.DatagramConn,
  speaking: Deno.DatagramConn,
  name: string,
): Promise<void> {
  // short, at most 64 bytes: whoever asks in another's name has that one flooded with answers
  const answer = new TextEncoder().encode(name);
  const buffer = new Uint8Array(65_536);
  for (;;) {
    try {
      const [question, from] = await hearing.receive(buffer);
      console.log(`${formatEndpoint(from)} asks ${quoted(question, { limit: 200 })}`);
      await speaking.send(answer, from);
    } catch (error) {
      if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) {
        return; // the socket was closed
      }
      console.error(explain(error).reason);
    }
  }
}

export async function main(
  { name, host, port, from }: { name: string; host: string; port: number; from: string },
): Promise<void> {
  if (new TextEncoder().encode(name).length > 64) {
    throw new UsageError("--name has at most 64 bytes");
  }
  const hearing = await attempt(
    `bind ${host} port ${port} for UDP`,
    () => Deno.listenDatagram({ transport: "udp", hostname: host, port, reuseAddress: true }),
  );
  using _stopping = onInterrupt(() => hearing.close());
  const speaking = await bind({ hostname: from });
  try {
    console.log(`listening on ${formatEndpoint(hearing.addr)}`);
    await answerAll(hearing, speaking, name);
  } finally {
    speaking.close();
  }
}

if (import.meta.main) await run(main);
