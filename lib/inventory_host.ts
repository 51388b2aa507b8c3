/**
 * A machine of an inventory: where it is, and how it is reached.
 *
 * @module
 */

import { visible } from "./display.ts";
import { UsageError } from "./usage.ts";

/** One machine. */
export interface Host {
  name: string;
  /** In the order of the file; `all` is not among them. */
  groups: string[];
  /** Where it is; its name unless the variable `host` tells. */
  hostname: string;
  /** 22 by SSH and 5986 by WinRM, unless told. */
  port: number;
  user: string | undefined;
  connection: "ssh" | "winrm";
  /** All of them, its own and those of its groups; `name`, `host`, `port` and `user` among them. */
  variables: Record<string, string>;
}

/**
 * A host, by its variables.
 *
 * @throws {UsageError} when it could not be reached so
 */
export function hostOf(name: string, groups: string[], variables: Record<string, string>): Host {
  const fail = (reason: string) => {
    throw new UsageError(`the host ${name} of the inventory: ${reason}`);
  };
  const { host: hostname = name, user, connection = "ssh" } = variables;
  const port = Number(variables.port ?? (connection === "winrm" ? 5986 : 22));
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    fail(`its port is ${visible(variables.port!)}, not a number from 1 to 65535`);
  }
  if (connection !== "ssh" && connection !== "winrm") {
    fail(`its connection is "${visible(connection)}", neither ssh nor winrm`);
  }
  if (!/^[\w.:%-]+$/.test(hostname)) fail(`"${visible(hostname)}" is no address`);
  const all = { ...variables, name, host: hostname, port: String(port), ...(user && { user }) };
  return {
    ...{ name, groups, hostname, port, user, variables: all },
    connection: connection as Host["connection"],
  };
}

/**
 * Those hosts that are meant: the name of a group, of a host, or `all`.
 *
 * @throws {UsageError} when none is called so
 */
export function selectHosts(hosts: Host[], name: string): Host[] {
  const found = hosts.filter((host) =>
    name === "all" || host.name === name || host.groups.includes(name)
  );
  if (found.length > 0) return found;
  const known = new Set(hosts.flatMap((host) => [...host.groups, host.name]));
  const list = Array.from(known).slice(0, 30).join(", ");
  throw new UsageError(
    hosts.length === 0
      ? "there is no host in the inventory"
      : `no group and no host is called "${visible(name)}", only ${list}`,
  );
}
