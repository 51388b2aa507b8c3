/**
 * Whether an SNTP answer may be believed.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc4330#section-5 RFC 4330, SNTP Client Operations}
 * @see {@link https://www.rfc-editor.org/rfc/rfc5905#section-7.4 RFC 5905, The Kiss-o'-Death Packet}
 * @module
 */

import { visible } from "./display.ts";
import type { Explanation } from "./errors.ts";
import { millisecondsBetween } from "./ntp_timestamp.ts";
import { Mode, type SntpMessage } from "./sntp.ts";

/** What a kiss-o'-death asks for. */
const KISSES: Record<string, string> = {
  RATE: "it is asked too often: wait longer between questions",
  DENY: "it does not serve this client",
  RSTR: "it does not serve this client, by its local rules",
  INIT: "it has not set its own clock yet",
  STEP: "it is setting its own clock",
};

/** The server answers, but with a kiss-o'-death: a code instead of the time. */
export class KissError extends Error {
  override name = "KissError";
  readonly explanation: Explanation;

  /** @param code four characters: RATE, DENY, RSTR … */
  constructor(readonly code: string, server: string) {
    super(`${server} answers ${code}: ${KISSES[code] ?? "it gives no time"}`);
    const goOn = code === "INIT" || code === "STEP";
    const next = code === "RATE"
      ? "Ask again in some minutes, and then with a longer --interval."
      : goOn
      ? "Ask again later, or ask another server."
      : "Do not ask it again: ask another server.";
    this.explanation = { reason: this.message, next };
  }
}

/** The server answers, but says that its own clock is not set, or is too far off. */
export class UnsynchronisedError extends Error {
  override name = "UnsynchronisedError";
}

/**
 * Why a message is no answer to a question, in words; nothing when it is one. What is none is passed over:
 * anybody can send a datagram, and only the server (or who reads along) knows the question's timestamp.
 *
 * @param asked the transmit timestamp of the question
 */
export function faultOf(message: SntpMessage, asked: bigint): string | undefined {
  if (message.mode !== Mode.server) return `its mode is ${message.mode}, not ${Mode.server}`;
  if (message.version < 1 || message.version > 4) return `its version is ${message.version}`;
  if (message.originate !== asked) return "it answers another question";
}

/** From 16 s on a clock counts as not set at all: RFC 5905's MAXDISP, in milliseconds. */
const MOST_DISTANCE = 16_000;

/**
 * Refuses an answer that has no time to give.
 *
 * @param server its name in messages
 * @throws {KissError} for a kiss-o'-death, stratum 0
 * @throws {UnsynchronisedError} when the server says that its time is of no use
 */
export function checkReply(message: SntpMessage, server: string): void {
  const { stratum, leap, rootDelay, rootDispersion, reference, transmit } = message;
  const code = referenceName(message);
  // without a code it is no kiss: a server whose clock is not set may say stratum 0 as well as 16
  if (stratum === 0 && code !== "") throw new KissError(code, server);
  const no = (why: string) => new UnsynchronisedError(`${server} does not know the time: ${why}`);
  if (leap === 3) throw no("its clock is not synchronised (leap 3)");
  if (stratum === 0) throw no("it has no stratum");
  if (stratum > 15) throw no(`its stratum is ${stratum}, of 15 at most`);
  if (transmit === 0n || message.receive === 0n) throw no("a timestamp is zero");
  // RFC 4330 lets it be negative, and has who looks closely refuse that
  if (rootDelay < 0) throw no(`its root delay is ${rootDelay.toFixed(3)} ms`);
  const setLater = reference !== 0n && millisecondsBetween(transmit, reference) > 0;
  if (setLater) throw no("its clock was last set after it answered");
  const distance = rootDelay / 2 + rootDispersion;
  if (distance >= MOST_DISTANCE) throw no(`it may be wrong by ${distance.toFixed(0)} ms`);
}

/** The reference id as people write it: a name at stratum 0 and 1, an IPv4 address or a hash above. */
export function referenceName({ stratum, referenceId }: SntpMessage): string {
  const name = new TextDecoder("latin1").decode(referenceId).replace(/\0+$/, "");
  // LOCL, the local clock, is a name at any stratum
  if (stratum < 2 || name === "LOCL") return visible(name);
  return referenceId.join(".");
}
