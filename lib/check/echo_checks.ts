/**
 * What an echo server must do, from the first success to the hard cases.
 *
 * @module
 */

import { pause } from "../pause.ts";
import { type Check, Mismatch } from "./check.ts";
import { ECHO_CONTENTS } from "./echo_contents.ts";
import { always, bytesCutBy, cutBy, ONE_RECV, SHORT_READ } from "./echo_cuts.ts";
import { compareEcho, expectEcho, letters, mixedBytes } from "./echo_mistakes.ts";
import { whySilent } from "./echo_silence.ts";
import { heard } from "./exchange.ts";
import type { ServerTrial } from "./server_trial.ts";

const NO_LOOP = "it serves one client and no more: put accept, and all that follows, into a loop";
const NOT_ACCEPTED =
  "nobody accepts a second client: put accept, and all that follows, into a loop";
const ENDLESS =
  'it does not notice the end, or does not close then: recv gives b"" (read gives null), again and again; leave the ' +
  "loop and close";
const LEFT_OPEN =
  'it reads once, and leaves the connection open: read in a loop until recv gives b"", then close';
const MULTIPLE =
  "it takes a read that fills the buffer for a sign that more must come, and waits: echo what is there";

/** The first: a few bytes come back. */
export const shortMessage: Check<ServerTrial> = {
  name: "a short message comes back",
  first: true,
  ifGone: NO_LOOP,
  async run(trial) {
    using exchange = await trial.connect();
    await exchange.send("hello");
    const answer = await exchange.hear(5);
    const patience = Math.min(1_000, trial.options.timeout);
    const likely = answer.bytes.length > 0
      ? undefined
      : answer.then === "silent"
      ? await whySilent(exchange, patience)
      : "it closes the connection before it has sent anything";
    compareEcho(new TextEncoder().encode("hello"), answer, likely ? { [answer.then]: likely } : {});
    // what is too much may come a moment later
    const surplus = await exchange.hear(1, 20);
    const bytes = new Uint8Array([...answer.bytes, ...surplus.bytes]);
    compareEcho(new TextEncoder().encode("hello"), { bytes, then: "more" });
    await exchange.end();
    if ((await exchange.hear(1)).then === "ended") trial.known.add("it notices the end");
  },
};

/** No program takes this for a command. */
const LAST = "nothing more";

const endOfConversation: Check<ServerTrial> = {
  name: "when the client has ended its side, the server closes",
  ifGone: NO_LOOP,
  async run(trial) {
    using exchange = await trial.connect();
    await expectEcho(exchange, LAST, {
      silent: trial.known.has("it notices the end") ? NOT_ACCEPTED : ENDLESS,
      ended: NO_LOOP,
      reset: NO_LOOP,
    });
    await exchange.end();
    const answer = await exchange.hear(1);
    if (answer.then === "ended") return;
    throw new Mismatch({
      sent: `"${LAST}", then the end of the stream`,
      expected: `"${LAST}", then the end of the stream`,
      got: `"${LAST}", then ${heard(answer)}`,
      likely: answer.then !== "silent"
        ? "it sends more than came"
        : await readsOnce(trial)
        ? LEFT_OPEN
        : ENDLESS,
    });
  },
};

/** Whether a server echoes a first message, and then no other. */
async function readsOnce(trial: ServerTrial): Promise<boolean> {
  const patience = Math.min(1_000, trial.options.timeout);
  using exchange = await trial.connect();
  const echoes = async (message: string) => {
    await exchange.send(message);
    return (await exchange.hear(message.length, patience)).bytes.length === message.length;
  };
  return await echoes("one") && !await echoes("two");
}

const nextClient: Check<ServerTrial> = {
  name: "three clients, one after another, are served",
  ifGone: NO_LOOP,
  async run(trial) {
    for (const message of ["first", "second", "third"]) {
      using exchange = await trial.connect();
      await expectEcho(exchange, message, always(NO_LOOP));
    }
  },
};

