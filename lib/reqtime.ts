/**
 * What the lecture's time server and its client say: the word `reqtime`, and a line with the time.
 *
 *     2026-11-22T01:24:25.297Z received 1795310665.297012 sent 1795310665.297094
 *
 * First the time for people. Then, in seconds since 1970 as Python's `time.time()` gives them, when the question
 * came and when this answer went: with these the client computes offset and delay. At the end stands
 * `id` and the question's id, if it had one.
 *
 * @module
 */

/** The question. */
export const QUESTION = "reqtime";

/** How long a datagram with the question has to be for a whole line to be its answer. */
export const QUESTION_BYTES = 96;

/**
 * The most bytes of an answer to a shorter question. A datagram's sender may be forged, and a server whose
 * answers were larger than the questions would multiply a flood of them. Up to 18 bytes are one size for
 * Ethernet, whose smallest frame has 46 bytes of data, of which IP and UDP take 28.
 */
export const SMALL_ANSWER_BYTES = 18;

/** What is answered. Times are in milliseconds since 1970. */
export interface TimeAnswer {
  received: number;
  answered: number;
  /** As in the question: an answer that comes late is told from that to another question. */
  id?: string;
}

/**
 * The id in a question, `""` for none; `undefined` when it is another question. Spaces may follow.
 *
 * @example
 * ```ts
 * import { questionId } from "./reqtime.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const ids = ["reqtime", "reqtime 0a1b   ", "what time is it?"].map(questionId);
 * assertEquals(ids, ["", "0a1b", undefined]);
 * ```
 */
export function questionId(question: string): string | undefined {
  const found = /^reqtime(?: ([0-9a-f]{1,16}))?[ \r\n]*$/.exec(question);
  return found ? found[1] ?? "" : undefined;
}

/** A question for a datagram, padded so that its answer is not larger. */
export function paddedQuestion(id: string): string {
  return `${QUESTION} ${id}`.padEnd(QUESTION_BYTES);
}

/** The line of an answer, without an end of line. */
export function formatAnswer({ received, answered, id }: TimeAnswer): string {
  const seconds = (milliseconds: number) => (milliseconds / 1000).toFixed(6);
  return `${new Date(answered).toISOString()} received ${seconds(received)} ` +
    `sent ${seconds(answered)}${id ? ` id ${id}` : ""}`;
}

/** The time in 16 bytes, as ISO 8601's basic format: `20261122T012425Z`. */
export function formatShort(time: number): string {
  return new Date(time).toISOString().replace(/[-:]|\.\d+/g, "");
}

/**
 * Reads the line of an answer; `undefined` when it is another text, such as that of a server that answers with
 * `time.ctime()`.
 *
 * @example
 * ```ts
 * import { formatAnswer, parseAnswer } from "./reqtime.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const line = formatAnswer({ received: 1000, answered: 1000.25, id: "beef" });
 * assertEquals(line, "1970-01-01T00:00:01.000Z received 1.000000 sent 1.000250 id beef");
 * assertEquals(parseAnswer(line), { received: 1000, answered: 1000.25, id: "beef" });
 * ```
 */
export function parseAnswer(line: string): TimeAnswer | undefined {
  const found =
    /^[\dT:.-]{23,26}Z received (-?\d{1,11}\.\d{6}) sent (-?\d{1,11}\.\d{6})(?: id ([0-9a-f]{1,16}))?\n?$/
      .exec(line);
  if (!found) return undefined;
  const [, received, answered, id] = found;
  // toFixed: 1.00025 * 1000 is 1000.2499999999999
  const milliseconds = (seconds: string) => Number((Number(seconds) * 1000).toFixed(3));
  return {
    received: milliseconds(received!),
    answered: milliseconds(answered!),
    ...(id && { id }),
  };
}
