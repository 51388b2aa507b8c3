/**
 * What a good echo server survives: much at once, slow readers, and clients that leave in every way.
 *
 * @module
 */

import { pause } from "../pause.ts";
import type { Check } from "./check.ts";
import { always, bytesCutBy, cutBy } from "./echo_cuts.ts";
import { compareEcho, expectEcho, type Hints, mixedBytes } from "./echo_mistakes.ts";
import type { Exchange, Heard } from "./exchange.ts";
import { sendAndReset } from "./reset.ts";
import type { ServerTrial } from "./server_trial.ts";

const CATCH =
  "what goes wrong with one client ends the whole server: catch errors around each conversation";

/** Connects and is served; the hint tells why it may not be. */
async function isServed(trial: ServerTrial, likely: string): Promise<void> {
  using exchange = await trial.connect();
  await expectEcho(exchange, "still there?", always(likely));
}

const muchAtOnce: Check<ServerTrial> = {
  name: "512 KiB at once come back",
  deadline: 120_000,
  async run(trial) {
    using exchange = await trial.connect();
    const message = mixedBytes(512 * 1024);
    const [, answer] = await Promise.all([exchange.send(message), exchange.hear(message.length)]);
    await compareMuch(exchange, message, answer, bytesCutBy(trial));
  },
};

/** As {@linkcode compareEcho}; tells bytes that are lost at the end from a server that stopped. */
async function compareMuch(
  exchange: Exchange,
  message: Uint8Array,
  answer: Heard,
  hints: Hints,
): Promise<void> {
  if (answer.then !== "silent" || hints.silent) return compareEcho(message, answer, hints);
  await exchange.send("does it still read?");
  const readsOn = (await exchange.hear(1)).bytes.length > 0;
  compareEcho(message, answer, {
    silent: readsOn
      ? "bytes are lost: send and write may take only a part, and tell how much; send the rest in a loop " +
        "(sendall does)"
      : "it stops in the middle: it must go on to read and write until the client has ended its side",
  });
}

const MOST = 8 * 1024 * 1024;

const slowReader: Check<ServerTrial> = {
  name: "a client that sends much before it reads gets all in the end",
  deadline: 120_000,
  async run(trial) {
    using exchange = await trial.connect();
    const size = await quickSize(exchange, bytesCutBy(trial));
    const message = mixedBytes(size, 5);
    // the server's send buffer fills up meanwhile: from then on a write takes only a part, or waits
    const sending = exchange.send(message);
    await exchange.stalled();
    const [, answer] = await Promise.all([sending, exchange.hear(size)]);
    await compareMuch(exchange, message, answer, bytesCutBy(trial));
  },
};

/** As many bytes as are echoed in about 1.5 seconds: more than what the system's buffers hold, if it is quick. */
async function quickSize(exchange: Exchange, hints: Hints): Promise<number> {
  const sample = mixedBytes(64 * 1024, 7);
  let milliseconds = Infinity;
  // the quickest of four: the machine may have other things to do
  for (let count = 0; count < 4; count++) {
    const began = performance.now();
    await expectEcho(exchange, sample, hints);
    milliseconds = Math.min(milliseconds, performance.now() - began);
  }
  const size = Math.floor(sample.length * 1_500 / milliseconds);
  // who echoes 16 bytes at a time would need long, and such small writes are never cut
  return size < 2 * 1024 * 1024 ? 2 * sample.length : Math.min(MOST, size);
}

const leavers: Check<ServerTrial> = {
  name: "clients that leave without a word do no harm",
  deadline: 30_000,
  ifGone: CATCH,
  async run(trial) {
    for (let count = 0; count < 5; count++) (await trial.connect())[Symbol.dispose]();
    const likely =
      'a client that says nothing and leaves holds it up: recv then gives b"", close and accept';
    await isServed(trial, likely);
  },
};

const resetter: Check<ServerTrial> = {
  name: "a client that resets the connection does no harm",
  ifGone: CATCH,
  async run(trial) {
    for (let count = 0; count < 3; count++) {
      await sendAndReset(trial.where, mixedBytes(8 * 1024, count));
    }
    await isServed(trial, CATCH);
  },
};

const silence: Check<ServerTrial> = {
  name: "a client that is silent for a while and then speaks is answered",
  deadline: 600_000,
  ifGone: CATCH,
  async run(trial) {
    using exchange = await trial.connect();
    await expectEcho(exchange, "before", cutBy(trial));
    const early = (await exchange.hear(1, 100)).then !== "silent";
    await pause(trial.options.silence);
    const likely = early
      ? "it does not wait for a second message: go on until the client has ended its side"
      : "it gives up while the client thinks: a timeout must be long, or there is none";
    await expectEcho(exchange, "after", cutBy(trial, always(likely)));
  },
};

/** In the order in which they are tried. */
export const ECHO_HARD: Check<ServerTrial>[] = [
  muchAtOnce,
  slowReader,
  leavers,
  resetter,
  silence,
  {
    name: "after all that a client is served as at first",
    run: (trial) => isServed(trial, CATCH),
  },
];
