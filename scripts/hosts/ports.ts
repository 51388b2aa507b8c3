#!/usr/bin/env -S deno run --allow-read=/etc/services
/**
 * Ports and the services behind them
 *
 * A port is a number from 0 to 65535, and the well-known ones have names. The system keeps these in a file,
 * /etc/services; a system without one gets a short built-in table. A name in there does not mean that
 * anybody listens: it is a phone book, not a call.
 *
 * Give a name to get its port, a port to get its name, or two ports for all services between them.
 *
 * @lecture 002 Ports, Sockets in Python, Going Further · 004 What is a socket?
 * @python  socket.getservbyname → Deno.readTextFile, socket.getservbyport → Deno.readTextFile
 * @run     deno run --allow-read=/etc/services scripts/hosts/ports.ts 20 25
 * @expect  PORT * SERVICE * CLASS
 * @expect  22/tcp * ssh * system *
 * @expect  25/tcp * smtp * system *
 * @run     deno run --allow-read=/etc/services scripts/hosts/ports.ts ssh
 * @expect  22/tcp * ssh * system *
 * @run     deno run --allow-read=/etc/services scripts/hosts/ports.ts --json 80
 * @expect  *"name": "http",
 * @expect  *"port": 80,
 * @argument [SERVICE]           a service's name, a port, or the first port of a range; all system ports without it
 * @argument [LAST]              the last port of a range
 * @option  --protocol PROTOCOL  services over this protocol only, such as tcp or udp
 * @option  --json               print the services as JSON
 * @see     https://www.iana.org/assignments/service-names-port-numbers
 * @see     https://www.rfc-editor.org/rfc/rfc6335#section-6
 * @module
 */

import { run } from "../../lib/cli.ts";
import { visible } from "../../lib/display.ts";
import { attempt } from "../../lib/errors.ts";
import {
  readServices,
  type Service,
  serviceByName,
  serviceByPort,
  SERVICES_FILE,
} from "../../lib/services.ts";
import { UsageError } from "../../lib/usage.ts";

/** RFC 6335's class of a port, and the lecture's word for it. */
export function classOf(port: number): string {
  if (port <= 1_023) return "system (reserved)"; // on most systems only root may listen there
  if (port <= 49_151) return "user (registered)";
  return "dynamic (ephemeral)"; // for the client's end of a connection
}

/** The services with ports from `first` to `last`: the homework's "going further" 1. */
export function servicesBetween(
  services: readonly Service[],
  first: number,
  last: number,
): Service[] {
  if (first > last) {
    throw new UsageError(`the range ${first} to ${last} is reversed: write ${last} ${first}`);
  }
  // the lecture asks getservbyport for one port after another; the file says it in one go
  return services.filter(({ port }) => port >= first && port <= last)
    .sort((one, other) => one.port - other.port);
}

function portOf(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Infinity;
  if (port > 65_535) throw new UsageError(`a port is a number from 0 to 65535, not "${text}"`);
  return port;
}

export async function main(
  { service, last, protocol, json }: {
    service?: string;
    last?: string;
    protocol?: string;
    json: boolean;
  },
): Promise<void> {
  const number = service === undefined || /^[-+]?[\d.]+$/.test(service) || last !== undefined
    ? portOf(service ?? "0")
    : undefined;
  const end = service === undefined ? 1_023 : last === undefined ? undefined : portOf(last);
  const { services, source } = await attempt(`read ${SERVICES_FILE}`, () => readServices());
  console.error(`names from ${source}`);
  const of = protocol ? services.filter((each) => each.protocol === protocol) : services;
  let found: (Service | undefined)[];
  if (number === undefined) found = [serviceByName(of, service!)];
  else if (end === undefined) found = [serviceByPort(of, number)];
  else found = servicesBetween(of, number, end);

  const rows = found.filter((each) => each !== undefined)
    .map((each) => ({ ...each, class: classOf(each.port) }));
  if (json) console.log(JSON.stringify(rows, null, 2));
  else if (rows.length > 0) print(rows);
  if (rows.length > 0 || end !== undefined) return;
  const over = protocol ? ` over ${protocol}` : "";
  throw new Error(
    number === undefined
      ? `no service is called "${service}"${over}`
      : `port ${number} has no name${over}, it is ${classOf(number)}`,
  );
}

function print(rows: (Service & { class: string })[]): void {
  console.log(`${"PORT".padEnd(12)} ${"SERVICE".padEnd(28)} CLASS`);
  for (const { name, port, protocol, aliases, class: kind } of rows) {
    const names = visible([name, ...aliases].join(" "));
    console.log(`${visible(`${port}/${protocol}`).padEnd(12)} ${names.padEnd(28)} ${kind}`);
  }
}

if (import.meta.main) await run(main);
