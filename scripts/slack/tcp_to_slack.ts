#!/usr/bin/env -S deno run --allow-env=SLACK_TOKEN --allow-net=127.0.0.1:5008,127.0.0.1:5010 --allow-read=/tmp/tcp_to_slack --allow-write=/tmp/tcp_to_slack
/**
 * A server that forwards messages to Slack
 *
 * The message server with the lecture's sendMessageToSlack. The lecture calls Slack between reading and
 * answering: while Slack is slow, says wait or is down, the client waits too, and what came meanwhile is
 * lost. Here a message is written to a file first, then the client is thanked, and the file is emptied
 * towards Slack in order, one message a second, for as long as it takes; also after a crash.
 *
 * A message ends at a line feed. The lecture's client sends none: what came before half a second of silence
 * is taken for a message. Slack gets each message at least once: when its answer is lost, once more.
 *
 * @lecture 000 Modify the server to send messages to Slack
 * @python  slackclient.SlackClient → fetch, api_call("chat.postMessage") → fetch,
 *          socket.recv → connection.read, socket.send → connection.write
 * @partner scripts/slack/api_server.ts
 * @run     SLACK_TOKEN=xoxb-example deno run --allow-env=SLACK_TOKEN \
 *          --allow-net=127.0.0.1:5008,127.0.0.1:5010 --allow-read=/tmp/tcp_to_slack \
 *          --allow-write=/tmp/tcp_to_slack scripts/slack/tcp_to_slack.ts
 * @client  deno run --allow-net=127.0.0.1:5008 scripts/tcp/message_client.ts
 * @expect  listening on 127.0.0.1:5008
 * @expect  received message: "Call Slack to get the list of channels"
 * @expect  sent to #bot: "Call Slack to get the list of channels"
 * @online  deno run --allow-env=SLACK_TOKEN --allow-net=127.0.0.1:5008,slack.com:443 \
 *          --allow-read=/tmp/tcp_to_slack --allow-write=/tmp/tcp_to_slack scripts/slack/tcp_to_slack.ts \
 *          --api https://slack.com/api
 * @option  --host HOST          the address to listen on (default: 127.0.0.1)
 * @option  --port PORT          the port to listen on, 0 for a free one (default: 5008)
 * @option  --api URL            Slack's API (default: http://127.0.0.1:5010/api)
 * @option  --channel CHANNEL    a channel's name or id, quoted as in "#general" (default: #bot)
 * @option  --spool FOLDER       where messages wait (default: /tmp/tcp_to_slack)
 * @option  --pace MILLISECONDS  between two messages to Slack (default: 1000)
 * @option  --max-waiting COUNT  how many may wait before clients are told to try later (default: 10000)
 * @see     https://docs.slack.dev/reference/methods/chat.postMessage
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { quoted } from "../../lib/display.ts";
import { nextMessage } from "../../lib/messages.ts";
import { SocketReader } from "../../lib/reader.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { openSlackOutbox, type SlackOutbox } from "../../lib/slack_outbox.ts";
import { SpoolFullError } from "../../lib/spool.ts";
import { type Connection, serve } from "../../lib/tcp.ts";

/** What the command line says. */
export interface Options {
  host: string;
  port: number;
  api: string;
  channel: string;
  spool: string;
  pace: number;
  maxWaiting: number;
}

const LONGEST_LINE = 256 * 1024;

/** Thanks for each message once it is safe, and not before. */
async function converse(connection: Connection, outbox: SlackOutbox): Promise<void> {
  const reader = new SocketReader(connection, { limit: LONGEST_LINE });
  const answer = (text: string) => connection.write(new TextEncoder().encode(`${text}\n`));
  // who says nothing at all is told goodbye by `serve`
  const next = () => nextMessage(reader, { patience: Infinity });
  for (let message; (message = await next()) !== null;) {
    console.log(`received message: ${quoted(message)}`);
    if (message.trim() === "") {
      await answer("There is no text in this line");
      continue;
    }
    try {
      await outbox.accept(message);
      await answer("Thank you for reaching us");
    } catch (error) {
      if (!(error instanceof SpoolFullError)) throw error;
      await answer(`Try again later: ${error.message}`);
    }
  }
}

export async function main({ host, port, maxWaiting, ...slack }: Options): Promise<void> {
  await using outbox = await openSlackOutbox({ ...slack, maxMessages: maxWaiting });
  await using server = await serve(
    { hostname: host, port },
    (connection) => converse(connection, outbox),
  );
  using _stopping = onInterrupt(async () => {
    await server.shutdown();
    await outbox.shutdown();
  }, { grace: 5_000 });
  console.log(`listening on ${formatEndpoint(server.addr)}`);
  // it fails when the token is revoked, say: what waits is kept
  await outbox.finished;
}

if (import.meta.main) await run(main);
