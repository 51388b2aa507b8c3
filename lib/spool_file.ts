/**
 * A file that only grows at its end: what was appended is on the disk when `append` is done, or not in the
 * file at all.
 *
 * @module
 */

import { attempt } from "./errors.ts";
import { syncFolder, writeTo } from "./spool_folder.ts";

interface Job {
  bytes: Uint8Array;
  /** Whether it must be on the disk, not only with the system, which survives a crash of the process. */
  durable: boolean;
  written: (start: number) => void;
  failed: (error: unknown) => void;
}

/**
 * An append-only file; appends that come while one is under way go to the disk together.
 *
 * @example
 * ```ts
 * import { SpoolFile } from "./spool_file.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * await using file = await SpoolFile.open(folder, "queue.jsonl", 0);
 * await file.append(new TextEncoder().encode("one\n"), { durable: true });
 * assertEquals(await Deno.readTextFile(`${folder}/queue.jsonl`), "one\n");
 * ```
 */
export class SpoolFile implements AsyncDisposable {
  readonly #path: string;
  readonly #folder: string;
  #file: Deno.FsFile;
  /** A handle of its own: a write would move the place from which the other one reads. */
  #reader: Deno.FsFile;
  #end: number;
  #jobs: Job[] = [];
  #drops: (() => Promise<void>)[] = [];
  #working: Promise<void> | undefined;
  #broken: unknown;

  private constructor(
    folder: string,
    path: string,
    file: Deno.FsFile,
    reader: Deno.FsFile,
    end: number,
  ) {
    this.#folder = folder;
    this.#path = path;
    this.#file = file;
    this.#reader = reader;
    this.#end = end;
  }

  /**
   * Opens a file of a folder, makes it when it is not there, and cuts it off after `end` bytes.
   *
   * @throws {ActionError} when it cannot be opened
   */
  static async open(folder: string, name: string, end: number): Promise<SpoolFile> {
    const path = `${folder}/${name}`;
    const flags = { append: true, create: true, mode: 0o600 };
    const file = await attempt(`open ${path}`, Deno.open(path, flags));
    await file.truncate(end);
    await file.sync();
    await syncFolder(folder);
    return new SpoolFile(folder, path, file, await Deno.open(path), end);
  }

  /** How many bytes it has. */
  get end(): number {
    return this.#end;
  }

  /**
   * Appends bytes; `onWritten` is told where they begin, in the order of the calls.
   *
   * @throws {ActionError} when they could not be written (the disk is full): then nothing of them is there
   */
  append(
    bytes: Uint8Array,
    { durable, onWritten }: { durable: boolean; onWritten?: (start: number) => void },
  ): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const written = (start: number) => (onWritten?.(start), resolve());
    this.#jobs.push({ bytes, durable, written, failed: reject });
    this.#start();
    return promise;
  }

  /** Reads bytes that were appended before; at once, so that nothing moves meanwhile. */
  read(start: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    this.#reader.seekSync(start, Deno.SeekMode.Start);
    for (let count = 0; count < length;) {
      const more = this.#reader.readSync(bytes.subarray(count));
      if (more === null) throw new Error(`${this.#path} is shorter than what was written to it`);
      count += more;
    }
    return bytes;
  }

  /**
   * Throws away what stands before the place that `first` gives when it is its turn, all of it when that is
   * the end; `onMoved` is told by how many bytes the rest has moved.
   */
  dropBefore(first: (end: number) => number, onMoved: (bytes: number) => void): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#drops.push(() => this.#drop(first(this.#end), onMoved).then(resolve, reject));
    this.#start();
    return promise;
  }

  /** Finishes what is under way and closes the file. */
  async [Symbol.asyncDispose](): Promise<void> {
    while (this.#working) await this.#working;
    this.#file.close();
    this.#reader.close();
  }

  /** One thing at a time: writes, or throwing away. */
  #start(): void {
    this.#working ??= this.#work();
  }

  async #work(): Promise<void> {
    while (this.#jobs.length + this.#drops.length > 0) {
      await this.#drops.shift()?.();
      await this.#writeJobs(this.#jobs.splice(0));
    }
    // in the same turn as the last look, or a job that comes now would wait for ever
    this.#working = undefined;
  }

  async #writeJobs(jobs: Job[]): Promise<void> {
    if (jobs.length === 0) return;
    try {
      if (this.#broken) throw this.#broken;
      await attempt(`write to ${this.#path}`, this.#write(jobs), { timeout: Infinity });
    } catch (error) {
      for (const { failed } of jobs) failed(error);
      return;
    }
    for (const { bytes, written } of jobs) {
      written(this.#end);
      this.#end += bytes.length;
    }
  }

  async #drop(start: number, onMoved: (bytes: number) => void): Promise<void> {
    if (start === this.#end) {
      await this.#file.truncate(0);
    } else {
      const fresh = `${this.#path}.new`;
      await Deno.writeFile(fresh, this.read(start, this.#end - start), { mode: 0o600 });
      const [file, reader] = [await Deno.open(fresh, { append: true }), await Deno.open(fresh)];
      await file.sync();
      await Deno.rename(fresh, this.#path);
      await syncFolder(this.#folder);
      this.#file.close();
      this.#reader.close();
      [this.#file, this.#reader] = [file, reader];
    }
    this.#end -= start;
    onMoved(start);
  }

  async #write(jobs: Job[]): Promise<void> {
    try {
      for (const { bytes } of jobs) await writeTo(this.#file, bytes);
      if (jobs.some(({ durable }) => durable)) await this.#file.syncData();
    } catch (error) {
      // half a line must not stand before the next one; when it cannot be removed, nothing more is taken
      await this.#file.truncate(this.#end).catch((reason) => this.#broken = reason);
      throw error;
    }
  }
}
