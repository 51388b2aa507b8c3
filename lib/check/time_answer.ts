/**
 * Answers of a time server, judged.
 *
 * @module
 */

import { QUESTION } from "../reqtime.ts";
import { Mismatch } from "./check.ts";
import { type Exchange, type Heard, heard } from "./exchange.ts";
import { DAY, QUARTER, readTime } from "./time_text.ts";

/** What is expected, in words. */
export const ANSWER = "the current time, as in Wed Nov 25 09:30:12 2026";

/** How far a clock may be off, in seconds: it is the same machine, or one with a good clock. */
const TOLERANCE = 10;

/** The whole answer: until the stream ends, or nothing comes for a moment. */
export async function answerOf(exchange: Exchange): Promise<Heard> {
  const first = await exchange.hear(1);
  if (first.then !== "more") return first;
  const rest = await exchange.hear(4_096, 100);
  return { bytes: new Uint8Array([...first.bytes, ...rest.bytes]), then: rest.then };
}

/** The text of an answer. */
export const textOf = ({ bytes }: Heard) => new TextDecoder().decode(bytes);

/** Throws when an answer is not the current time. */
export function mustBeNow(sent: string, answer: Heard, likely?: string): void {
  const mistake = answer.bytes.length === 0 ? likely ?? mute(answer) : notNow(textOf(answer));
  if (mistake) throw new Mismatch({ sent, expected: ANSWER, got: heard(answer), likely: mistake });
}

/** Why there is no answer at all. */
export function mute({ then }: Heard): string {
  return then === "silent"
    ? "it does not answer: look whether recv and sendall are reached"
    : "it closes before it has answered";
}

function notNow(text: string): string | undefined {
  if (text.trim() === QUESTION) {
    return "it is still the echo server: compare what came with reqtime, and send the time";
  }
  if (/^b['"]/.test(text)) {
    return "it sends Python's way to show bytes, b'…': encode the text, do not convert it with str()";
  }
  const { off, lacks } = readTime(text, Date.now());
  if (lacks) return "the time has no seconds";
  if (off === undefined) {
    return 'that is no time that can be read: send hours, minutes and seconds, as time.strftime("%c") gives them';
  }
  if (Math.abs(off) <= TOLERANCE) return undefined;
  return `that is not the time of now: it is ${apart(off)}; ${whyOff(Math.abs(off), text)}`;
}

function whyOff(seconds: number, text: string): string {
  const about = (unit: number) =>
    Math.abs(seconds - Math.round(seconds / unit) * unit) <= TOLERANCE;
  if (about(DAY)) return "look at the date";
  if (about(DAY / 2) && !/[ap]\.?\s?m\b|[上下]午|오[전후]/i.test(text)) {
    return "hours that go up to 12 need AM or PM (%I and %p, or %H)";
  }
  if (about(QUARTER) && seconds > QUARTER + TOLERANCE) {
    return "is it the time of another zone? Then say which, as +02:00 behind the time";
  }
  return "look at the server's clock, and ask it anew for each client";
}

/** Whether an answer is a time, though perhaps not that of now. */
export function isTime(answer: Heard): boolean {
  return readTime(textOf(answer), Date.now()).off !== undefined;
}

/**
 * A time difference in words.
 *
 * @example
 * ```ts
 * import { apart } from "./time_answer.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([-900, 86_400, 30].map(apart), ["15 minutes behind", "1 day ahead", "30 seconds ahead"]);
 * ```
 */
export function apart(seconds: number): string {
  const size = Math.round(Math.abs(seconds));
  const [unit, name] = ([[DAY, "day"], [3600, "hour"], [60, "minute"]] as const)
    .find(([unit]) => size >= unit) ?? [1, "second"];
  const count = Math.round(size / unit * 10) / 10;
  return `${count} ${name}${count === 1 ? "" : "s"} ${seconds < 0 ? "behind" : "ahead"}`;
}
