/**
 * Files that are saved under a name that a stranger had a hand in: what is there already is never written over.
 *
 * @module
 */

import { attempt } from "./errors.ts";
import { PartFile } from "./part_file.ts";

/**
 * Saves bytes as a file of a folder, which is made when it is missing. A file that is there already and has
 * the same bytes is left as it is. When this returns, the bytes are on the disk.
 *
 * Needs leave to read and write the folder.
 *
 * @param name without a slash; unless told it is made of the bytes (SHA-256)
 * @returns the path
 * @throws {ActionError} when another file has the name, or it cannot be written
 *
 * @example
 * ```ts
 * import { saveOnce } from "./save_once.ts";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const folder = Deno.makeTempDirSync();
 * const encode = (text: string) => new TextEncoder().encode(text);
 * assertEquals(await saveOnce(folder, encode("one"), "a.eml"), `${folder}/a.eml`);
 * assertEquals(await saveOnce(folder, encode("one"), "a.eml"), `${folder}/a.eml`);
 * await assertRejects(() => saveOnce(folder, encode("two"), "a.eml"), Error, "is there already");
 * Deno.removeSync(folder, { recursive: true });
 * ```
 */
export async function saveOnce(
  folder: string,
  bytes: Uint8Array<ArrayBuffer>,
  name?: string,
): Promise<string> {
  const path = `${folder}/${name ?? await nameOf(bytes)}`;
  return await attempt(`save ${path}`, async () => {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    const there = await Deno.readFile(path).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
    if (there) {
      if (same(there, bytes)) return path;
      throw new Error("another file of that name is there already: move it away");
    }
    using part = await PartFile.open(path);
    await part.write(bytes);
    await part.finish();
    return path;
  }, { timeout: 60_000 });
}

async function nameOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return `mail-${digest.toHex()}.eml`;
}

function same(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}
