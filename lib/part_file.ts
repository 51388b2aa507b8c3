/**
 * A download that is not finished, beside the place where it will stand: `name.part` becomes `name` at once
 * and only when all of it is there. What an interruption leaves can be gone on with. Needs `--allow-write`
 * for both names and `--allow-read` for the `.part`: Deno wants to read what it renames. It is locked while it
 * is written: a second program that wants the same place is refused, and does no harm.
 *
 * @module
 */

import { closeLocked } from "./file_lock.ts";

/**
 * A file that is being written, and what is in it.
 *
 * @example
 * ```ts
 * import { PartFile } from "./part_file.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * using part = await PartFile.open(`${folder}/notes.txt`);
 * await part.write(new TextEncoder().encode("Networking: day 4\n"));
 * await part.finish();
 * assertEquals(await Deno.readTextFile(`${folder}/notes.txt`), "Networking: day 4\n");
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export class PartFile implements Disposable {
  readonly path: string;
  readonly target: string;
  readonly #file: Deno.FsFile;
  #size: number;
  #kept: number;
  #closed = false;

  private constructor(target: string, file: Deno.FsFile, size: number) {
    this.target = target;
    this.path = `${target}.part`;
    this.#file = file;
    this.#size = this.#kept = size;
  }

  /**
   * Begins a new `.part` file, or goes on with the one that is there. It is never written through a
   * symbolic link that somebody put there.
   *
   * @param target where the finished file is to stand
   * @param options.resume keep what an earlier attempt left
   * @throws {Error} when another program writes it, or its folder is not there
   */
  static async open(target: string, options: { resume?: boolean } = {}): Promise<PartFile> {
    const path = `${target}.part`;
    const found = await Deno.lstat(path).catch(unlessMissing);
    if (options.resume && found) {
      if (!found.isFile) throw new Error(`${path} is no plain file: remove it`);
      const file = await openLocked(path, { read: true, write: true });
      return new PartFile(target, file, await file.seek(0, Deno.SeekMode.End));
    }
    // whoever has it locked still writes it
    using _old = found?.isFile ? await openLocked(path, { write: true }) : undefined;
    await Deno.remove(path).catch(unlessMissing);
    return new PartFile(target, await openLocked(path, { write: true, createNew: true }), 0);
  }

  /** How many bytes are in it. */
  get size(): number {
    return this.#size;
  }

  /** How many bytes an attempt to resume would find: those that were taken out for comparison, too. */
  get kept(): number {
    return this.#kept;
  }

  /** Whether it is finished, or given up. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Takes the last bytes out of it, to compare them with what comes in their place; at most `count`. */
  async takeTail(count: number): Promise<Uint8Array> {
    const tail = new Uint8Array(Math.min(count, this.#size));
    this.#size -= tail.length;
    await this.#file.seek(this.#size, Deno.SeekMode.Start);
    for (let got = 0; got < tail.length;) {
      const more = await this.#file.read(tail.subarray(got));
      if (more === null) throw new Error(`${this.path} became shorter meanwhile`);
      got += more;
    }
    await this.#file.seek(this.#size, Deno.SeekMode.Start);
    return tail;
  }

  /** Takes everything out of it. */
  async clear(): Promise<void> {
    await this.#file.truncate(0);
    await this.#file.seek(0, Deno.SeekMode.Start);
    this.#size = this.#kept = 0;
  }

  /** Writes all of `bytes` behind what is there. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes; rest.length > 0;) {
      const count = await this.#file.write(rest);
      this.#size += count;
      this.#kept = Math.max(this.#kept, this.#size);
      rest = rest.subarray(count);
    }
  }

  /** All of it is there: it gets its name, and takes the place of a file that had the name before. */
  async finish(): Promise<void> {
    await this.#file.truncate(this.#size);
    // else a power cut could leave a whole name and half a file
    await this.#file.syncData();
    // while it is locked: what stands at that path is this file, and no other
    await Deno.rename(this.path, this.target);
    this.#closed = true;
    closeLocked(this.#file);
  }

  /** Gives it up, with what is in it. */
  discard(): void {
    this.#kept = 0;
    this[Symbol.dispose]();
  }

  /** Closes the file. What is in it stays; when there is nothing in it, it goes. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      if (this.#kept === 0) Deno.removeSync(this.path);
    } catch (error) {
      unlessMissing(error);
    } finally {
      closeLocked(this.#file);
    }
  }
}

/** Opens a file that nobody else writes, until it is closed. */
async function openLocked(path: string, options: Deno.OpenOptions): Promise<Deno.FsFile> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path, options);
  } catch (error) {
    if (options.createNew && error instanceof Deno.errors.NotFound) {
      throw new Error(`the folder of ${path} is not there: make it first`);
    }
    if (error instanceof Deno.errors.AlreadyExists) throw busy(path);
    throw error;
  }
  try {
    // between the two, its last user may have given it its name, and another have begun anew
    const mine = await lock(file) &&
      (await file.stat()).ino === (await Deno.lstat(path).catch(unlessMissing))?.ino;
    if (mine) return file;
  } catch (error) {
    closeLocked(file);
    throw error;
  }
  closeLocked(file);
  throw busy(path);
}

/** False when another program has it; where there are no locks, as on some network drives, nobody does. */
async function lock(file: Deno.FsFile): Promise<boolean> {
  try {
    return await file.tryLock(true);
  } catch (error) {
    if (["ENOLCK", "ENOTSUP", "ENOSYS"].includes((error as { code?: string }).code ?? "")) {
      return true;
    }
    throw error;
  }
}

function busy(path: string): Error {
  return new Error(
    `${path} is being written by another program: wait for it, or take another name`,
  );
}

function unlessMissing(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
