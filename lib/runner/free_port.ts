/**
 * Ports for programs that are about to be started.
 *
 * @module
 */

import { getAvailablePort } from "@std/net/get-available-port";
import { closeLocked } from "../file_lock.ts";

const FIRST = 20_000;
const COUNT = 12_000;

/**
 * A port that nobody has, for TCP and UDP, below those that the system hands out by itself. All programs of this user
 * take turns, by a file in the folder for temporary files: two that chose at random would at times choose the
 * same, before either has listened on it.
 *
 * @throws {Error} when all ports between 20,000 and 32,000 are taken, or the file cannot be written
 *
 * @example
 * ```ts
 * import { freePort } from "./free_port.ts";
 * import { assertNotEquals } from "@std/assert";
 *
 * assertNotEquals(freePort(), freePort());
 * ```
 */
export function freePort(): number {
  for (let tries = 0; tries < COUNT; tries++) {
    const port = nextPort();
    if (isFree(port)) return port;
  }
  throw new Error(
    "cannot find a free port between 20000 and 32000: end some of the programs there",
  );
}

/**
 * Whether nobody has a port, not even a connection that was over less than a minute ago (TIME_WAIT). Where the system
 * does not tell, only whether nobody listens on it for TCP.
 *
 * @example
 * ```ts
 * import { isFree } from "./free_port.ts";
 * import { assertEquals } from "@std/assert";
 *
 * using listener = Deno.listen({ port: 0 });
 * assertEquals(isFree(listener.addr.port), false);
 * ```
 */
export function isFree(port: number): boolean {
  const used = portsInUse();
  return used ? !used.has(port) : getAvailablePort({ preferredPort: port }) === port;
}

/** The port behind the last one that was given. */
function nextPort(): number {
  const { TMPDIR, TEMP, USER, USERNAME } = Deno.env.toObject();
  const path = `${TMPDIR ?? TEMP ?? "/tmp"}/lesson-ports-${USER ?? USERNAME ?? "root"}`;
  const file = Deno.openSync(path, { read: true, write: true, create: true, mode: 0o600 });
  try {
    file.lockSync(true);
    const bytes = new Uint8Array(8);
    const last = Number(new TextDecoder().decode(bytes.subarray(0, file.readSync(bytes) ?? 0)));
    const next = last >= FIRST && last < FIRST + COUNT - 1 ? last + 1 : FIRST;
    file.seekSync(0, Deno.SeekMode.Start);
    file.writeSync(new TextEncoder().encode(String(next)));
    return next;
  } finally {
    closeLocked(file);
  }
}

/**
 * The ports of all sockets here, where the system tells. To listen on a port only to see whether it is free is in
 * the way of others, and for longer than it seems: a program that is just being started holds it too.
 */
function portsInUse(): Set<number> | undefined {
  const ports = new Set<number>();
  for (const name of ["tcp", "tcp6", "udp", "udp6"]) {
    let table: string;
    try {
      table = Deno.readTextFileSync(`/proc/net/${name}`);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound && ports.size > 0) continue; // no IPv6
      return undefined;
    }
    // "0: 0100007F:2710 00000000:0000 0A …": this end, the other one, the state
    for (const [, port] of table.matchAll(/^ *\d+: [\dA-F]+:([\dA-F]{4}) /gm)) {
      ports.add(parseInt(port!, 16));
    }
  }
  return ports;
}
