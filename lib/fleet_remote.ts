/**
 * A machine of a fleet that is reached, by SSH or by WinRM: commands run on it, one after another.
 *
 * @module
 */

import { after } from "./deadline.ts";
import type { Output } from "./fleet_output.ts";
import type { Host } from "./inventory_host.ts";
import type { HostKeyPolicy, Login } from "./ssh_client.ts";
import { UsageError } from "./usage.ts";

export type { Output };

/** A machine that is reached. */
export interface Remote extends AsyncDisposable {
  system: "posix" | "windows";
  /**
   * Runs a command to its end; it reads nothing.
   *
   * @throws the signal's reason when that is aborted; the command is told to end
   */
  run(command: string, signal: AbortSignal): Promise<Output>;
}

/** What is needed to log in anywhere. */
export interface Access {
  ssh?: { login: Login; hostKey: HostKeyPolicy };
  winrm?: { password: string; ca?: string };
}

/**
 * Reaches a machine.
 *
 * @param signal gives up
 * @throws when it cannot be reached, is not trusted, or does not let us in
 */
export async function reach(host: Host, access: Access, signal: AbortSignal): Promise<Remote> {
  const { name, user } = host;
  if (!user) throw new UsageError(`there is no user for ${name}: add user=NAME to the inventory`);
  // either takes a while to load, and a fleet may have hosts of one kind only
  if (host.connection === "winrm") {
    const { reachByWinrm } = await import("./fleet_winrm.ts");
    return await reachByWinrm(host, user, access.winrm!, signal);
  }
  const { reachBySsh } = await import("./fleet_ssh.ts");
  return await reachBySsh(host, user, access.ssh!, signal);
}

/** A deadline that aborts; with the signal of the whole work. */
export function deadlineSignal(
  milliseconds: number,
  reason: Error,
  whole: AbortSignal,
): { signal: AbortSignal } & Disposable {
  const stop = new AbortController();
  const deadline = after(milliseconds, () => stop.abort(reason));
  return {
    signal: AbortSignal.any([whole, stop.signal]),
    [Symbol.dispose]: () => deadline[Symbol.dispose](),
  };
}
