/**
 * What a server for many clients must do: nobody waits for anybody else.
 *
 * @module
 */

import { pause } from "../pause.ts";
import { type Check, Mismatch } from "./check.ts";
import { shortMessage } from "./echo_checks.ts";
import { compareEcho, expectEcho, letters, mixedBytes } from "./echo_mistakes.ts";
import { type Exchange, heard, show } from "./exchange.ts";
import { sendAndReset } from "./reset.ts";
import type { ServerTrial } from "./server_trial.ts";

const SEQUENTIAL =
  "it serves one client at a time: while it waits for one, nobody else is read; give each client a thread, a " +
  "process, or a turn (select, asyncio, a promise that is not awaited)";
const CATCH =
  "what goes wrong with one client ends the whole server: catch errors around each conversation";

const TO_ALL = "it sends to all clients: an echo goes to the one who spoke";

/** All three ways in which an answer can be missing have the same reason. */
const always = (likely: string) => ({ silent: likely, ended: likely, reset: likely });

async function connections(trial: ServerTrial, count: number): Promise<Exchange[]> {
  const all: Exchange[] = [];
  while (all.length < count) all.push(await trial.connect());
  return all;
}

/** Sends each client's own message, then compares what each gets. */
async function eachItsOwn(exchanges: Exchange[], round: string, likely: string): Promise<void> {
  const messages = exchanges.map((_, at) => new TextEncoder().encode(`client ${at}, ${round}\n`));
  await Promise.all(exchanges.map((exchange, at) => exchange.send(messages[at]!)));
  const answers = await Promise.all(
    exchanges.map((exchange, at) => exchange.hear(messages[at]!.length)),
  );
  for (const [at, answer] of answers.entries()) {
    const text = new TextDecoder().decode(answer.bytes);
    const others = text.match(/client \d+/g)?.filter((name) => name !== `client ${at}`) ?? [];
    if (others.length > 0) {
      throw new Mismatch({
        sent: `by ${exchanges.length} clients at once, by one of them ${show(messages[at]!)}`,
        expected: show(messages[at]!),
        got: heard(answer),
        likely: text.includes(`client ${at},`)
          ? TO_ALL
          : "clients get each other's answers: what belongs to one conversation (connection, buffer) must be a " +
            "variable of that conversation, not one that all share",
      });
    }
    compareEcho(messages[at]!, answer, always(likely));
  }
}

const secondClient: Check<ServerTrial> = {
  name: "a client is answered while another is connected and silent",
  ifGone: CATCH,
  async run(trial) {
    const [silent, speaker] = await connections(trial, 2);
    await expectEcho(speaker!, "does anybody listen?", always(SEQUENTIAL));
    await silent!.send("I do");
    const answer = await silent!.hear(4);
    if (new TextDecoder().decode(answer.bytes).startsWith("does")) {
      const got = heard(answer);
      throw new Mismatch({ sent: '"I do"', expected: '"I do"', got, likely: TO_ALL });
    }
    const likely = "the client that was silent at first is forgotten";
    compareEcho(new TextEncoder().encode("I do"), answer, always(likely));
  },
};

const inTurn: Check<ServerTrial> = {
  name: "two clients are answered in turn",
  ifGone: CATCH,
  async run(trial) {
    const both = await connections(trial, 2);
    for (let round = 1; round <= 5; round++) {
      for (const [at, exchange] of both.entries()) {
        await expectEcho(
          exchange,
          `${at}${letters(20, round)}`,
          always(
            "it closes, or stops reading, after the first message of a client: loop until the end",
          ),
        );
      }
    }
  },
};

const twenty: Check<ServerTrial> = {
  name: "20 clients at once, one of them idle, get each their own",
  ifGone: CATCH,
  async run(trial) {
    const [idle, ...busy] = await connections(trial, 20);
    const few =
      "some of 20 clients are not served: a pool or a queue is too small, or an idle client holds it";
    for (const round of ["first", "second", "third"]) await eachItsOwn(busy, round, few);
    await expectEcho(idle!, "idle no more", always("the client that was idle is forgotten"));
  },
};

const leavers: Check<ServerTrial> = {
  name: "clients that leave, or reset the connection, do not disturb the others",
  ifGone: CATCH,
  async run(trial) {
    const [one, other] = await connections(trial, 2);
    (await trial.connect())[Symbol.dispose]();
    await sendAndReset(trial.where, mixedBytes(8 * 1024));
    await sendAndReset(trial.where, "");
    one![Symbol.dispose]();
    await expectEcho(other!, "I am still here", always(CATCH));
    using late = await trial.connect();
    await expectEcho(late, "and I come late", always(CATCH));
  },
};

const greedy: Check<ServerTrial> = {
  name: "a client that sends much and reads nothing holds up nobody",
  ifGone: CATCH,
  deadline: 30_000,
  async run(trial) {
    const [glutton, other] = await connections(trial, 2);
    glutton!.send(mixedBytes(8 * 1024 * 1024));
    await glutton!.stalled();
    await expectEcho(
      other!,
      "excuse me",
      always(
        "sendall to a client that does not read waits, and everybody with it: write only when the client can " +
          "take it, or in a thread of its own",
      ),
    );
  },
};

const coming: Check<ServerTrial> = {
  name: "200 clients that come and go leave nothing behind",
  deadline: 30_000,
  ifGone: CATCH,
  async run(trial) {
    for (let count = 1; count <= 200; count++) {
      using exchange = await trial.connect();
      const likely =
        `after ${count - 1} clients there is no place for one more: close each connection, and ` +
        "let its thread or process end";
      await expectEcho(exchange, `client ${count}`, always(likely));
    }
  },
};

const silence: Check<ServerTrial> = {
  name: "a client that is silent for a while and then speaks is answered",
  deadline: 600_000,
  ifGone: CATCH,
  async run(trial) {
    const [silent, other] = await connections(trial, 2);
    await expectEcho(silent!, "before");
    await pause(trial.options.silence);
    await expectEcho(other!, "meanwhile", always(SEQUENTIAL));
    const likely = "it gives up while a client thinks: a timeout must be long, or there is none";
    await expectEcho(silent!, "after", always(likely));
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
