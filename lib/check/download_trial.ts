/**
 * What a check of an MQTT subscriber that downloads works with: a broker, a web server with something to fetch,
 * and the folder into which the student's program puts what it has fetched.
 *
 * @module
 */

import { Aedes } from "aedes";
import { Buffer } from "node:buffer";
import { formatEndpoint, type NetEndpoint } from "../address.ts";
import { within } from "../deadline.ts";
import { attempt } from "../errors.ts";
import { openTcpDoor } from "../mqtt_listener.ts";
import { pause } from "../pause.ts";
import { Gone } from "./check.ts";
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
      opened.stage?.answer(new URL(request.url).pathname) ?? new Response("", { status: 503 });
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

/** One try of the student's program. */
export class DownloadTrial implements Disposable {
  readonly stage: DownloadStage;
  readonly timeout: number;
  /** How long is waited for the program to be started, in milliseconds. */
  readonly patience: number;
  readonly #folder: string;
  #over = false;

  constructor(
    stage: DownloadStage,
    { folder, timeout, patience }: { folder: string; timeout: number; patience: number },
  ) {
    this.stage = stage;
    this.#folder = folder;
    this.timeout = timeout;
    this.patience = patience;
  }

  /**
   * Publishes a URL, or what is none.
   *
   * @throws {Gone} when nobody is connected to the broker any more
   */
  async publish(payload: string | Uint8Array): Promise<void> {
    if (!await this.until(() => this.stage.clients > 0)) {
      throw new Gone({
        expected: "a subscriber at the broker",
        got: "none",
        likely: "your program has ended, or has lost its connection",
      });
    }
    await this.stage.publish(payload);
  }

  /** Looks again and again until something holds; false when it does not in time. */
  async until(holds: () => boolean | Promise<boolean>, timeout = this.timeout): Promise<boolean> {
    for (const due = performance.now() + timeout;;) {
      if (await holds()) return true;
      if (this.#over || performance.now() > due) return false;
      await pause(25);
    }
  }

  /** Whether a file of the folder has exactly these bytes. */
  async has(bytes: Uint8Array): Promise<boolean> {
    for (const name of await this.names()) {
      const path = `${this.#folder}/${name}`;
      try {
        const { isFile, size } = await Deno.stat(path);
        if (!isFile || size !== bytes.length) continue;
        const found = await Deno.readFile(path);
        if (found.every((byte, at) => byte === bytes[at])) return true;
      } catch (error) {
        // it was there for a moment only, as a part
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
    return false;
  }

  /** The beginning of a file that has come since, for a report. */
  async anyNew(before: string[]): Promise<Uint8Array | undefined> {
    const name = (await this.names()).find((each) => !before.includes(each));
    if (name === undefined) return undefined;
    using file = await Deno.open(`${this.#folder}/${name}`);
    const buffer = new Uint8Array(4_096);
    return buffer.subarray(0, await file.read(buffer) ?? 0);
  }

  /** The names in the folder. */
  async names(): Promise<string[]> {
    return await attempt(`look into ${this.#folder}`, async () => {
      const names: string[] = [];
      try {
        for await (const { name } of Deno.readDir(this.#folder)) {
          if (names.push(name) === MOST_FILES) break;
        }
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
      return names;
    });
  }

  [Symbol.dispose](): void {
    this.#over = true;
  }
}
