import { assert, assertEquals } from "@std/assert";
import { canonicalAddress, hostByAddress, hostByName, parseHosts } from "../../lib/hosts_file.ts";
import { chance } from "./helpers.ts";

const SEED = 952;
const INPUTS = 100_000;

const HOSTS = `# a comment
127.0.0.1\tlocalhost
::1 localhost ip6-localhost # another
192.168.1.8   homer.hellfly.net homer\r
10.0.0.8 HOMER.hellfly.net

300.1.1.1 wrong
192.168.1.9
fe80::1%eth0 router
`;

Deno.test("hostByName puts lines of the same host together", () => {
  const hosts = parseHosts(HOSTS);
  assertEquals(hosts.length, 5);
  assertEquals(hostByName(hosts, "localhost"), {
    name: "localhost",
    aliases: ["ip6-localhost"],
    addresses: ["127.0.0.1", "::1"],
  });
  assertEquals(hostByName(hosts, "Homer.Hellfly.NET.")?.addresses, ["192.168.1.8", "10.0.0.8"]);
  assertEquals(hostByName(hosts, "homer")?.name, "homer.hellfly.net");
  assertEquals(hostByName(hosts, "wrong"), undefined);
  assertEquals(hostByName(hosts, ""), undefined);
});

Deno.test("hostByAddress finds an address however it is written", () => {
  const hosts = parseHosts(HOSTS);
  assertEquals(hostByAddress(hosts, "0:0:0::1")?.name, "localhost");
  assertEquals(hostByAddress(hosts, "192.168.1.8")?.aliases, ["homer"]);
  assertEquals(hostByAddress(hosts, "192.168.1.7"), undefined);
  assertEquals(hostByAddress(hosts, "nonsense"), undefined);
});

for (
  const text of ["", "1.2.3", "1.2.3.256", "0x7f.1.1.1", "a", ":", "::1]", "[::1]", "1:2", "é::"]
) {
  Deno.test(`canonicalAddress knows that ${JSON.stringify(text)} is no address`, () => {
    assertEquals(canonicalAddress(text), undefined);
  });
}

Deno.test("parseHosts reads what is whole when the file is cut at any place", () => {
  const whole = parseHosts(HOSTS);
  for (let length = 0; length <= HOSTS.length; length++) {
    const hosts = parseHosts(HOSTS.slice(0, length));
    assert(hosts.length <= whole.length);
    // the last line may be cut: all before it are as they are
    assertEquals(hosts.slice(0, -1), whole.slice(0, Math.max(0, hosts.length - 1)));
  }
});

Deno.test(`parseHosts takes whatever comes (seed ${SEED})`, () => {
  const next = chance(SEED);
  const parts = [
    "127.0.0.1",
    "::1",
    " ",
    " ",
    "\t",
    "\n",
    "#",
    "a",
    "b.c",
    "%",
    "\r",
    "é",
    "\0",
    "300.",
  ];
  let read = 0;
  for (let input = 0; input < INPUTS; input++) {
    const text = Array.from({ length: next(16) }, () => parts[next(parts.length)]).join("");
    const note = `seed ${SEED}, input ${input}: ${JSON.stringify(text)}`;
    const hosts = parseHosts(text);
    read += hosts.length;
    for (const host of hosts) {
      assertEquals(hostByAddress(hosts, host.addresses[0]!)?.addresses, host.addresses, note);
      assert(hostByName(hosts, host.name)?.addresses.includes(host.addresses[0]!), note);
    }
  }
  assert(read > INPUTS / 20, `seed ${SEED}: only ${read} hosts were read`);
});
