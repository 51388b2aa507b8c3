#!/usr/bin/env -S deno run --ignore-env --allow-net=127.0.0.1:1883
/**
 * MQTT subscriber
 *
 * Prints each message that is published to a topic, and answers "Hello world!" with "Yes!". It subscribes
 * to filters: + stands for one level of a topic, # for all that follow. When the connection is lost, it
 * connects again by itself; with --keep-session and quality of service 1 the broker keeps for it what comes
 * in the meantime.
 *
 * With --share, all subscribers of the same group divide the messages among them, each handled once: the
 * way to go on when one machine is not enough. Mosquitto can do it; our small broker cannot, and refuses.
 *
 * @lecture 000 MQTT Subscriber
 * @python  paho.mqtt.client.Client → mqtt.connect, on_connect → client.on("connect"),
 *          on_message → client.on("message"), subscribe → client.subscribe,
 *          loop_forever → the event loop
 * @partner scripts/mqtt/broker.ts
 * @run     deno run --ignore-env --allow-net=127.0.0.1:1883 scripts/mqtt/subscriber.ts
 * @log     connected to 127.0.0.1:1883
 * @log     listening on bot at 127.0.0.1:1883
 * @expect  WELCOME TO CLASS
 * @option  --topic FILTER...  what to listen to, may be given several times; bot unless told
 * @option  --qos LEVEL        quality of service: 0, 1 or 2 (default: 0)
 * @option  --share GROUP      divide the messages with the others of this group
 * @option  --count COUNT      end after so many messages
 * @option  --seconds SECONDS  end after so long
 * @option  --json             one JSON object per message
 * @option  --host HOST        where the broker is (default: 127.0.0.1)
 * @option  --port PORT        the broker's port (default: 1883)
 * @option  --client-id NAME   this client's name
 * @option  --keep-session     the broker keeps this client's session while it is away
 * @option  --mqtt VERSION     3 for MQTT 3.1.1, 5 for MQTT 5 (default: 3)
 * @option  --user NAME        the password comes from MQTT_PASSWORD, or is asked for
 * @option  --ca FILE          connect by TLS, trusting the certificates in this file
 * @see     https://github.com/mqttjs/MQTT.js
 * @module
 */

import { run } from "../../lib/cli.ts";
import { formatEndpoint } from "../../lib/address.ts";
import { after } from "../../lib/deadline.ts";
import { quoted, visible } from "../../lib/display.ts";
import { type BrokerOptions, connectBroker } from "../../lib/mqtt_client.ts";
import { jsonOf, textOf } from "../../lib/mqtt_payload.ts";
import { qosOf, subscribe } from "../../lib/mqtt_messages.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { checkFilter, sharedFilter } from "../../lib/topics.ts";

/** What the command line says. */
export interface Options extends Omit<BrokerOptions, "version"> {
  topic: string[];
  qos: string;
  share?: string;
  count?: number;
  seconds?: number;
  json: boolean;
  mqtt: string;
}

export async function main(options: Options): Promise<void> {
  const { host, port, share, count = Infinity, seconds = Infinity, json } = options;
  const topics = options.topic.length > 0 ? options.topic : ["bot"];
  topics.forEach(checkFilter);
  const filters = share === undefined ? topics : topics.map((topic) => sharedFilter(share, topic));
  const qos = qosOf(options.qos);

  const { promise: done, resolve: finish } = Promise.withResolvers<void>();
  let received = 0;
  const client = await connectBroker({
    ...options,
    version: options.mqtt,
    // set before the connection is made: a kept session hands out its messages at once
    onMessage(topic, payload, packet) {
      // after --count messages no more are acknowledged: the broker delivers those again
      if (++received > count) return false;
      const text = textOf(payload);
      if (json) console.log(jsonOf(topic, payload, packet));
      // bytes that are no UTF-8 are shown as escapes
      else console.log(text === undefined ? quoted(payload).slice(1, -1) : visible(text));
      if (text === "Hello world!" && !json) console.log("Yes!");
      if (received === count) finish();
      return true;
    },
  });
  // paho's on_connect gets a result code: any but 0 is an error here
  console.error(`connected to ${formatEndpoint({ hostname: host, port })}`);
  using _stopping = onInterrupt(finish);
  using _deadline = after(seconds * 1_000, finish);
  try {
    await subscribe(client, filters, qos);
    const broker = formatEndpoint({ hostname: host, port });
    console.error(`listening on ${topics.map(visible).join(", ")} at ${broker}`);
    await done;
  } finally {
    await client.endAsync();
  }
}

if (import.meta.main) await run(main);
