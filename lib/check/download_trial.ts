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

/** A file of the folder. */
export interface Found {
  /** Its beginning, or all of it. */
  bytes: Uint8Array;
  /** How many bytes it has. */
  size: number;
}

/**
 * Whether a file has exactly these bytes.
 *
 * @example
 * ```ts
 * import { isAll } from "./download_trial.ts";
 * import { assert } from "@std/assert";
 *
 * const bytes = new Uint8Array([1, 2]);
 * assert(isAll({ bytes, size: 2 }, bytes));
 * assert(!isAll({ bytes, size: 3 }, bytes)); // there is more of it
 * ```
 */
export function isAll(found: Found, bytes: Uint8Array): boolean {
  return found.size === bytes.length && found.bytes.length === bytes.length &&
    bytes.every((byte, at) => byte === found.bytes[at]);
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
      const found = await this.#look(name, bytes.length, (size) => size === bytes.length);
      if (found && isAll(found, bytes)) return true;
    }
    return false;
  }

  /** A file that has come since, with `most` bytes of it at most. */
  async anyNew(before: string[], most: number): Promise<Found | undefined> {
    for (const name of await this.names()) {
      const found = before.includes(name) ? undefined : await this.#look(name, most);
      if (found) return found;
    }
  }

  /** A name's file, unless it is none, or of another size than is wanted. */
  async #look(
    name: string,
    most: number,
    wanted = (_size: number) => true,
  ): Promise<Found | undefined> {
    const path = `${this.#folder}/${name}`;
    try {
      const { isFile, size } = await Deno.stat(path);
      if (!isFile || !wanted(size)) return undefined;
      using file = await Deno.open(path);
      const bytes = new Uint8Array(Math.min(size, most));
      let length = 0;
      while (length < bytes.length) {
        const count = await file.read(bytes.subarray(length));
        if (count === null) break;
        length += count;
      }
      return { bytes: bytes.subarray(0, length), size };
    } catch (error) {
      // a link that leads nowhere, or a name that was there for a moment only, as of a part
      const { FilesystemLoop, NotFound, PermissionDenied } = Deno.errors;
      const kinds = [FilesystemLoop, NotFound, PermissionDenied];
      if (!kinds.some((kind) => error instanceof kind)) throw error;
    }
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
