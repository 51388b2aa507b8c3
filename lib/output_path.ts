/**
 * Where a file that is fetched may be put.
 *
 * @module
 */

import { visible } from "./display.ts";
import { attempt } from "./errors.ts";
import { UsageError } from "./usage.ts";

/**
 * Checks the place that `--output` names before anything is fetched: a file there will be written over. Needs
 * `--allow-read` for the path.
 *
 * @throws {UsageError} when something else is there, or the path ends with a slash: it must not be replaced, a
 *   device and a link to one least of all
 * @throws {ActionError} when it cannot be looked at
 *
 * @example
 * ```ts
 * import { checkOutput } from "./output_path.ts";
 * import { assertRejects } from "@std/assert";
 *
 * await assertRejects(() => checkOutput("/dev/null"), Error, "--output is a file, and /dev/null is none");
 * ```
 */
export async function checkOutput(path: string): Promise<void> {
  const there = await look(path);
  if (there?.isFile === false || path.endsWith("/")) {
    throw new UsageError(`--output is a file, and ${visible(path)} is none`);
  }
}

/**
 * Checks a place that nobody named: nothing there is written over. Needs `--allow-read` for the path.
 *
 * @throws {Error} when something is there, with what to do next
 * @throws {ActionError} when it cannot be looked at
 *
 * @example
 * ```ts
 * import { checkNew } from "./output_path.ts";
 * import { assertRejects } from "@std/assert";
 *
 * await assertRejects(() => checkNew("/dev/null"), Error, "/dev/null is there already: remove it");
 * ```
 */
export async function checkNew(path: string): Promise<void> {
  if (!await look(path)) return;
  throw new Error(`${path} is there already: remove it, or write --output ${path}`);
}

async function look(path: string): Promise<Deno.FileInfo | undefined> {
  return await attempt(`look for ${path}`, async () => {
    try {
      return await Deno.lstat(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  });
}
