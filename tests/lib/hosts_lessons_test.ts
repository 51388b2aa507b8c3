/**
 * What the lessons on hosts export, and how they end when they are used wrongly.
 *
 * @module
 */

import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { parseAddress } from "../../lib/ip_address.ts";
import { socketConstants } from "../../lib/socket_constants.ts";
import { UsageError } from "../../lib/usage.ts";
import { understand } from "../../scripts/hosts/interfaces.ts";
import { classOf, servicesBetween } from "../../scripts/hosts/ports.ts";
import { getConstants } from "../../scripts/hosts/socket_constants.ts";
import { bitsOf } from "../../scripts/hosts/subnet.ts";

Deno.test("classOf changes after 1023 and after 49151", () => {
  const classes = [0, 1_023, 1_024, 49_151, 49_152, 65_535].map((port) => classOf(port));
  const [system, user, dynamic] = ["system (reserved)", "user (registered)", "dynamic (ephemeral)"];
  assertEquals(classes, [system, system, user, user, dynamic, dynamic]);
});

Deno.test("servicesBetween takes both ends and sorts by port", () => {
  const services = [5, 2, 9, 1].map((port) => ({
    ...{ name: `s${port}`, port, protocol: "tcp", aliases: [] },
  }));
  const ports = (first: number, last: number) =>
    servicesBetween(services, first, last).map(({ port }) => port);
  assertEquals(ports(0, 65_535), [1, 2, 5, 9]);
  assertEquals(ports(2, 5), [2, 5]);
  assertEquals(ports(5, 5), [5]);
  assertEquals(ports(3, 4), []);
  assertThrows(() => ports(5, 2), UsageError, "the range 5 to 2 is reversed: write 2 5");
});

Deno.test("bitsOf draws the bar after the network's bits", () => {
  const four = parseAddress("192.168.2.100");
  assertEquals(bitsOf(four, 0), "|11000000.10101000.00000010.01100100");
  assertEquals(bitsOf(four, 12), "11000000.1010|1000.00000010.01100100");
  assertEquals(bitsOf(four, 32), "11000000.10101000.00000010.01100100|");
  assertEquals(
    bitsOf(parseAddress("8000::"), 1),
    "1|" + "0".repeat(15) + ":0000000000000000".repeat(7),
  );
});

Deno.test("getConstants takes those with the prefix only", () => {
  const types = getConstants("SOCK_", socketConstants("darwin"));
  assertEquals(
    Object.keys(types),
    ["STREAM", "DGRAM", "RAW", "RDM", "SEQPACKET"].map((name) => `SOCK_${name}`),
  );
});

Deno.test("understand takes the first address that others can reach for the main one", () => {
  const made = (name: string, cidr: string): Deno.NetworkInterfaceInfo => ({
    ...{ name, family: cidr.includes(":") ? "IPv6" : "IPv4", address: cidr.split("/")[0]!, cidr },
    ...{ netmask: "", scopeid: null, mac: "00:00:00:00:00:00" },
  });
  const mainOf = (...found: Deno.NetworkInterfaceInfo[]) =>
    understand(found).filter(({ main }) => main).map(({ address }) => address);
  const lo = [made("lo", "127.0.0.1/8"), made("lo", "::1/128")];
  const local = [made("eth0", "169.254.1.1/16"), made("eth0", "fe80::1/64")];
  assertEquals(mainOf(), []);
  assertEquals(mainOf(...lo, ...local), []);
  assertEquals(mainOf(...lo, ...local, made("eth0", "fd00::2/64")), ["fd00::2"]);
  assertEquals(mainOf(...lo, made("eth0", "fd00::2/64"), made("eth1", "10.0.0.2/8")), ["10.0.0.2"]);
  assertEquals(mainOf(made("a", "10.0.0.1/8"), made("b", "10.0.0.2/8")), ["10.0.0.1"]);
  const [eth, ...rest] = understand([
    made("eth0", "10.0.0.1/8"),
    lo[0]!,
    made("eth0", "fd00::2/7"),
  ]);
  assertEquals([eth!.prefix, rest.map(({ name, prefix }) => [name, prefix])], [
    8,
    [["eth0", 7], ["lo", 8]],
  ]);
});

const READ = "--allow-read=/etc/hosts,/etc/services";

for (
  const [script, words, code, message] of [
    ["ports", ["25", "20"], 2, "the range 25 to 20 is reversed"],
    ["ports", ["65536"], 2, 'a port is a number from 0 to 65535, not "65536"'],
    ["ports", ["--", "-1"], 2, 'a port is a number from 0 to 65535, not "-1"'],
    ["ports", ["ssh", "25"], 2, 'a port is a number from 0 to 65535, not "ssh"'],
    ["ports", ["no-such"], 1, 'no service is called "no-such"'],
    ["ports", ["65535"], 1, "port 65535 has no name, it is dynamic (ephemeral)"],
    ["subnet", ["10.0.0.0/33"], 2, '"10.0.0.0/33" has no prefix of IPv4'],
    ["subnet", ["10.0.0.0/8", "10.0.0.01"], 2, '"10.0.0.01" is no IP address'],
    ["socket_constants", ["PF_"], 2, 'no constant begins with "PF_"'],
    ["socket_constants", ["--system", "plan9"], 2, "--system: the socket constants of plan9"],
    ["address_info", ["::1", "65536"], 2, 'a port is a number from 0 to 65535, not "65536"'],
    ["address_info", ["::1", "no-such"], 1, 'no service over TCP or UDP is called "no-such"'],
    ["address_info", ["no.such.test", "80"], 1, '"no.such.test" is not in '],
    ["address_info", ["--server", "dns:53", "::1"], 2, "--server is an IP address and a port"],
  ] as const
) {
  Deno.test(`hosts/${script} ends with ${code} when called with ${words.join(" ")}`, async () => {
    const path = new URL(`../../scripts/hosts/${script}.ts`, import.meta.url).pathname;
    const result = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", READ, path, ...words],
      env: { NO_COLOR: "1" },
    }).output();
    const [stdout, stderr] = [result.stdout, result.stderr].map((bytes) =>
      new TextDecoder().decode(bytes)
    );
    assertEquals([result.code, stdout], [code, ""]);
    assertStringIncludes(stderr!, message);
  });
}
