#!/usr/bin/env -S deno run
/**
 * Families, types and protocols of sockets
 *
 * A socket is made of three numbers: the family of its addresses (AF_), its type (SOCK_: a stream or
 * datagrams) and its protocol (IPPROTO_). Python passes them on as the C library has them, and they differ
 * from system to system. Deno has no such call: `transport` and the address choose all three, and the last
 * table shows which call gives which socket.
 *
 * @lecture 002 Socket Families, Socket Types, Socket Protocols · 001 Sockets
 * @python  get_constants("AF_") → lib/socket_constants.ts,
 *          get_constants("SOCK_") → lib/socket_constants.ts,
 *          get_constants("IPPROTO_") → lib/socket_constants.ts, socket.socket → Deno.connect
 * @run     deno run scripts/hosts/socket_constants.ts
 * @expect  AF_UNIX * 1
 * @expect  AF_INET * 2
 * @expect  SOCK_STREAM * 1
 * @expect  SOCK_DGRAM * 2
 * @expect  IPPROTO_TCP * 6
 * @expect  IPPROTO_UDP * 17
 * @expect  Deno.connect* AF_INET *SOCK_STREAM *IPPROTO_TCP
 * @expect  Deno.listenDatagram* AF_INET6 *SOCK_DGRAM *IPPROTO_UDP
 * @run     deno run scripts/hosts/socket_constants.ts --system darwin AF_INET
 * @expect  AF_INET * 2
 * @expect  AF_INET6 * 30
 * @argument [PREFIX]         constants that begin so only, such as AF_, SOCK_ or IPPROTO_
 * @option  --system SYSTEM   the numbers of linux or darwin (macOS); those of this system unless told
 * @option  --json            print names and numbers as JSON
 * @see     https://docs.deno.com/api/deno/~/Deno.ConnectOptions
 * @see     https://man7.org/linux/man-pages/man2/socket.2.html
 * @module
 */

import { run } from "../../lib/cli.ts";
import { type Constants, socketConstants } from "../../lib/socket_constants.ts";
import { UsageError } from "../../lib/usage.ts";

/** The lecture's utility method: the constants of the socket library that begin with a prefix. */
export function getConstants(prefix: string, all: Constants): Constants {
  return Object.fromEntries(Object.entries(all).filter(([name]) => name.startsWith(prefix)));
}

/** Which Deno call makes which socket: call, family, type, protocol. */
export const CALLS: [call: string, family: string, type: string, protocol: string][] = [
  // Python's socket.socket() without arguments is AF_INET, SOCK_STREAM and 0, which means TCP there
  ['Deno.connect({ hostname: "127.0.0.1", port })', "AF_INET", "SOCK_STREAM", "IPPROTO_TCP"],
  ['Deno.connect({ hostname: "::1", port })', "AF_INET6", "SOCK_STREAM", "IPPROTO_TCP"],
  ['Deno.listen({ hostname: "127.0.0.1", port })', "AF_INET", "SOCK_STREAM", "IPPROTO_TCP"],
  ['Deno.listen({ hostname: "::1", port })', "AF_INET6", "SOCK_STREAM", "IPPROTO_TCP"],
  // TLS and HTTP begin above the socket
  ["Deno.connectTls, Deno.serve, fetch", "AF_INET or 6", "SOCK_STREAM", "IPPROTO_TCP"],
  ['Deno.listenDatagram({ transport: "udp" })', "AF_INET", "SOCK_DGRAM", "IPPROTO_UDP"],
  [
    'Deno.listenDatagram({ transport: "udp", hostname: "::1" })',
    "AF_INET6",
    "SOCK_DGRAM",
    "IPPROTO_UDP",
  ],
  // a Unix domain socket has one protocol for each type, and its number is 0
  ['Deno.connect({ transport: "unix", path })', "AF_UNIX", "SOCK_STREAM", "0"],
  ['Deno.listen({ transport: "unix", path })', "AF_UNIX", "SOCK_STREAM", "0"],
  ['Deno.listenDatagram({ transport: "unixpacket", path })', "AF_UNIX", "SOCK_DGRAM", "0"],
  ['Deno.connect({ transport: "vsock", cid, port })', "AF_VSOCK", "SOCK_STREAM", "0"],
  // packets written by hand, as ping and tcpdump do: only through FFI, and as root
  ["(no call)", "AF_INET", "SOCK_RAW", "IPPROTO_ICMP"],
];

export function main(
  { prefix, system = Deno.build.os, json }: { prefix?: string; system?: string; json: boolean },
): void {
  const all = constantsOf(system);
  const wanted = getConstants(prefix ?? "", all);
  if (Object.keys(wanted).length === 0) {
    throw new UsageError(`no constant begins with "${prefix}": write AF_, SOCK_ or IPPROTO_`);
  }
  if (json) return console.log(JSON.stringify(wanted, null, 2));
  console.error(`the numbers of ${system}`);
  for (const [name, number] of Object.entries(wanted)) console.log(`${name.padEnd(18)} ${number}`);
  if (prefix !== undefined) return;
  console.log();
  for (const [call, family, type, protocol] of CALLS) {
    console.log(`${call.padEnd(58)} ${family.padEnd(12)} ${type.padEnd(11)} ${protocol}`);
  }
}

function constantsOf(system: string): Constants {
  try {
    return socketConstants(system);
  } catch (error) {
    throw error instanceof RangeError ? new UsageError(`--system: ${error.message}`) : error;
  }
}

if (import.meta.main) await run(main);
