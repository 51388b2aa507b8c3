/**
 * Hosts and routers on paper, for lessons that follow a packet; `topology.ts` sets up whole networks.
 *
 * @module
 */

import { holds } from "./ipv4_network.ts";
import type { Subnet } from "./subnet.ts";
import { UsageError } from "./usage.ts";

/** A network card of a machine, and the network that it stands in. */
export interface Interface {
  address: string;
  mac: string;
  network: Subnet;
}

/** One line of a routing table. */
export interface Route {
  network: Subnet;
  /** Where the packet leaves. */
  out: Interface;
  /** The router that takes it on; none where the network is right behind `out`. */
  gateway?: string;
}

/** A host or a router. */
export interface Machine {
  name: string;
  interfaces: Interface[];
  routes: Route[];
}

/** A machine that knows the networks it stands in. */
export function machine(name: string, interfaces: Interface[]): Machine {
  return { name, interfaces, routes: interfaces.map((out) => ({ network: out.network, out })) };
}

/**
 * A made-up MAC address, `02:00:00:00:ROUTER:CARD`: 02 marks those that no maker of cards gave away.
 *
 * @throws {UsageError} beyond 255
 */
export function macOf(router: number, card: number): string {
  if (router > 255 || card > 255) throw new UsageError("there are at most 255 routers and cards");
  const pair = (number: number) => number.toString(16).padStart(2, "0");
  return `02:00:00:00:${pair(router)}:${pair(card)}`;
}

/**
 * A route through a gateway, which must stand in a network of the machine.
 *
 * @throws {UsageError} when it does not, or is the machine itself
 *
 * @example
 * ```ts
 * import { machine, macOf, routeThrough } from "./machine.ts";
 * import { readAddress } from "./ipv4_network.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const router = machine("R1", [{ ...readAddress("192.168.1.1/24"), mac: macOf(1, 1) }]);
 * const { network } = readAddress("10.0.0.0/8");
 * assertEquals(routeThrough(router, network, "192.168.1.7").out.address, "192.168.1.1");
 * ```
 */
export function routeThrough(machine: Machine, network: Subnet, gateway: string): Route {
  if (machine.interfaces.some(({ address }) => address === gateway)) {
    throw new UsageError(
      `${gateway} is ${machine.name} itself: give the address of another router`,
    );
  }
  const out = machine.interfaces.find((each) => holds(each.network, gateway));
  if (out) return { network, out, gateway };
  throw new UsageError(`${machine.name} stands in no network that has the gateway ${gateway}`);
}
