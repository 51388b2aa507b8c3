/**
 * Asks for a network permission before a library does, which would swallow the error of a missing one.
 *
 * @module
 */

import { formatEndpoint } from "./address.ts";
import { ActionError } from "./errors.ts";

/** @throws {ActionError} that names the flag, when Deno may not connect there */
export async function requireNet(host: string, port: number): Promise<void> {
  const name = formatEndpoint({ hostname: host, port });
  const { state } = await Deno.permissions.request({ name: "net", host: name });
  if (state === "granted") return;
  const refused = new Deno.errors.NotCapable(`Requires net access to "${name}"`);
  throw new ActionError(`connect to ${name}`, refused);
}
