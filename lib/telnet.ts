/**
 * The telnet stream: data, with commands among it that begin with the byte IAC, 255.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc854 RFC 854}, {@link https://www.rfc-editor.org/rfc/rfc855 RFC 855}
 * @module
 */

import { LimitError } from "./lines.ts";
import { COMMANDS, type Verb } from "./telnet_commands.ts";

export { LimitError };
export * from "./telnet_commands.ts";
export { TelnetText } from "./telnet_text.ts";

const { EOF, SE, DM, SB, WILL, DONT, IAC } = COMMANDS;
const NUL = 0, CR = 0x0d;
const VERBS: readonly Verb[] = ["WILL", "WONT", "DO", "DONT"];

/** What a stream is made of. */
export type TelnetEvent =
  | { type: "data"; bytes: Uint8Array }
  | { type: "command"; code: number }
  | { type: "negotiation"; verb: Verb; option: number }
  | { type: "subnegotiation"; option: number; bytes: Uint8Array };

/** How a stream is read. */
export interface ParserOptions {
  /** The most bytes of one subnegotiation; 1,024 unless told. */
  limit?: number;
  /** Whether CR NUL stays as it is; else it becomes the CR that it stands for. */
  bytes?: boolean;
}

/**
 * Takes the stream apart, however it is cut.
 *
 * @example
 * ```ts
 * import { TelnetParser } from "./telnet.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const parser = new TelnetParser();
 * assertEquals(parser.push(Uint8Array.of(0x68, 255)), [
 *   { type: "data", bytes: Uint8Array.of(0x68) },
 * ]);
 * assertEquals(parser.push(Uint8Array.of(251, 1)), [
 *   { type: "negotiation", verb: "WILL", option: 1 },
 * ]);
 * ```
 */
export class TelnetParser {
  readonly #limit: number;
  readonly #bytes: boolean;
  #state: "data" | "iac" | "verb" | "option" | "sub" | "sub iac" = "data";
  #verb: Verb = "WILL";
  #option = 0;
  #sub: number[] = [];
  #afterCr = false;
  /**
   * Whether the next piece may begin with half a command: at an interrupt servers send IAC DM as urgent data, and
   * of that the system takes one byte, which Deno cannot ask for, out of the stream. What comes behind it always
   * begins a read, so that any other DM, a letter in Latin-1, stays.
   */
  markExpected = false;

  constructor(options: ParserOptions = {}) {
    this.#limit = options.limit ?? 1024;
    this.#bytes = options.bytes ?? false;
  }

  /**
   * The events in the next piece of the stream. Their data is a view of the piece, where that is possible.
   *
   * @throws {LimitError} when a subnegotiation does not end
   */
  push(piece: Uint8Array): TelnetEvent[] {
    const events: TelnetEvent[] = [];
    if (this.markExpected && this.#state === "data" && piece[0] === DM) this.#state = "iac";
    for (let at = 0; at < piece.length;) {
      if (this.#state === "data") {
        const found = piece.indexOf(IAC, at);
        const end = found < 0 ? piece.length : found;
        if (end > at) this.#data(piece.subarray(at, end), events);
        if (found >= 0) this.#state = "iac";
        at = end + 1;
      } else {
        this.#step(piece[at++]!, events);
      }
    }
    return events;
  }

  #data(bytes: Uint8Array, events: TelnetEvent[]): void {
    const before = this.#afterCr;
    this.#afterCr = bytes.at(-1) === CR;
    // without a NUL there is nothing to take out
    const kept = this.#bytes || !bytes.includes(NUL)
      ? bytes
      : bytes.filter((byte, at) => byte !== NUL || !(at === 0 ? before : bytes[at - 1] === CR));
    if (kept.length > 0) events.push({ type: "data", bytes: kept });
  }

  /** One byte behind an IAC. */
  #step(byte: number, events: TelnetEvent[]): void {
    switch (this.#state) {
      case "iac":
        // no command is below EOF: a DM has been taken out of the stream
        if (byte >= EOF) this.#command(byte, events);
        else {
          this.#state = "data";
          this.#data(Uint8Array.of(byte), events);
        }
        break;
      case "verb":
        events.push({ type: "negotiation", verb: this.#verb, option: byte });
        this.#state = "data";
        break;
      case "option":
        this.#option = byte;
        this.#sub = [];
        this.#state = "sub";
        break;
      case "sub":
        if (byte === IAC) this.#state = "sub iac";
        else this.#add(byte);
        break;
      case "sub iac":
        this.#state = "sub";
        if (byte === IAC) this.#add(IAC);
        else if (byte !== SE) this.#command(byte, events); // the end was lost: begin anew
        else {
          const bytes = Uint8Array.from(this.#sub);
          events.push({ type: "subnegotiation", option: this.#option, bytes });
          this.#state = "data";
        }
    }
  }

  #command(code: number, events: TelnetEvent[]): void {
    this.#state = "data";
    if (code === IAC) {
      this.#afterCr = false;
      events.push({ type: "data", bytes: Uint8Array.of(IAC) });
    } else if (code === SB) this.#state = "option";
    else if (code >= WILL && code <= DONT) {
      this.#verb = VERBS[code - WILL]!;
      this.#state = "verb";
    } else {
      if (code === DM) this.markExpected = false;
      events.push({ type: "command", code });
    }
  }

  #add(byte: number): void {
    if (this.#sub.length === this.#limit) {
      throw new LimitError("a telnet subnegotiation", this.#limit);
    }
    this.#sub.push(byte);
  }
}
