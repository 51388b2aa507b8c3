#!/usr/bin/env -S deno run --allow-env=SLACK_TOKEN --allow-net=127.0.0.1:5010
/**
 * Post a message to a Slack channel
 *
 * The lecture's sendMessageToSlack: a POST to chat.postMessage with a token. A status of 200 is no success:
 * Slack says in the JSON whether it is, and why not. Three kinds of failure ask for three answers: "wait so
 * many seconds" (429) is obeyed, a server in trouble (5xx, an HTML page, no answer) is tried again, anything
 * else is told.
 *
 * The token is a password. It comes from the environment, goes into a header and is never printed. The
 * lecture has one in its source: whoever reads the file can write to the channel.
 *
 * @lecture 000 Start sending messages to Server
 * @python  slackclient.SlackClient → fetch, api_call("chat.postMessage") → fetch
 * @partner scripts/slack/api_server.ts
 * @run     SLACK_TOKEN=xoxb-example deno run --allow-env=SLACK_TOKEN --allow-net=127.0.0.1:5010 \
 *          scripts/slack/send.ts "Hello world! 1 < 2"
 * @expect  posted to #bot as *.*
 * @run     SLACK_TOKEN=xoxb-example deno run --allow-env=SLACK_TOKEN --allow-net=127.0.0.1:5010 \
 *          scripts/slack/send.ts --json "a text"
 * @expect  {"ok":true,"channel":"C*","ts":"*","message":{*"text":"a text"*}}
 * @online  deno run --allow-env=SLACK_TOKEN --allow-net=slack.com:443 scripts/slack/send.ts \
 *          --api https://slack.com/api "Hello world!"
 * @argument MESSAGE            the text
 * @option  --channel CHANNEL   a channel's name or id, quoted as in "#general" (default: #bot)
 * @option  --api URL           Slack's API (default: http://127.0.0.1:5010/api)
 * @option  --patience SECONDS  how long to try again (default: 30)
 * @option  --json              print Slack's answer
 * @see     https://docs.slack.dev/reference/methods/chat.postMessage
 * @module
 */

import { run } from "../../lib/cli.ts";
import { visible } from "../../lib/display.ts";
import { pause } from "../../lib/pause.ts";
import { callSlack, type SlackAnswer, SlackError } from "../../lib/slack.ts";
import { fitText } from "../../lib/slack_text.ts";
import { requireToken } from "../../lib/token.ts";

/** What the command line says. */
export interface Options {
  message: string;
  channel: string;
  api: string;
  patience: number;
  json: boolean;
}

/** Posts a message, and again while Slack says later. */
export async function post(
  { message, channel, api, patience }: Omit<Options, "json">,
): Promise<SlackAnswer> {
  const token = requireToken("SLACK_TOKEN");
  // & < > mean something in Slack's text, so they are escaped; and Slack cuts long texts silently
  const { text, leftOut } = fitText(message);
  if (leftOut > 0) console.error(`the text is too long: ${leftOut} characters are left out`);

  const giveUp = performance.now() + patience * 1_000;
  for (let delay = 1_000;; delay *= 2) {
    try {
      return await callSlack(api, "chat.postMessage", { channel, text }, { token });
    } catch (error) {
      if (!(error instanceof SlackError) || error.fault !== "again") throw error;
      // when Slack tells how long, that is how long; else each pause is twice the last
      const wait = error.retryAfter ?? delay;
      if (performance.now() + wait > giveUp) throw error;
      console.error(`${error.message}; next try in ${wait / 1000} s`);
      await pause(wait);
    }
  }
}

export async function main(options: Options): Promise<void> {
  const answer = await post(options);
  if (options.json) console.log(JSON.stringify(answer));
  else console.log(`posted to ${visible(options.channel)} as ${visible(String(answer.ts))}`);
}

if (import.meta.main) await run(main);
