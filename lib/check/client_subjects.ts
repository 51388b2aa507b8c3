/**
 * The clients of the exercises: what each must say, and what it is answered.
 *
 * @module
 */

import { QUESTION } from "../reqtime.ts";
import { ClaimError, mostFrequent, parseClaim } from "../words.ts";
import { Mismatch } from "./check.ts";
import { clientChecks } from "./client_checks.ts";
import { show } from "./exchange.ts";
import { WORD_TEXTS } from "./word_texts.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** The client of an echo server: it gets back what it sends. */
export const ECHO_CLIENT_CHECKS = clientChecks({
  judge(message) {
    if (message.length >= 3) return;
    const likely = "give it a longer text: so few bytes cannot come in several pieces";
    throw new Mismatch({ expected: "three bytes or more", got: show(message), likely });
  },
  reply: (message) => message,
  exact: true,
});

/** The client of a time server. */
export const TIME_CLIENT_CHECKS = clientChecks({
  judge(message) {
    const text = decode(message);
    if (text.trim() === QUESTION) return;
    const likely = text.includes(QUESTION)
      ? "it sends more than the question"
      : "the question is reqtime, and no other";
    throw new Mismatch({ expected: show(QUESTION), got: show(message), likely });
  },
  reply: () => encode(new Date().toUTCString() + "\n"),
});

/** The client that hands in homework, about one of the texts of the check. */
export const WORD_CLIENT_CHECKS = clientChecks({
  judge(message) {
    const fault = faultOf(decode(message));
    if (fault) throw new Mismatch({ ...fault, got: show(message) });
  },
  reply: (message) => encode(faultOf(decode(message)) ? "try again\n" : "thank you\n"),
});

function faultOf(text: string): { expected: string; likely: string } | undefined {
  const form = "USER:FILE:WORD and a line feed";
  if (!text.endsWith("\n")) {
    return {
      expected: form,
      likely: "the line feed is missing: how should the server know that it is all?",
    };
  }
  try {
    const { file, word } = parseClaim(text.trim());
    // every object has a constructor, and that is no text
    if (!Object.hasOwn(WORD_TEXTS, file)) {
      const names = Object.keys(WORD_TEXTS).slice(0, 5).join(", ");
      const likely = `hand in the word of one of the check's files: ${names}`;
      return { expected: "a file that the check knows", likely };
    }
    const { words } = mostFrequent(WORD_TEXTS[file]!);
    if (words.includes(word)) return undefined;
    if (words.length === 0) {
      const likely =
        `${file} has no words, so that none is right: take another of the check's files`;
      return { expected: "a file that has words", likely };
    }
    return {
      expected: words.map((one) => `"${one}"`).join(" or "),
      likely:
        "another word comes more often: upper and lower case are alike, punctuation is no part of a word, " +
        "and all lines count",
    };
  } catch (error) {
    if (!(error instanceof ClaimError)) throw error;
    return { expected: form, likely: error.message };
  }
}
