#!/usr/bin/env -S deno run --ignore-env --allow-net=127.0.0.1:1883
/**
 * MQTT publisher
 *
 * Sends messages to a topic. Who gets them, and whether anybody does, the publisher does not know: it talks
 * to the broker only. The quality of service says what the broker confirms: 0 nothing, 1 that it has the
 * message (which may then arrive twice), 2 that it has it exactly once.
 *
 * With - in place of messages, each line of standard input is one. At most a hundred wait to be confirmed;
 * then the next line is not read before one is.
 *
 * @lecture 000 MQTT Publisher
 * @python  paho.mqtt.client.Client → mqtt.connect, connect → mqtt.connect,
 *          publish → client.publish, disconnect → client.end
 * @partner scripts/mqtt/broker.ts
 * @partner scripts/mqtt/subscriber.ts
 * @run     deno run --ignore-env --allow-net=127.0.0.1:1883 scripts/mqtt/publisher.ts
 * @expect  published 1 message to bot
 * @run     deno run --ignore-env --allow-net=127.0.0.1:1883 scripts/mqtt/publisher.ts --qos 1 "Hello world!" "Good bye"
 * @expect  published 2 messages to bot
 * @run     deno run --ignore-env --allow-net=127.0.0.1:1883 scripts/mqtt/publisher.ts --topic bot --qos 2 -
 * @stdin   from standard input
 * @stdin   a line each
 * @expect  published 2 messages to bot
 * @argument [MESSAGE...]     the messages, or - for a line each from standard input; one unless told
 * @option  --topic TOPIC     where to (default: bot)
 * @option  --qos LEVEL       quality of service: 0, 1 or 2 (default: 0)
 * @option  --retain          the broker keeps the last message for those who subscribe later
 * @option  --host HOST       where the broker is (default: 127.0.0.1)
 * @option  --port PORT       the broker's port (default: 1883)
 * @option  --client-id NAME  this client's name
 * @option  --keep-session    the broker keeps this client's session while it is away
 * @option  --mqtt VERSION    3 for MQTT 3.1.1, 5 for MQTT 5 (default: 3)
 * @option  --user NAME       the password comes from MQTT_PASSWORD, or is asked for
 * @option  --ca FILE         connect by TLS, trusting the certificates in this file
 * @option  --will MESSAGE    what the broker publishes to the topic should this client be lost
 * @see     https://github.com/mqttjs/MQTT.js
 * @module
 */

import { run } from "../../lib/cli.ts";
import { attempt } from "../../lib/errors.ts";
import { type BrokerOptions, connectBroker } from "../../lib/mqtt_client.ts";
import { publishAll, qosOf } from "../../lib/mqtt_messages.ts";
import { SocketReader } from "../../lib/reader.ts";
import { checkTopic } from "../../lib/topics.ts";

/** What the command line says. */
export interface Options extends Omit<BrokerOptions, "version" | "will"> {
  message: string[];
  topic: string;
  qos: string;
  retain: boolean;
  mqtt: string;
  will?: string;
}

/** The messages: the arguments, or the lines of standard input. */
async function* messages(given: string[]): AsyncGenerator<string> {
  if (given.length === 0) yield "WELCOME TO CLASS";
  else if (given.length > 1 || given[0] !== "-") yield* given;
  else {
    const lines = new SocketReader(Deno.stdin, { timeout: Infinity });
    for await (const line of lines) yield line;
  }
}

export async function main(options: Options): Promise<void> {
  const { topic, retain, will } = options;
  // a bad topic is refused here: a broker would only close the connection
  checkTopic(topic);
  const qos = qosOf(options.qos);
  const { promise: lost, reject: giveUp } = Promise.withResolvers<never>();
  const client = await connectBroker({
    ...options,
    version: options.mqtt,
    will: will === undefined ? undefined : { topic, payload: will, qos, retain },
    patience: 60_000,
    onGivenUp: giveUp,
  });
  try {
    const publishing = publishAll(client, messages(options.message), { topic, qos, retain });
    const done = Promise.race([publishing, lost]);
    const count = await attempt(`publish to ${topic}`, done, { timeout: Infinity });
    console.log(`published ${count} message${count === 1 ? "" : "s"} to ${topic}`);
  } finally {
    await client.endAsync();
  }
}

if (import.meta.main) await run(main);
