#!/usr/bin/env -S deno run --ignore-env --allow-net=127.0.0.1:1883
/**
 * To do: an MQTT subscriber that downloads
 *
 * The task: listen to the topic download. Each message is a URL; fetch it into a file of the folder downloads, a
 * text or a picture, byte for byte, under a name from the URL. What cannot be fetched is told, and does not end
 * the program; the page of an error is no file; and no name leads out of the folder.
 *
 * This subscribes, and fetches nothing yet. Change it in a copy, such as my_download.ts, which needs
 * 127.0.0.1:8000 in --allow-net and --allow-write=downloads too. Try it while you work: the check is the broker
 * and the web server, and is started first, in another terminal:
 *
 *     deno run --ignore-env --allow-net=127.0.0.1:1883,127.0.0.1:8000 --allow-read=downloads scripts/exercises/check_mqtt_download.ts
 *
 * The check takes programs in other languages as well. One answer is scripts/mqtt/download_subscriber.ts.
 *
 * @lecture 000 Download a file from a URL, MQTT Subscriber
 * @python  requests.get → fetch, paho.mqtt.client.Client → mqtt.connect, on_message → client.on("message")
 * @partner scripts/mqtt/broker.ts
 * @run     deno run --ignore-env --allow-net=127.0.0.1:1883 scripts/exercises/mqtt_download_starter.ts
 * @client  deno run --ignore-env --allow-net=127.0.0.1:1883 scripts/mqtt/publisher.ts --topic download --qos 1 http://127.0.0.1:8000/notes.txt
 * @log     listening on download at 127.0.0.1:1883
 * @expect  still to do: fetch "http://127.0.0.1:8000/notes.txt"
 * @option  --host HOST  where the broker is (default: 127.0.0.1)
 * @option  --port PORT  the broker's port (default: 1883)
 * @see     https://developer.mozilla.org/docs/Web/API/Fetch_API/Using_Fetch
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { quoted } from "../../lib/display.ts";
import { connectBroker } from "../../lib/mqtt_client.ts";
import { subscribe } from "../../lib/mqtt_messages.ts";
import { onInterrupt } from "../../lib/shutdown.ts";

/** Fetches a URL into a file of the folder downloads. */
export function download(url: string): Promise<void> {
  // yours: fetch(url) gives a response; its status, and its bytes. Deno.writeFile writes them
  console.log(`still to do: fetch ${quoted(url, { limit: 200 })}`);
  return Promise.resolve();
}

export async function main({ host, port }: { host: string; port: number }): Promise<void> {
  const client = await connectBroker({
    host,
    port,
    onMessageAwaited: (_topic, payload) => download(new TextDecoder().decode(payload)),
  });
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
  using _stopping = onInterrupt(stop);
  await subscribe(client, ["download"], 1);
  console.error(`listening on download at ${formatEndpoint({ hostname: host, port })}`);
  await stopped;
  await client.endAsync();
}

if (import.meta.main) await run(main);
