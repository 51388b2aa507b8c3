/**
 * The start of a spool: what an earlier run has left, however it ended.
 *
 * @module
 */

import { ActionError, attempt } from "./errors.ts";
import { SpoolFile } from "./spool_file.ts";
import { readRecords, type Records } from "./spool_records.ts";

/**
 * Opens the queue of a folder: half a line at its end is cut off, and lines that cannot be read are told
 * on stderr, with a copy of the file beside it.
 *
 * @throws {ActionError} when it cannot be read or written
 *
 * @example
 * ```ts
 * import { recoverQueue } from "./spool_recovery.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * const left = '{"id":1,"channel":"#bot","text":"whole"}\n{"id":2,"chan';
 * await Deno.writeTextFile(`${folder}/queue.jsonl`, left);
 * const { file, records } = await recoverQueue(folder);
 * await using _file = file;
 * assertEquals(records.waiting.map(({ id }) => id), [1]);
 * ```
 */
export async function recoverQueue(folder: string): Promise<{ file: SpoolFile; records: Records }> {
  const path = `${folder}/queue.jsonl`;
  const bytes = await Deno.readFile(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return new Uint8Array();
    throw new ActionError(`read ${path}`, error);
  });
  const records = readRecords(bytes);
  if (records.damaged > 0) {
    const copy = `${folder}/damaged-${Date.now()}.jsonl`;
    await attempt(`write ${copy}`, Deno.writeFile(copy, bytes, { mode: 0o600 }));
    console.error(`lines of ${path} that cannot be read: ${records.damaged}; a copy is ${copy}`);
  }
  const end = records.waiting.length > 0 ? records.end : 0;
  return { file: await SpoolFile.open(folder, "queue.jsonl", end), records };
}
