/**
 * What a fleet is entered with: asked for once, before the first machine is visited, and only what is needed.
 *
 * @module
 */

import { readAuthority } from "./authority_file.ts";
import { ActionError } from "./errors.ts";
import type { Access } from "./fleet_remote.ts";
import type { Host } from "./inventory_host.ts";
import { defaultKnownHosts, readKnownHosts } from "./known_hosts_file.ts";
import { requireNet } from "./require_net.ts";
import { password } from "./secrets.ts";
import type { Login } from "./ssh_client.ts";

/** How to log in, as the command line says. */
export interface AccessOptions {
  /** A file with a private key. */
  key?: string;
  agent: boolean;
  knownHosts?: string;
  acceptNew: boolean;
  /** A file with certificates. */
  ca?: string;
}

/**
 * Gets ready to enter some hosts.
 *
 * @throws {ActionError} when a file cannot be read, or a permission is missing
 * @throws {UsageError} when a password is needed, and there is no way to ask for it
 */
export async function accessFor(hosts: Host[], options: AccessOptions): Promise<Access> {
  const access: Access = {};
  // a permission that is missing here says nothing about the machines
  for (const { hostname, port } of hosts) await requireNet(hostname, port);
  if (hosts.some(({ connection }) => connection === "ssh")) {
    const path = options.knownHosts ?? defaultKnownHosts();
    const known = await readKnownHosts(path);
    for (const { line, reason } of known.damaged) {
      console.error(`line ${line} of ${path} is not used: ${reason}`);
    }
    if (options.acceptNew) await requireWrite(path);
    const hostKey = { known, path, acceptNew: options.acceptNew, report: console.error };
    access.ssh = { login: await sshLogin(options), hostKey };
  }
  if (hosts.some(({ connection }) => connection === "winrm")) {
    const insecure = hosts.filter(({ variables }) => variables.insecure_http === "yes");
    for (const { name } of insecure) {
      console.error(`warning: plain HTTP to ${name}: the password can be read on the way`);
    }
    const { ca } = options;
    access.winrm = {
      password: await password("WINRM_PASSWORD", "Password for WinRM:"),
      ca: ca && await readAuthority(ca, `read the certificates in ${ca}`),
    };
  }
  return access;
}

async function requireWrite(path: string): Promise<void> {
  const { state } = await Deno.permissions.request({ name: "write", path });
  if (state === "granted") return;
  const refused = new Deno.errors.NotCapable(`Requires write access to "${path}"`);
  throw new ActionError(`add host keys to ${path}`, refused);
}

async function sshLogin({ key, agent }: AccessOptions): Promise<Login> {
  if (agent) {
    const { agentSocket } = await import("./ssh_keys.ts");
    return { agent: agentSocket() };
  }
  if (key !== undefined) {
    const { readPrivateKey } = await import("./ssh_keys.ts");
    const ask = () => password("SSH_PASSPHRASE", `Passphrase of ${key}:`);
    return { key: await readPrivateKey(key, ask) };
  }
  const secret = await password("SSH_PASSWORD", "Password for SSH:");
  return { password: () => secret };
}
