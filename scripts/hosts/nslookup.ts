#!/usr/bin/env -S deno run --allow-net=127.0.0.1:5300
/**
 * nslookup: ask a DNS server for any type of record
 *
 * Deno.resolveDns asks the servers of the system, or one that is named, as here. A name has addresses (A,
 * AAAA), or is an alias (CNAME), or has servers for mail (MX), names (NS) and services (SRV), texts (TXT),
 * who may issue certificates (CAA) and the start of its zone (SOA); an address has a name (PTR).
 *
 * Deno.resolveDns says "not found" to all of: no such name, no such record, refused, failed. The code in
 * the reply tells them apart, so the question is then asked once more, over TCP, to look at the code.
 *
 * @lecture 001 DNS · 004 DNS – Domain Name Service
 * @python  socket.gethostbyname → Deno.resolveDns
 * @partner scripts/hosts/dns_server.ts
 * @run     deno run --allow-net=127.0.0.1:5300 scripts/hosts/nslookup.ts www.usfca.edu
 * @expect  Server:  127.0.0.1:5300
 * @expect  Name:    www.usfca.edu
 * @expect  Address: 104.239.221.147
 * @run     deno run --allow-net=127.0.0.1:5300 scripts/hosts/nslookup.ts example.com --type MX
 * @expect  example.com MX 10 mail.example.com.
 * @expect  example.com MX 20 mail2.example.com.
 * @argument NAME              a name, or for PTR an IP address
 * @option  --type TYPE        A, AAAA, CNAME, MX, NS, TXT, SOA, SRV, CAA or PTR (default: A)
 * @option  --server HOST:PORT the DNS server, as an IP address (default: 127.0.0.1:5300)
 * @option  --json             print the records as JSON
 * @see     https://docs.deno.com/api/deno/~/Deno.resolveDns
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { within } from "../../lib/deadline.ts";
import { quoted, visible } from "../../lib/display.ts";
import { DnsFormatError, labelsOf } from "../../lib/dns_name.ts";
import { parseServer, PATIENCE, whyNot } from "../../lib/dns_query.ts";
import { canonicalAddress } from "../../lib/hosts_file.ts";
import { reverseName } from "../../lib/reverse_name.ts";
import { UsageError } from "../../lib/usage.ts";

const TYPES = ["A", "AAAA", "CNAME", "MX", "NS", "TXT", "SOA", "SRV", "CAA", "PTR"] as const;
type Type = typeof TYPES[number];

type DnsData = Awaited<ReturnType<typeof Deno.resolveDns>>[number];

/** A record in the words of a zone file. */
function inWords(record: DnsData): string {
  if (typeof record === "string") return record;
  if (Array.isArray(record)) return record.map((text) => quoted(text)).join(" ");
  if ("tag" in record) {
    return `${record.critical ? 128 : 0} ${record.tag} ${quoted(record.value)}`;
  }
  // MX, SRV and SOA: Deno gives their fields in the order of the zone file
  return Object.values(record).join(" ");
}

export async function main(
  options: { name: string; type: string; server: string; json: boolean },
): Promise<void> {
  const server = parseServer(options.server);
  const type = TYPES.find((one) => one === options.type.toUpperCase());
  if (!type) throw new UsageError(`--type is one of ${TYPES.join(", ")}, not "${options.type}"`);
  const name = nameToAsk(options.name, type);
  const gaveUp = new AbortController();
  let records: DnsData[];
  try {
    const nameServer = { ipAddr: server.hostname, port: server.port };
    // Python has gethostbyname for A alone, and no call for the other types
    const asking = Deno.resolveDns(name, type as Deno.RecordType, {
      nameServer,
      signal: gaveUp.signal,
    });
    records = await within<DnsData[]>(PATIENCE, asking);
  } catch (error) {
    gaveUp.abort();
    throw await whyNot(name, type, server, error);
  }
  if (options.json) {
    console.log(JSON.stringify({ server: formatEndpoint(server), name, type, records }));
    return;
  }
  console.log(`Server:  ${formatEndpoint(server)}\n`);
  const isAddress = type === "A" || type === "AAAA";
  if (isAddress) console.log(`Name:    ${name}`);
  for (const record of records) {
    const words = visible(inWords(record));
    console.log(isAddress ? `Address: ${words}` : `${name} ${type} ${words}`);
  }
}

/** The name that is asked for: that of an address is its parts the other way round. */
function nameToAsk(name: string, type: Type): string {
  const address = canonicalAddress(name);
  if (address && type === "PTR") return reverseName(address);
  if (address) throw new UsageError(`${name} is an address: only --type PTR can be asked of it`);
  try {
    labelsOf(name);
    return name;
  } catch (error) {
    throw error instanceof DnsFormatError ? new UsageError(error.message) : error;
  }
}

if (import.meta.main) await run(main);
