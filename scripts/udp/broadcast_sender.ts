#!/usr/bin/env -S deno run --allow-net=127.0.0.1:0,127.255.255.255:10011
/**
 * Saying something to all: the sender of broadcasts
 *
 * One datagram to a network's broadcast address, and every machine there gets it: so printers, games and
 * DHCP servers are found whose address nobody knows. Who answers, and how many, shows only by waiting.
 *
 * Python has to ask for it with SO_BROADCAST, which keeps broadcasts from being sent by mistake: Deno sets that
 * on every UDP socket. 127.255.255.255 is the loopback network's own broadcast address: nothing leaves this
 * machine. The lecture's '<broadcast>' is 255.255.255.255, the network that the socket's own address is in:
 * with --from 127.0.0.1 Linux keeps that inside, too, and who has bound 0.0.0.0 hears it; other systems may send it
 * out. IPv6 has no broadcast, only multicast.
 *
 * @lecture 003 A. socket package: Address ('<broadcast>')
 * @python  socket.sendto → socket.send, socket.recvfrom → socket.receive
 * @partner scripts/udp/broadcast_receiver.ts
 * @run     deno run --allow-net=127.0.0.1:0,127.255.255.255:10011 scripts/udp/broadcast_sender.ts "is anybody there?"
 * @expect  127.0.0.1:* answers "kitchen"
 * @log     1 answer
 * @argument MESSAGE             what to say
 * @option  --to HOST            a broadcast address (default: 127.255.255.255)
 * @option  --port PORT          the port that the receivers have (default: 10011)
 * @option  --from HOST          the own address, in the network that is meant (default: 127.0.0.1)
 * @option  --wait MILLISECONDS  how long to wait for answers (default: 500)
 * @see     https://www.rfc-editor.org/rfc/rfc919
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { DeadlineError, within } from "../../lib/deadline.ts";
import { quoted } from "../../lib/display.ts";
import { attempt, type Explanation } from "../../lib/errors.ts";
import { bind } from "../../lib/udp_socket.ts";

const MOST_ANSWERS = 1_000;

/** Nobody answered a broadcast. */
class NobodyError extends Error {
  readonly explanation: Explanation;

  constructor(to: string, wait: number) {
    super(`nobody answered to ${to} in ${wait / 1000} s`);
    this.explanation = { reason: this.message, partner: true };
  }
}

/** The answers that come while there is time, each as it comes. */
export async function* answers(
  socket: Deno.DatagramConn,
  wait: number,
): AsyncGenerator<[answer: Uint8Array, from: Deno.Addr]> {
  const due = performance.now() + wait;
  for (let count = 0; count < MOST_ANSWERS; count++) {
    const receiving = socket.receive(new Uint8Array(65_536));
    try {
      yield await within(due - performance.now(), receiving);
    } catch (error) {
      if (!(error instanceof DeadlineError)) throw error;
      receiving.catch(() => {}); // closing the socket ends it
      return;
    }
  }
}

export async function main(
  { message, to, port, from, wait }: {
    message: string;
    to: string;
    port: number;
    from: string;
    wait: number;
  },
): Promise<void> {
  const all: Deno.NetAddr = { transport: "udp", hostname: to, port };
  const socket = await bind({ hostname: from });
  try {
    const question = new TextEncoder().encode(message);
    await attempt(`send to ${formatEndpoint(all)}`, () => socket.send(question, all));
    let count = 0;
    for await (const [answer, who] of answers(socket, wait)) {
      count++;
      console.log(`${formatEndpoint(who)} answers ${quoted(answer, { limit: 200 })}`);
    }
    if (count === 0) throw new NobodyError(formatEndpoint(all), wait);
    console.error(`${count} ${count === 1 ? "answer" : "answers"}`);
  } finally {
    socket.close();
  }
}

if (import.meta.main) await run(main);
