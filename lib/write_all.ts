/**
 * Python's `sendall`: Deno's `write`, like `send`, may write only a part.
 *
 * @module
 */

import { attempt } from "./errors.ts";

/**
 * Writes all of `data`, text as UTF-8.
 *
 * @param options.timeout how long the other side may take nothing, in milliseconds; 10,000 unless told
 * @throws {ActionError} when the other side has gone or takes nothing; how much was sent is not known then
 *
 * @example
 * ```ts
 * import { writeAll } from "./write_all.ts";
 *
 * using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
 * using client = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
 * await writeAll(client, "all of it");
 * ```
 */
export async function writeAll(
  connection: Pick<Deno.Conn, "write">,
  data: Uint8Array | string,
  options: { timeout?: number } = {},
): Promise<void> {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  for (let sent = 0; sent < bytes.length;) {
    sent += await attempt("send", connection.write(bytes.subarray(sent)), options);
  }
}
