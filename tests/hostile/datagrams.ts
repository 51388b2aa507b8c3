/**
 * What strangers do to a UDP server: datagrams of every kind, from many sockets, and nobody who reads.
 *
 * @module
 */

import { chance, encode } from "../lib/helpers.ts";
import { settles, times } from "./waits.ts";

const SEED = 7_031_966;

/** A UDP server, and a socket of one's own towards it. */
export interface UdpTarget {
  address: Deno.NetAddr;
  open(hostname?: string): Deno.DatagramConn;
}

/** A UDP port of this machine. */
export function udpTarget(port: number): UdpTarget {
  return {
    address: { transport: "udp", hostname: "127.0.0.1", port },
    open: (hostname = "127.0.0.1") => Deno.listenDatagram({ transport: "udp", hostname, port: 0 }),
  };
}

type DatagramAttack = (target: UdpTarget, meanwhile: () => Promise<void>) => Promise<void>;

/** An attack by many sockets, each of which sends these datagrams and never reads. */
export function spray(
  sockets: number,
  datagrams: () => Iterable<Uint8Array>,
  hostname?: string,
): DatagramAttack {
  return async (target, meanwhile) => {
    const open: Deno.DatagramConn[] = [];
    try {
      await times(sockets, 20, async () => {
        const socket = target.open(hostname);
        open.push(socket);
        for (const datagram of datagrams()) await socket.send(datagram, target.address);
      });
      await meanwhile();
    } finally {
      for (const socket of open) socket.close();
    }
  };
}

function* random(): Generator<Uint8Array> {
  const next = chance(SEED);
  for (let count = 0; count < 200; count++) {
    yield Uint8Array.from({ length: next(1_500) }, () => next(256));
  }
}

/** All attacks, named by what happens. */
export const datagramAttacks: Record<string, DatagramAttack> = {
  "empty datagrams come": spray(10, () => Array(20).fill(new Uint8Array())),
  "the largest datagrams come": spray(5, () => Array(10).fill(new Uint8Array(65_507))),
  [`random bytes come (seed ${SEED})`]: spray(5, random),
  "500 clients send and never read": spray(500, () => [encode("anyone there?")]),
  "a client floods it and never reads": spray(1, () => Array(5_000).fill(new Uint8Array(1_000))),
  // elsewhere 127.0.0.1 is the only loopback address
  ...(Deno.build.os === "linux" && {
    "an address that it may not answer sends": spray(20, () => [encode("psst")], "127.0.0.2"),
  }),

  "2,000 clients have gone when the answer comes": async (target) => {
    await times(2_000, 20, async () => {
      const socket = target.open();
      await socket.send(encode("never mind"), target.address);
      socket.close();
    });
  },
};

/** Asks as UDP clients do, again when nothing comes: a datagram may be lost among those of an attack. */
export async function askByDatagram(
  { address, open }: UdpTarget,
  question: Uint8Array,
): Promise<Uint8Array> {
  const socket = open();
  const answer = socket.receive();
  for (let tries = 1; tries <= 8; tries++) {
    await socket.send(question, address);
    if (await settles(answer, 500)) break;
  }
  try {
    return (await answer)[0];
  } finally {
    socket.close();
  }
}
