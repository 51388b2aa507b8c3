/**
 * A machine of a fleet that is reached by WinRM.
 *
 * @module
 */

import { Kept, outputOf } from "./fleet_output.ts";
import type { Access, Remote } from "./fleet_remote.ts";
import type { Host } from "./inventory_host.ts";
import { errorText } from "./powershell.ts";
import { createShell, deleteShell, signalCommand, startCommand, WsmanClient } from "./winrm.ts";
import { converse, sayGoodbye } from "./winrm_run.ts";

/** How long each goodbye may take, in milliseconds. */
const GOODBYE = 4_000;

/** Opens a shell; commands then run in this one. */
export async function reachByWinrm(
  { hostname, port, variables }: Host,
  user: string,
  { password, ca }: NonNullable<Access["winrm"]>,
  signal: AbortSignal,
): Promise<Remote> {
  const insecureHttp = variables.insecure_http === "yes";
  const client = new WsmanClient({ hostname, port, user, password, ca, insecureHttp });
  let shell: string;
  try {
    shell = await createShell(client, { signal });
  } catch (error) {
    client[Symbol.dispose]();
    throw error;
  }
  return {
    system: "windows",
    async run(line, signal) {
      const stdout = new Kept(), stderr = new Kept();
      const command = await startCommand(client, shell, line, { signal });
      try {
        const code = await converse(client, command, {
          signal,
          onOutput: async (output) => {
            await stdout.write(output.stdout);
            await stderr.write(output.stderr);
          },
        });
        const output = await outputOf(code, stdout, stderr);
        return { ...output, stderr: errorText(output.stderr) };
      } finally {
        await sayGoodbye(() => signalCommand(client, command, "terminate", { timeout: GOODBYE }));
      }
    },
    async [Symbol.asyncDispose]() {
      await sayGoodbye(() => deleteShell(client, shell, { timeout: GOODBYE }));
      client[Symbol.dispose]();
    },
  };
}
