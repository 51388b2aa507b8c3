/**
 * A connection to an MQTT broker that says what happens to it: why it cannot be made, when it is lost, and
 * when it is back.
 *
 * @module
 */

import "./ignore_env.ts";
import { Buffer } from "node:buffer";
import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from "mqtt";
import { formatEndpoint } from "./address.ts";
import { readAuthority } from "./authority_file.ts";
import { ActionError } from "./errors.ts";
import { NoAnswer, whyNotConnected } from "./mqtt_errors.ts";
import { password } from "./secrets.ts";
import { UsageError } from "./usage.ts";

export type { IPublishPacket, MqttClient };

/** Where the broker is, and who connects. */
export interface BrokerOptions {
  host: string;
  port: number;
  /** The client's name; the broker keeps a session under it. One is made up unless told. */
  clientId?: string;
  /** Whether the broker keeps subscriptions and messages while the client is away; needs a `clientId`. */
  keepSession?: boolean;
  /** `3` is MQTT 3.1.1, `5` is MQTT 5. */
  version?: string;
  /** The password then comes from `MQTT_PASSWORD`, or is asked for on the terminal. */
  user?: string;
  /** A file with the certificates to trust; makes the connection TLS. */
  ca?: string;
  /** What the broker publishes when this client is lost. */
  will?: { topic: string; payload: string; qos: 0 | 1 | 2; retain: boolean };
  /**
   * Called for each message; from the very first on, which a kept session sends at once. When it gives
   * `false`, the broker gets no confirmation, and keeps a message of quality of service 1 for another time.
   */
  onMessage?: (topic: string, payload: Buffer, packet: IPublishPacket) => boolean;
  /**
   * As `onMessage`, but one at a time: the message is confirmed to the broker, and the next one taken, when
   * this has settled. Publish on another connection here: this one's confirmations wait behind the message.
   */
  onMessageAwaited?: (topic: string, payload: Buffer) => Promise<void>;
  /** How long a lost connection is tried again, in milliseconds; for ever unless told. */
  patience?: number;
  /** Told when the patience is at an end. */
  onGivenUp?: (error: Error) => void;
}

const FIRST_PAUSE = 500, LONGEST_PAUSE = 10_000;

/**
 * Connects to a broker. A connection that is lost later is made again, at first after half a second, then
 * after twice as long each time, up to ten seconds; what is published meanwhile is sent then.
 *
 * @throws {ActionError} when the first attempt fails: refused, unknown host, bad user name or password
 * @throws {UsageError} when the options do not go together
 */
export async function connectBroker(options: BrokerOptions): Promise<MqttClient> {
  const { host, port, version = "3", keepSession = false, clientId, patience = Infinity } = options;
  const broker = formatEndpoint({ hostname: host, port });
  if (!["3", "5"].includes(version)) {
    throw new UsageError(`--mqtt is 3 or 5, not "${version}"`);
  }
  if (keepSession && !clientId) {
    throw new UsageError("--keep-session needs --client-id: the session is kept under that name");
  }
  await requireNet(host, port);
  const settings: IClientOptions = {
    protocol: options.ca ? "mqtts" : "mqtt",
    host,
    port,
    protocolVersion: version === "5" ? 5 : 4,
    clientId: clientId ?? `lesson-${crypto.randomUUID().slice(0, 8)}`,
    clean: !keepSession,
    properties: version === "5" && keepSession ? { sessionExpiryInterval: 86_400 } : undefined,
    username: options.user,
    password: options.user === undefined
      ? undefined
      : await password("MQTT_PASSWORD", `Password of ${options.user} at ${broker}:`),
    ca: options.ca
      ? await readAuthority(options.ca, `read the certificates ${options.ca}`)
      : undefined,
    will: options.will,
    connectTimeout: 10_000,
    // the first failure is told, not tried again
    reconnectPeriod: 0,
    // later ones are: a broker that has just started may refuse until it is ready
    reconnectOnConnackError: true,
  };
  const client = mqtt.connect(settings);
  // the first is thrown from here; while the connection is tried again, each is one more "not yet"
  client.on("error", () => {});
  receive(client, options);
  try {
    await firstConnection(client);
  } catch (error) {
    client.end(true);
    const reason = whyNotConnected(error, options);
    throw new ActionError(`connect to the MQTT broker ${broker}`, reason);
  }
  keepTrying(client, broker, patience, options.onGivenUp);
  return client;
}

/** The library confirms a message when `handleMessage` calls `done` without an error; then comes the next. */
function receive(client: MqttClient, { onMessage, onMessageAwaited }: BrokerOptions): void {
  client.handleMessage = (packet, done) => {
    const { topic, payload } = packet;
    const bytes = typeof payload === "string" ? Buffer.from(payload) : payload;
    if (onMessage && !onMessage(topic, bytes, packet)) return done(new Error("not wanted"));
    if (!onMessageAwaited) return done();
    onMessageAwaited(topic, bytes).then(() => done(), (error) => done(error));
  };
}

function firstConnection(client: MqttClient): Promise<void> {
  return new Promise((resolve, reject) => {
    client.once("connect", () => resolve());
    client.once("error", reject);
    client.once("close", () => reject(new NoAnswer("it closed the connection")));
  });
}

function keepTrying(
  client: MqttClient,
  broker: string,
  patience: number,
  onGivenUp?: (error: Error) => void,
): void {
  client.options.reconnectPeriod = FIRST_PAUSE;
  let lostAt = 0;
  client.on("close", () => {
    if (client.disconnecting || lostAt) return;
    lostAt = performance.now();
    console.error(`lost the connection to ${broker}, trying again`);
  });
  client.on("reconnect", () => {
    const next = (client.options.reconnectPeriod ?? FIRST_PAUSE) * 2;
    client.options.reconnectPeriod = Math.min(LONGEST_PAUSE, next);
    if (performance.now() - lostAt > patience) {
      client.end(true);
      onGivenUp?.(new Error(`${broker} did not come back within ${patience / 1000} s`));
    }
  });
  client.on("connect", () => {
    lostAt = 0;
    client.options.reconnectPeriod = FIRST_PAUSE;
    console.error(`connected to ${broker} again`);
  });
}

/** The library swallows the error of a missing permission: so it is asked for beforehand, on a terminal of the user. */
export async function requireNet(host: string, port: number): Promise<void> {
  const name = formatEndpoint({ hostname: host, port });
  const { state } = await Deno.permissions.request({ name: "net", host: name });
  if (state === "granted") return;
  const refused = new Deno.errors.NotCapable(`Requires net access to "${name}"`);
  throw new ActionError(`connect to ${name}`, refused);
}
