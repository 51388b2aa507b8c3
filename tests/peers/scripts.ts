/**
 * Our scripts as processes, each with its own narrow flags, moved to another port or path.
 *
 * @module
 */

import { formatEndpoint, parseEndpoint } from "../../lib/address.ts";
import { Process } from "./process.ts";

/** Where a server is. */
export type At = Deno.NetAddr | Deno.UnixAddr;

/** A script's path on this machine. */
export function pathOf(script: string): string {
  return new URL(`../../scripts/${script}.ts`, import.meta.url).pathname;
}

/** Starts a script that is to use the endpoint. */
export function startScript(script: string, at: At, ...words: string[]): Process {
  const options = "path" in at
    ? ["--path", at.path]
    : ["--host", at.hostname, "--port", String(at.port)];
  const flags = flagsOf(script, at);
  const start = [Deno.execPath(), "run", "--no-prompt", ...flags, pathOf(script)];
  return new Process([...start, ...options, ...words]);
}

/** A server of ours that listens. */
export interface OurServer extends AsyncDisposable {
  process: Process;
  at: At;
}

/** Starts a server on a free port, or at the path, and waits until it listens. */
export async function startServer(
  script: string,
  where: At,
  ...words: string[]
): Promise<OurServer> {
  const process = startScript(script, where, ...words);
  try {
    const [, said] = await process.stdout.line(/^listening on (.+)$/);
    const found = parseEndpoint(said!);
    const at = "port" in found && "port" in where ? { ...where, port: found.port } : where;
    return { process, at, [Symbol.asyncDispose]: () => process[Symbol.asyncDispose]() };
  } catch (error) {
    await process[Symbol.asyncDispose]();
    throw error;
  }
}

function flagsOf(script: string, at: At): string[] {
  if ("path" in at) {
    return [`net=unix:${at.path}`, `read=${at.path}`, `write=${at.path}`]
      .map((grant) => `--allow-${grant}`);
  }
  const there = formatEndpoint(at);
  const own = at.hostname === "::1" ? "[::1]:0" : "127.0.0.1:0";
  if (script === "udp/echo_client") return [`--allow-net=${own},${there}`];
  // answers go to ports that the clients choose
  if (script === "udp/echo_server") return [`--allow-net=${there.replace(/:\d+$/, "")}`];
  return [`--allow-net=${there}`];
}
