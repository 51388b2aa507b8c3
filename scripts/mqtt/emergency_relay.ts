#!/usr/bin/env -S deno run --ignore-env --allow-net=127.0.0.1:1883
/**
 * A relay for calls for help
 *
 * Listens to the topic 911 and publishes again on the topic help what calls for help: a message with one of
 * the phrases in it, as whole words, in upper or lower case. A relay is a subscriber and a publisher in one,
 * on two connections: a message is confirmed to the broker only when it has been passed on.
 *
 * Two relays in a circle would pass the same message on for ever. What this one has just published itself
 * is therefore not relayed when it comes back within two seconds.
 *
 * @lecture 000 MQTT Publisher, MQTT Subscriber
 * @python  paho.mqtt.client.Client → mqtt.connect, on_message → client.on("message"),
 *          publish → client.publish
 * @partner scripts/mqtt/broker.ts
 * @run     deno run --ignore-env --allow-net=127.0.0.1:1883 scripts/mqtt/emergency_relay.ts
 * @client  deno run --ignore-env --allow-net=127.0.0.1:1883 scripts/mqtt/publisher.ts --topic 911 --qos 1 "The weather is fine" "Please HELP me!"
 * @log     listening on 911 at 127.0.0.1:1883
 * @log     no call for help: "The weather is fine"
 * @expect  relayed to help: "Please HELP me!"
 * @option  --from TOPIC       where calls come from (default: 911)
 * @option  --to TOPIC         where they are published again (default: help)
 * @option  --phrase TEXT...   what makes a message a call for help, in place of the usual phrases
 * @option  --host HOST        where the broker is (default: 127.0.0.1)
 * @option  --port PORT        the broker's port (default: 1883)
 * @see     https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/os/mqtt-v3.1.1-os.html
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { quoted } from "../../lib/display.ts";
import { connectBroker } from "../../lib/mqtt_client.ts";
import { publish, subscribe } from "../../lib/mqtt_messages.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { checkTopic } from "../../lib/topics.ts";
import { UsageError } from "../../lib/usage.ts";

const PHRASES = ["help", "emergency", "sos", "fire", "police", "ambulance", "911"];
const LOOP_TIME = 2_000; // milliseconds in which the same message again is an echo of our own

/** Whether a text has one of the phrases in it, as whole words, in any case. */
export function callsForHelp(text: string, phrases: string[]): boolean {
  return phrases.some((phrase) => {
    const words = phrase.trim().split(/\s+/).map((word) => word.replace(/[^\p{L}\p{N}]/gu, "\\$&"));
    return new RegExp(`(?<![\\p{L}\\p{N}_])${words.join("\\s+")}(?![\\p{L}\\p{N}_])`, "iu").test(
      text,
    );
  });
}

/** Remembers for a while what was passed on, to know it when it comes back. */
class Echoes {
  readonly #times = new Map<string, number>();

  add(text: string): void {
    const now = performance.now();
    for (const [old, time] of this.#times) if (now - time > LOOP_TIME) this.#times.delete(old);
    this.#times.set(text, now);
  }

  has(text: string): boolean {
    return performance.now() - (this.#times.get(text) ?? -Infinity) <= LOOP_TIME;
  }
}

/** What the command line says. */
export interface Options {
  from: string;
  to: string;
  phrase: string[];
  host: string;
  port: number;
}

export async function main({ from, to, phrase, host, port }: Options): Promise<void> {
  checkTopic(from);
  checkTopic(to);
  if (from === to) throw new UsageError("--from and --to are the same topic: that is a circle");
  const phrases = phrase.length > 0 ? phrase : PHRASES;
  if (phrases.some((each) => each.trim() === "")) throw new UsageError("--phrase is empty");

  const echoes = new Echoes();
  const publisher = await connectBroker({ host, port });
  const subscriber = await connectBroker({
    host,
    port,
    async onMessageAwaited(_topic, payload) {
      const text = new TextDecoder().decode(payload);
      const shown = quoted(payload, { limit: 200 });
      if (!callsForHelp(text, phrases)) return console.error(`no call for help: ${shown}`);
      if (echoes.has(text)) return console.error(`came back, not relayed again: ${shown}`);
      echoes.add(text);
      await publish(publisher, to, payload, { qos: 1 });
      console.log(`relayed to ${to}: ${shown}`);
    },
  });
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
  using _stopping = onInterrupt(stop);
  await subscribe(subscriber, [from], 1);
  console.error(`listening on ${from} at ${formatEndpoint({ hostname: host, port })}`);
  await stopped;
  await Promise.all([subscriber.endAsync(), publisher.endAsync()]);
}

if (import.meta.main) await run(main);
