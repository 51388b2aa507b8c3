/**
 * A machine of a fleet that is reached by SSH.
 *
 * @module
 */

import { Kept, outputOf } from "./fleet_output.ts";
import type { Access, Remote } from "./fleet_remote.ts";
import type { Host } from "./inventory_host.ts";
import { connectSsh } from "./ssh_client.ts";
import { exitCode } from "./ssh_exec.ts";

/** Logs in; commands then run on this one connection. */
export async function reachBySsh(
  { hostname, port }: Host,
  user: string,
  { login, hostKey }: NonNullable<Access["ssh"]>,
  signal: AbortSignal,
): Promise<Remote> {
  // the deadline of the host is that of each step
  const settings = { user, hostname, port, login, hostKey, timeout: Infinity, signal };
  const connection = await connectSsh(settings);
  return {
    system: "posix",
    async run(command, signal) {
      const stdout = new Kept(), stderr = new Kept();
      const stop = new AbortController();
      const onAbort = () => stop.abort("TERM");
      signal.addEventListener("abort", onAbort);
      if (signal.aborted) onAbort();
      try {
        const ended = await connection.exec(command, { stdout, stderr, signal: stop.signal });
        signal.throwIfAborted();
        return await outputOf(exitCode(ended), stdout, stderr);
      } finally {
        signal.removeEventListener("abort", onAbort);
      }
    },
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  };
}
