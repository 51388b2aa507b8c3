/**
 * Asks for a network permission before a library does, which would swallow the error of a missing one.
 *
 * @module
 */

import { formatEndpoint, type NetEndpoint } from "./address.ts";
import { ActionError, type Explanation } from "./errors.ts";

/** @throws {ActionError} that names the flag, when Deno may not connect there */
export async function requireNet(host: string, port: number): Promise<void> {
  const name = formatEndpoint({ hostname: host, port });
  const { state } = await Deno.permissions.request({ name: "net", host: name });
  if (state === "granted") return;
  const refused = new Deno.errors.NotCapable(`Requires net access to "${name}"`);
  throw new ActionError(`connect to ${name}`, refused);
}

/** The port that came of port 0 is not granted, and no flag could have named it. */
class GivenPortError extends Error {
  override name = "GivenPortError";
  readonly explanation: Explanation;

  constructor({ hostname, port }: NetEndpoint) {
    super(`port 0 became ${port}, which is another each time, and is not granted`);
    const host = formatEndpoint({ hostname, port: 0 }).slice(0, -2);
    const next = `Grant the whole host, --allow-net=${host}, or name a --port.`;
    this.explanation = { reason: this.message, next };
  }
}

/**
 * Asks for leave to use the address that a listener got, where that needs more than leave to listen.
 *
 * @param asked the port that it was to have
 * @throws {ActionError} when that was 0, and the one that came of it is not granted
 *
 * @example
 * ```ts
 * import { requireGivenPort } from "./require_net.ts";
 *
 * using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
 * await requireGivenPort(listener.addr, 0);
 * ```
 */
export async function requireGivenPort(given: NetEndpoint, asked: number): Promise<void> {
  if (asked !== 0) return;
  const name = formatEndpoint(given);
  const { state } = await Deno.permissions.request({ name: "net", host: name });
  if (state !== "granted") throw new ActionError(`use ${name}`, new GivenPortError(given));
}
