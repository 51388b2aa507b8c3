#!/usr/bin/env -S deno run --allow-net=127.0.0.1:5008,127.0.0.1:5010
/**
 * Check your server that forwards to Slack
 *
 * Tries a server of your own, in any language, that thanks each client for its message and posts it to Slack's
 * channel #bot. This stands in for Slack, so start it first. Your server must call http://127.0.0.1:5010/api in
 * place of https://slack.com/api, with any token; as soon as it listens, it is tried.
 *
 * tcp_to_slack_starter.ts has the task, and a beginning.
 *
 * @lecture 000 Modify the server to send messages to Slack
 * @run     deno run --allow-net=127.0.0.1:5008,127.0.0.1:5010 scripts/exercises/check_tcp_to_slack.ts 127.0.0.1:5008
 * @client  SLACK_TOKEN=xoxb-example deno run --allow-env=SLACK_TOKEN --allow-net=127.0.0.1:5008,127.0.0.1:5010 \
 *          --allow-read=/tmp/tcp_to_slack --allow-write=/tmp/tcp_to_slack scripts/slack/tcp_to_slack.ts --pace 10
 * @expect  listening on 127.0.0.1:5010
 * @expect  checking the server at 127.0.0.1:5008
 * @expect  *2 ok    it is posted to Slack, by chat.postMessage
 * @expect  score: 10 of 10
 * @argument [ADDRESS]  where your server listens (default: 127.0.0.1:5008)
 * @option  --slack ADDRESS  where this stands in for Slack (default: 127.0.0.1:5010)
 * @option  --patience SECONDS  how long to wait until your server listens (default: 60)
 * @option  --first  stop at the first failure
 * @option  --json  print a report for programs
 * @option  --timeout MILLISECONDS  how long your server may take to answer (default: 3000)
 * @see     https://docs.slack.dev/reference/methods/chat.postMessage
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { arrival } from "../../lib/check/arrival.ts";
import { check, type CheckerOptions, readAddress } from "../../lib/check/checker.ts";
import { SLACK_CHECKS } from "../../lib/check/slack_checks.ts";
import { SlackStandIn, slackTrials } from "../../lib/check/slack_trial.ts";
import { run } from "../../lib/cli.ts";

export async function main(options: CheckerOptions & { slack: string }): Promise<void> {
  const where = readAddress(options.address);
  await using slack = await SlackStandIn.listen(readAddress(options.slack));
  console[options.json ? "error" : "log"](`listening on ${formatEndpoint(slack.addr)}`);
  console.error(`start your server; its Slack is http://${formatEndpoint(slack.addr)}/api`);
  const first = await arrival(where, options.patience * 1_000);
  const begin = slackTrials(where, options, slack, first);
  await check(`the server at ${formatEndpoint(where)}`, SLACK_CHECKS, begin, options);
}

if (import.meta.main) await run(main);
