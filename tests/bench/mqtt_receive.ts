/**
 * Receives messages as scripts/mqtt/subscriber.ts does, and measures itself. A retained message on the topic
 * go tells that it listens.
 *
 *     deno run --ignore-env --allow-net=127.0.0.1 mqtt_receive.ts PORT COUNT
 *
 * @module
 */

import { connectBroker } from "../../lib/mqtt_client.ts";
import { subscribe } from "../../lib/mqtt_messages.ts";

const [port, count] = Deno.args.map(Number);

const { promise: all, resolve } = Promise.withResolvers<void>();
let received = 0, start = 0, bytes = 0;
const client = await connectBroker({
  host: "127.0.0.1",
  port: port!,
  onMessage(_topic, payload) {
    if (received++ === 0) start = performance.now();
    bytes += new TextDecoder().decode(payload).length;
    if (received === count) resolve();
    return true;
  },
});
await subscribe(client, ["bench"], 0);
await client.publishAsync("go", "go", { qos: 1, retain: true });
await all;
console.log(JSON.stringify({ rate: received / (performance.now() - start) * 1_000, bytes }));
await client.endAsync();
