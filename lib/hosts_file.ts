/**
 * The hosts file: names and addresses that this machine knows without asking anybody. It is older than DNS,
 * and is still looked into first.
 *
 *     127.0.0.1   localhost
 *     192.168.1.8 homer.hellfly.net homer   # the official name, then its aliases
 *
 * @see {@link https://man7.org/linux/man-pages/man5/hosts.5.html hosts(5)}
 * @module
 */

/** A host, as Python's `gethostbyname_ex` and `gethostbyaddr` tell of it. */
export interface Host {
  /** The official name. */
  name: string;
  aliases: string[];
  addresses: string[];
}

/**
 * Reads a hosts file: a host for each line. A line that has no address or no name says nothing, as in the
 * system's own reading.
 *
 * @example
 * ```ts
 * import { parseHosts } from "./hosts_file.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseHosts("192.168.1.8 homer.hellfly.net homer # Simpson\n"), [
 *   { name: "homer.hellfly.net", aliases: ["homer"], addresses: ["192.168.1.8"] },
 * ]);
 * ```
 */
export function parseHosts(text: string): Host[] {
  const hosts: Host[] = [];
  for (const line of text.split("\n")) {
    const [written = "", name, ...aliases] = line.replace(/#.*/, "").split(/\s+/).filter(Boolean);
    const address = canonicalAddress(written);
    if (address && name) hosts.push({ name, aliases, addresses: [address] });
  }
  return hosts;
}

/**
 * The host of a name, which may be an alias: lines of the same host are put together. `undefined` when there
 * is none. The case of letters does not matter.
 */
export function hostByName(hosts: Host[], name: string): Host | undefined {
  const plain = (one: string) => one.toLowerCase().replace(/\.$/, "");
  const wanted = plain(name);
  return together(
    hosts.filter((host) => [host.name, ...host.aliases].some((each) => plain(each) === wanted)),
  );
}

/** The host of an address; `undefined` when there is none. */
export function hostByAddress(hosts: Host[], address: string): Host | undefined {
  const wanted = canonicalAddress(address);
  return together(hosts.filter(({ addresses }) => addresses[0] === wanted));
}

function together(hosts: Host[]): Host | undefined {
  const [first] = hosts;
  if (!first) return undefined;
  const names = new Set(hosts.flatMap(({ name, aliases }) => [name, ...aliases]));
  names.delete(first.name);
  const addresses = new Set(hosts.flatMap(({ addresses }) => addresses));
  return { name: first.name, aliases: [...names], addresses: [...addresses] };
}

/**
 * An IP address in its one canonical form, `::1` for `0:0:0:0:0:0:0:1`; `undefined` when it is none.
 *
 * @example
 * ```ts
 * import { canonicalAddress } from "./hosts_file.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(canonicalAddress("2001:DB8:0::1"), "2001:db8::1");
 * assertEquals(canonicalAddress("192.168.1"), undefined);
 * ```
 */
export function canonicalAddress(text: string): string | undefined {
  const [address, zone] = text.split("%");
  if (/^(\d{1,3}\.){3}\d{1,3}$/.test(text)) {
    const parts = text.split(".").map(Number);
    return parts.every((part) => part < 256) ? parts.join(".") : undefined;
  }
  if (!/^[\da-f:.]*:[\da-f:.]*$/i.test(address!)) return undefined;
  const url = URL.parse(`http://[${address}]/`);
  return url ? url.hostname.slice(1, -1) + (zone ? `%${zone}` : "") : undefined;
}
