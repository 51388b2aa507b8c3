/**
 * What a check of an MQTT subscriber that downloads works with: the broker and the web server, and the folder into
 * which the student's program puts what it has fetched.
 *
 * @module
 */

import { attempt } from "../errors.ts";
import { pause } from "../pause.ts";
import { Gone } from "./check.ts";
import { type DownloadStage } from "./download_stage.ts";

const MOST_FILES = 1_000;

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
