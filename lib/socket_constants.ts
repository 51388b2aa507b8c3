/**
 * The numbers by which a system's C library knows address families, socket types and protocols. They are the
 * system's own: IPv6 is family 10 on Linux and 30 on macOS. Protocols alone are the same everywhere, since
 * they travel in each packet.
 *
 * @see {@link https://www.iana.org/assignments/protocol-numbers IANA's protocol numbers}
 * @module
 */

/** Names with their prefix, as in `AF_INET`, and their numbers. */
export type Constants = Readonly<Record<string, number>>;

const PROTOCOLS = constants(
  "IPPROTO_",
  `IP 0, HOPOPTS 0, ICMP 1, IGMP 2, IPIP 4, TCP 6, EGP 8, PUP 12, UDP 17, IDP 22, TP 29, IPV6 41,
   ROUTING 43, FRAGMENT 44, RSVP 46, GRE 47, ESP 50, AH 51, ICMPV6 58, NONE 59, DSTOPTS 60, PIM 103,
   SCTP 132, RAW 255`,
);

const TYPES = constants("SOCK_", "STREAM 1, DGRAM 2, RAW 3, RDM 4, SEQPACKET 5");

const LINUX: Constants = {
  ...constants(
    "AF_",
    `UNSPEC 0, UNIX 1, INET 2, AX25 3, IPX 4, APPLETALK 5, NETROM 6, BRIDGE 7, ATMPVC 8, X25 9, INET6 10,
     ROSE 11, DECnet 12, NETBEUI 13, SECURITY 14, KEY 15, NETLINK 16, ROUTE 16, PACKET 17, ASH 18,
     ECONET 19, ATMSVC 20, RDS 21, SNA 22, IRDA 23, PPPOX 24, WANPIPE 25, LLC 26, CAN 29, TIPC 30,
     BLUETOOTH 31, ALG 38, VSOCK 40, QIPCRTR 42`,
  ),
  ...TYPES,
  // no types, but flags that are added to one
  ...constants("SOCK_", "NONBLOCK 2048, CLOEXEC 524288"),
  ...PROTOCOLS,
  ...constants("IPPROTO_", "UDPLITE 136, MPTCP 262"),
};

const MACOS: Constants = {
  ...constants(
    "AF_",
    `UNSPEC 0, UNIX 1, INET 2, IMPLINK 3, PUP 4, CHAOS 5, NS 6, ISO 7, ECMA 8, DATAKIT 9, CCITT 10, SNA 11,
     DECnet 12, DLI 13, LAT 14, HYLINK 15, APPLETALK 16, ROUTE 17, LINK 18, COIP 20, CNT 21, IPX 23, SIP 24,
     NDRV 27, ISDN 28, INET6 30, NATM 31, SYSTEM 32, NETBIOS 33, PPP 34, IEEE80211 37, UTUN 38, VSOCK 40`,
  ),
  ...TYPES,
  ...PROTOCOLS,
};

function constants(prefix: string, list: string): Constants {
  return Object.fromEntries(
    list.split(",").map((each) => {
      const [name, number] = each.trim().split(" ");
      return [prefix + name, Number(number)];
    }),
  );
}

/**
 * The socket constants of a system, in the order of their numbers.
 *
 * @param system as in `Deno.build.os`, which it is unless told: `linux` or `darwin`, which is macOS
 * @throws {RangeError} for another system
 *
 * @example
 * ```ts
 * import { socketConstants } from "./socket_constants.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(socketConstants("linux")["AF_INET6"], 10);
 * assertEquals(socketConstants("darwin")["AF_INET6"], 30);
 * ```
 */
export function socketConstants(system: string = Deno.build.os): Constants {
  if (system === "linux" || system === "android") return LINUX;
  if (system === "darwin") return MACOS;
  throw new RangeError(
    `the socket constants of ${system} are not known here: write linux or darwin`,
  );
}
