#!/usr/bin/env -S deno run --ignore-env --allow-net=127.0.0.1:1883
/**
 * An MQTT broker
 *
 * The one that all clients connect to: it takes each message and hands it to those who subscribed to its
 * topic. Publishers and subscribers never meet. This one is npm:aedes inside a script of ours, for a class
 * or a test; it keeps everything in memory. It prints who connects, subscribes and publishes.
 *
 * With --user it asks clients for that name, and a password that comes from the variable MQTT_PASSWORD or a
 * prompt. With --websocket it serves browsers too.
 *
 * @lecture 000 Connect to a MQTT Broker (Setup by instructor)
 * @run     deno run --ignore-env --allow-net=127.0.0.1:1883 scripts/mqtt/broker.ts
 * @client  deno run --ignore-env --allow-net=127.0.0.1:1883 scripts/mqtt/publisher.ts
 * @expect  listening on 127.0.0.1:1883
 * @log     * connected
 * @log     * published 16 bytes to bot (QoS 0)
 * @option  --host HOST          the address to listen on (default: 127.0.0.1)
 * @option  --port PORT          the port to listen on, 0 for a free one (default: 1883)
 * @option  --websocket PORT     listen for WebSocket clients on this port as well
 * @option  --user NAME          let in only this user
 * @option  --max-clients COUNT  how many clients at once (default: 5000)
 * @option  --max-message BYTES  the largest message (default: 262144)
 * @see     https://github.com/moscajs/aedes
 * @module
 */

import "../../lib/ignore_env.ts";
import { Aedes, type Client } from "aedes";
import type { Duplex } from "node:stream";
import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { visible } from "../../lib/display.ts";
import { asksFor } from "../../lib/mqtt_login.ts";
import { openTcpDoor, openWebSocketDoor } from "../../lib/mqtt_listener.ts";
import { onInterrupt } from "../../lib/shutdown.ts";

/** What the command line says. */
export interface Options {
  host: string;
  port: number;
  websocket?: number;
  user?: string;
  maxClients: number;
  maxMessage: number;
}

/** Prints what happens in a broker. */
function tell(broker: Aedes): void {
  const name = (client: Client | null) => visible(client?.id ?? "the broker");
  broker.on("client", (client) => console.error(`${name(client)} connected`));
  broker.on("clientDisconnect", (client) => console.error(`${name(client)} disconnected`));
  broker.on(
    "clientError",
    (client, error) => console.error(`${name(client)}: ${visible(error.message)}`),
  );
  broker.on(
    "connectionError",
    (_, error) => console.error(`refused a client: ${visible(error.message)}`),
  );
  broker.on("subscribe", (subscriptions, client) => {
    for (const { topic, qos } of subscriptions) {
      console.error(`${name(client)} subscribed to ${visible(topic)} (QoS ${qos})`);
    }
  });
  broker.on("publish", ({ topic, payload, qos }, client) => {
    if (!client) return; // the broker's own reports, below $SYS
    console.error(
      `${name(client)} published ${payload.length} bytes to ${visible(topic)} (QoS ${qos})`,
    );
  });
}

export async function main(options: Options): Promise<void> {
  const { host, port, websocket, user, maxClients, maxMessage } = options;
  const broker = await Aedes.createBroker({
    // a subscriber that takes nothing for so long is dropped
    drainTimeout: 10_000,
    connectTimeout: 10_000,
    maxClientsIdLength: 256,
    authorizePublish(_client, { topic, payload }, done) {
      const { length } = payload;
      if (length > maxMessage) done(new Error(`a message of ${length} bytes, over ${maxMessage}`));
      else if (topic.startsWith("$")) done(new Error(`${topic}: $ is for the broker's own topics`));
      else done(null);
    },
    // it cannot divide messages among a group: to say so is better than to send nothing
    authorizeSubscribe(_client, subscription, done) {
      done(null, subscription.topic.startsWith("$share/") ? null : subscription);
    },
    ...(user === undefined ? {} : { authenticate: await asksFor(user) }),
  });
  tell(broker);

  // a packet holds the message, its topic, and little else
  const door = { hostname: host, clients: maxClients, packet: maxMessage + 70_000 };
  const enter = (stream: Duplex) => void broker.handle(stream);
  const tcp = await openTcpDoor({ ...door, port }, enter);
  const web = websocket === undefined
    ? undefined
    : await openWebSocketDoor({ ...door, port: websocket }, enter);
  using _stopping = onInterrupt(() => {
    broker.close();
    tcp.shutdown();
    web?.shutdown();
  });
  if (web) console.log(`WebSocket on ws://${formatEndpoint(web.addr)}`);
  console.log(`listening on ${formatEndpoint(tcp.addr)}`);
  await tcp.finished;
  await web?.finished;
}

if (import.meta.main) await run(main);
