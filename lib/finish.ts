/**
 * The polite way to close a connection.
 *
 * @module
 */

import { within } from "./deadline.ts";

/** How long and how much is thrown away before the connection is closed. */
export interface FinishOptions {
  /** Milliseconds; 2,000 unless told. */
  timeout?: number;
  /** Bytes; 1 MiB unless told. */
  limit?: number;
}

/**
 * Closes a connection so that the other side gets all that was sent.
 *
 * A socket that is closed while received bytes lie unread sends a reset, and the reset can make the other
 * side lose the last reply. So this ends the own side first (`closeWrite`), throws away what still comes
 * until the other side has ended too, and only then closes.
 *
 * @example
 * ```ts
 * import { finish } from "./finish.ts";
 *
 * using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
 * const client = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
 * const connection = await listener.accept();
 * await client.write(new TextEncoder().encode("nobody reads this"));
 * client.closeWrite();
 * await finish(connection);
 * client.close();
 * ```
 */
export async function finish(
  connection: Pick<Deno.Conn, "read" | "closeWrite"> & Disposable,
  options: FinishOptions = {},
): Promise<void> {
  const { timeout = 2_000, limit = 1024 * 1024 } = options;
  try {
    await connection.closeWrite();
    await within(timeout, discard(connection, limit));
  } catch {
    // the other side has gone already, or goes on and on: there is nothing left to save
  } finally {
    connection[Symbol.dispose]();
  }
}

async function discard(connection: Pick<Deno.Conn, "read">, limit: number): Promise<void> {
  const scratch = new Uint8Array(16 * 1024);
  for (let left = limit; left > 0;) {
    const count = await connection.read(scratch);
    if (count === null) return;
    left -= count;
  }
}
