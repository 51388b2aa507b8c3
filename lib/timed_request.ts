/**
 * A question over UDP, with the times at which it went out and its answer came in.
 *
 * @module
 */

import { formatEndpoint, type NetEndpoint } from "./address.ts";
import { DeadlineError, within } from "./deadline.ts";
import { attempt } from "./errors.ts";
import { NoAnswerError } from "./udp.ts";
import { bind, localFor, senderAddress, senderOf } from "./udp_socket.ts";

/** How a question is asked. */
export interface TimedRequestOptions<T> {
  /** Makes the question, anew for each try: an answer then tells which try it belongs to. */
  question(): Uint8Array;
  /** Why a datagram is no answer to the question, if it is none: it is passed over. */
  fault?(datagram: Uint8Array, question: Uint8Array): string | undefined;
  /** Reads an answer; `undefined` passes it over. What it throws ends the request. */
  answer(datagram: Uint8Array, question: Uint8Array): T | undefined;
  /** Tells the time. */
  now(): number;
  /** How long to wait, in milliseconds, for each try; 500, 1,000 and 2,000 unless told. */
  patience?: readonly number[];
  /** Told what is passed over, and when a try was in vain. */
  onNote?: (note: string) => void;
}

/**
 * Asks until the answer comes. What comes from any other address is passed over.
 *
 * @param to an IP address and a port
 * @throws {NoAnswerError} when all tries were in vain; it says what was wrong with the last that was no answer
 *
 * @example
 * ```ts
 * import { timedRequest } from "./timed_request.ts";
 * import { serve } from "./udp.ts";
 * import { assert } from "@std/assert";
 *
 * await using server = await serve({ port: 0 }, (datagram) => datagram);
 * const { sent, arrived } = await timedRequest(server.addr, {
 *   question: () => new Uint8Array(48),
 *   answer: (datagram) => datagram.length,
 *   now: () => performance.now(),
 * });
 * assert(sent <= arrived);
 * ```
 */
export async function timedRequest<T>(
  to: NetEndpoint,
  options: TimedRequestOptions<T>,
): Promise<{ answer: T; sent: number; arrived: number }> {
  const { question, fault, answer, now, patience = [500, 1_000, 2_000], onNote } = options;
  const hostname = senderAddress(to.hostname);
  const server = formatEndpoint({ hostname, port: to.port });
  const sender = senderOf(to);
  // a port of the system's choice, another for each question: a stranger has to guess it
  const socket = await bind({ hostname: localFor(hostname) });
  const memory = new Uint8Array(65_536);
  // a receive cannot be taken back: the next try goes on with the last
  let receiving: Promise<[Uint8Array, Deno.Addr]> | undefined;
  let lastFault: string | undefined;
  try {
    for (const milliseconds of patience) {
      const bytes = question();
      const due = performance.now() + milliseconds;
      const sent = now();
      const sending = socket.send(bytes, { transport: "udp", hostname, port: to.port });
      await attempt(`send ${bytes.length} bytes to ${server}`, sending);
      try {
        for (;;) {
          receiving ??= socket.receive(memory);
          const [datagram, from] = await within(due - performance.now(), receiving);
          const arrived = now();
          receiving = undefined;
          const stranger = formatEndpoint(from) !== sender;
          const wrong = stranger ? undefined : fault?.(datagram, bytes);
          const got = stranger || wrong !== undefined ? undefined : answer(datagram, bytes);
          if (got !== undefined) return { answer: got, sent, arrived };
          if (stranger) onNote?.(`ignoring ${datagram.length} bytes from ${formatEndpoint(from)}`);
          if (wrong !== undefined) onNote?.(`passing over a datagram: ${lastFault = wrong}`);
          // a flood must not keep the deadline from being seen
          if (performance.now() > due) throw new DeadlineError(milliseconds);
        }
      } catch (error) {
        if (!(error instanceof DeadlineError)) throw error;
        onNote?.(`no answer in ${milliseconds} ms`);
      }
    }
    throw new NoAnswerError(server, patience.length, lastFault);
  } finally {
    receiving?.catch(() => {}); // the close ends it
    socket.close();
  }
}
