#!/usr/bin/env -S deno run --allow-read=/etc/hosts,/etc/services
/**
 * All that is needed to reach a service on a host
 *
 * Before a client connects, a name like "http on localhost" must become numbers: the family of the address,
 * the type and the protocol of the socket, the address and the port. Python asks getaddrinfo and gets a list,
 * for a host may have several addresses, and a service may run over TCP and UDP. A client tries one after
 * the other. Deno.connect takes the names and does the same inside.
 *
 * The host is looked up in the hosts file and the service in the services file, as the system does first;
 * DNS is asked only where --server names a server.
 *
 * @lecture 002 getaddrinfo: On Your Own Machine, On the Internet · 004 DNS
 * @python  socket.getaddrinfo(host, port, flags=socket.AI_CANONNAME) → Deno.resolveDns
 * @run     deno run --allow-read=/etc/hosts,/etc/services scripts/hosts/address_info.ts localhost http
 * @expect  family: * AF_INET*
 * @expect  type: * SOCK_STREAM
 * @expect  protocol: * IPPROTO_TCP
 * @expect  canonical name: *
 * @expect  socket address: *:80
 * @run     deno run scripts/hosts/address_info.ts ::1 53
 * @expect  family: * AF_INET6
 * @expect  type: * SOCK_STREAM
 * @expect  socket address: * [::1]:53
 * @expect  type: * SOCK_DGRAM
 * @expect  protocol: * IPPROTO_UDP
 * @online  deno run --allow-read=/etc/hosts,/etc/services --allow-net=9.9.9.9:53 scripts/hosts/address_info.ts --server 9.9.9.9:53 crisewing.com http
 * @argument HOST                 a name or an IP address
 * @argument [SERVICE]            a service's name or a port (default: 0)
 * @option  --server HOST:PORT    the DNS server to ask for what the hosts file does not know
 * @option  --json                print the list as JSON
 * @see     https://man7.org/linux/man-pages/man3/getaddrinfo.3.html
 * @see     https://docs.deno.com/api/deno/~/Deno.resolveDns
 * @module
 */

import { formatEndpoint, type NetEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { visible } from "../../lib/display.ts";
import { parseServer, resolve } from "../../lib/dns_query.ts";
import { attempt } from "../../lib/errors.ts";
import { hostByName, parseHosts } from "../../lib/hosts_file.ts";
import { formatAddress, parseAddress } from "../../lib/ip_address.ts";
import { readServices, serviceByName, SERVICES_FILE } from "../../lib/services.ts";
import { UsageError } from "../../lib/usage.ts";

const HOSTS_FILE = "/etc/hosts";

/** One way to reach a service: Python's five-tuple. */
export interface AddressInfo {
  family: "AF_INET" | "AF_INET6";
  type: string;
  protocol: string;
  canonicalName: string;
  address: { hostname: string; port: number };
}

/** A name's official form and its addresses. */
interface Found {
  canonicalName: string;
  addresses: string[];
}

// socket type and protocol, as a transport protocol has them
const TCP = { type: "SOCK_STREAM", protocol: "IPPROTO_TCP" };
const UDP = { type: "SOCK_DGRAM", protocol: "IPPROTO_UDP" };
// packets made by hand; the system lists it where the port is given as a number
const RAW = { type: "SOCK_RAW", protocol: "IPPROTO_IP" };

/** The ports of a service, with the sockets that reach it. */
async function socketsOf(
  service: string,
): Promise<{ type: string; protocol: string; port: number }[]> {
  if (/^\d+$/.test(service)) {
    const port = Number(service);
    if (port > 65_535) throw new UsageError(`a port is a number from 0 to 65535, not "${service}"`);
    return [TCP, UDP, RAW].map((socket) => ({ ...socket, port }));
  }
  const { services } = await attempt(`read ${SERVICES_FILE}`, () => readServices());
  const found = ([["tcp", TCP], ["udp", UDP]] as const).flatMap(([protocol, socket]) => {
    const entry = serviceByName(services, service, protocol);
    return entry ? [{ ...socket, port: entry.port }] : [];
  });
  if (found.length > 0) return found;
  throw new Error(
    `no service over TCP or UDP is called "${service}", ports.ts lists those there are`,
  );
}

/** Looks a host up: an address stands for itself, then the hosts file, then the DNS server. */
async function lookUp(host: string, server?: NetEndpoint): Promise<Found> {
  try {
    return { canonicalName: host, addresses: [formatAddress(parseAddress(host))] };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error; // it is a name
  }
  const text = await attempt(`read ${HOSTS_FILE}`, () => Deno.readTextFile(HOSTS_FILE));
  const known = hostByName(parseHosts(text), host);
  if (known) return { canonicalName: known.name, addresses: known.addresses };
  if (server) return await askDns(host, server);
  throw new Error(`"${host}" is not in ${HOSTS_FILE}, ask a DNS server with --server HOST:PORT`);
}

/** Asks a DNS server for both kinds of address, and for the name that an alias stands for. */
async function askDns(host: string, server: NetEndpoint): Promise<Found> {
  let canonicalName = host;
  for (let hops = 0; hops < 8; hops++) { // an alias may stand for an alias, but a ring has no end
    const [target] = await resolve(canonicalName, "CNAME", server);
    if (target === undefined) break;
    canonicalName = target.replace(/\.$/, "");
  }
  const addresses = [
    ...await resolve(canonicalName, "AAAA", server),
    ...await resolve(canonicalName, "A", server),
  ];
  if (addresses.length === 0) throw new Error(`DNS knows no address of "${host}", check the name`);
  return { canonicalName, addresses };
}

/** Python's getaddrinfo. The system may sort the list by how well it reaches each address; this does not. */
export async function getAddressInfo(
  host: string,
  service: string,
  server?: NetEndpoint,
): Promise<AddressInfo[]> {
  const sockets = await socketsOf(service);
  const { canonicalName, addresses } = await lookUp(host, server);
  return addresses.flatMap((hostname) =>
    sockets.map(({ type, protocol, port }) => ({
      family: hostname.includes(":") ? "AF_INET6" as const : "AF_INET" as const,
      type,
      protocol,
      canonicalName,
      address: { hostname, port },
    }))
  );
}

export async function main(
  { host, service, server, json }: {
    host: string;
    service: string;
    server?: string;
    json: boolean;
  },
): Promise<void> {
  const infos = await getAddressInfo(host, service, server ? parseServer(server) : undefined);
  if (json) return console.log(JSON.stringify(infos, null, 2));
  for (const { family, type, protocol, canonicalName, address } of infos) {
    console.log(`family:          ${family}`);
    console.log(`type:            ${type}`);
    console.log(`protocol:        ${protocol}`);
    console.log(`canonical name:  ${visible(canonicalName)}`);
    console.log(`socket address:  ${formatEndpoint(address)}\n`);
  }
}

if (import.meta.main) await run(main);
