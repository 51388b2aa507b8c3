/**
 * Text on its way into a telnet stream.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc854 RFC 854}: the end of a line, and CR
 * @module
 */

import { COMMANDS } from "./telnet_commands.ts";

const { IAC } = COMMANDS;
const NUL = 0, LF = 0x0a, CR = 0x0d;

/**
 * Text as telnet sends it: the end of a line is CR LF, whether LF or CR LF was given, and IAC is doubled. A CR
 * without LF is sent as CR NUL, when the other side speaks telnet.
 *
 * @example
 * ```ts
 * import { TelnetText } from "./telnet_text.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...new TelnetText().encode(Uint8Array.of(0x68, 0x0a, 255))], [0x68, 13, 10, 255, 255]);
 * ```
 */
export class TelnetText {
  /** Whether a CR without LF becomes CR NUL. */
  crNul = false;
  #afterCr = false;

  /** The next piece, however the text is cut. */
  encode(piece: Uint8Array): Uint8Array {
    const sent = new Uint8Array(3 * piece.length);
    let length = 0;
    for (const byte of piece) {
      if (this.#afterCr && byte !== LF && this.crNul) sent[length++] = NUL;
      if (byte === LF && !this.#afterCr) sent[length++] = CR;
      sent[length++] = byte;
      if (byte === IAC) sent[length++] = IAC;
      this.#afterCr = byte === CR;
    }
    return sent.subarray(0, length);
  }

  /** What is owed at the end of the text: the NUL of a last CR. */
  end(): Uint8Array {
    const owed = this.#afterCr && this.crNul;
    this.#afterCr = false;
    return owed ? Uint8Array.of(NUL) : new Uint8Array();
  }
}
