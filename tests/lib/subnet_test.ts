import { assertEquals, assertThrows } from "@std/assert";
import { formatAddress, parseAddress } from "../../lib/ip_address.ts";
import { contains, kindOf, parseSubnet } from "../../lib/subnet.ts";
import { chance } from "./helpers.ts";

const SEED = 4632;

Deno.test("parseSubnet tells network, host, mask, last, hosts and count", () => {
  const cases = [
    [
      ...["192.168.2.100/24", "192.168.2.0", "0.0.0.100", "255.255.255.0", "192.168.2.255"],
      ...["192.168.2.1", "192.168.2.254", "256"],
    ],
    [
      ...["10.1.2.3/0", "0.0.0.0", "10.1.2.3", "0.0.0.0", "255.255.255.255", "0.0.0.1"],
      ...["255.255.255.254", "4294967296"],
    ],
    [
      ...["10.1.2.3/12", "10.0.0.0", "0.1.2.3", "255.240.0.0", "10.15.255.255", "10.0.0.1"],
      ...["10.15.255.254", "1048576"],
    ],
    [
      ...["10.1.2.3/30", "10.1.2.0", "0.0.0.3", "255.255.255.252", "10.1.2.3", "10.1.2.1"],
      ...["10.1.2.2", "4"],
    ],
    [
      ...["10.1.2.3/31", "10.1.2.2", "0.0.0.1", "255.255.255.254", "10.1.2.3", "10.1.2.2"],
      ...["10.1.2.3", "2"],
    ],
    [
      ...["10.1.2.3", "10.1.2.3", "0.0.0.0", "255.255.255.255", "10.1.2.3", "10.1.2.3"],
      ...["10.1.2.3", "1"],
    ],
    [
      ...["fd00::2%eth0/64", "fd00::", "::2", "ffff:ffff:ffff:ffff::", "fd00::ffff:ffff:ffff:ffff"],
      ...["fd00::1", "fd00::ffff:ffff:ffff:ffff", "18446744073709551616"],
    ],
    [
      ...["::5/127", "::4", "::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", "::5", "::4"],
      ...["::5", "2"],
    ],
  ];
  for (const [text, ...wanted] of cases) {
    const { network, host, netmask, last, hosts, count } = parseSubnet(text!);
    const addresses = [network, host, netmask, last, ...hosts].map((each) => formatAddress(each));
    assertEquals([...addresses, String(count)], wanted, text);
  }
});

Deno.test("parseSubnet refuses an address or a prefix that is none", () => {
  for (const prefix of ["", "33", "-1", "+1", " 8", "8 ", "1e1", "255.255.255.0", "8/8", "x"]) {
    const text = `10.0.0.0/${prefix}`;
    assertThrows(() => parseSubnet(text), SyntaxError, `"${text}" has no prefix of IPv4: write a`);
  }
  assertThrows(() => parseSubnet("::/129"), SyntaxError, "a number from 0 to 128 after the slash");
  assertThrows(() => parseSubnet("10.0.0/8"), SyntaxError, '"10.0.0" is no IP address');
  assertThrows(() => parseSubnet("/8"), SyntaxError, '"" is no IP address');
});

Deno.test("contains never holds an address of the other version", () => {
  for (const [net, address] of [["0.0.0.0/0", "::ffff:1.2.3.4"], ["::/0", "1.2.3.4"]] as const) {
    assertEquals(contains(parseSubnet(net), parseAddress(address)), false);
  }
  assertEquals(contains(parseSubnet("fe80::/10"), parseAddress("febf::1%eth0")), true);
});

Deno.test("kindOf tells the kinds of address, at both ends of each", () => {
  const cases: Record<string, string[]> = {
    "private": ["10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0"]
      .concat("192.168.255.255", "fc00::", "fdff::1", "::ffff:10.0.0.1"),
    "loopback": ["127.0.0.0", "127.255.255.255", "::1", "::ffff:127.0.0.1"],
    "link-local": ["169.254.0.0", "169.254.255.255", "fe80::", "febf::1", "fe80::1%eth0"],
    "multicast": ["224.0.0.0", "239.255.255.255", "ff00::", "ff02::1"],
    "unspecified": ["0.0.0.0", "::"],
    "broadcast": ["255.255.255.255"],
    "documentation": ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8:ffff::"],
    "other": ["9.255.255.255", "11.0.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255"]
      .concat("126.255.255.255", "128.0.0.0", "169.253.0.0", "223.255.255.255", "240.0.0.0")
      .concat("255.255.255.254", "0.0.0.1", "::2", "fbff::", "fe7f::", "fec0::", "2001:db9::"),
  };
  for (const [kind, texts] of Object.entries(cases)) {
    for (const text of texts) assertEquals(kindOf(parseAddress(text)), kind, text);
  }
});

Deno.test(`each of 100,000 networks holds its own addresses and not its neighbours' (seed ${SEED})`, () => {
  const next = chance(SEED);
  for (let count = 0; count < 100_000; count++) {
    const version = next(2) === 0 ? 4 : 6;
    const bytes = Uint8Array.from({ length: version === 4 ? 4 : 16 }, () => next(256));
    const bits = bytes.length * 8;
    const prefix = next(bits + 1);
    const text = `${formatAddress({ version, bytes })}/${prefix}`;
    const subnet = parseSubnet(text);
    // one bit turned leads out of the network exactly when it is one of the network's
    const bit = next(bits);
    const other = { version, bytes: bytes.slice() } as const;
    other.bytes[bit >> 3]! ^= 0x80 >> (bit & 7);
    const sound = contains(subnet, subnet.address) && contains(subnet, subnet.last) &&
      subnet.hosts.every((host) => contains(subnet, host)) &&
      contains(subnet, other) === bit >= prefix &&
      bytes.every((byte, at) => byte === (subnet.network.bytes[at]! | subnet.host.bytes[at]!));
    if (!sound) throw new Error(`number ${count} of seed ${SEED}: ${text}, bit ${bit}`);
  }
});
