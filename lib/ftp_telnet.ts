/**
 * The control connection of FTP is a Telnet connection: commands that begin with the byte 255 may stand
 * between any two characters of it.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc1123#section-4.1.2.12 RFC 1123, 4.1.2.12}
 * @module
 */

import type { Source } from "./reader.ts";

const IAC = 255, DONT = 254, DO = 253, WONT = 252, WILL = 251, SB = 250, SE = 240;
const LF = 10;

/**
 * What a connection says, without its Telnet commands: interruptions are dropped, options are refused, a
 * doubled 255 is one 255. A command may be cut anywhere between two reads.
 *
 * @example
 * ```ts
 * import { withoutTelnet } from "./ftp_telnet.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const refusals: number[] = [];
 * const bytes = [255, 244, 255, 242, 65, 255, 253, 1, 66]; // interrupt, mark, A, DO ECHO, B
 * const connection = {
 *   read: (into: Uint8Array) => Promise.resolve((into.set(bytes), bytes.length)),
 *   write: (answer: Uint8Array) => Promise.resolve(refusals.push(...answer)),
 * };
 * const line = new Uint8Array(16);
 * const count = await withoutTelnet(connection).read(line);
 * assertEquals([...line.subarray(0, count!)], [65, 66]);
 * assertEquals(refusals, [255, 252, 1]); // WONT ECHO
 * ```
 */
export function withoutTelnet(
  connection: Source & { write(bytes: Uint8Array): Promise<number> },
): Source {
  let state: "text" | "command" | "option" | "inside" | "insideCommand" = "text";
  let answer = 0;
  return {
    async read(into) {
      for (;;) {
        const count = await connection.read(into);
        if (count === null) return null;
        const refusals: number[] = [];
        let kept = 0;
        for (const byte of into.subarray(0, count)) {
          if (state === "text") {
            if (byte === IAC) state = "command";
            else into[kept++] = byte;
          } else if (state === "command") {
            state = byte === SB ? "inside" : byte >= WILL && byte <= DONT ? "option" : "text";
            // no command is below 240: it was an urgent one, which the system has taken out of the stream
            if (byte === IAC || byte < SE) into[kept++] = byte;
            answer = byte === DO ? WONT : byte === WILL ? DONT : 0;
          } else if (state === "option") {
            state = "text";
            if (answer) refusals.push(IAC, answer, byte);
          } else if (state === "inside") {
            if (byte === IAC) state = "insideCommand";
          } else state = byte === SE ? "text" : "inside";
        }
        if (refusals.length > 0) await connection.write(new Uint8Array(refusals));
        // nothing but commands: a read that gives 0 would be no end and no data
        if (kept > 0 || into.length === 0) return kept;
      }
    },
  };
}

/**
 * What is left of commands that were sent as urgent data, which ABOR is to be. Of urgent data one byte, the last,
 * is no part of the stream, unless a program asks the system for it, which Deno cannot. So the LF may be missing
 * behind `ABOR` or `STAT`, and parts of a Telnet command may stand before them.
 *
 * @param source without Telnet commands that are whole
 *
 * @example
 * ```ts
 * import { withoutUrgency } from "./ftp_telnet.ts";
 * import { SocketReader } from "./reader.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const parts = [[0xf2], [...new TextEncoder().encode("ABOR\r")], [...new TextEncoder().encode("QUIT\r\n")]];
 * const said = SocketReader.from(parts.map((part) => new Uint8Array(part)));
 * const reader = new SocketReader(withoutUrgency(said));
 * assertEquals([await reader.readLine(), await reader.readLine()], ["ABOR", "QUIT"]);
 * ```
 */
export function withoutUrgency(source: Source): Source {
  let line = ""; // how the line begins that is being read
  let owed = false; // whether an LF of our own is to end it
  let surplus = false; // whether its own may still come behind that
  return {
    async read(into) {
      if (owed && into.length > 0) {
        [line, owed, surplus] = ["", false, true];
        into[0] = LF;
        return 1;
      }
      for (;;) {
        const count = await source.read(into);
        if (count === null) return null;
        let kept = 0;
        for (const byte of into.subarray(0, count)) {
          const dropped = surplus && byte === LF;
          surplus = false;
          // no command begins with such a byte
          if (dropped || line === "" && byte >= SE) continue;
          into[kept++] = byte;
          line = byte === LF ? "" : (line + String.fromCharCode(byte)).slice(0, 6);
        }
        owed = /^(ABOR|STAT)\r$/i.test(line);
        if (kept > 0 || into.length === 0) return kept;
      }
    },
  };
}
