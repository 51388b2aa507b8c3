/**
 * Why a client among others is not answered. What it looks like is often the same, so the checker tries what
 * tells the reasons apart: whether another client got the answer, and whether it comes when the others have left.
 *
 * @module
 */

import { Mismatch } from "./check.ts";
import { always } from "./echo_cuts.ts";
import { compareEcho } from "./echo_mistakes.ts";
import { type Exchange, type Heard, heard, show } from "./exchange.ts";
import type { ServerTrial } from "./server_trial.ts";

/** Nobody is read while it waits for one. */
export const SEQUENTIAL =
  "it serves one client at a time: while it waits for one, nobody else is read; give each client a thread " +
  "(target=converse, and not converse(); no join, and no lock around it), a process, or a turn (select, asyncio, " +
  "a promise that is not awaited)";

/** Something is left of each client that has been there; goes on from how many these are. */
export const FULL =
  "there is no place for one more: close each connection, and let its thread or process end";

const SHARED =
  "clients get each other's answers: what belongs to one conversation (connection, buffer) must be a variable of " +
  "that conversation, not one that all share";
const TO_ALL = "it sends to all clients: an echo goes to the one who spoke";
/** The first message of a client is answered, and no further one. */
export const ONCE =
  "it closes, or stops reading, after the first message of a client: loop until the end";
const FEW =
  "some of 20 clients are not served: a pool or a queue is too small, or an idle client holds it";

/** What is known once it has been seen, and explains whatever fails later. */
const SEEN = [SHARED, TO_ALL, FULL];

/** Who else is there, and what the mistake is if none is found by looking at them. */
export interface Circumstances {
  others: Exchange[];
  /** What another client has said before. */
  foreign?: string;
  /** The mistake when the answer comes as soon as the others have left; {@linkcode SEQUENTIAL} unless told. */
  waits?: string;
  likely: string;
}

const textOf = ({ bytes }: Heard) => new TextDecoder().decode(bytes);

/**
 * Sends one client's message, and expects it back, there and nowhere else.
 *
 * @throws {Mismatch} with the likely mistake; the others may then have left
 */
export async function expectOwn(
  trial: ServerTrial,
  exchange: Exchange,
  message: string,
  circumstances: Circumstances,
): Promise<void> {
  await exchange.send(message);
  const answer = await exchange.hear(message.length);
  if (textOf(answer) !== message) await blame(trial, exchange, message, answer, circumstances);
}

async function blame(
  trial: ServerTrial,
  exchange: Exchange,
  message: string,
  answer: Heard,
  { others, foreign, waits = SEQUENTIAL, likely }: Circumstances,
): Promise<never> {
  const proved = SEEN.find((each) => trial.known.has(each)) ??
    (foreign && textOf(answer).startsWith(foreign.slice(0, 4)) ? TO_ALL : undefined) ??
    (await isWithOthers(others, message) ? SHARED : undefined) ??
    (answer.then === "silent" && await comesWithout(others, exchange) ? waits : undefined);
  if (proved) trial.known.add(proved);
  else {
    // throws when it is there no more
    (await trial.connect())[Symbol.dispose]();
    compareEcho(new TextEncoder().encode(message), answer, always(likely));
  }
  const sent = show(message);
  throw new Mismatch({ sent, expected: sent, got: heard(answer), likely: proved ?? likely });
}

async function isWithOthers(others: Exchange[], message: string): Promise<boolean> {
  const all = await Promise.all(others.map((other) => other.hear(1, 100)));
  return all.some((answer) => textOf(answer).includes(message));
}

/** Closes the other connections, and looks whether that helps. */
async function comesWithout(others: Exchange[], exchange: Exchange): Promise<boolean> {
  for (const other of others) other[Symbol.dispose]();
  return others.length > 0 && (await exchange.hear(1)).bytes.length > 0;
}

/** Sends each client's own message, then compares what each gets; in later rounds all have been served before. */
export async function eachItsOwn(
  trial: ServerTrial,
  exchanges: Exchange[],
  idle: Exchange,
  round: number,
): Promise<void> {
  const messages = exchanges.map((_, at) => `client ${at}, round ${round}\n`);
  await Promise.all(exchanges.map((exchange, at) => exchange.send(messages[at]!)));
  const answers = await Promise.all(
    exchanges.map((exchange, at) => exchange.hear(messages[at]!.length)),
  );
  const texts = answers.map(textOf);
  for (const [at, text] of texts.entries()) {
    if (!text.match(/client \d+/g)?.some((name) => name !== `client ${at}`)) continue;
    const likely = text.includes(messages[at]!) && !texts.includes("") ? TO_ALL : SHARED;
    trial.known.add(likely);
    throw new Mismatch({
      sent: `by ${exchanges.length} clients at once, by one of them ${show(messages[at]!)}`,
      expected: show(messages[at]!),
      got: heard(answers[at]!),
      likely,
    });
  }
  const served = texts.filter((text, at) => text === messages[at]).length;
  const missing = texts.findIndex((text, at) => text !== messages[at]);
  if (missing < 0) return;
  const others = [idle, ...exchanges.filter((_, at) => at !== missing)];
  // where some are served, the place for the others is too small
  const waits = served > 1 ? FEW : SEQUENTIAL;
  const circumstances = { others, waits, likely: round === 1 ? FEW : ONCE };
  await blame(trial, exchanges[missing]!, messages[missing]!, answers[missing]!, circumstances);
}
