#!/usr/bin/env -S deno run
/**
 * Networks and hosts in an IP address
 *
 * An address has two pieces: the first bits name a network, the others a host in it. How many bits are the
 * network's stands after the slash: 192.168.2.100/24 is a host in the network of all addresses that begin
 * with 192.168.2. Each further bit of prefix halves the network. A router looks at this piece only.
 *
 * IPv6 is the same with 128 bits, written as eight groups of hexadecimal digits, of which one run of zeros
 * may be left out. All is computed: no permission is needed.
 *
 * @lecture 001 Main notion here is IP address · 002 The TCP/IP Stack - Internet · 004 IP Addresses
 * @python  ipaddress.ip_interface → parseNetwork (lib/subnet.ts),
 *          ipaddress.ip_network → parseNetwork (lib/subnet.ts),
 *          ipaddress.ip_address → parseNetwork (lib/subnet.ts),
 *          IPv6Address.exploded → parseNetwork (lib/subnet.ts)
 * @run     deno run scripts/hosts/subnet.ts 192.168.2.100/24 192.168.3.1
 * @expect  address *192.168.2.100, IPv4, private
 * @expect  network piece *192.168.2.0/24
 * @expect  host piece *0.0.0.100
 * @expect  netmask *255.255.255.0
 * @expect  range *192.168.2.0 to 192.168.2.255
 * @expect  count *256
 * @expect  192.168.3.1 is not inside 192.168.2.0/24
 * @run     deno run scripts/hosts/subnet.ts 2001:0DB8:0:0:0:0:0:1/32 2001:db8:ffff::1
 * @expect  long form *2001:0db8:0000:0000:0000:0000:0000:0001
 * @expect  short form *2001:db8::1
 * @expect  count *79228162514264337593543950336
 * @expect  2001:db8:ffff::1 is inside 2001:db8::/32
 * @argument ADDRESS    an address, with its prefix after a slash
 * @argument [INSIDE]   another address: is it inside the network?
 * @option  --json      print it as JSON; the count is a string, since it may be larger than a number
 * @see     https://www.rfc-editor.org/rfc/rfc4632#section-3.1
 * @see     https://www.rfc-editor.org/rfc/rfc5952
 * @module
 */

import { run } from "../../lib/cli.ts";
import { formatAddress, type IpAddress, parseAddress } from "../../lib/ip_address.ts";
import { contains, kindOf, parseSubnet, type Subnet } from "../../lib/subnet.ts";
import { UsageError } from "../../lib/usage.ts";

/** The bits of an address, with a bar between the network's and the host's. */
export function bitsOf({ version, bytes }: IpAddress, prefix: number): string {
  const width = version === 4 ? 1 : 2; // bytes in a group, as the address is written
  let text = "";
  bytes.forEach((byte, at) => {
    if (at > 0 && at % width === 0) text += version === 4 ? "." : ":";
    const bits = byte.toString(2).padStart(8, "0");
    const cut = prefix - at * 8;
    text += cut >= 0 && cut < 8 ? `${bits.slice(0, cut)}|${bits.slice(cut)}` : bits;
  });
  return prefix === bytes.length * 8 ? `${text}|` : text;
}

/** Everything that prefix notation says, as text. */
export function describe(subnet: Subnet) {
  const { address, prefix, network, host, last, netmask, hosts, count } = subnet;
  return {
    address: formatAddress(address),
    version: address.version,
    kind: kindOf(address),
    long: formatAddress(address, { long: true }),
    prefix,
    network: `${formatAddress(network)}/${prefix}`,
    host: formatAddress(host),
    netmask: formatAddress(netmask),
    first: formatAddress(network),
    last: formatAddress(last),
    hosts: hosts.map((each) => formatAddress(each)),
    count: String(count), // Python's num_addresses
    bits: bitsOf(address, prefix),
  };
}

/** What the user wrote, read; a mistake in it is one on the command line. */
function read<T>(parse: (text: string) => T, text: string): T {
  try {
    return parse(text);
  } catch (error) {
    throw error instanceof SyntaxError ? new UsageError(error.message) : error;
  }
}

export function main(
  { address, inside, json }: { address: string; inside?: string; json: boolean },
): void {
  const subnet = read(parseSubnet, address);
  const other = inside === undefined ? undefined : read(parseAddress, inside);
  const told = describe(subnet);
  const within = other && contains(subnet, other); // Python's other in network
  if (json) {
    const answer = other && { inside: { address: formatAddress(other), answer: within } };
    console.log(JSON.stringify({ ...told, ...answer }, null, 2));
    return;
  }
  const rows: [name: string, value: string | number][] = [
    ["address", `${told.address}, IPv${told.version}, ${told.kind}`],
  ];
  if (told.version === 6) rows.push(["long form", told.long], ["short form", told.address]);
  rows.push(["network piece", told.network], ["host piece", told.host]);
  if (told.version === 4) rows.push(["in bits", told.bits]); // 128 bits do not fit a line
  rows.push(
    ["netmask", told.netmask],
    ["range", `${told.first} to ${told.last}`],
    ["for hosts", told.hosts.join(" to ")],
    ["count", told.count],
  );
  for (const [name, value] of rows) console.log(`${name.padEnd(14)} ${value}`);
  if (other) {
    console.log(`${formatAddress(other)} is ${within ? "" : "not "}inside ${told.network}`);
  }
}

if (import.meta.main) await run(main);
