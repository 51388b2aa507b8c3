/**
 * What an MQTT subscriber must do that downloads what is published.
 *
 * @module
 */

import { quoted } from "../display.ts";
import { type Check, Gone, Mismatch } from "./check.ts";
import { type DownloadTrial, type Found, isAll } from "./download_trial.ts";
import { latin, mixedBytes } from "./echo_mistakes.ts";
import { show } from "./exchange.ts";

const ENDED = "what cannot be fetched ends the program: catch the error of each download";
const NOT_WRITTEN =
  "it fetches, and does not write: a file in the folder itself (downloads, unless --folder says another), closed in " +
  "the end";

const encode = (text: string) => new TextEncoder().encode(text);

/** Publishes a URL, and waits until what it names is a file of the folder. */
async function mustArrive(
  trial: DownloadTrial,
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
  likely: string,
): Promise<void> {
  const { stage } = trial;
  const before = await trial.names();
  stage.files.set(path, bytes);
  await trial.publish(stage.url(path));
  const sent = `"${stage.url(path)}" on the topic download`;
  if (!await trial.until(() => stage.asked.has(path))) {
    throw new Mismatch({ sent, expected: `GET ${path}`, got: "no request", likely });
  }
  if (await trial.until(() => trial.has(bytes))) return;
  const found = await trial.anyNew(before, 2 * bytes.length + 4_096);
  if (found && isAll(found, bytes)) return;
  throw new Mismatch({
    sent,
    expected: fileOf({ bytes, size: bytes.length }),
    got: found ? fileOf(found) : "no such file",
    likely: found ? wrongFile(found, bytes) : likely,
  });
}

const fileOf = ({ bytes, size }: Found) =>
  `a file with ${show(bytes.subarray(0, 40))}, ${size} bytes`;

