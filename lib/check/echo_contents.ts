/**
 * Messages of all kinds, which an echo server sends back as they are.
 *
 * @module
 */

import type { Check } from "./check.ts";
import { always, bytesCutBy, cutBy, isCutByDecoding, NO_TEXT } from "./echo_cuts.ts";
import { compareEcho, DECODED, expectEcho } from "./echo_mistakes.ts";
import { show } from "./exchange.ts";
import type { ServerTrial } from "./server_trial.ts";

const allBytes: Check<ServerTrial> = {
  name: "bytes of all values from 0 to 255 come back",
  ifGone: "bytes that are no UTF-8 end it: do not decode, or catch the error",
  async run(trial) {
    using exchange = await trial.connect();
    const message = Uint8Array.from({ length: 256 }, (_, value) => value);
    await exchange.send(message);
    const answer = await exchange.hear(message.length);
    const ended = answer.then === "ended" || answer.then === "reset";
    if (ended && isCutByDecoding(answer.bytes.length)) trial.known.add(NO_TEXT);
    // from 128 on none of these is a character in UTF-8
    const silent = answer.bytes.length === 128
      ? DECODED
      : "it waits at a byte of some value: bytes are bytes, none is special";
    compareEcho(message, answer, { silent, ...bytesCutBy(trial) });
  },
};

const COMMAND = "it takes a word such as quit for a command: whatever comes is sent back";

const blanks: Check<ServerTrial> = {
  name: "blanks, ends of lines, and words such as quit come back as they are",
  ifGone: COMMAND,
  async run(trial) {
    for (const message of [" \t both ends \t ", "\r\n", "one\ntwo\r\n\r\n", "\0"]) {
      using exchange = await trial.connect();
      const silent = `nothing comes back for ${
        show(message)
      }: do not strip, and do not wait for more`;
      await expectEcho(exchange, message, cutBy(trial, { silent }));
      const over = `${show(message)} ends the conversation: no byte does, only the client's end`;
      await expectEcho(exchange, "and more", cutBy(trial, always(over)));
    }
    for (const word of ["bye", "exit", "quit\n"]) {
      using exchange = await trial.connect();
      await expectEcho(exchange, word, cutBy(trial, always(COMMAND)));
      await expectEcho(exchange, "and more", cutBy(trial, always(COMMAND)));
    }
  },
};

const cutCharacters: Check<ServerTrial> = {
  name: "characters of several bytes come back, wherever reads cut them",
  ifGone: allBytes.ifGone!,
  async run(trial) {
    const message = "é€😀".repeat(40);
    for (const shift of ["", "a", "ab", "abc"]) {
      using exchange = await trial.connect();
      await expectEcho(exchange, shift + message, bytesCutBy(trial));
    }
  },
};

/** In the order in which they are tried. */
export const ECHO_CONTENTS: Check<ServerTrial>[] = [blanks, allBytes, cutCharacters];
