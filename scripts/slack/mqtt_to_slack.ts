#!/usr/bin/env -S deno run --ignore-env --allow-env=SLACK_TOKEN --allow-net=127.0.0.1:1883,127.0.0.1:5010 --allow-read=/tmp/mqtt_to_slack --allow-write=/tmp/mqtt_to_slack
/**
 * A subscriber that forwards messages to Slack
 *
 * Messages on the topic "bot" appear in the channel #bot. As in tcp_to_slack.ts, each is written to a file
 * first and sent from there, in order and once a second, for as long as it takes.
 *
 * A subscriber has nobody to thank, but the broker waits for its acknowledgement (QoS 1): it is given when
 * the message is safe. The broker keeps what is published while this script is away, since it comes back
 * under the same name; of that, only what publishers send with QoS 1 or 2. When too many messages wait, no
 * more are acknowledged: the broker keeps them.
 *
 * With --share, several of these divide the messages, each with a --client-id and a --spool of its own. The
 * broker must know how: Mosquitto does, our small one does not.
 *
 * @lecture 000 Extend subscriber to forward the message to Slack
 * @python  paho.mqtt.client.Client → mqtt.connect, on_message → client.on("message"),
 *          slackclient.SlackClient → fetch, api_call("chat.postMessage") → fetch
 * @partner scripts/slack/api_server.ts
 * @partner scripts/mqtt/broker.ts
 * @run     SLACK_TOKEN=xoxb-example deno run --ignore-env --allow-env=SLACK_TOKEN \
 *          --allow-net=127.0.0.1:1883,127.0.0.1:5010 --allow-read=/tmp/mqtt_to_slack \
 *          --allow-write=/tmp/mqtt_to_slack scripts/slack/mqtt_to_slack.ts
 * @client  deno run --ignore-env --allow-net=127.0.0.1:1883 scripts/mqtt/publisher.ts --qos 1
 * @expect  listening on bot at 127.0.0.1:1883
 * @expect  received message: "WELCOME TO CLASS"
 * @expect  sent to #bot: "WELCOME TO CLASS"
 * @online  deno run --ignore-env --allow-env=SLACK_TOKEN --allow-net=127.0.0.1:1883,slack.com:443 \
 *          --allow-read=/tmp/mqtt_to_slack --allow-write=/tmp/mqtt_to_slack scripts/slack/mqtt_to_slack.ts \
 *          --api https://slack.com/api
 * @option  --host HOST          where the broker is (default: 127.0.0.1)
 * @option  --port PORT          the broker's port (default: 1883)
 * @option  --topic TOPIC        what to forward, + and # for many (default: bot)
 * @option  --share GROUP        divide the messages with the others of this group
 * @option  --client-id NAME     under which the broker keeps messages (default: mqtt_to_slack)
 * @option  --api URL            Slack's API (default: http://127.0.0.1:5010/api)
 * @option  --channel CHANNEL    a channel's name or id, quoted as in "#general" (default: #bot)
 * @option  --spool FOLDER       where messages wait (default: /tmp/mqtt_to_slack)
 * @option  --pace MILLISECONDS  between two messages to Slack (default: 1000)
 * @option  --max-waiting COUNT  how many may wait before no more are taken (default: 10000)
 * @see     https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/os/mqtt-v3.1.1-os.html#_Toc398718102
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { quoted, visible } from "../../lib/display.ts";
import { connectBroker } from "../../lib/mqtt_client.ts";
import { subscribe } from "../../lib/mqtt_messages.ts";
import { pause } from "../../lib/pause.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { openSlackOutbox, type SlackOutbox } from "../../lib/slack_outbox.ts";
import { SpoolFullError } from "../../lib/spool.ts";
import { checkFilter, sharedFilter } from "../../lib/topics.ts";

/** What the command line says. */
export interface Options {
  host: string;
  port: number;
  topic: string;
  share?: string;
  clientId: string;
  api: string;
  channel: string;
  spool: string;
  pace: number;
  maxWaiting: number;
}

/** Makes a message safe; while too many wait already, it lets the broker wait. */
async function take(text: string, outbox: SlackOutbox, signal: AbortSignal): Promise<void> {
  console.log(`received message: ${quoted(text)}`);
  // Slack takes no message without text; in MQTT an empty payload deletes a retained message
  if (text.trim() === "") return;
  for (let told = false; !signal.aborted; told = true) {
    try {
      return await outbox.accept(text);
    } catch (error) {
      if (!(error instanceof SpoolFullError)) throw error;
      if (!told) console.error(`${error.message}: the broker keeps further ones`);
      await pause(500, signal);
    }
  }
  // without an acknowledgement, the broker sends it again
  throw signal.reason;
}

export async function main(options: Options): Promise<void> {
  const { host, port, topic, share, clientId, maxWaiting, ...slack } = options;
  checkFilter(topic);
  const filter = share === undefined ? topic : sharedFilter(share, topic);
  await using outbox = await openSlackOutbox({ ...slack, maxMessages: maxWaiting });
  const stopping = new AbortController();
  const { promise: lost, reject: fail } = Promise.withResolvers<never>();
  const client = await connectBroker({
    host,
    port,
    clientId,
    keepSession: true,
    // the acknowledgement goes out when this is done
    async onMessageAwaited(_topic, payload) {
      try {
        await take(new TextDecoder().decode(payload), outbox, stopping.signal);
      } catch (error) {
        if (!stopping.signal.aborted) fail(error);
        throw error;
      }
    },
  });
  using _stopping = onInterrupt(async () => {
    stopping.abort();
    await client.endAsync();
    await outbox.shutdown();
  }, { grace: 5_000 });
  try {
    await subscribe(client, [filter], 1);
    console.log(`listening on ${visible(topic)} at ${formatEndpoint({ hostname: host, port })}`);
    // it fails when the token is revoked or the disk is full: what waits is kept
    await Promise.race([outbox.finished, lost]);
  } finally {
    await client.endAsync(true);
  }
}

if (import.meta.main) await run(main);
