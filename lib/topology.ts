/**
 * Networks, routers and hosts on paper, for lessons that follow a packet: IPv4 only.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc1812#section-5.2.4 RFC 1812, 5.2.4} how a router chooses
 * @module
 */

import {
  checkVersion,
  formatNetwork,
  holds,
  meaning,
  readAddress,
  sameNetwork,
} from "./ipv4_network.ts";
import { type Machine, machine, macOf, routeThrough } from "./machine.ts";
import { parseSubnet, type Subnet } from "./subnet.ts";
import { UsageError } from "./usage.ts";

/** What a student tells of the network: all as written on a command line. */
export interface Plan {
  /** The sending host, `ADDRESS/LENGTH`. */
  from: string;
  /** The receiving host; it stands in whichever network has its address. */
  to: string;
  /** The sender's default gateway; the first router in its network unless told. */
  gateway?: string;
  /** The routers' network cards, `ROUTER:ADDRESS/LENGTH` each. */
  interfaces: string[];
  /** Lines for the routers' tables, `ROUTER:NETWORK/LENGTH:GATEWAY` each. */
  routes: string[];
}

/**
 * Sets up what a plan says. MAC addresses are made up: `02:00:00:00:ROUTER:CARD`. Each machine knows the
 * networks that it stands in; a sender has a default route besides, routers what the plan says.
 *
 * @returns the sender first, then the routers, and last the receiver unless a router has its address or no
 *   network does
 * @throws {UsageError} for a part that cannot be read or contradicts another
 *
 * @example
 * ```ts
 * import { machinesOf } from "./topology.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const machines = machinesOf({
 *   from: "192.168.1.10/24",
 *   to: "192.168.2.20",
 *   interfaces: ["R1:192.168.1.1/24", "R1:192.168.2.1/24"],
 *   routes: [],
 * });
 * assertEquals(machines.map(({ name }) => name), ["sender", "R1", "receiver"]);
 * ```
 */
export function machinesOf(plan: Plan): Machine[] {
  try {
    return setUp(plan);
  } catch (error) {
    if (error instanceof SyntaxError) throw new UsageError(error.message);
    throw error;
  }
}

function setUp(plan: Plan): Machine[] {
  const sender = machine("sender", [{ ...readAddress(plan.from), mac: macOf(0, 1) }]);
  const routers: Machine[] = [];
  for (const text of plan.interfaces) {
    const [name = "", address = ""] = partsOf(text, "ROUTER:ADDRESS/LENGTH", 2);
    const old = routers.find((router) => router.name === name);
    const number = old ? routers.indexOf(old) + 1 : routers.length + 1;
    const cards = old?.interfaces ?? [];
    const card = { ...readAddress(address), mac: macOf(number, cards.length + 1) };
    routers[number - 1] = machine(name, [...cards, card]);
  }
  for (const text of plan.routes) {
    const [name, written = "", gateway = ""] = partsOf(text, "ROUTER:NETWORK/LENGTH:GATEWAY", 3);
    const router = routers.find((each) => each.name === name);
    if (!router) throw new UsageError(`there is no router ${name} for the route "${text}"`);
    const { network } = readAddress(written);
    if (written !== formatNetwork(network)) {
      throw new UsageError(
        `${written} is no network, but ${formatNetwork(network)} is: write that`,
      );
    }
    router.routes.push(routeThrough(router, network, gateway));
  }
  const all = [sender, ...routers];
  checkAddresses(all);

  const everywhere = parseSubnet("0.0.0.0/0");
  const home = sender.interfaces[0]!.network;
  const near = routers.flatMap(({ interfaces }) => interfaces)
    .find(({ network }) => sameNetwork(network, home));
  const gateway = plan.gateway ?? near?.address;
  if (gateway !== undefined) sender.routes.push(routeThrough(sender, everywhere, gateway));

  checkVersion(plan.to); // it must be an address even where no network has it
  const cards = all.flatMap(({ interfaces }) => interfaces);
  const link = cards.filter(({ network }) => holds(network, plan.to))
    .toSorted((one, other) => other.network.prefix - one.network.prefix)[0];
  if (!link || cards.some(({ address }) => address === plan.to)) return all;
  checkHost(plan.to, link.network);
  const card = { address: plan.to, network: link.network, mac: macOf(0, 2) };
  return [...all, machine("receiver", [card])];
}

function partsOf(text: string, form: string, count: number): string[] {
  const parts = text.split(":");
  if (parts.length === count && /^[A-Za-z][\w-]*$/.test(parts[0]!)) return parts;
  throw new UsageError(`cannot read "${text}": write ${form}`);
}

/** Refuses an address that no machine can have. */
function checkHost(address: string, network: Subnet): void {
  const means = meaning(network, address);
  if (means === undefined) return;
  throw new UsageError(
    `${address} means ${means} ${formatNetwork(network)}: give the address of a machine`,
  );
}

/** Refuses two cards with one address. */
function checkAddresses(machines: Machine[]): void {
  const seen = new Set<string>();
  for (const { address, network } of machines.flatMap(({ interfaces }) => interfaces)) {
    checkHost(address, network);
    if (seen.has(address)) throw new UsageError(`two cards have the address ${address}`);
    seen.add(address);
  }
}
