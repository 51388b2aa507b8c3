/**
 * What a server for many clients must do: nobody waits for anybody else.
 *
 * @module
 */

import { pause } from "../pause.ts";
import { type Check, Mismatch } from "./check.ts";
import { shortMessage } from "./echo_checks.ts";
import { letters, mixedBytes } from "./echo_mistakes.ts";
import type { Exchange } from "./exchange.ts";
import { eachItsOwn, expectOwn, FULL, ONCE, SEQUENTIAL } from "./many_mistakes.ts";
import { sendAndReset } from "./reset.ts";
import type { ServerTrial } from "./server_trial.ts";

const CATCH =
  "what goes wrong with one client ends the whole server: catch errors around each conversation";
const KEPT =
  'it keeps the connection of a client that has ended: close it when recv gives b"" (read gives null); where fork ' +
  "gives a copy to the child, the parent closes its own";
const DISTURBED =
  "what one client does ends the conversation of another: what belongs to one conversation must be a variable " +
  "of that conversation, and its errors are its own";

async function connections(trial: ServerTrial, count: number): Promise<Exchange[]> {
  const all: Exchange[] = [];
  while (all.length < count) all.push(await trial.connect());
  return all;
}

const secondClient: Check<ServerTrial> = {
  name: "a client is answered while another is connected and silent",
  ifGone: CATCH,
  async run(trial) {
    const [silent, speaker] = await connections(trial, 2) as [Exchange, Exchange];
    const first = "does anybody listen?",
      forgotten = "the client that was silent at first is forgotten";
    await expectOwn(trial, speaker, first, { others: [silent], likely: ONCE });
    await expectOwn(trial, silent, "I do", {
      others: [speaker],
      foreign: first,
      likely: forgotten,
    });
  },
};

const inTurn: Check<ServerTrial> = {
  name: "two clients are answered in turn",
  ifGone: CATCH,
  async run(trial) {
    const both = await connections(trial, 2);
    for (let round = 1; round <= 5; round++) {
      for (const [at, exchange] of both.entries()) {
        const others = [both[1 - at]!];
        await expectOwn(trial, exchange, `${at}${letters(20, round)}`, { others, likely: ONCE });
      }
    }
  },
};

const twenty: Check<ServerTrial> = {
  name: "20 clients at once, one of them idle, get each their own",
  ifGone: CATCH,
  async run(trial) {
    const [idle, ...busy] = await connections(trial, 20) as [Exchange, ...Exchange[]];
    for (const round of [1, 2, 3]) await eachItsOwn(trial, busy, idle, round);
    const likely = "the client that was idle is forgotten";
    await expectOwn(trial, idle, "idle no more", { others: busy, likely });
  },
};

const leavers: Check<ServerTrial> = {
  name: "clients that leave, or reset the connection, do not disturb the others",
  ifGone: CATCH,
  async run(trial) {
    const [one, other] = await connections(trial, 2) as [Exchange, Exchange];
    (await trial.connect())[Symbol.dispose]();
    await sendAndReset(trial.where, mixedBytes(8 * 1024));
    await sendAndReset(trial.where, "");
    one[Symbol.dispose]();
    // where it serves nobody any more, this says so
    const late = await trial.connect();
    await expectOwn(trial, other, "I am still here", { others: [late], likely: DISTURBED });
    await expectOwn(trial, late, "and I come late", { others: [other], likely: DISTURBED });
  },
};

const greedy: Check<ServerTrial> = {
  name: "a client that sends much and reads nothing holds up nobody",
  ifGone: CATCH,
  deadline: 30_000,
  async run(trial) {
    const [glutton, other] = await connections(trial, 2) as [Exchange, Exchange];
    glutton.send(mixedBytes(8 * 1024 * 1024));
    await glutton.stalled();
    const likely =
      "sendall to a client that does not read waits, and everybody with it: write only when the client can " +
      "take it, or in a thread of its own";
    // who serves one at a time waits as well, but for another reason
    const waits = trial.known.has(SEQUENTIAL) ? SEQUENTIAL : likely;
    await expectOwn(trial, other, "excuse me", { others: [glutton], waits, likely });
  },
};

const coming: Check<ServerTrial> = {
  name: "200 clients that come and go leave nothing behind",
  deadline: 120_000,
  ifGone:
    "each client leaves something behind, until there is too much: close each connection, and let its thread or " +
    "process end",
  async run(trial) {
    for (let count = 1; count <= 200; count++) {
      using exchange = await trial.connect();
      const before = count === 1 ? "the clients of the other checks" : `${count - 1} clients`;
      try {
        await expectOwn(trial, exchange, `client ${count}`, {
          others: [],
          likely: `after ${before} ${FULL}`,
        });
      } catch (error) {
        trial.known.add(FULL);
        throw error;
      }
      await exchange.end();
      const { then } = await exchange.hear(1);
      if (then === "ended" || then === "reset") continue;
      const sent = "the end of the stream";
      throw new Mismatch({ sent, expected: sent, got: "a connection that stays", likely: KEPT });
    }
  },
};

const silence: Check<ServerTrial> = {
  name: "a client that is silent for a while and then speaks is answered",
  deadline: 600_000,
  ifGone: CATCH,
  async run(trial) {
    const [silent, other] = await connections(trial, 2) as [Exchange, Exchange];
    await expectOwn(trial, silent, "before", { others: [other], likely: ONCE });
    const early = (await silent.hear(1, 100)).then !== "silent";
    await pause(trial.options.silence);
    await expectOwn(trial, other, "meanwhile", { others: [silent], likely: ONCE });
    const late = "it gives up while a client thinks: a timeout must be long, or there is none";
    const likely = early ? ONCE : late;
    await expectOwn(trial, silent, "after", { others: [other], likely });
  },
};

/** In the order in which they are tried. */
export const MANY_CHECKS: Check<ServerTrial>[] = [
  shortMessage,
  secondClient,
  inTurn,
  twenty,
  leavers,
  greedy,
  coming,
  silence,
];
