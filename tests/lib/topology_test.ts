import { assertEquals, assertThrows } from "@std/assert";
import { formatNetwork, holds, meaning, readAddress } from "../../lib/ipv4_network.ts";
import { machinesOf, type Plan } from "../../lib/topology.ts";
import { UsageError } from "../../lib/usage.ts";
import { matching } from "../../scripts/layers/routing.ts";
import { chance } from "./helpers.ts";

const PLAN: Plan = {
  from: "192.168.1.10/24",
  to: "192.168.2.20",
  interfaces: ["R1:192.168.1.1/24", "R1:192.168.2.1/24"],
  routes: [],
};

/** The bits of an address as text, to compare prefixes without arithmetic. */
const bitsOf = (address: string) =>
  address.split(".").map((part) => Number(part).toString(2).padStart(8, "0")).join("");

Deno.test("holds and matching agree with the comparison of bits, for generated routes", () => {
  const random = chance(4632);
  const near = () => `10.${random(2)}.${random(4)}.${1 + random(254)}`;
  for (let round = 0; round < 300; round++) {
    const networks = Array.from({ length: 6 }, () => {
      const { network } = readAddress(`${near()}/${random(33)}`);
      return formatNetwork(network);
    });
    const routes = networks.map((network) => `R1:${network}:192.168.1.7`);
    const [, router] = machinesOf({ ...PLAN, routes });
    const address = near();
    const found = matching(router!, address).map(({ network }) => formatNetwork(network));
    const wanted = networks.filter((network) => {
      const [start, length] = network.split("/");
      return bitsOf(address).startsWith(bitsOf(start!).slice(0, Number(length)));
    });
    assertEquals(found.toSorted(), wanted.toSorted());
    const lengths = found.map((network) => Number(network.split("/")[1]));
    assertEquals(lengths, lengths.toSorted((one, other) => other - one));
  }
});

Deno.test("readAddress finds the prefix at both ends of every length", () => {
  for (
    const [text, network] of [
      ["255.255.255.255/0", "0.0.0.0/0"],
      ["255.255.255.255/1", "128.0.0.0/1"],
      ["192.147.0.77/24", "192.147.0.0/24"],
      ["192.168.1.255/31", "192.168.1.254/31"],
      ["192.168.1.255/32", "192.168.1.255/32"],
    ] as const
  ) {
    const { address, network: found } = readAddress(text);
    assertEquals(formatNetwork(found), network);
    assertEquals(holds(found, address), true);
  }
});

Deno.test("meaning tells the network's own and everyone's address, where there are such", () => {
  const { network } = readAddress("10.0.0.0/30");
  const meanings = ["10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3"].map((each) =>
    meaning(network, each)
  );
  assertEquals(meanings, ["the network itself", undefined, undefined, "everyone in the network"]);
  assertEquals(meaning(readAddress("10.0.0.0/31").network, "10.0.0.0"), undefined);
});

Deno.test("machinesOf gives each card a MAC address of its own", () => {
  const macs = machinesOf(PLAN).flatMap(({ interfaces }) => interfaces.map(({ mac }) => mac));
  assertEquals(macs.length, 4);
  assertEquals(new Set(macs).size, 4);
});

Deno.test("machinesOf has no receiver where no network has its address, or a router has it", () => {
  for (const to of ["10.0.0.1", "192.168.2.1", "192.168.1.10"]) {
    assertEquals(machinesOf({ ...PLAN, to }).map(({ name }) => name), ["sender", "R1"]);
  }
});

Deno.test("machinesOf puts the receiver into the narrowest network that has its address", () => {
  const interfaces = ["R1:10.0.0.1/8", "R2:10.1.0.1/16"];
  const receiver = machinesOf({ ...PLAN, to: "10.1.2.3", interfaces }).at(-1)!;
  assertEquals(formatNetwork(receiver.interfaces[0]!.network), "10.1.0.0/16");
});

for (
  const [change, message] of [
    [
      { from: "192.168.1.10" },
      'cannot read "192.168.1.10": write an address and the length of its prefix',
    ],
    [{ from: "192.168.1.10/33" }, '"192.168.1.10/33" has no prefix of IPv4'],
    [{ from: "192.168.1.0/24" }, "192.168.1.0 means the network itself 192.168.1.0/24"],
    [{ from: "::1/24" }, '"::1" is no IPv4 address'],
    [{ to: "somewhere" }, '"somewhere" is no IP address'],
    [{ to: "192.168.2.255" }, "192.168.2.255 means everyone in the network"],
    [{ gateway: "192.168.2.1" }, "sender stands in no network that has the gateway 192.168.2.1"],
    [{ gateway: "192.168.1.10" }, "192.168.1.10 is sender itself"],
    [{ interfaces: ["R1"] }, 'cannot read "R1": write ROUTER:ADDRESS/LENGTH'],
    [{ interfaces: ["R1:192.168.1.10/24"] }, "two cards have the address 192.168.1.10"],
    [{ routes: ["R1:10.0.0.0/8"] }, "write ROUTER:NETWORK/LENGTH:GATEWAY"],
    [{ routes: ["R9:10.0.0.0/8:192.168.1.7"] }, "there is no router R9"],
    [{ routes: ["R1:10.1.0.0/8:192.168.1.7"] }, "is no network, but 10.0.0.0/8 is"],
    [{ routes: ["R1:10.0.0.0/8:192.168.3.7"] }, "R1 stands in no network that has the gateway"],
    [{ routes: ["R1:10.0.0.0/8:192.168.2.1"] }, "192.168.2.1 is R1 itself"],
  ] as [Partial<Plan>, string][]
) {
  Deno.test(`machinesOf refuses ${JSON.stringify(change)}`, () => {
    assertThrows(() => machinesOf({ ...PLAN, ...change }), UsageError, message);
  });
}