/** Why a file has other bytes than were sent; `undefined` when that cannot be told. */
function wrongFile({ bytes: found, size }: Found, bytes: Uint8Array): string | undefined {
  const text = new TextDecoder("latin1").decode(found);
  if (/^b['"]/.test(text)) {
    return "it writes Python's way to show bytes, b'…': open the file with mode wb, and write the bytes";
  }
  if (found.length === 0) {
    return "the file stays empty: close it (with does), or write before you close";
  }
  if (readAsText(bytes).some((each) => startsWith(found, each))) {
    return "it takes the bytes for text, and what is no UTF-8 is lost: use response.content and mode wb";
  }
  if (size > bytes.length && startsWith(found, bytes)) {
    return "the file has more than was sent: write the body, and nothing else";
  }
  return size < bytes.length && startsWith(bytes, found)
    ? "the file has only a part: write all of the body, and close the file"
    : undefined;
}

/** What becomes of bytes that are read as text and written as UTF-8, where that changes them. */
function readAsText(bytes: Uint8Array): Uint8Array[] {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  if (!text.includes("\ufffd")) return [];
  // with replacements, without them, and each byte taken for a character
  return [text, text.replaceAll("\ufffd", ""), latin(bytes)].map(encode);
}

const startsWith = (whole: Uint8Array, start: Uint8Array) =>
  start.every((byte, at) => byte === whole[at]);

const subscribes: Check<DownloadTrial> = {
  name: "it connects to the broker, and subscribes to download",
  first: true,
  deadline: 600_000,
  async run(trial) {
    const { stage, patience } = trial;
    if (!await trial.until(() => stage.clients > 0, patience)) {
      const likely =
        "start your program while this waits; its broker is the address at which this listens";
      throw new Gone({ expected: "a client of the broker", got: "none", likely }, true);
    }
    const right = () => stage.topics.has("download") || stage.topics.has("#");
    if (await trial.until(right)) return;
    const topics = [...stage.topics].slice(0, 5).map((topic) => quoted(topic, { limit: 40 }));
    throw new Mismatch({
      expected: 'a subscription to "download"',
      got: topics.length > 0 ? topics.join(", ") : "no subscription",
      likely: topics.length > 0
        ? "it listens to another topic"
        : "it connects and does not subscribe: do so in on_connect, and keep the loop running (loop_forever)",
    });
  },
};

/** In the order in which they are tried. */
export const DOWNLOAD_CHECKS: Check<DownloadTrial>[] = [
  subscribes,
  {
    name: "a text whose URL is published is fetched into a file",
    ifGone: "it ends after the first message: keep the loop running",
    async run(trial) {
      const { stage } = trial;
      const path = `/first-${stage.run}.txt`;
      const text = encode(`networking, ${stage.run}\n`);
      await mustArrive(trial, path, text, NOT_WRITTEN).catch((error) => {
        if (!stage.asked.has(path) && error instanceof Mismatch && !(error instanceof Gone)) {
          error.finding.likely =
            "it does not fetch: the payload of a message is the URL, decode it (UTF-8), and get it";
        }
        throw error;
      });
    },
  },
  {
    name: "further URLs are fetched as well",
    ifGone: ENDED,
    async run(trial) {
      for (const word of ["second", "third"]) {
        const { run } = trial.stage;
        const likely =
          "it fetches once, or always into the same file: each download has a name of its own";
        await mustArrive(trial, `/${word}-${run}.txt`, encode(`${word}, ${run}\n`), likely);
      }
      const first = encode(`networking, ${trial.stage.run}\n`);
      if (await trial.has(first)) return;
      throw new Mismatch({
        sent: "two further URLs",
        expected: "three files",
        got: "the first one is no longer there",
        likely: "it writes always into the same file: take the name from the URL",
      });
    },
  },
  {
    name: "a picture arrives byte for byte",
    ifGone: ENDED,
    run: (trial) => {
      const picture = new Uint8Array([
        0x89,
        0x50,
        0x4e,
        0x47,
        13,
        10,
        26,
        10,
        ...mixedBytes(2_000, 9),
      ]);
      picture.set(encode(trial.stage.run), 8);
      const likely = "it takes the bytes for text: use response.content and mode wb";
      return mustArrive(trial, `/picture-${trial.stage.run}.png`, picture, likely);
    },
  },
  {
    name: "1 MiB arrives whole",
    ifGone: ENDED,
    run: (trial) => {
      const bytes = mixedBytes(1024 * 1024, 11);
      bytes.set(encode(trial.stage.run));
      return mustArrive(
        trial,
        `/large-${trial.stage.run}`,
        bytes,
        "only a part of what is large arrives",
      );
    },
  },
  {
    name: "what is no URL, or cannot be fetched, does no harm",
    ifGone: ENDED,
    async run(trial) {
      for (const payload of ["not a url", "", "ftp://127.0.0.1/no", "http://", mixedBytes(30)]) {
        await trial.publish(payload);
      }
      const { run } = trial.stage;
      await mustArrive(trial, `/after-${run}.txt`, encode(`after, ${run}\n`), ENDED);
    },
  },
  {
    name: "the page of an error (404) is not taken for the file",
    ifGone: ENDED,
    async run(trial) {
      const { stage } = trial;
      await trial.publish(stage.url(`/missing-${stage.run}.txt`));
      await mustArrive(trial, `/last-${stage.run}.txt`, encode(`last, ${stage.run}\n`), ENDED);
      if (!await trial.has(encode(`not here, ${stage.run}\n`))) return;
      throw new Mismatch({
        sent: "the URL of a file that is not there (404)",
        expected: "no file",
        got: "a file with the words of the error",
        likely: "it does not look at the status: write only when it is 200",
      });
    },
  },
  {
    name: "a name with ../ stays in the folder",
    ifGone: ENDED,
    run: (trial) => {
      const { run } = trial.stage;
      const likely =
        "what a stranger writes is no path: take only the last part of the name (os.path.basename), " +
        "after decoding it";
      return mustArrive(trial, `/..%2f..%2fescape-${run}.txt`, encode(`escape, ${run}\n`), likely);
    },
  },
];
