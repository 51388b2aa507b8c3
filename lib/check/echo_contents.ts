/**
 * Messages of all kinds, which an echo server sends back as they are.
 *
 * @module
 */

import type { Check } from "./check.ts";
import { expectEcho } from "./echo_mistakes.ts";
import { show } from "./exchange.ts";
import type { ServerTrial } from "./server_trial.ts";

const allBytes: Check<ServerTrial> = {
  name: "bytes of all values from 0 to 255 come back",
  ifGone: "bytes that are no UTF-8 end it: do not decode, or catch the error",
  async run(trial) {
    using exchange = await trial.connect();
    const decoded = "bytes that are no UTF-8 end the conversation: do not decode, send the bytes";
    await expectEcho(exchange, Uint8Array.from({ length: 256 }, (_, value) => value), {
      ended: decoded,
      reset: decoded,
      silent: "it waits at a byte of some value: bytes are bytes, none is special",
    });
  },
};

const blanks: Check<ServerTrial> = {
  name: "blanks and ends of lines come back as they are",
  async run(trial) {
    for (const message of [" \t both ends \t ", "\r\n", "one\ntwo\r\n\r\n", "\0"]) {
      using exchange = await trial.connect();
      await expectEcho(exchange, message, {
        silent: `nothing comes back for ${show(message)}: do not strip, and do not wait for more`,
      });
    }
  },
};

const cutCharacters: Check<ServerTrial> = {
  name: "characters of several bytes come back, wherever reads cut them",
  async run(trial) {
    const message = "é€😀".repeat(40);
    for (const shift of ["", "a", "ab", "abc"]) {
      using exchange = await trial.connect();
      await expectEcho(exchange, shift + message);
    }
  },
};

/** In the order in which they are tried. */
export const ECHO_CONTENTS: Check<ServerTrial>[] = [blanks, allBytes, cutCharacters];
