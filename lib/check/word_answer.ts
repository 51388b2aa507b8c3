/**
 * Answers of a word server, judged.
 *
 * @module
 */

import { Mismatch } from "./check.ts";
import { type Exchange, type Heard, heard, show } from "./exchange.ts";
import type { ServerTrial } from "./server_trial.ts";

/** The text of an answer. */
export const wholeText = ({ bytes }: Heard) => new TextDecoder().decode(bytes);

/** The whole answer: until the stream ends, or nothing comes for a moment. */
export async function answerOf(exchange: Exchange): Promise<Heard> {
  const first = await exchange.hear(1);
  if (first.then !== "more") return first;
  const rest = await exchange.hear(4_096, 60);
  return { bytes: new Uint8Array([...first.bytes, ...rest.bytes]), then: rest.then };
}

/** The two answers that there are. */
export type Verdict = "thank you" | "try again";

/** Hands in one message on a connection of its own. */
export async function handIn(
  trial: ServerTrial,
  message: string,
  expected: Verdict,
  likely: string,
) {
  using exchange = await trial.connect();
  await exchange.send(message);
  mustSay(message, expected, await answerOf(exchange), likely);
}

/** Throws when an answer is another one. */
export function mustSay(message: string, expected: Verdict, answer: Heard, likely: string): void {
  const text = wholeText(answer).trim().toLowerCase();
  if (text.startsWith(expected)) return;
  const mistake = /^b['"]/.test(text)
    ? "it sends Python's way to show bytes, b'…': encode the text, do not convert it with str()"
    : likely;
  throw new Mismatch({
    sent: show(message),
    expected: `"${expected}"`,
    got: heard(answer),
    likely: mistake,
  });
}
