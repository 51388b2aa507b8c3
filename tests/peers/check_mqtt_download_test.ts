/**
 * The checker of MQTT subscribers that download, on programs in Python with paho.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { runChecks } from "../../lib/check/check.ts";
import { DOWNLOAD_CHECKS } from "../../lib/check/download_checks.ts";
import { DownloadStage } from "../../lib/check/download_stage.ts";
import { DownloadTrial } from "../../lib/check/download_trial.ts";
import { firstFailure } from "../lessons/wrong/serving.ts";
import { peerTest, python, temporaryFolder } from "./peers.ts";
import { Process } from "./process.ts";

/** What the checker says of a program. */
async function verdictOf(kind: string): Promise<string> {
  using folder = temporaryFolder();
  const anywhere = { hostname: "127.0.0.1", port: 0 };
  await using stage = await DownloadStage.open(anywhere, anywhere);
  // a folder inside, so that ../ of a wrong program leads to a place that is removed as well
  const downloads = `${folder.path}/one/two/downloads`;
  const command = python("wrong/mqtt_download.py", kind, stage.broker.port, downloads);
  await using _program = new Process(command);
  const options = { folder: downloads, timeout: 3_000, patience: 30_000 };
  const begin = () => new DownloadTrial(stage, options);
  return firstFailure(await runChecks(DOWNLOAD_CHECKS, begin, { stopAtFirst: true }));
}

const VERDICTS: Record<string, RegExp> = {
  right: /^all passed$/,
  topic: /it listens to another topic/,
  no_subscription: /it connects and does not subscribe/,
  no_fetch: /it does not fetch/,
  no_file: /it fetches, and does not write/,
  empty: /the file stays empty/,
  representation: /Python's way to show bytes/,
  once: /it ends after the first message/,
  one_name: /it writes always into the same file/,
  text: /it takes the bytes for text/,
  folder: /no such file: it fetches, and does not write: a file in the folder itself/,
  other: /bytes: undefined$/,
  longer: /the file has more than was sent/,
  part: /the file has only a part/,
  crash: /what cannot be fetched ends the program/,
  no_status: /it does not look at the status/,
  paths: /what a stranger writes is no path/,
};

peerTest(
  "check_mqtt_download passes what is right, and names the mistake, when programs are in Python",
  ["python3"],
  async () => {
    const kinds = Object.keys(VERDICTS);
    const wrongVerdicts: string[] = [];
    const worker = async () => {
      for (let kind; (kind = kinds.shift()) !== undefined;) {
        const verdict = await verdictOf(kind);
        if (!VERDICTS[kind]!.test(verdict)) wrongVerdicts.push(`${kind}: ${verdict}`);
      }
    };
    await Promise.all(Array.from({ length: 4 }, worker));
    assertEquals(wrongVerdicts, []);
  },
);
