/**
 * The control connection of FTP is a Telnet connection: commands that begin with the byte 255 may stand
 * between any two characters of it.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc1123#section-4.1.2.12 RFC 1123, 4.1.2.12}
 * @module
 */

import type { Source } from "./reader.ts";

const IAC = 255, DONT = 254, DO = 253, WONT = 252, WILL = 251, SB = 250, SE = 240;

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
            if (byte === IAC) into[kept++] = IAC;
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
