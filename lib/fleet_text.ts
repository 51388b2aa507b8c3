/**
 * Small text files, or what stands on standard input.
 *
 * @module
 */

import { attempt } from "./errors.ts";

const MOST = 4 * 1024 * 1024;

/**
 * Reads a file, or standard input when the path is `-`.
 *
 * @param what it is called in messages
 * @throws {ActionError} when it cannot be read, is no UTF-8, or has more than 4 MiB
 */
export async function readSmallText(path: string, what: string): Promise<string> {
  const name = path === "-" ? `the ${what} from standard input` : `the ${what} ${path}`;
  return await attempt(`read ${name}`, async () => {
    using file = path === "-" ? undefined : await Deno.open(path);
    const source = file ?? Deno.stdin;
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    let size = 0;
    const buffer = new Uint8Array(64 * 1024);
    for (let count; (count = await source.read(buffer)) !== null;) {
      pieces.push(buffer.slice(0, count));
      size += count;
      if (size > MOST) throw new Error(`it has more than ${MOST} bytes`);
    }
    const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer());
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      throw new Error("it is not text in UTF-8");
    }
    // a person may type it
  }, { timeout: Infinity });
}
