import { assertEquals } from "@std/assert";
import { isPrivate } from "../../lib/private_address.ts";

/** IANA's special ranges, first and last address, and what lies before and behind where that is public. */
const RANGES: [first: string, last: string, before?: string, behind?: string][] = [
  ["0.0.0.0", "0.255.255.255", undefined, "1.0.0.0"],
  ["10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0"],
  ["100.64.0.0", "100.127.255.255", "100.63.255.255", "100.128.0.0"],
  ["127.0.0.0", "127.255.255.255", "126.255.255.255", "128.0.0.0"],
  ["169.254.0.0", "169.254.255.255", "169.253.255.255", "169.255.0.0"],
  ["172.16.0.0", "172.31.255.255", "172.15.255.255", "172.32.0.0"],
  ["192.0.0.0", "192.0.0.255", "191.255.255.255", "192.0.1.0"],
  ["192.0.2.0", "192.0.2.255", "192.0.1.255", "192.0.3.0"],
  ["192.88.99.0", "192.88.99.255", "192.88.98.255", "192.88.100.0"],
  ["192.168.0.0", "192.168.255.255", "192.167.255.255", "192.169.0.0"],
  ["198.18.0.0", "198.19.255.255", "198.17.255.255", "198.20.0.0"],
  ["198.51.100.0", "198.51.100.255", "198.51.99.255", "198.51.101.0"],
  ["203.0.113.0", "203.0.113.255", "203.0.112.255", "203.0.114.0"],
  ["224.0.0.0", "255.255.255.255", "223.255.255.255"],
  ["::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", undefined, "2000::"],
  ["100::", "100::ffff:ffff:ffff:ffff"],
  ["2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2000:ffff:ffff::", "2001:200::"],
  ["2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db7:ffff::", "2001:db9::"],
  ["3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "3ffe:ffff:ffff::", "3fff:1000::"],
  ["5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["4000::", "ffff::", "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
];

Deno.test("isPrivate tells every special range from what lies around when", async (t) => {
  for (const [first, last, ...around] of RANGES) {
    await t.step(`it goes from ${first} to ${last}`, () => {
      assertEquals([first, last].map(isPrivate), [true, true]);
      const outside = around.filter((address) => address !== undefined);
      assertEquals(outside.filter(isPrivate), []);
    });
  }
});

/** Four bytes as two words of IPv6. */
function words(dotted: string): string {
  const [a, b, c, d] = dotted.split(".").map(Number) as [number, number, number, number];
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

const CARRIERS: Record<string, (dotted: string) => string> = {
  "mapped": (dotted) => `::ffff:${dotted}`,
  "mapped, in hexadecimal": (dotted) => `::ffff:${words(dotted)}`,
  "mapped, written out": (dotted) => `0:0:0:0:0:FFFF:${words(dotted)}`,
  "mapped, in brackets": (dotted) => `[::ffff:${dotted}]`,
  "behind NAT64": (dotted) => `64:ff9b::${dotted}`,
  "behind 6to4": (dotted) => `2002:${words(dotted)}::`,
  "behind 6to4, with the rest": (dotted) => `2002:${words(dotted)}:1:2:3:4:5`,
};

Deno.test("isPrivate judges by the IPv4 address when it is", async (t) => {
  const lan = ["127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1"];
  const net = ["8.8.8.8", "93.184.216.34", "172.32.0.1"];
  for (const [name, carry] of Object.entries(CARRIERS)) {
    await t.step(name, () => {
      assertEquals(lan.map(carry).filter((address) => !isPrivate(address)), []);
      assertEquals(net.map(carry).filter(isPrivate), []);
    });
  }
});

Deno.test("isPrivate sees through an unusual spelling when it is", async (t) => {
  const cases: [address: string, expected: boolean][] = [
    ["::1", true],
    ["[::1]", true],
    ["0:0:0:0:0:0:0:1", true],
    ["0000:0000:0000:0000:0000:0000:0000:0001", true],
    ["0::0:1", true],
    ["fe80::1%eth0", true],
    ["FE80::A", true],
    ["::127.0.0.1", true],
    ["::8.8.8.8", true], // given up; no host has it
    ["::ffff:0:127.0.0.1", true], // translated, RFC 2765
    ["64:ff9b:1::8.8.8.8", true], // NAT64 of one's own network, RFC 8215
    ["64:ff9b:0:0:0:1:8.8.8.8", true],
    ["2606:4700::1111", false],
    ["[2606:4700:0000:0000:0000:0000:0000:1111]", false],
    ["2a00:1450:4001:81b::200e", false],
    ["no address", true],
    ["", true],
    ["10", true],
    ["1.2.3", true],
  ];
  for (const [address, expected] of cases) {
    await t.step(address || "nothing", () => assertEquals(isPrivate(address), expected));
  }
});

Deno.test("isPrivate sees through an IPv4 address that a URL writes as", async (t) => {
  const hosts = ["127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "0x7f000001", "127.0.0.1."];
  for (const host of [...hosts, "%31%32%37.0.0.1", "①②⑦.⓪.⓪.①", "１２７.0.0.1", "0", "10.257"]) {
    await t.step(host, () => assertEquals(isPrivate(new URL(`http://${host}/`).hostname), true));
  }
});
