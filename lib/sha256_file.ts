/**
 * The SHA-256 of a file of any size. Web Crypto wants all of it in memory at once, so this is Node's; its
 * module is loaded when it is first needed.
 *
 * @module
 */

/**
 * Reads a file and gives its SHA-256 in hexadecimal.
 *
 * @example
 * ```ts
 * import { sha256OfFile } from "./sha256_file.ts";
 * import { assertMatch } from "@std/assert";
 *
 * const path = await Deno.makeTempFile();
 * assertMatch(await sha256OfFile(path), /^e3b0c44298fc1c149afbf4c8996fb924/);
 * await Deno.remove(path);
 * ```
 */
export async function sha256OfFile(path: string): Promise<string> {
  const { createHash } = await import("node:crypto");
  const hash = createHash("sha256");
  using file = await Deno.open(path);
  const buffer = new Uint8Array(256 * 1024);
  for (let count; (count = await file.read(buffer)) !== null;) {
    hash.update(buffer.subarray(0, count));
  }
  return hash.digest("hex");
}
