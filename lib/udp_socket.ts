/**
 * A UDP socket of one's own.
 *
 * `Deno.listenDatagram` is unstable: a script needs `"unstable": ["net"]` in its deno.json, as here, or
 * the flag `--unstable-net`.
 *
 * @module
 */

import { formatEndpoint, type NetEndpoint } from "./address.ts";
import { attempt } from "./errors.ts";
import { formatAddress, parseAddress } from "./ip_address.ts";

/** The most bytes that a datagram carries over IPv4: 65,535 less the IP and UDP headers. */
export const MOST_BYTES = 65_507;

/**
 * Opens a UDP socket: Python's `socket(AF_INET, SOCK_DGRAM)` and `bind`.
 *
 * @param endpoint 127.0.0.1 and a free port unless told
 * @throws {ActionError} when the address is taken or the permission is missing
 * @see {@link https://docs.deno.com/api/deno/~/Deno.listenDatagram Deno.listenDatagram}
 */
export function bind(endpoint: Partial<NetEndpoint> = {}): Promise<Deno.DatagramConn> {
  const { hostname = "127.0.0.1", port = 0 } = endpoint;
  return attempt(
    `bind ${formatEndpoint({ hostname, port })} for UDP`,
    () => Deno.listenDatagram({ transport: "udp", hostname, port }),
  );
}

/** From where to send: a loopback address for a loopback address, any for all others. */
export function localFor(hostname: string): string {
  if (hostname.startsWith("127.")) return "127.0.0.1";
  return hostname === "::1" ? "::1" : hostname.includes(":") ? "::" : "0.0.0.0";
}

/**
 * An IP address as a datagram's sender is written: `0:0::1` becomes `::1`, `127.1` becomes `127.0.0.1`. What
 * is no address stays as it is.
 *
 * @example
 * ```ts
 * import { senderAddress } from "./udp_socket.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const written = ["0:0::1", "::FFFF:7f00:1", "127.1", "FE80::01%v0"].map(senderAddress);
 * assertEquals(written, ["::1", "::ffff:127.0.0.1", "127.0.0.1", "fe80::1%v0"]);
 * ```
 */
export function senderAddress(address: string): string {
  if (/^[\d.]+$/.test(address)) return URL.parse(`http://${address}/`)?.hostname ?? address;
  try {
    return formatAddress(parseAddress(address));
  } catch {
    return address;
  }
}

/**
 * How Deno writes the sender of what comes from an address: an answer is the server's when it is written so.
 * The zone of a link-local address, `%eth0`, is left out: it is needed to send, and not told on receiving.
 *
 * @example
 * ```ts
 * import { senderOf } from "./udp_socket.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(senderOf({ hostname: "127.1", port: 53 }), "127.0.0.1:53");
 * assertEquals(senderOf({ hostname: "fe80::1%eth0", port: 53 }), "[fe80::1]:53");
 * ```
 */
export function senderOf({ hostname, port }: NetEndpoint): string {
  return formatEndpoint({ hostname: senderAddress(hostname).replace(/%.*$/, ""), port });
}

/**
 * Whether what is sent to an address stays on this machine.
 *
 * @example
 * ```ts
 * import { isLoopback } from "./udp_socket.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const local = ["127.1", "0:0::1", "::ffff:127.0.0.1", "192.0.2.1", "::2"].map(isLoopback);
 * assertEquals(local, [true, true, true, false, false]);
 * ```
 */
export function isLoopback(address: string): boolean {
  return /^(::ffff:)?127\.|^::1$/.test(senderAddress(address));
}

/**
 * The IPv4 address behind a name, or an address in the form in which answers come: an answer is the server's when
 * its sender is that address.
 *
 * @throws {ActionError} when no such name is known
 *
 * @example
 * ```ts
 * import { addressOf } from "./udp_socket.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([await addressOf("localhost"), await addressOf("0:0::1")], ["127.0.0.1", "::1"]);
 * ```
 */
export async function addressOf(hostname: string): Promise<string> {
  if (hostname.includes(":") || /^[\d.]+$/.test(hostname)) return senderAddress(hostname);
  if (hostname === "localhost") return "127.0.0.1";
  const [address] = await attempt(`look up ${hostname}`, Deno.resolveDns(hostname, "A"));
  return address!;
}
