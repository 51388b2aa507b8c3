#!/usr/bin/env -S deno run --allow-sys=hostname --allow-read=/etc/hosts
/**
 * The name of this machine, and its address
 *
 * Asks the system for its own name, as the command `hostname` does, and looks the name up in the hosts file.
 * On many machines that gives 127.0.0.1 or 127.0.1.1, which is true and of no use to others: the addresses
 * that others can reach are those of the network interfaces, which interfaces.ts shows.
 *
 * A machine may well not know its own name in this file. Then DNS may know it: lookup.ts asks there.
 *
 * @lecture 000 Find hostname of the machine · 002 Sockets in Python · 004 DNS
 * @python  socket.gethostname → Deno.hostname,
 *          socket.gethostbyname(socket.gethostname()) → Deno.hostname, Deno.readTextFile
 * @run     deno run --allow-sys=hostname --allow-read=/etc/hosts scripts/hosts/hostname.ts
 * @expect  host name *
 * @expect  address *
 * @option  --json   print it as JSON
 * @see     https://docs.deno.com/api/deno/~/Deno.hostname
 * @module
 */

import { run } from "../../lib/cli.ts";
import { visible } from "../../lib/display.ts";
import { attempt } from "../../lib/errors.ts";
import { type Host, hostByName, parseHosts } from "../../lib/hosts_file.ts";
import { parseAddress } from "../../lib/ip_address.ts";
import { kindOf } from "../../lib/subnet.ts";

const HOSTS_FILE = "/etc/hosts";

/** What the hosts file says of a name; undefined when it, or the file, is not there. */
async function lookUp(name: string): Promise<Host | undefined> {
  try {
    return hostByName(parseHosts(await Deno.readTextFile(HOSTS_FILE)), name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

export async function main({ json }: { json: boolean }): Promise<void> {
  const name = await attempt("ask for the host name", () => Deno.hostname()); // socket.gethostname()
  // Python's gethostbyname asks DNS as well; here the hosts file alone is the lesson
  const host = await attempt(`look "${name}" up in ${HOSTS_FILE}`, () => lookUp(name));
  const addresses = host?.addresses ?? [];
  if (json) {
    console.log(JSON.stringify({ name, officialName: host?.name ?? null, addresses }, null, 2));
    return;
  }
  console.log(`host name      ${visible(name)}`);
  if (host && host.name !== name) console.log(`official name  ${visible(host.name)}`);
  for (const address of addresses) {
    console.log(`address        ${address}, ${kindOf(parseAddress(address))}`);
  }
  if (addresses.length === 0) console.log(`address        none in ${HOSTS_FILE}`);
}

if (import.meta.main) await run(main);
