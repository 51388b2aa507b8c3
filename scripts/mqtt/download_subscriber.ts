#!/usr/bin/env -S deno run --ignore-env --allow-net=127.0.0.1:1883,127.0.0.1:8000 --allow-write=downloads
/**
 * Downloads what is published
 *
 * Listens to the topic download for URLs and fetches each into a file of a folder: a text or an image, as
 * the server says by its content type. What cannot be fetched is told on download/errors.
 *
 * Anybody who reaches the broker chooses the URLs, so nothing of them is trusted: only http and https, a
 * limit on size and time, a safe file name, no file written over, and no address in one's own network
 * unless --allow-private permits it.
 *
 * @lecture 000 Download a file from a URL, MQTT Subscriber
 * @python  requests.get → fetch, paho.mqtt.client.Client → mqtt.connect,
 *          on_message → client.on("message")
 * @partner scripts/mqtt/broker.ts
 * @partner scripts/http/sample_server.ts
 * @run     deno run --ignore-env --allow-net=127.0.0.1:1883,127.0.0.1:8000 --allow-write=downloads scripts/mqtt/download_subscriber.ts --allow-private
 * @client  deno run --ignore-env --allow-net=127.0.0.1:1883 scripts/mqtt/publisher.ts --topic download --qos 1 http://127.0.0.1:8000/notes.txt http://127.0.0.1:8000/dot.png ftp://127.0.0.1/no
 * @log     listening on download at 127.0.0.1:1883
 * @expect  *saved downloads/notes.txt (18 bytes)*
 * @log     *ftp: is neither http: nor https:
 * @option  --topic TOPIC     where URLs come from; errors go to TOPIC/errors (default: download)
 * @option  --folder FOLDER   where files are put (default: downloads)
 * @option  --limit BYTES     the largest file (default: 10485760)
 * @option  --at-once COUNT   how many downloads at a time (default: 4)
 * @option  --allow-private   fetch from private and local addresses too
 * @option  --host HOST       where the broker is (default: 127.0.0.1)
 * @option  --port PORT       the broker's port (default: 1883)
 * @see     https://owasp.org/www-community/attacks/Server_Side_Request_Forgery
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { quoted, visible } from "../../lib/display.ts";
import { attempt, explain } from "../../lib/errors.ts";
import { connectBroker } from "../../lib/mqtt_client.ts";
import { publish, subscribe } from "../../lib/mqtt_messages.ts";
import { saveUrl } from "../../lib/save_url.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { checkTopic } from "../../lib/topics.ts";

/** What the command line says. */
export interface Options {
  topic: string;
  folder: string;
  limit: number;
  atOnce: number;
  allowPrivate: boolean;
  host: string;
  port: number;
}

export async function main(options: Options): Promise<void> {
  const { topic, folder, limit, atOnce, allowPrivate, host, port } = options;
  checkTopic(topic);
  await attempt(`make the folder ${folder}`, Deno.mkdir(folder, { recursive: true }));

  const downloads = new Set<Promise<void>>();
  const download = async (payload: Uint8Array) => {
    const url = new TextDecoder().decode(payload).trim();
    try {
      const { path, bytes } = await saveUrl(url, { folder, limit, allowPrivate });
      console.log(`saved ${visible(path)} (${bytes} bytes)`);
    } catch (error) {
      const { reason } = explain(error);
      console.error(`cannot download ${quoted(payload, { limit: 200 })}: ${reason}`);
      const report = JSON.stringify({ url: url.slice(0, 2_000), error: reason });
      await publish(reporter, `${topic}/errors`, report, { qos: 1 });
    }
  };
  // on a connection of its own: confirmations on the other wait behind messages that wait for room
  const reporter = await connectBroker({ host, port });
  const client = await connectBroker({
    host,
    port,
    // the next message is taken when there is room for one more download
    async onMessageAwaited(_topic, payload) {
      if (downloads.size >= Math.max(1, atOnce)) await Promise.race(downloads);
      const job: Promise<void> = download(payload)
        .catch((error) => console.error(explain(error).reason))
        .finally(() => downloads.delete(job));
      downloads.add(job);
    },
  });
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
  using _stopping = onInterrupt(stop);
  await subscribe(client, [topic], 1);
  console.error(`listening on ${topic} at ${formatEndpoint({ hostname: host, port })}`);
  await stopped;
  await Promise.all(downloads);
  await Promise.all([client.endAsync(), reporter.endAsync()]);
}

if (import.meta.main) await run(main);
