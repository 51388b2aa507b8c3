/**
 * The ends of a tapped conversation, with addresses that can stand in a packet.
 *
 * @module
 */

import { type Endpoint, formatEndpoint } from "./address.ts";
import type { NamedAddress } from "./pcapng.ts";
import type { TapEnd } from "./tap_event.ts";

// these two are kept for examples (RFC 5737): nobody has them
const CLIENT = "192.0.2.1", SERVER = "192.0.2.2";
/** A port of no known service, for what has no port: Wireshark guesses protocols by ports. */
const NO_PORT = 65_000;

/**
 * A client, by its socket's address. A client of a Unix socket has none: it gets one of the addresses kept
 * for examples, and a port by which it can be told from others.
 *
 * @param number of the conversation, from 1
 */
export function clientEnd(address: Deno.Addr, number: number): TapEnd {
  if ("hostname" in address) {
    const { hostname, port } = address;
    return { name: formatEndpoint(address), hostname, port };
  }
  return { name: `client ${number}`, hostname: CLIENT, port: 1_024 + (number - 1) % 60_000 };
}

/** The server, by what the tap was told: an IP address stays, and a name or path gets one for examples. */
export function serverEnd(endpoint: Endpoint): TapEnd {
  const name = formatEndpoint(endpoint);
  if ("path" in endpoint) return { name, hostname: SERVER, port: NO_PORT };
  const { hostname, port } = endpoint;
  if (hostname === "localhost") return { name, hostname: "127.0.0.1", port };
  const isAddress = /^[\d.]+$|:/.test(hostname);
  return { name, hostname: isAddress ? hostname : SERVER, port };
}

/** What the addresses stand for that are not those of real ends, so that Wireshark can show it. */
export function namesOf(endpoint: Endpoint): NamedAddress[] {
  const { name, hostname } = serverEnd(endpoint);
  if ("path" in endpoint) return [{ address: CLIENT, name: "client" }, { address: SERVER, name }];
  return hostname === endpoint.hostname ? [] : [{ address: hostname, name: endpoint.hostname }];
}
