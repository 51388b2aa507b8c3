#!/usr/bin/env -S deno run --ignore-env --allow-net=127.0.0.1:1883,127.0.0.1:8000 --allow-read=downloads
/**
 * Check your MQTT subscriber that downloads
 *
 * Tries a program of your own, in any language, that listens to the topic download for URLs, and fetches each into
 * a file of the folder downloads. This is both the broker and the web server, so start it first, then your
 * program, in the same folder.
 *
 * mqtt_download_starter.ts has the task, and a beginning.
 *
 * @lecture 000 Download a file from a URL, MQTT Subscriber
 * @run     deno run --ignore-env --allow-net=127.0.0.1:1883,127.0.0.1:8000 --allow-read=downloads \
 *          scripts/exercises/check_mqtt_download.ts 127.0.0.1:1883
 * @client  deno run --ignore-env --allow-net=127.0.0.1:1883,127.0.0.1:8000 --allow-write=downloads \
 *          scripts/mqtt/download_subscriber.ts --allow-private
 * @expect  listening on 127.0.0.1:1883
 * @expect  checking the subscriber at 127.0.0.1:1883
 * @expect  *2 ok    a text whose URL is published is fetched into a file
 * @expect  score: 8 of 8
 * @argument [ADDRESS]  where this is the broker (default: 127.0.0.1:1883)
 * @option  --web ADDRESS  where this is the web server (default: 127.0.0.1:8000)
 * @option  --folder FOLDER  where your program puts the files (default: downloads)
 * @option  --patience SECONDS  how long to wait until your program connects (default: 60)
 * @option  --first  stop at the first failure
 * @option  --json  print a report for programs
 * @option  --timeout MILLISECONDS  how long a download may take (default: 3000)
 * @see     https://docs.python-requests.org/en/latest/user/quickstart/#binary-response-content
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { check, type CheckerOptions, readAddress } from "../../lib/check/checker.ts";
import { DOWNLOAD_CHECKS } from "../../lib/check/download_checks.ts";
import { DownloadStage } from "../../lib/check/download_stage.ts";
import { DownloadTrial } from "../../lib/check/download_trial.ts";
import { run } from "../../lib/cli.ts";

/** What the command line says. */
export interface Options extends CheckerOptions {
  web: string;
  folder: string;
}

export async function main(options: Options): Promise<void> {
  const { folder, timeout, patience } = options;
  await using stage = await DownloadStage.open(
    readAddress(options.address),
    readAddress(options.web),
  );
  console[options.json ? "error" : "log"](`listening on ${formatEndpoint(stage.broker)}`);
  console.error("start your program");
  const begin = () => new DownloadTrial(stage, { folder, timeout, patience: patience * 1_000 });
  const subject = `the subscriber at ${formatEndpoint(stage.broker)}`;
  await check(subject, DOWNLOAD_CHECKS, begin, options);
}

if (import.meta.main) await run(main);
