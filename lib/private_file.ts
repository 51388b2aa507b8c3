/**
 * A file that only its owner may read, also when it is there already.
 *
 * @module
 */

import { writeTo } from "./spool_folder.ts";

/**
 * Begins a file anew, with mode 0600: the mode that a call of `open` tells counts only for a file that it
 * makes. A link is followed; a device or a FIFO keeps the mode that it has. It needs leave to write `path` only.
 *
 * @throws {Error} when the file is somebody else's, or on a disk without modes: it is left as it is
 *
 * @example
 * ```ts
 * import { openPrivate } from "./private_file.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const path = `${Deno.makeTempDirSync()}/secret`;
 * Deno.writeTextFileSync(path, "for everybody", { mode: 0o644 });
 * {
 *   using file = openPrivate(path);
 *   file.writeSync(new TextEncoder().encode("for me"));
 * }
 * assertEquals([Deno.readTextFileSync(path), Deno.statSync(path).mode! & 0o777], ["for me", 0o600]);
 * ```
 */
export function openPrivate(path: string): Deno.FsFile {
  const file = Deno.openSync(path, { write: true, create: true, mode: 0o600 });
  try {
    if (isRegular(file)) {
      // Windows has no such modes
      if (Deno.build.os !== "windows") closeToOthers(path);
      // now that nobody else can look at what follows
      file.truncateSync();
    }
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

/**
 * Writes a text to a file that only its owner may read: see {@linkcode openPrivate}.
 *
 * @example
 * ```ts
 * import { writePrivate } from "./private_file.ts";
 *
 * await writePrivate("/dev/null", "for nobody");
 * ```
 */
export async function writePrivate(path: string, text: string): Promise<void> {
  using file = openPrivate(path);
  await writeTo(file, new TextEncoder().encode(text));
}

/** Whether it is no device, FIFO or socket: those cannot be cut. To ask for its kind needs leave to read. */
function isRegular(file: Deno.FsFile): boolean {
  try {
    file.truncateSync(file.seekSync(0, Deno.SeekMode.End));
    file.seekSync(0, Deno.SeekMode.Start);
    return true;
  } catch {
    return false;
  }
}

function closeToOthers(path: string): void {
  try {
    Deno.chmodSync(path, 0o600);
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    const reason = "it is not yours, and so not to be closed to others";
    const explanation = { reason, next: "Choose another name." };
    throw Object.assign(new Error(reason), { explanation });
  }
}
