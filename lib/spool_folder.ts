/**
 * A folder that one program has for itself, and writes that are on the disk when they are done.
 *
 * @module
 */

import { ActionError, attempt } from "./errors.ts";
import { closeLocked } from "./file_lock.ts";

/**
 * Makes a folder and takes its lock. The system gives the lock back when the process ends, however it ends.
 *
 * @param options.option the script's option that names the folder, for what the errors advise; `--spool` unless
 * told
 * @returns the lock, held until it is disposed of
 * @throws {ActionError} when another program holds it, others may write there, or permission is missing
 *
 * @example
 * ```ts
 * import { lockFolder } from "./spool_folder.ts";
 * import { assertRejects } from "@std/assert";
 *
 * const folder = `${await Deno.makeTempDir()}/spool`;
 * using _lock = await lockFolder(folder);
 * await assertRejects(() => lockFolder(folder), Error, "another program is using it");
 * ```
 */
export async function lockFolder(
  folder: string,
  { option = "--spool" }: { option?: string } = {},
): Promise<Disposable> {
  try {
    await Deno.mkdir(folder, { mode: 0o700 });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw problem(folder, "the folder above it does not exist", "Make it, or choose another.");
    }
    if (!(error instanceof Deno.errors.AlreadyExists)) {
      throw new ActionError(`make ${folder}`, error);
    }
  }
  const { isDirectory, mode } = await attempt(`read ${folder}`, Deno.lstat(folder));
  if (!isDirectory) throw problem(folder, "it is not a folder", `Choose another with ${option}.`);
  if (mode !== null && (mode & 0o022) !== 0) {
    throw problem(folder, "others may write to it", `Allow only yourself: chmod 700 ${folder}`);
  }
  const flags = { read: true, write: true, create: true, mode: 0o600 };
  const lock = await attempt(`open ${folder}/lock`, Deno.open(`${folder}/lock`, flags));
  if (await lock.tryLock(true)) return { [Symbol.dispose]: () => closeLocked(lock) };
  lock.close();
  const next = `Stop that program, or choose another folder with ${option}.`;
  throw problem(folder, "another program is using it", next);
}

function problem(folder: string, reason: string, next: string): ActionError {
  const cause = Object.assign(new Error(reason), { explanation: { reason, next } });
  return new ActionError(`use ${folder}`, cause);
}

/** Writes all of it: Deno's `write` may write only a part. */
export async function writeTo(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += await file.write(bytes.subarray(written));
  }
}

/** Puts the names in a folder on the disk, as `sync` does for a file; not every system can do that. */
export async function syncFolder(folder: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  using handle = await Deno.open(folder);
  await handle.sync();
}
