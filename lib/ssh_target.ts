/**
 * Who logs in where, in the one way of writing that `ssh` and `scp` know: `user@host`, with the port behind.
 *
 * @module
 */

import { parseEndpoint } from "./address.ts";
import { UsageError } from "./usage.ts";

/** A login on a machine. */
export interface SshTarget {
  user: string;
  hostname: string;
  port: number;
}

/**
 * Reads `user@host`, `user@host:2222` or `user@[::1]:2222`; the port is 22 unless told.
 *
 * @throws {UsageError} that shows how it is written
 *
 * @example
 * ```ts
 * import { parseSshTarget } from "./ssh_target.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseSshTarget("me@[::1]"), { user: "me", hostname: "::1", port: 22 });
 * ```
 */
export function parseSshTarget(text: string): SshTarget {
  const at = text.lastIndexOf("@");
  const [user, host] = [text.slice(0, at), text.slice(at + 1)];
  try {
    if (at < 1 || /[\p{Cc}\s]/u.test(user)) throw new SyntaxError("no user");
    const found = parseEndpoint(
      /:\d+$/.test(host) && !/^[^[].*:.*:/.test(host) ? host : `${host}:22`,
    );
    if (!("port" in found) || found.port === 0) throw new SyntaxError("no port");
    return { user, ...found };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UsageError(
      `cannot read "${text}": write USER@HOST or USER@HOST:PORT, an IPv6 address in brackets`,
    );
  }
}
