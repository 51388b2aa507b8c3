/**
 * What an MQTT subscriber that downloads finds when it is checked: a broker, and a web server with something to
 * fetch.
 *
 * @module
 */

import "../ignore_env.ts";
import { Aedes } from "aedes";
import { Buffer } from "node:buffer";
import { formatEndpoint, type NetEndpoint } from "../address.ts";
import { within } from "../deadline.ts";
import { attempt } from "../errors.ts";
import { openTcpDoor } from "../mqtt_listener.ts";
import type { Server } from "../tcp.ts";

const MOST_FILES = 1_000;

/** The broker and the web server. */
export class DownloadStage implements AsyncDisposable {
  /** What the clients have subscribed to. */
  readonly topics = new Set<string>();
  /** Paths that were asked for. */
  readonly asked = new Set<string>();
  /** What is to be had, by path. */
  readonly files = new Map<string, Uint8Array<ArrayBuffer>>();
  /** Makes names and texts of this run other than those of the last. */
  readonly run: string = crypto.randomUUID().slice(0, 8);
  readonly #broker: Aedes;
  readonly #door: Server;
  readonly #web: Deno.HttpServer<Deno.NetAddr>;
  readonly #stop: AbortController;

  private constructor(
    broker: Aedes,
    door: Server,
    web: Deno.HttpServer<Deno.NetAddr>,
    stop: AbortController,
  ) {
    this.#broker = broker;
    this.#door = door;
    this.#web = web;
    this.#stop = stop;
  }

  /**
   * Opens both.
   *
   * @throws {ActionError} when one cannot listen
   */
  static async open(mqtt: NetEndpoint, web: NetEndpoint): Promise<DownloadStage> {
    const stop = new AbortController();
    const { signal } = stop;
    const opened: { stage?: DownloadStage } = {};
    const answer = (request: Request): Response =>
      opened.stage?.answer(URL.parse(request.url)?.pathname ?? "") ??
        new Response("", { status: 503 });
    const server = await attempt(
      `listen on ${formatEndpoint(web)}, as a web server`,
      () => Deno.serve({ ...web, signal, onListen() {} }, answer),
    );
    const broker = await Aedes.createBroker({ maxClientsIdLength: 256 });
    const enter = (stream: Parameters<Aedes["handle"]>[0]) => void broker.handle(stream);
    const door = await openTcpDoor({ ...mqtt, clients: 50 }, enter).catch((error) => {
      stop.abort();
      broker.close();
      throw error;
    });
    const stage = opened.stage = new DownloadStage(broker, door, server, stop);
    broker.on("subscribe", (subscriptions) => {
      for (const { topic } of subscriptions) stage.topics.add(topic);
    });
    return stage;
  }

  /** Where the broker listens. */
  get broker(): Deno.NetAddr {
    return this.#door.addr as Deno.NetAddr;
  }

  /** How many clients are connected. */
  get clients(): number {
    return this.#door.connections;
  }

  /** The URL of a path. */
  url(path: string): string {
    return `http://${formatEndpoint(this.#web.addr)}${path}`;
  }

  /** Publishes on the topic download. */
  async publish(payload: string | Uint8Array): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#broker.publish({
      cmd: "publish",
      topic: "download",
      payload: Buffer.from(payload),
      qos: 1,
      dup: false,
      retain: false,
    }, () => resolve());
    await within(2_000, promise).catch(() => {});
  }

  /** Answers a request for a path. */
  answer(path: string): Response {
    if (this.asked.size < MOST_FILES) this.asked.add(path);
    const bytes = this.files.get(path);
    if (!bytes) return new Response(`not here, ${this.run}\n`, { status: 404 });
    const type = path.endsWith(".png") ? "image/png" : "text/plain";
    return new Response(bytes, { headers: { "content-type": type } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#broker.close();
    await within(3_000, Promise.all([this.#door.shutdown(), this.#web.finished])).catch(() => {});
  }
}
