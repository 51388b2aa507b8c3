/**
 * The server's side of an SMTP conversation with a student's client: what comes is told line by line, and what is
 * no line, or comes too early, is a mismatch.
 *
 * @module
 */

import { Mismatch } from "./check.ts";
import { type Exchange, type Heard, heard, show } from "./exchange.ts";

const LONGEST_LINE = 2_000;
const LONGEST_MAIL = 5_000; // lines

const NO_END = "the line has no end: \\r\\n must stand behind it";

const TOO_LONG = "a line has 998 characters at most, and \\r\\n behind it";

/** A conversation. */
export class SmtpTalk {
  readonly #exchange: Exchange;
  /** What has come and was not told yet. */
  #rest: Uint8Array = new Uint8Array();
  /** What the server has said last; nothing yet. */
  said = "";

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  /** Sends a reply, or a part of one. */
  async say(text: string): Promise<void> {
    this.said = text;
    await this.#exchange.send(text);
  }

  /** Ends the server's side. */
  end(): Promise<void> {
    return this.#exchange.end();
  }

  /**
   * The next line, without its CR LF.
   *
   * @param expected what it should be, in words
   * @throws {Mismatch} when none comes, or it does not end in CR LF
   */
  async line(expected: string): Promise<string> {
    const then = await this.#gather();
    const end = this.#rest.indexOf(10);
    if (end >= 0) return this.#take(end);
    const unended = this.#rest.length > LONGEST_LINE
      ? TOO_LONG
      : this.#rest.length > 0
      ? NO_END
      : then === "silent"
      ? "it waits for something that has come already, or for an answer to a line that it has not sent"
      : "it closes too early";
    throw new Mismatch({ expected, got: heard({ bytes: this.#rest, then }), likely: unended });
  }

  /** Waits for the end of a line; `more` when that is there, or more has come than a line can be. */
  async #gather(): Promise<Heard["then"]> {
    while (!this.#rest.includes(10) && this.#rest.length <= LONGEST_LINE) {
      const { bytes, then } = await this.#exchange.hear(1);
      if (then !== "more") return then;
      this.#rest = new Uint8Array([...this.#rest, ...bytes]);
    }
    return "more";
  }

  #take(end: number): string {
    const line = this.#rest.subarray(0, end + 1);
    this.#rest = this.#rest.subarray(end + 1);
    if (line[end - 1] !== 13) {
      throw new Mismatch({
        expected: "a line that ends in CR LF",
        got: show(line),
        likely: "a line ends with \\r\\n: servers must not take \\n alone for an end",
      });
    }
    return new TextDecoder().decode(line.subarray(0, -2));
  }

  /**
   * The lines of the mail as they came, added dots and all, to the one with a single dot.
   *
   * @throws {Mismatch} when that does not come
   */
  async mail(): Promise<string[]> {
    const lines: string[] = [];
    while (lines.length < LONGEST_MAIL) {
      const line = await this.line("a line of the mail, or a single dot, which ends it")
        .catch((error) => {
          const other = !(error instanceof Mismatch) || error.finding.likely === TOO_LONG ||
            error.finding.expected.endsWith("CR LF");
          if (other) throw error;
          const likely = "the end of the mail is missing: \\r\\n.\\r\\n, a line with a single dot";
          throw new Mismatch({ ...error.finding, likely });
        });
      if (line === ".") return lines;
      lines.push(line);
    }
    throw new Mismatch({ expected: "the end of the mail", got: `more than ${LONGEST_MAIL} lines` });
  }

  /**
   * Waits, and takes it amiss when something comes meanwhile.
   *
   * @param milliseconds how long
   * @param likely the mistake when something comes
   */
  async quiet(milliseconds: number, likely: string): Promise<void> {
    const early = this.#rest.length > 0
      ? { bytes: this.#rest, then: "more" } as const
      : await this.#exchange.hear(1, milliseconds);
    if (early.then === "silent") return;
    throw new Mismatch({
      expected: "a client that waits for the answer",
      got: heard(early),
      likely,
    });
  }

  /**
   * Waits for the client to close.
   *
   * @param sent what was done before
   * @param likely the mistake when something else comes, and when nothing does
   * @param words lines that may still come before it
   */
  async closed(
    sent: string,
    likely: { speaks: string; stays: string },
    words = /^(QUIT|RSET)$/i,
  ): Promise<void> {
    for (let lines = 0; lines < 3; lines++) {
      const then = await this.#gather();
      const bytes = this.#rest.subarray(0, this.#rest.indexOf(10) + 1 || undefined);
      this.#rest = this.#rest.subarray(bytes.length);
      const left = then === "ended" || then === "reset";
      if (left && bytes.length === 0) return;
      const allowed = words.test(new TextDecoder().decode(bytes).trim());
      if (!allowed || then === "silent") {
        throw new Mismatch({
          sent,
          expected: "the end of the connection",
          got: heard({ bytes, then }),
          likely: bytes.length === 0 ? likely.stays : allowed ? NO_END : likely.speaks,
        });
      }
      await this.say("221 Goodbye\r\n");
    }
  }
}
