#!/usr/bin/env -S deno run --allow-read=/etc/hosts --allow-net=127.0.0.1:5300
/**
 * Find the host of an address: gethostbyaddr
 *
 * DNS finds names only, so an address is turned into one: its parts from the last to the first, since the
 * general stands last in a name. 192.168.1.8 becomes 8.1.168.192.in-addr.arpa, and an IPv6 address goes
 * digit by digit below ip6.arpa. The PTR record there names the host. The hosts file is looked into first.
 *
 * Whoever has the address writes that record, and can write any name into it: --confirm looks the name
 * up again, and says whether the address is among those of the host.
 *
 * @lecture 000 Find hostname from ip address
 * @python  socket.gethostbyaddr → Deno.resolveDns
 * @partner scripts/hosts/dns_server.ts
 * @run     deno run --allow-read=/etc/hosts --allow-net=127.0.0.1:5300 scripts/hosts/reverse_lookup.ts 192.168.1.8
 * @expect  Hostname : homer.hellfly.net
 * @expect  Aliases  : 8.1.168.192.in-addr.arpa
 * @expect  Addresses: 192.168.1.8
 * @run     deno run --allow-read=/etc/hosts --allow-net=127.0.0.1:5300 scripts/hosts/reverse_lookup.ts fd00::8 --confirm
 * @expect  Hostname : homer.hellfly.net
 * @log     homer.hellfly.net has the address fd00::8
 * @argument ADDRESS           an IPv4 or IPv6 address
 * @option  --confirm          look the name up again, and fail when it has another address
 * @option  --server HOST:PORT the DNS server, as an IP address (default: 127.0.0.1:5300)
 * @option  --hosts FILE       the hosts file (default: /etc/hosts)
 * @option  --json             print the host as JSON
 * @see     https://www.rfc-editor.org/rfc/rfc1035#section-3.5
 * @module
 */

import type { NetEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { visible } from "../../lib/display.ts";
import { NoSuchRecordError, parseServer, resolve } from "../../lib/dns_query.ts";
import { attempt } from "../../lib/errors.ts";
import { canonicalAddress, type Host, hostByAddress, parseHosts } from "../../lib/hosts_file.ts";
import { reverseName } from "../../lib/reverse_name.ts";
import { UsageError } from "../../lib/usage.ts";

/** Python's gethostbyaddr by DNS alone. The reverse name is an alias of the host, as in the lecture. */
export async function reverseLookUp(address: string, server: NetEndpoint): Promise<Host> {
  const reverse = reverseName(address);
  const fail = (code: number) => new NoSuchRecordError(`the host of ${address}`, "PTR", code);
  const [first, ...others] = await resolve(reverse, "PTR", server).catch((error) => {
    throw error instanceof NoSuchRecordError ? fail(error.code) : error;
  });
  if (first === undefined) throw fail(0);
  const plain = (name: string) => name.replace(/\.$/, "");
  return { name: plain(first), aliases: [reverse, ...others.map(plain)], addresses: [address] };
}

/** Whether the host of an address has that address: a PTR record alone proves nothing. */
async function confirm(host: Host, address: string, server: NetEndpoint): Promise<void> {
  const found = await resolve(host.name, address.includes(":") ? "AAAA" : "A", server);
  if (!found.some((one) => canonicalAddress(one) === address)) {
    throw new Error(`${visible(host.name)} does not have the address ${address}: do not trust it`);
  }
  console.error(`${visible(host.name)} has the address ${address}`);
}

export async function main(
  options: { address: string; confirm: boolean; server: string; hosts: string; json: boolean },
): Promise<void> {
  const server = parseServer(options.server);
  const address = canonicalAddress(options.address);
  if (!address || address.includes("%")) {
    throw new UsageError(
      `"${options.address}" is no IP address such as 192.168.1.8 or fd00::8; lookup.ts takes names`,
    );
  }
  const file = await attempt(`read ${options.hosts}`, () => Deno.readTextFile(options.hosts));
  const known = hostByAddress(parseHosts(file), address);
  const host = known ?? await reverseLookUp(address, server);
  // the owner of this machine wrote the hosts file: what stands there is true here
  if (options.confirm && !known) await confirm(host, address, server);
  if (options.json) return console.log(JSON.stringify(host));
  console.log(`Hostname : ${visible(host.name)}`);
  console.log(`Aliases  : ${visible(host.aliases.join(", ")) || "none"}`);
  console.log(`Addresses: ${host.addresses.join(", ")}`);
}

if (import.meta.main) await run(main);
