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
  /** What the server answers; at least two bytes. */
  reply(message: Uint8Array): Uint8Array;
}

const LONGEST = 1024 * 1024;

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
  const rest = await exchange.hear(LONGEST, 150);
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

/** Whether the client has gone; for a moment it is given the time to go. */
async function hasLeft(exchange: Exchange): Promise<Heard | undefined> {
  // a client may end its sending side and still read: only a reset shows that nobody does
  const now = await exchange.hear(1, 150);
  return now.then === "reset" ? now : undefined;
}

/** After the whole reply, or the end of it, the client goes. */
async function mustEnd(exchange: Exchange, sent: string, likely: string): Promise<void> {
  const answer = await exchange.hear(1);
  if (answer.then === "ended" || answer.then === "reset") return;
  throw new Mismatch({ sent, expected: "the end of the connection", got: heard(answer), likely });
}

const EARLY =
  "it reads once: one recv gives what is there, not the whole reply; read in a loop until all has come";
const LATE =
  "it waits for more than the reply: stop when as much has come as must come, or at its end";
const DEAF =
  'it does not notice that the server has ended: recv then gives b"" (read gives null); leave the loop';

/** The checks of a client, from the first success to the hard cases. */
export function clientChecks({ judge, reply }: ClientSubject): Check<ClientTrial>[] {
  /** A check in which the reply comes in the given way. */
  const inWay = (
    name: string,
    way: (exchange: Exchange, answer: Uint8Array) => Promise<void>,
  ): Check<ClientTrial> => ({
    name,
    deadline: 600_000,
    async run(trial) {
      const exchange = await trial.accept();
      const answer = reply(await messageOf(exchange));
      await way(exchange, answer);
      await mustEnd(exchange, show(answer), LATE);
    },
  });
  const staysFor = async (exchange: Exchange, answer: Uint8Array, from: number) => {
    const taken = await exchange.send(answer.subarray(from));
    const left = taken < answer.length - from || await hasLeft(exchange);
    if (!left) return;
    throw new Mismatch({
      sent: `${show(answer.subarray(0, from))}, and later ${show(answer.subarray(from))}`,
      expected: "a client that waits for the rest",
      got: "a client that has gone before",
      likely: EARLY,
    });
  };
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
    inWay("when it has the reply, it closes", async (exchange, answer) => {
      await exchange.send(answer);
    }),
    inWay("it waits for a reply that takes its time", async (exchange, answer) => {
      await pause(400);
      await staysFor(exchange, answer, 0);
    }),
    inWay("it waits for the second half of the reply", async (exchange, answer) => {
      const half = answer.length >> 1;
      await exchange.send(answer.subarray(0, half));
      await pause(300);
      await staysFor(exchange, answer, half);
    }),
    inWay("it waits for a reply that comes byte by byte", async (exchange, answer) => {
      const slow = answer.length - Math.min(64, answer.length);
      await exchange.send(answer.subarray(0, slow));
      for (let at = slow; at < answer.length - 1; at++) {
        await exchange.send(answer.subarray(at, at + 1));
        await pause(3);
      }
      await pause(50);
      await staysFor(exchange, answer, answer.length - 1);
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
