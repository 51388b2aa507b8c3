/**
 * The lines of a mail on the wire: each ends in CR LF, a line with a single dot ends it all, and so a line
 * that begins with a dot gets a second one on its way (SMTP and POP3 alike). All of it goes piece by piece,
 * cut anywhere.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc5321#section-4.5.2 RFC 5321, 4.5.2}
 * @module
 */

const CR = 13, LF = 10, DOT = 46;

/** Bytes that grow as needed; what it gives is the caller's. */
class Output {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor(room: number) {
    this.#bytes = new Uint8Array(room);
  }

  add(byte: number): void {
    if (this.#length === this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#length + 16);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[this.#length++] = byte;
  }

  take(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }
}

/**
 * Makes every line end CR LF: what ended in LF, in CR, or in CR LF before. `end` ends the last line.
 *
 * @example
 * ```ts
 * import { LineEnds, withLineEnds } from "./mail_lines.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const encode = (text: string) => new TextEncoder().encode(text);
 * assertEquals(withLineEnds(encode("a\nb\r\nc\rd")), encode("a\r\nb\r\nc\r\nd\r\n"));
 * ```
 */
export class LineEnds {
  #afterCr = false;
  #atStart = true;

  push(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    const output = new Output(bytes.length + (bytes.length >> 5) + 16);
    for (const byte of bytes) {
      const endedBefore = this.#afterCr && byte === LF;
      this.#afterCr = byte === CR;
      if (endedBefore) continue;
      if (byte === CR || byte === LF) {
        output.add(CR);
        output.add(LF);
        this.#atStart = true;
      } else {
        output.add(byte);
        this.#atStart = false;
      }
    }
    return output.take();
  }

  /** What is still missing: the end of the last line, or nothing. */
  end(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#atStart ? [] : [CR, LF]);
  }
}

/** All of a text with CR LF at the end of every line, the last one too; see {@linkcode LineEnds}. */
export function withLineEnds(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const lineEnds = new LineEnds();
  return joined([lineEnds.push(bytes), lineEnds.end()]);
}

/**
 * Puts a dot before each line that begins with one. What comes in has CR LF at the end of its lines; `end`
 * gives the line with the single dot.
 *
 * @example
 * ```ts
 * import { stuffed } from "./mail_lines.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const encode = (text: string) => new TextEncoder().encode(text);
 * assertEquals(stuffed(encode("one\r\n.\r\n")), encode("one\r\n..\r\n.\r\n"));
 * ```
 */
export class DotStuffer {
  /** How many bytes of CR LF came last; 2 at the beginning of a line, and of the text. */
  #ended = 2;

  push(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    const output = new Output(bytes.length + 16);
    for (const byte of bytes) {
      if (this.#ended === 2 && byte === DOT) output.add(DOT);
      output.add(byte);
      this.#ended = byte === CR ? 1 : byte === LF && this.#ended === 1 ? 2 : 0;
    }
    return output.take();
  }

  /** The end of all: `.` on a line of its own. A last line without its end gets one. */
  end(): Uint8Array<ArrayBuffer> {
    return new TextEncoder().encode(this.#ended === 2 ? ".\r\n" : "\r\n.\r\n");
  }
}

/** All of a text as it goes over the wire, the final dot included; see {@linkcode DotStuffer}. */
export function stuffed(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const stuffer = new DotStuffer();
  return joined([stuffer.push(bytes), stuffer.end()]);
}

/** What is found wrong with the lines of a text; it goes on all the same. */
export interface LineFaults {
  /** How many CR had no LF behind them, and LF no CR before them. */
  bareCr: number;
  bareLf: number;
  /** How many bytes are 0. */
  nul: number;
  /** The longest line, CR LF included, an added dot not. */
  longest: number;
}

/**
 * Takes a text off the wire: dots that were added go, and the single dot on a line ends it. Nothing else
 * does: not `LF . LF`, not `LF . CR LF`, not `CR . CR`. A receiver that took those for the end where the sender
 * does not would find a second mail in the middle of one (SMTP smuggling).
 *
 * @example
 * ```ts
 * import { DotReader } from "./mail_lines.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const encode = (text: string) => new TextEncoder().encode(text);
 * const reader = new DotReader();
 * assertEquals(reader.push(encode("a\r\n..b\r\n.")).text, encode("a\r\n.b\r\n"));
 * const { text, used, ended } = reader.push(encode("\r\nQUIT\r\n"));
 * assertEquals([text.length, used, ended], [0, 2, true]);
 * ```
 */
export class DotReader {
  /** Found so far. */
  readonly faults: LineFaults = { bareCr: 0, bareLf: 0, nul: 0, longest: 0 };
  // what came last: the beginning of a line, its dot, the dot's CR, a CR elsewhere, or anything else
  #state: "start" | "dot" | "dot cr" | "cr" | "inside" = "start";
  #line = 0;

  /**
   * @returns the text in these bytes, how many of them belong to it, and whether its end has come; what
   * stands behind the end is something else
   */
  push(bytes: Uint8Array): { text: Uint8Array<ArrayBuffer>; used: number; ended: boolean } {
    const output = new Output(bytes.length + 2);
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]!;
      if (this.#state === "start" && byte === DOT) {
        this.#state = "dot";
        continue;
      }
      if (this.#state === "dot" && byte === CR) {
        this.#state = "dot cr";
        continue;
      }
      if (this.#state === "dot cr") {
        if (byte === LF) return { text: output.take(), used: at + 1, ended: true };
        // the dot was an added one, and the CR belongs to the line
        output.add(CR);
        this.#line++;
        this.#state = "cr";
      }
      output.add(byte);
      this.#line++;
      this.#next(byte);
    }
    return { text: output.take(), used: bytes.length, ended: false };
  }

  #next(byte: number): void {
    const { faults } = this;
    if (byte !== LF && this.#state === "cr") faults.bareCr++;
    if (byte === LF && this.#state !== "cr") faults.bareLf++;
    if (byte === 0) faults.nul++;
    faults.longest = Math.max(faults.longest, this.#line);
    if (byte === LF && this.#state === "cr") {
      this.#state = "start";
      this.#line = 0;
    } else this.#state = byte === CR ? "cr" : "inside";
  }
}

/** Pieces as one. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