const secondMessage: Check<ServerTrial> = {
  name: "a second message on the same connection comes back",
  deadline: 30_000,
  async run(trial) {
    using exchange = await trial.connect();
    await expectEcho(exchange, "hello");
    await exchange.send("again");
    const answer = await exchange.hear(5);
    if (answer.bytes.length > 0) return compareEcho(new TextEncoder().encode("again"), answer);
    const likely = await readsOn(trial) ? SHORT_READ : ONE_RECV;
    trial.known.add(likely);
    throw new Mismatch({
      sent: '"hello", and after the answer "again"',
      expected: '"hello", then "again"',
      got: `"hello", then ${heard(answer)}`,
      likely,
    });
  },
};

/** Whether a server that leaves after "hello" goes on after a read that fills its buffer. */
async function readsOn(trial: ServerTrial): Promise<boolean> {
  const patience = Math.min(1_000, trial.options.timeout);
  // the exercise's buffer has 16 bytes; others are powers of two, of which only the largest are above 32 KiB
  for (const size of [16, 1_024, 4_096]) {
    using exchange = await trial.connect();
    await exchange.send(letters(size));
    const { bytes } = await exchange.hear(size, patience);
    if (bytes.length < size) return false;
    await exchange.send("more");
    if ((await exchange.hear(4, patience)).bytes.length > 0) return true;
  }
  return false;
}

const sixteen: Check<ServerTrial> = {
  name: "16 bytes, the size of the exercise's buffer, come back",
  async run(trial) {
    using exchange = await trial.connect();
    await expectEcho(exchange, letters(16), cutBy(trial, { silent: MULTIPLE }));
  },
};

const multiples: Check<ServerTrial> = {
  name: "multiples of 16 bytes, 32 to 4096, come back",
  async run(trial) {
    for (const times of [2, 3, 4, 8, 16, 64, 128, 256]) {
      using exchange = await trial.connect();
      const message = letters(times * 16, times);
      await expectEcho(exchange, message, cutBy(trial, { silent: MULTIPLE }));
    }
  },
};

const everyLength: Check<ServerTrial> = {
  name: "messages of every length around 16, 32 and 48 bytes come back",
  async run(trial) {
    using exchange = await trial.connect();
    const lengths = [...Array(17).keys(), 31, 32, 33, 47, 48, 49].filter((length) => length > 0);
    for (const length of lengths) {
      const hints = length % 16 === 0 ? { silent: MULTIPLE } : {};
      await expectEcho(exchange, letters(length, length), cutBy(trial, hints));
    }
  },
};

const byteByByte: Check<ServerTrial> = {
  name: "bytes that come one at a time come back",
  async run(trial) {
    using exchange = await trial.connect();
    const message = new TextEncoder().encode("drop-by-drop");
    for (const byte of message) {
      await exchange.send(new Uint8Array([byte]));
      await pause(3);
    }
    compareEcho(message, await exchange.hear(message.length), cutBy(trial));
  },
};

const halfClose: Check<ServerTrial> = {
  name: "a client that ends its side at once still gets all, and then the end",
  async run(trial) {
    using exchange = await trial.connect();
    const message = mixedBytes(2_000, 3);
    await exchange.send(message);
    await exchange.end();
    const answer = await exchange.hearOut(message.length);
    compareEcho(message, answer, bytesCutBy(trial));
    if (answer.then === "ended") return;
    throw new Mismatch({
      sent: "2000 bytes, then the end of the stream",
      expected: "the same, then the end of the stream",
      got: `the same, then ${heard({ ...answer, bytes: new Uint8Array() })}`,
      likely: "it does not close when the client has ended its side",
    });
  },
};

/** In the order in which they are tried. */
export const ECHO_BASICS: Check<ServerTrial>[] = [
  shortMessage,
  endOfConversation,
  nextClient,
  secondMessage,
  sixteen,
  multiples,
  everyLength,
  byteByByte,
  ...ECHO_CONTENTS,
  halfClose,
];
