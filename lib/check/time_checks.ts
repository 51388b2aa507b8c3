/**
 * What a server of the time must do.
 *
 * @module
 */

import { pause } from "../pause.ts";
import { QUESTION } from "../reqtime.ts";
import { type Check, Mismatch } from "./check.ts";
import { type Exchange, type Heard, heard, show } from "./exchange.ts";
import { mixedBytes } from "./echo_mistakes.ts";
import { sendAndReset } from "./reset.ts";
import type { ServerTrial } from "./server_trial.ts";
import { ANSWER, answerOf, isTime, mustBeNow, mute, textOf } from "./time_answer.ts";
import { readTime } from "./time_text.ts";

const CATCH =
  "what goes wrong with one client ends the whole server: catch errors around each conversation";
const NO_LOOP = "it serves one client and no more: put accept, and all that follows, into a loop";
async function ask(trial: ServerTrial, question: string | Uint8Array, likely: string) {
  using exchange = await trial.connect();
  await exchange.send(question);
  await exchange.end();
  mustBeNow(show(question), await answerOf(exchange), likely);
}

const answers: Check<ServerTrial> = {
  name: "reqtime is answered",
  first: true,
  ifGone: NO_LOOP,
  async run(trial) {
    using exchange = await trial.connect();
    await exchange.send(QUESTION);
    const answer = await answerOf(exchange);
    if (answer.bytes.length > 0) return;
    const likely = answer.then === "silent" ? await whySilent(exchange) : mute(answer);
    throw new Mismatch({ sent: show(QUESTION), expected: ANSWER, got: heard(answer), likely });
  },
};

async function whySilent(exchange: Exchange): Promise<string> {
  await exchange.send("\n");
  if ((await answerOf(exchange)).bytes.length > 0) {
    return "it waits for the end of a line: the lecture's client sends reqtime and nothing more";
  }
  await exchange.end();
  if ((await answerOf(exchange)).bytes.length > 0) {
    return "it waits for the end of the stream: the client keeps its side open, to ask again";
  }
  return mute({ bytes: new Uint8Array(), then: "silent" });
}

const current: Check<ServerTrial> = {
  name: "the answer is the current time, to the second",
  ifGone: NO_LOOP,
  async run(trial) {
    using exchange = await trial.connect();
    await exchange.send(QUESTION);
    await exchange.end();
    const answer = await answerOf(exchange);
    mustBeNow(show(QUESTION), answer, NO_LOOP);
    trial.known.add(`${Date.now()} ${textOf(answer)}`);
  },
};

const nextClients: Check<ServerTrial> = {
  name: "three clients, one after another, are answered",
  ifGone: NO_LOOP,
  async run(trial) {
    for (let count = 0; count < 3; count++) await ask(trial, QUESTION, NO_LOOP);
  },
};

/** The way in which it was asked is to blame only when a plain question gets a time. */
async function blame(
  trial: ServerTrial,
  sent: string,
  answer: Heard,
  likely: string,
): Promise<never> {
  using exchange = await trial.connect();
  await exchange.send(QUESTION);
  await exchange.end();
  const plain = await answerOf(exchange);
  if (!isTime(plain) && plain.bytes.length > 0) mustBeNow(show(QUESTION), plain);
  throw new Mismatch({ sent, expected: ANSWER, got: heard(answer), likely });
}

const lineEnds: Check<ServerTrial> = {
  name: "reqtime with an end of line, as nc and telnet send it, is answered",
  async run(trial) {
    const likely = "it compares with exactly reqtime: cut off the end of the line (strip) before";
    for (const end of ["\n", "\r\n"]) {
      using exchange = await trial.connect();
      await exchange.send(QUESTION + end);
      const answer = await answerOf(exchange);
      if (!isTime(answer)) await blame(trial, show(QUESTION + end), answer, likely);
    }
  },
};

const otherQuestion: Check<ServerTrial> = {
  name: "another question does not get the time, but an answer or an end",
  ifGone: CATCH,
  async run(trial) {
    using exchange = await trial.connect();
    await exchange.send("reqdate");
    const answer = await answerOf(exchange);
    const { off, lacks } = readTime(textOf(answer), Date.now());
    const toldTime = off !== undefined || lacks !== undefined;
    if (!toldTime && (answer.bytes.length > 0 || answer.then !== "silent")) return;
    throw new Mismatch({
      sent: '"reqdate"',
      expected: "a word that this is no question, or the end of the conversation",
      got: heard(answer),
      likely: toldTime
        ? "it tells the time whatever is asked: compare what came with reqtime"
        : "it says nothing to a wrong question, and the client waits: answer it, or close",
    });
  },
};

const twoPieces: Check<ServerTrial> = {
  name: "reqtime that comes in two pieces is answered",
  async run(trial) {
    using exchange = await trial.connect();
    await exchange.send("req");
    await pause(60);
    await exchange.send("time\n");
    await exchange.end();
    const answer = await answerOf(exchange);
    const sent = '"req", and a moment later "time\\n"';
    if (!isTime(answer)) await blame(trial, sent, answer, PIECES);
  },
};

const PIECES =
  "it takes one recv for the whole question: gather what comes until it is reqtime, or can no " +
  "longer become it";

const garbage: Check<ServerTrial> = {
  name: "bytes that are no text, and far too many of them, do no harm",
  ifGone: CATCH,
  async run(trial) {
    for (const bytes of [mixedBytes(40), new Uint8Array(100_000).fill(114)]) {
      using exchange = await trial.connect();
      await exchange.send(bytes);
      await exchange.end();
      await exchange.hear(64 * 1024, 50);
    }
    await ask(trial, QUESTION, CATCH);
  },
};

const leavers: Check<ServerTrial> = {
  name: "clients that leave, or reset the connection, do no harm",
  ifGone: CATCH,
  async run(trial) {
    (await trial.connect())[Symbol.dispose]();
    await sendAndReset(trial.where, "req");
    await sendAndReset(trial.where, QUESTION);
    await ask(trial, QUESTION, CATCH);
  },
};

const goesOn: Check<ServerTrial> = {
  name: "the time goes on",
  async run(trial) {
    const [at, ...words] = [...trial.known].find((each) => /^\d+ /.test(each))?.split(" ") ?? [];
    if (at === undefined) return;
    const before = words.join(" ");
    // a time without fractions changes once a second
    await pause(Math.max(0, Number(at) + 1_100 - Date.now()));
    using exchange = await trial.connect();
    await exchange.send(QUESTION);
    await exchange.end();
    const answer = await answerOf(exchange);
    mustBeNow(show(QUESTION), answer);
    if (textOf(answer) !== before) return;
    throw new Mismatch({
      sent: "reqtime, and more than a second later reqtime",
      expected: "two times",
      got: `twice ${show(before)}`,
      likely:
        "it asks for the time once, when it starts: call strftime (new Date) for each question",
    });
  },
};

/** In the order in which they are tried. */
export const TIME_CHECKS: Check<ServerTrial>[] = [
  answers,
  current,
  nextClients,
  lineEnds,
  otherQuestion,
  twoPieces,
  garbage,
  leavers,
  goesOn,
];
