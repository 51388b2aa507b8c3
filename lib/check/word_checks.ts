/**
 * What a server that checks homework must do.
 *
 * @module
 */

import { pause } from "../pause.ts";
import { type Check, Mismatch } from "./check.ts";
import { mixedBytes } from "./echo_mistakes.ts";
import { type Exchange, type Heard, heard, show } from "./exchange.ts";
import { sendAndReset } from "./reset.ts";
import type { ServerTrial } from "./server_trial.ts";
import { SECRET, secretOf } from "./word_texts.ts";
import { answerOf, handIn, mustSay, wholeText } from "./word_answer.ts";

const CATCH =
  "what goes wrong with one client ends the whole server: catch errors around each conversation";
const NO_LOOP = "it serves one client and no more: put accept, and all that follows, into a loop";
const CRASHED =
  "the message makes the program fail: check that there are three parts, and that the file is there";

const thanks: Check<ServerTrial> = {
  name: "the right word gets thank you",
  first: true,
  ifGone: NO_LOOP,
  async run(trial) {
    using exchange = await trial.connect();
    const message = "ada:check_plain.txt:three\n";
    await exchange.send(message);
    const answer = await answerOf(exchange);
    mustSay(message, "thank you", answer, await why(exchange, answer));
  },
};

async function why(exchange: Exchange, answer: Heard): Promise<string> {
  if (/^try again/i.test(wholeText(answer))) {
    return "cut off the end of the line (strip) before you compare the word; and look whether the file is read " +
      "from the folder in which the check has put it";
  }
  if (answer.bytes.length > 0) return "the answer is thank you, or try again, and no other";
  if (answer.then !== "silent") return CRASHED;
  await exchange.end();
  return (await answerOf(exchange)).bytes.length > 0
    ? "it waits for the end of the stream: a message ends at its line feed"
    : "it does not answer: look whether recv and sendall are reached";
}

const tryAgain: Check<ServerTrial> = {
  name: "a wrong word gets try again",
  ifGone: NO_LOOP,
  run: (trial) =>
    handIn(
      trial,
      "ada:check_plain.txt:two\n",
      "try again",
      "it thanks for every word: count the words of the file, and compare",
    ),
};

const nextClients: Check<ServerTrial> = {
  name: "several clients, one after another, get their answers",
  ifGone: NO_LOOP,
  async run(trial) {
    for (const user of ["ada", "bob", "eve"]) {
      await handIn(trial, `${user}:check_plain.txt:three\n`, "thank you", NO_LOOP);
    }
  },
};

/** One kind of text, with a right word and a wrong one. */
function counts(name: string, file: string, right: string, wrong: string, likely: string) {
  return {
    name,
    ifGone: CRASHED,
    async run(trial: ServerTrial) {
      await handIn(trial, `ada:${file}:${right}\n`, "thank you", likely);
      await handIn(trial, `ada:${file}:${wrong}\n`, "try again", likely);
    },
  };
}

const ties: Check<ServerTrial> = {
  name: "of words that come equally often each is right",
  async run(trial) {
    const likely =
      "it takes one of the most frequent words for the only one: compare how often the word comes";
    for (const word of ["left", "right"]) {
      await handIn(trial, `ada:check_tie.txt:${word}\n`, "thank you", likely);
    }
    await handIn(trial, "ada:check_tie.txt:up\n", "try again", likely);
  },
};

const badMessages: Check<ServerTrial> = {
  name: "what is no message of three parts gets try again",
  ifGone: CRASHED,
  async run(trial) {
    for (const message of ["hello\n", "ada:check_plain.txt\n", "::\n", "\n"]) {
      await handIn(trial, message, "try again", CRASHED);
    }
  },
};

const noFile: Check<ServerTrial> = {
  name: "a file that is not there, or has no words, gets try again",
  ifGone: CRASHED,
  async run(trial) {
    for (const file of ["check_none.txt", "check_empty.txt"]) {
      await handIn(trial, `ada:${file}:three\n`, "try again", CRASHED);
    }
  },
};

const elsewhere = (folder: string): Check<ServerTrial> => ({
  name: "a file outside of the folder is not read",
  ifGone: CRASHED,
  async run(trial) {
    for (const path of secretOf(folder)) {
      using exchange = await trial.connect();
      const message = `ada:${path}:${SECRET}\n`;
      await exchange.send(message);
      const answer = await answerOf(exchange);
      const opened = /^\s*thank you/i.test(wholeText(answer));
      mustSay(message, "try again", answer, opened ? OPENS : CRASHED);
    }
  },
});

const OPENS =
  "it opens whatever path it is told, or looks for .. only: a client can ask for any file of the machine; take " +
  "only the last part (os.path.basename), or the real path (os.path.realpath) if it begins with the folder's and /";

const PIECES = "it takes one recv for the whole message: gather what comes until the line feed";

const twoPieces: Check<ServerTrial> = {
  name: "a message that comes in pieces gets one answer",
  async run(trial) {
    using exchange = await trial.connect();
    for (const piece of ["ada:check_p", "lain.txt:th", "ree\n"]) {
      await exchange.send(piece);
      await pause(40);
    }
    const sent = "ada:check_plain.txt:three\n";
    mustSay(sent, "thank you", await answerOf(exchange), PIECES);
  },
};

const twoAtOnce: Check<ServerTrial> = {
  name: "two messages at once get two answers",
  async run(trial) {
    using exchange = await trial.connect();
    const sent = "ada:check_plain.txt:three\nada:check_plain.txt:two\n";
    await exchange.send(sent);
    const answer = await answerOf(exchange);
    if (/^thank you[^]*try again/i.test(wholeText(answer))) return;
    const likely =
      "it takes what one recv gives for one message: a message ends at its line feed, what follows is " +
      "the next; and the conversation ends when the client ends it";
    const expected = '"thank you", then "try again"';
    throw new Mismatch({ sent: show(sent), expected, got: heard(answer), likely });
  },
};

const trouble: Check<ServerTrial> = {
  name: "garbage, and clients that leave or reset the connection, do no harm",
  ifGone: CATCH,
  async run(trial) {
    (await trial.connect())[Symbol.dispose]();
    for (const bytes of [mixedBytes(60), new Uint8Array(300_000).fill(97)]) {
      using exchange = await trial.connect();
      await exchange.send(bytes);
      await exchange.end();
      await exchange.hear(64 * 1024, 50);
    }
    await sendAndReset(trial.where, "ada:check_");
    await handIn(trial, "ada:check_plain.txt:three\n", "thank you", CATCH);
  },
};

/** In the order in which they are tried; the folder is the server's. */
export const wordChecks = (folder: string): Check<ServerTrial>[] => [
  thanks,
  tryAgain,
  nextClients,
  counts(
    "upper and lower case are alike",
    "check_case.txt",
    "tea",
    "milk",
    "it counts Tea and tea as two words: make all lower case before you count",
  ),
  counts(
    "punctuation is no part of a word",
    "check_marks.txt",
    "rain",
    "sun",
    'it takes rain, and rain! for other words than rain: split(" ") is not enough, strip the punctuation',
  ),
  counts(
    "all lines of the file count",
    "check_lines.txt",
    "blue",
    "red",
    "it does not count all lines: read the whole file, and split at line feeds as well as blanks",
  ),
  ties,
  badMessages,
  noFile,
  elsewhere(folder),
  twoPieces,
  twoAtOnce,
  trouble,
];
