/**
 * Stands in for `jsr:@std/net/get-available-port`, which npm does not have: written here to the same
 * signature and behaviour.
 *
 * @see https://jsr.io/@std/net/doc/get-available-port
 * @module
 */

/** Options of {@linkcode getAvailablePort}. */
export interface GetAvailablePortOptions {
  /**
   * The port to take if it is free.
   *
   * @default {0}
   */
  preferredPort?: number;
}

/**
 * Finds a TCP port on which nothing listens, on any address of this machine. Another process may take
 * it before you do: where you can, listen on port 0 and read the port from the listener instead.
 *
 * @example A free port for another program
 * ```ts
 * import { getAvailablePort } from "@std/net/get-available-port";
 * import { assert } from "@std/assert";
 *
 * const port = getAvailablePort({ preferredPort: 20_080 });
 * assert(port > 0 && port <= 65_535);
 * ```
 */
export function getAvailablePort(options?: GetAvailablePortOptions): number {
  const preferred = options?.preferredPort ?? 0;
  try {
    using listener = Deno.listen({ port: preferred });
    return listener.addr.port;
  } catch (error) {
    if (preferred === 0 || !(error instanceof Deno.errors.AddrInUse)) throw error;
  }
  using listener = Deno.listen({ port: 0 });
  return listener.addr.port;
}
