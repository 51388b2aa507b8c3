/**
 * Who logs in where: `user@host`, with the port behind.
 *
 * @module
 */

import { parseEndpoint } from "./address.ts";
import { UsageError } from "./usage.ts";

/**
 * Reads `user@host`, `DOMAIN\user@host:5986` or `user@[::1]:5986`.
 *
 * @throws {UsageError} that shows how it is written
 *
 * @example
 * ```ts
 * import { parseWinrmTarget } from "./winrm_target.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseWinrmTarget("me@[::1]"), { user: "me", hostname: "::1" });
 * ```
 */
export function parseWinrmTarget(text: string): { user: string; hostname: string; port?: number } {
  const at = text.lastIndexOf("@");
  const [user, host] = [text.slice(0, at), text.slice(at + 1)];
  const ported = /^(\[[^\]]*\]|[^:]*):\d+$/.test(host);
  try {
    if (at < 1 || /[\p{Cc}:]/u.test(user)) throw new SyntaxError("no user");
    const found = parseEndpoint(ported ? host : `${host}:1`);
    if (!("port" in found) || found.port === 0) throw new SyntaxError("no port");
    return { user, hostname: found.hostname, ...(ported && { port: found.port }) };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UsageError(
      `cannot read "${text}": write USER@HOST or USER@HOST:PORT, an IPv6 address in brackets`,
    );
  }
}
