/**
 * A file that is there whole or not at all: it is written under another name, and gets its own when all of
 * it has come.
 *
 * @module
 */

/**
 * Writes `path` by way of `path` with `.part` behind it, which needs leave to read and write both. The file
 * that was at `path` before stays until the new one is whole; anything but a file stays for good.
 *
 * @example
 * ```ts
 * import { WholeFile } from "./whole_file.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = Deno.makeTempDirSync();
 * using file = new WholeFile(`${folder}/a`);
 * file.write(new TextEncoder().encode("half "));
 * file.write(new TextEncoder().encode("and half"));
 * file.finish();
 * assertEquals(Deno.readTextFileSync(`${folder}/a`), "half and half");
 * Deno.removeSync(folder, { recursive: true });
 * ```
 */
export class WholeFile implements Disposable {
  /** How many bytes were written. */
  bytes = 0;
  readonly #part: string;
  readonly #file: Deno.FsFile;
  #open = true;

  constructor(readonly path: string) {
    this.#part = `${path}.part`;
    // before it is opened: a device would do something, and a FIFO wait for a reader
    refuseOthers(path, (found) => found.isFile);
    refuseOthers(this.#part, (found) => found.isFile || found.isSymlink);
    // better now than in the end: a file of somebody else's, a permission that is missing
    unlessMissing(() => Deno.openSync(path, { write: true }).close());
    unlessMissing(() => Deno.removeSync(this.#part)); // left by a process that was killed
    // a link that somebody else has put there is not followed; renaming needs the leave to read, too
    this.#file = Deno.openSync(this.#part, { read: true, write: true, createNew: true });
  }

  write(bytes: Uint8Array): void {
    for (let written = 0; written < bytes.length;) {
      written += this.#file.writeSync(bytes.subarray(written));
    }
    this.bytes += bytes.length;
  }

  /** All has come: the file gets its name. */
  finish(): void {
    this.#file.close();
    this.#open = false;
    Deno.renameSync(this.#part, this.path);
  }

  /** Removes what has come, unless the file is finished. */
  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    this.#file.close();
    unlessMissing(() => Deno.removeSync(this.#part));
  }
}

/** Renaming would put a file in the place of a device, a FIFO, a socket or a link. */
function refuseOthers(path: string, suits: (found: Deno.FileInfo) => boolean): void {
  unlessMissing(() => {
    if (suits(Deno.lstatSync(path))) return;
    throw new Error(`${path} is there, and is no regular file: choose another name`);
  });
}

function unlessMissing(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
