/**
 * Waiting for a server that a student starts after the checker.
 *
 * @module
 */

import { formatEndpoint, type NetEndpoint } from "../address.ts";
import { attempt } from "../errors.ts";
import { pause } from "../pause.ts";

/**
 * Waits until something listens at an address. A server may be one that serves a single client, so the connection
 * with which this was found out is given for the first check.
 *
 * @param patience how long at most, in milliseconds
 * @returns the connection, or none when the server has reset it at once
 * @throws {ActionError} when nothing does in time, or Deno was not given the permission
 *
 * @example
 * ```ts
 * import { arrival } from "./arrival.ts";
 *
 * using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
 * using _connection = await arrival(listener.addr, 1_000);
 * ```
 */
export async function arrival(
  where: NetEndpoint,
  patience: number,
): Promise<Deno.TcpConn | undefined> {
  const address = formatEndpoint(where);
  for (const due = performance.now() + patience;;) {
    try {
      return await Deno.connect(where);
    } catch (error) {
      // a server that resets at once is there, and is judged by the checks
      const { ConnectionRefused, ConnectionReset, NotConnected } = Deno.errors;
      if (error instanceof ConnectionReset || error instanceof NotConnected) return undefined;
      const refused = error instanceof ConnectionRefused;
      if (refused && performance.now() < due) await pause(50);
      else await attempt(`find your server at ${address}`, Promise.reject(error));
    }
  }
}
