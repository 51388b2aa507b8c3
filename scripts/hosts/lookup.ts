#!/usr/bin/env -S deno run --allow-read=/etc/hosts --allow-net=127.0.0.1:5300
/**
 * Find the addresses of a host: gethostbyname and gethostbyname_ex
 *
 * Three things are told of a host: its canonical name, its aliases, and all its addresses. As the system
 * does it, the hosts file comes first, and DNS is asked for what is not there. In DNS an alias is a CNAME
 * record, which names another name, perhaps an alias again: the chain is followed to its end.
 *
 * gethostbyname gives one address, the first: --first does so. A client should try them all.
 *
 * @lecture 002 Addresses, gethostbyname · 004 DNS – Domain Name Service
 * @python  socket.gethostbyname → Deno.resolveDns, socket.gethostbyname_ex → Deno.resolveDns
 * @partner scripts/hosts/dns_server.ts
 * @run     deno run --allow-read=/etc/hosts --allow-net=127.0.0.1:5300 scripts/hosts/lookup.ts www.rad.washington.edu
 * @expect  Hostname : elladan.rad.washington.edu
 * @expect  Aliases  : www.rad.washington.edu
 * @expect  Addresses: 128.95.247.84
 * @run     deno run --allow-read=/etc/hosts --allow-net=127.0.0.1:5300 scripts/hosts/lookup.ts uw.edu --first
 * @expect  128.95.155.135
 * @argument NAME              the name of a host
 * @option  --first            print one address and nothing else, as gethostbyname does
 * @option  --server HOST:PORT the DNS server, as an IP address (default: 127.0.0.1:5300)
 * @option  --hosts FILE       the hosts file (default: /etc/hosts)
 * @option  --json             print the host as JSON
 * @see     https://man7.org/linux/man-pages/man3/gethostbyname.3.html
 * @module
 */

import type { NetEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { visible } from "../../lib/display.ts";
import { DnsFormatError, labelsOf } from "../../lib/dns_name.ts";
import { NoSuchRecordError, parseServer, resolve } from "../../lib/dns_query.ts";
import { attempt } from "../../lib/errors.ts";
import { canonicalAddress, type Host, hostByName, parseHosts } from "../../lib/hosts_file.ts";
import { UsageError } from "../../lib/usage.ts";

const LONGEST_CHAIN = 8; // of aliases; more are a mistake, or a circle

/** Python's gethostbyname_ex by DNS alone: the chain of aliases, then the addresses at its end. */
export async function lookUp(asked: string, server: NetEndpoint): Promise<Host> {
  const aliases: string[] = [];
  let name = asked;
  for (;;) {
    const [target] = await resolve(name, "CNAME", server);
    if (target === undefined) break;
    aliases.push(name);
    if (aliases.length > LONGEST_CHAIN) {
      throw new Error(`cannot look up ${asked}: its aliases lead to no end, ${aliases.join(", ")}`);
    }
    name = target.replace(/\.$/, "");
  }
  // gethostbyname knows IPv4 only; a host of today may have both
  const [four, six] = await Promise.all([
    resolve(name, "A", server),
    resolve(name, "AAAA", server),
  ]);
  if (four.length + six.length === 0) throw new NoSuchRecordError(name, "A or AAAA", 0);
  return { name, aliases, addresses: [...four, ...six] };
}

export async function main(
  options: { name: string; first: boolean; server: string; hosts: string; json: boolean },
): Promise<void> {
  const server = parseServer(options.server);
  const name = options.name.replace(/\.$/, "");
  const address = canonicalAddress(name);
  let host: Host | undefined;
  if (address) {
    // an address is its own answer, as in Python
    host = { name, aliases: [], addresses: [address] };
  } else {
    try {
      labelsOf(name);
    } catch (error) {
      throw error instanceof DnsFormatError ? new UsageError(error.message) : error;
    }
    const file = await attempt(`read ${options.hosts}`, () => Deno.readTextFile(options.hosts));
    host = hostByName(parseHosts(file), name) ?? await lookUp(name, server);
  }
  if (options.json) return console.log(JSON.stringify(host));
  if (options.first) return console.log(host.addresses[0]);
  console.log(`Hostname : ${visible(host.name)}`);
  console.log(`Aliases  : ${visible(host.aliases.join(", ")) || "none"}`);
  console.log(`Addresses: ${host.addresses.join(", ")}`);
}

if (import.meta.main) await run(main);
