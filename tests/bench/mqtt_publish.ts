/**
 * Publishes messages of 64 bytes as scripts/mqtt/publisher.ts does, and measures itself.
 *
 *     deno run --ignore-env --allow-net=127.0.0.1 mqtt_publish.ts PORT QOS COUNT
 *
 * @module
 */

import { connectBroker } from "../../lib/mqtt_client.ts";
import { publishAll, qosOf } from "../../lib/mqtt_messages.ts";

const [port, level, count] = Deno.args;

async function* messages(left: number): AsyncGenerator<string> {
  for (; left > 0; left--) yield "x".repeat(64);
}

const client = await connectBroker({ host: "127.0.0.1", port: Number(port) });
const start = performance.now();
const options = { topic: "bench", qos: qosOf(level!), retain: false };
const sent = await publishAll(client, messages(Number(count)), options);
// the broker has what was sent without confirmation when it has this
await client.publishAsync("end", "", { qos: 1 });
console.log(JSON.stringify({ rate: sent / (performance.now() - start) * 1_000 }));
await client.endAsync();
