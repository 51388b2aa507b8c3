/**
 * What Unix systems tell of themselves, read.
 *
 * @module
 */

import type { Output } from "./fleet_remote.ts";

/**
 * The mode of a file as four octal digits, from the line of `ls -l`.
 *
 * @returns `undefined` when it is no such line
 * @see {@link https://pubs.opengroup.org/onlinepubs/9699919799/utilities/ls.html#tag_20_73_10 POSIX, ls}
 *
 * @example
 * ```ts
 * import { modeOf } from "./fleet_unix.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(modeOf("-rw-r--r-- 1 root root 9 Jan  1 10:00 hosts"), "0644");
 * assertEquals(modeOf("drwxrwxrwt 9 root root 9 Jan  1 10:00 tmp"), "1777");
 * ```
 */
export function modeOf(line: string): string | undefined {
  const found = /^[-bcdlpsDC]([-r][-w][-xsS])([-r][-w][-xsS])([-r][-w][-xtT])/.exec(line);
  if (!found) return undefined;
  const digits = found.slice(1).map((three) =>
    (three[0] === "r" ? 4 : 0) + (three[1] === "w" ? 2 : 0) + (/[xst]/.test(three[2]!) ? 1 : 0)
  );
  const special = found.slice(1).reduce(
    (sum, three, index) => sum + (/[sStT]/.test(three[2]!) ? 4 >> index : 0),
    0,
  );
  return [special, ...digits].join("");
}

/**
 * The TCP ports on which a machine listens: from Linux' own table, which every process may read, and
 * elsewhere from netstat.
 *
 * @returns a text that tells why, when neither gives it
 */
export async function listeningPorts(
  run: (command: string) => Promise<Output>,
): Promise<{ ports: Set<number>; cut?: boolean } | string> {
  // without IPv6 the second file is missing, and cat fails
  const table = await run("cat /proc/net/tcp /proc/net/tcp6");
  if (/^\s*sl\s+local_address/.test(table.stdout)) {
    const ports = portsOfTable(table.stdout);
    if (!table.stdoutCut) return { ports };
    // each of thousands of connections has a line; but those that listen stand at the top of a file
    const six = await run("cat /proc/net/tcp6");
    const cut = !hasOthers(table.stdout) || six.stdoutCut && !hasOthers(six.stdout);
    return { ports: ports.union(portsOfTable(six.stdout)), cut };
  }
  const { code, stdout, stderr, stdoutCut } = await run("netstat -an");
  if (code === 0) return { ports: portsOfNetstat(stdout), cut: stdoutCut };
  return `no list of ports: ${(stderr || table.stderr).trim().split("\n")[0]!.slice(0, 200)}`;
}

/** Reads `/proc/net/tcp`: `0: 0100007F:08AE 00000000:0000 0A …`, where 0A means that it listens. */
export function portsOfTable(text: string): Set<number> {
  // \s would take line ends too, and look from each of many empty lines at all of the following
  const lines = text.matchAll(/^ *\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:0000 0A /gm);
  return new Set(Array.from(lines, ([, port]) => parseInt(port!, 16)));
}

/** Whether a line is of a socket that does not listen: in Linux' table these come behind all that do. */
function hasOthers(table: string): boolean {
  return /^ *\d+: [0-9A-F]+:[0-9A-F]{4} [0-9A-F]+:[0-9A-F]{4} (?!0A)/m.test(table);
}

/** Reads `netstat -an`: `tcp4 0 0 127.0.0.1.22 *.* LISTEN` on BSD, with a colon before the port elsewhere. */
export function portsOfNetstat(text: string): Set<number> {
  const ports = new Set<number>();
  for (const line of text.split("\n")) {
    const words = line.trim().split(/\s+/);
    // its address, that of the other side, and the state; numbers before them count what waits
    const address = words[words.findIndex((word) => /^LISTEN/i.test(word)) - 2];
    const port = /[.:](\d{1,5})$/.exec(address ?? "")?.[1];
    if (/^tcp/i.test(line.trim()) && port) ports.add(Number(port));
  }
  return ports;
}
