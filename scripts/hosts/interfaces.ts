#!/usr/bin/env -S deno run --allow-sys=networkInterfaces
/**
 * The network interfaces of this machine
 *
 * A machine has an address for each network that it is in, and one for itself alone: the loopback. This
 * lists them by interface, with the prefix that tells the network from the host, and the hardware's (MAC)
 * address, by which the neighbours on an Ethernet know it.
 *
 * Which one is "my address"? The one that others can reach. No interface is called so: the main one here is
 * the first that is neither loopback nor link-local, IPv4 before IPv6.
 *
 * @lecture 004 IP Addresses (netifaces)
 * @python  netifaces.interfaces → Deno.networkInterfaces,
 *          netifaces.ifaddresses("en0")[netifaces.AF_INET][0]["addr"] → Deno.networkInterfaces
 * @run     deno run --allow-sys=networkInterfaces scripts/hosts/interfaces.ts
 * @expect  lo* IPv4 * 127.0.0.1/8 * loopback
 * @run     deno run --allow-sys=networkInterfaces scripts/hosts/interfaces.ts --json
 * @expect  *"address": "127.0.0.1",
 * @expect  *"kind": "loopback",
 * @argument [NAME]  the interface to show, such as eth0 or en0; all unless told
 * @option  --main   print the main address only
 * @option  --json   print them as JSON
 * @see     https://docs.deno.com/api/deno/~/Deno.networkInterfaces
 * @module
 */

import { run } from "../../lib/cli.ts";
import { attempt } from "../../lib/errors.ts";
import { parseAddress } from "../../lib/ip_address.ts";
import { kindOf, parseSubnet } from "../../lib/subnet.ts";

/** One address of an interface. */
export interface InterfaceAddress {
  name: string;
  family: "IPv4" | "IPv6";
  address: string;
  prefix: number;
  netmask: string;
  mac: string;
  kind: string;
  /** Whether it is the machine's main address. */
  main: boolean;
}

/** Marks each address with its kind, and one as the main one; sorted by interface. */
export function understand(found: Deno.NetworkInterfaceInfo[]): InterfaceAddress[] {
  const names = [...new Set(found.map(({ name }) => name))];
  const addresses = found
    .map(({ name, family, address, cidr, netmask, mac }) => ({
      ...{ name, family, address, prefix: parseSubnet(cidr).prefix, netmask, mac },
      kind: kindOf(parseAddress(address)),
      main: false,
    }))
    .sort((one, other) => names.indexOf(one.name) - names.indexOf(other.name));
  const others = addresses.filter(({ kind }) => kind !== "loopback" && kind !== "link-local");
  const main = others.find(({ family }) => family === "IPv4") ?? others[0];
  if (main) main.main = true;
  return addresses;
}

export async function main(
  { name, main, json }: { name?: string; main: boolean; json: boolean },
): Promise<void> {
  // interfaces without an address do not come
  const all = understand(
    await attempt("list the network interfaces", () => Deno.networkInterfaces()),
  );
  const wanted = all.filter((each) =>
    (name === undefined || each.name === name) && (!main || each.main)
  );
  if (name !== undefined && !all.some((each) => each.name === name)) {
    const names = [...new Set(all.map((each) => each.name))].join(", ");
    throw new Error(`no interface "${name}" has an address, only ${names}`);
  }
  if (wanted.length === 0) {
    throw new Error(
      `${name ?? "this machine"} has no address that others can reach, see all without --main`,
    );
  }
  if (json) return console.log(JSON.stringify(wanted, null, 2));
  if (main) return console.log(wanted[0]!.address);
  const width = Math.max(...wanted.map((each) => `${each.address}/${each.prefix}`.length));
  for (const each of wanted) {
    const address = `${each.address}/${each.prefix}`.padEnd(width);
    const mark = each.main ? `${each.kind}, the main one` : each.kind;
    console.log(`${each.name.padEnd(8)} ${each.family}  ${address}  ${each.mac}  ${mark}`);
  }
}

if (import.meta.main) await run(main);
