#!/usr/bin/env -S deno run --allow-env=SLACK_TOKEN --allow-net=127.0.0.1:5008
/**
 * To do: a server that forwards to Slack
 *
 * The task: a client sends a line and is thanked for it, "Thank you for reaching us"; the line is posted to
 * Slack's channel #bot, by chat.postMessage, with the token from SLACK_TOKEN. When Slack says wait (429), the
 * message is posted later and not lost. No client may end the server.
 *
 * This thanks, and posts nothing yet. Change it in a copy, such as my_slack.ts, which needs 127.0.0.1:5010 in
 * --allow-net too. Try it while you work: the check stands in for Slack, and is started first, in another
 * terminal:
 *
 *     deno run --allow-net=127.0.0.1:5008,127.0.0.1:5010 scripts/exercises/check_tcp_to_slack.ts
 *
 * The check takes servers in other languages as well. One answer is scripts/slack/tcp_to_slack.ts.
 *
 * @lecture 000 Modify the server to send messages to Slack
 * @python  slackclient.SlackClient → fetch, socket.recv → connection.read, socket.send → connection.write
 * @run     SLACK_TOKEN=xoxb-example deno run --allow-env=SLACK_TOKEN --allow-net=127.0.0.1:5008 \
 *          scripts/exercises/tcp_to_slack_starter.ts
 * @client  deno run --allow-net=127.0.0.1:5008 scripts/tcp/message_client.ts
 * @expect  listening on 127.0.0.1:5008
 * @expect  still to do: post "Call Slack to get the list of channels"
 * @option  --host HOST  the address to listen on (default: 127.0.0.1)
 * @option  --port PORT  the port to listen on, 0 for a free one (default: 5008)
 * @option  --api URL    Slack's API (default: http://127.0.0.1:5010/api)
 * @see     https://docs.slack.dev/reference/methods/chat.postMessage
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { quoted } from "../../lib/display.ts";
import { nextMessage } from "../../lib/messages.ts";
import { SocketReader } from "../../lib/reader.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { serve } from "../../lib/tcp.ts";
import { requireToken, type Token } from "../../lib/token.ts";

/** Posts a message to a channel of Slack. */
export function sendMessageToSlack(_api: string, _token: Token, message: string): Promise<void> {
  // yours: a POST to `${api}/chat.postMessage` with the token, the channel and the text. lib/slack.ts can help:
  // callSlack(api, "chat.postMessage", { channel: "#bot", text: message }, { token })
  console.log(`still to do: post ${quoted(message)}`);
  return Promise.resolve();
}

export async function main(
  { host, port, api }: { host: string; port: number; api: string },
): Promise<void> {
  const token = requireToken("SLACK_TOKEN");
  await using server = await serve({ hostname: host, port }, async (connection) => {
    const reader = new SocketReader(connection);
    for (let message; (message = await nextMessage(reader)) !== null;) {
      await sendMessageToSlack(api, token, message);
      await connection.write(new TextEncoder().encode("Thank you for reaching us\n"));
    }
  });
  using _stopping = onInterrupt(() => server.shutdown());
  console.log(`listening on ${formatEndpoint(server.addr)}`);
  await server.finished;
}

if (import.meta.main) await run(main);
