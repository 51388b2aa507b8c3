/**
 * The connections that a listener accepts, one after another, for a server that means to go on.
 *
 * @module
 */

import { after } from "./deadline.ts";
import { explain } from "./errors.ts";

/**
 * Like `for await (const connection of listener)`, which ends the server with an error when a client resets
 * before it is accepted, or when no more files can be opened: this goes on, in the second case after a
 * pause, while the clients wait in the backlog. It ends when the listener is closed.
 *
 * @param options.pause how long to wait before it tries again, in milliseconds; 100 unless told
 *
 * @example
 * ```ts
 * import { accepted } from "./accept.ts";
 *
 * const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
 * const client = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
 * for await (const connection of accepted(listener)) {
 *   connection.close();
 *   listener.close();
 * }
 * client.close();
 * ```
 */
export async function* accepted<T extends Deno.Conn>(
  listener: Deno.Listener<T>,
  options: { pause?: number } = {},
): AsyncGenerator<T> {
  const { pause = 100 } = options;
  for (let failures = 0;;) {
    try {
      yield await listener.accept();
      failures = 0;
    } catch (error) {
      // how Deno tells that the listener was closed
      if (error instanceof Deno.errors.BadResource) return;
      // a client that reset its connection before it was accepted: nobody waits for that
      const { NotConnected, ConnectionAborted } = Deno.errors;
      if (error instanceof NotConnected || error instanceof ConnectionAborted) continue;
      if (failures++ === 0) console.error(`cannot accept a connection: ${explain(error).reason}`);
      await new Promise<void>((resolve) => after(pause, resolve));
    }
  }
}
