/**
 * What a script prints as bytes: `console.log` is for text.
 *
 * @module
 */

import { explain } from "./errors.ts";
import { writeAll } from "./write_all.ts";

/** Output that could not be written: no fault of whoever sent what it holds. */
export class OutputError extends Error {
  override name = "OutputError";
  readonly explanation: { reason: string };

  constructor(cause: unknown) {
    const reason = cause instanceof Deno.errors.BrokenPipe
      ? "nobody reads its output any more"
      : `its output cannot be written: ${explain(cause).reason}`;
    super(reason, { cause });
    this.explanation = { reason };
  }
}

/**
 * Writes all of `data` to standard output or what stands for it, text as UTF-8. Its reader may take as long as
 * it likes (a pager does), and may go (`| head -1`).
 *
 * @throws {OutputError} when the reader has gone, or the disk is full
 *
 * @example
 * ```ts
 * import { writeOutput } from "./write_output.ts";
 * import { assertRejects } from "@std/assert";
 *
 * const gone = { write: () => Promise.reject(new Deno.errors.BrokenPipe()) };
 * await assertRejects(() => writeOutput(gone, "bytes"), Error, "nobody reads its output any more");
 * ```
 */
export async function writeOutput(
  output: Pick<Deno.Conn, "write">,
  data: Uint8Array | string,
): Promise<void> {
  try {
    await writeAll(output, data, { timeout: Infinity });
  } catch (error) {
    const { cause } = error as Error;
    throw cause instanceof OutputError ? cause : new OutputError(cause);
  }
}
