/**
 * What a client must do that sends one message and waits for one reply.
 *
 * @module
 */

import { pause } from "../pause.ts";
import { type Check, Mismatch } from "./check.ts";
import type { ClientTrial } from "./client_trial.ts";
import { type Exchange, type Heard, heard, show } from "./exchange.ts";

/** What is special about a client. */
export interface ClientSubject {
  /** Throws a {@linkcode Mismatch} when that is no right message. */
  judge?(message: Uint8Array): void;
  /** What the server answers; three bytes at least, besides a line feed at the end. */
  reply(message: Uint8Array): Uint8Array;
  /** Whether the client must wait for a line feed at the end as well. */
  exact?: boolean;
}

const LONGEST = 1024 * 1024, LINE_FEED = 10;

/** What the client says before it waits for the reply. */
async function messageOf(exchange: Exchange): Promise<Uint8Array> {
  const first = await exchange.hear(1);
  if (first.bytes.length === 0) {
    throw new Mismatch({
      expected: "a message",
      got: heard(first),
      likely: first.then === "silent"
        ? "it connects and sends nothing: the client speaks first"
        : "it closes before it has sent anything",
    });
  }
  const rest = await exchange.hear(LONGEST, 200);
  const message = new Uint8Array([...first.bytes, ...rest.bytes]);
  if (rest.then === "reset" || rest.then === "more") {
    throw new Mismatch({
      expected: "a message, and then a client that waits",
      got: heard({ bytes: message, then: rest.then }),
      likely: rest.then === "more"
        ? "it never stops sending: what is its message, and where does that end?"
        : "it does not wait for the reply: receive before you close",
    });
  }
  return message;
}

/** Sends bytes that the client needs, two at least; false when it has left before. */
async function stillThere(exchange: Exchange, rest: Uint8Array): Promise<boolean> {
  const { then } = await exchange.hear(1, 50);
  if (then === "reset") return false;
  if (then !== "ended") return await exchange.send(rest) === rest.length;
  // it has left, or has ended its sending side and still reads: a first byte goes in both cases, but who has left
  // answers it with a reset, which the next byte meets
  await exchange.send(rest.subarray(0, 1));
  await pause(100);
  return await exchange.send(rest.subarray(1)) === rest.length - 1;
}

/** After the end of the stream, the client goes. */
async function mustEnd(exchange: Exchange, sent: string, likely: string): Promise<Heard["then"]> {
  const answer = await exchange.hear(1);
  if (answer.then === "ended" || answer.then === "reset") return answer.then;
  throw new Mismatch({ sent, expected: "the end of the connection", got: heard(answer), likely });
}

const NEVER =
  "it does not read the reply at all: it closes when it has sent its message; receive before you close";
const EARLY =
  "it reads once: one recv gives what is there, not the whole reply; read in a loop until all has come";
const UNREAD =
  "it closes before it has read the whole reply: read in a loop until all has come, and then close";
const LATE =
  "it waits for more than the reply: stop when as much has come as must come, or at its end";
const DEAF =
  'it does not notice that the server has ended: recv then gives b"" (read gives null); leave the loop';

/** Sends a part of the reply to a client that must still be there; gives in words what it has been sent. */
async function give(exchange: Exchange, answer: Uint8Array, from: number, to = answer.length) {
  const now = show(answer.subarray(from, to));
  const sent = from === 0 ? now : `${show(answer.subarray(0, from))}, and later ${now}`;
  if (await stillThere(exchange, answer.subarray(from, to))) return sent;
  throw new Mismatch({
    sent,
    expected: `a client that waits for the ${from === 0 ? "reply" : "rest"}`,
    got: "a client that has gone before",
    likely: from === 0 ? NEVER : EARLY,
  });
}

/** The checks of a client, from the first success to the hard cases. */
export function clientChecks({ judge, reply, exact }: ClientSubject): Check<ClientTrial>[] {
  /** A check in which the beginning of the reply, if any, comes in the given way, and then the rest of it. */
  const inWay = (
    name: string,
    way: (exchange: Exchange, answer: Uint8Array, needed: number) => Promise<number>,
  ): Check<ClientTrial> => ({
    name,
    deadline: 600_000,
    async run(trial) {
      const exchange = await trial.accept();
      const answer = reply(await messageOf(exchange));
      const needed = exact || answer.at(-1) !== LINE_FEED ? answer.length : answer.length - 1;
      const from = await way(exchange, answer, needed);
      const sent = await give(exchange, answer, from);
      // with bytes unread, the system sends a reset
      if (await mustEnd(exchange, sent, LATE) === "ended" || needed < answer.length) return;
      const got = "a reset, as of a client that has bytes unread";
      throw new Mismatch({ sent, expected: "the end of the connection", got, likely: UNREAD });
    },
  });
  return [
    {
      name: "it connects, and sends a message",
      first: true,
      deadline: 600_000,
      async run(trial) {
        const exchange = await trial.accept();
        const message = await messageOf(exchange);
        judge?.(message);
        await exchange.send(reply(message));
      },
    },
    inWay("when it has the reply, it closes", () => Promise.resolve(0)),
    inWay("it waits for a reply that takes its time", async () => {
      await pause(400);
      return 0;
    }),
    inWay("it waits for the second half of the reply", async (exchange, answer, needed) => {
      const half = needed >> 1;
      await give(exchange, answer, 0, half);
      await pause(300);
      return half;
    }),
    inWay("it waits for a reply that comes byte by byte", async (exchange, answer, needed) => {
      const last = Math.max(0, needed - 2), slow = Math.max(Math.min(2, last), needed - 64);
      await give(exchange, answer, 0, slow);
      for (let at = slow; at < last; at++) {
        await exchange.send(answer.subarray(at, at + 1));
        await pause(3);
      }
      await pause(50);
      return last;
    }),
    {
      name: "when the server ends in the middle of the reply, it ends too",
      deadline: 600_000,
      async run(trial) {
        const exchange = await trial.accept();
        const answer = reply(await messageOf(exchange));
        const half = answer.subarray(0, answer.length >> 1);
        await exchange.send(half);
        await exchange.end();
        await mustEnd(exchange, `${show(half)}, then the end of the stream`, DEAF);
      },
    },
    {
      name: "when the server ends without a word, it ends too",
      deadline: 600_000,
      async run(trial) {
        const exchange = await trial.accept();
        await messageOf(exchange);
        await exchange.end();
        await mustEnd(exchange, "the end of the stream", DEAF);
      },
    },
  ];
}
