/**
 * Publishing and subscribing on a connection to an MQTT broker, with what goes wrong in words.
 *
 * @module
 */

import "./ignore_env.ts";
import type { Buffer } from "node:buffer";
import { ErrorWithSubackPacket, type MqttClient } from "mqtt";
import { visible } from "./display.ts";
import { attempt } from "./errors.ts";
import { refusal } from "./mqtt_errors.ts";
import { UsageError } from "./usage.ts";

/**
 * Publishes; settles when the broker has confirmed it, as its quality of service says. What is under way
 * when the connection is lost is sent again.
 *
 * @throws {Error} when the broker refuses it, as MQTT 5 can
 */
export async function publish(
  client: MqttClient,
  topic: string,
  payload: string | Buffer,
  options: { qos: 0 | 1 | 2; retain?: boolean },
): Promise<void> {
  for (;;) {
    try {
      await client.publishAsync(topic, payload, options);
      return;
    } catch (error) {
      const { code, message } = error as { code?: number; message?: string };
      // the library drops what waits its turn when the connection is lost a second time
      if (message === "Connection closed" && !client.disconnecting) continue;
      throw typeof code === "number" ? refusal(code) : error;
    }
  }
}

/** How many messages may wait to be confirmed before the next one is taken. */
const MOST_WAITING = 100;

/**
 * Publishes one message after another without waiting for each to be confirmed, 100 at most: then the next
 * is not taken from `texts` before one is. Gives their number.
 *
 * @throws {Error} when the broker refuses one
 */
export async function publishAll(
  client: MqttClient,
  texts: AsyncIterable<string>,
  { topic, qos, retain }: { topic: string; qos: 0 | 1 | 2; retain: boolean },
): Promise<number> {
  let waiting = 0, count = 0;
  let failure: unknown;
  let wake = () => {};
  const oneLess = () => new Promise<void>((resolve) => wake = resolve);
  for await (const text of texts) {
    while (waiting >= MOST_WAITING) await oneLess();
    if (failure) break;
    waiting++;
    count++;
    publish(client, topic, text, { qos, retain })
      .catch((error) => failure ??= error)
      .finally(() => {
        waiting--;
        wake();
      });
  }
  while (waiting > 0) await oneLess();
  if (failure) throw failure;
  return count;
}

/**
 * Subscribes to filters.
 *
 * @throws {ActionError} that tells which of them the broker refuses, and why
 */
export async function subscribe(
  client: MqttClient,
  filters: string[],
  qos: 0 | 1 | 2,
): Promise<void> {
  const subscribing = client.subscribeAsync(filters, { qos }).catch((error) => {
    if (!(error instanceof ErrorWithSubackPacket)) throw error;
    const codes = error.packet.granted.map(Number);
    const at = codes.findIndex((code) => code >= 0x80);
    const { message } = refusal(codes[at] ?? 0x80);
    throw new Error(filters.length > 1 ? `${visible(filters[at] ?? "")}: ${message}` : message);
  });
  await attempt(`subscribe to ${filters.map(visible).join(", ")}`, subscribing);
}

/** Reads a quality of service. */
export function qosOf(level: string): 0 | 1 | 2 {
  if (level === "0" || level === "1" || level === "2") {
    return level === "0" ? 0 : level === "1" ? 1 : 2;
  }
  throw new UsageError(`--qos is 0, 1 or 2, not "${level}"`);
}
