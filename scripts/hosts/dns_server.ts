#!/usr/bin/env -S deno run --allow-net=127.0.0.1
/**
 * A DNS server
 *
 * Answers from a zone file, lectures.zone beside this script unless told, over UDP and TCP on the same
 * port. UDP is quick, but a datagram is small: what does not fit is cut off and marked as such, and the
 * client asks again over TCP, where the length stands before each message.
 *
 * "There is no such name" (NXDOMAIN) is another answer than "the name exists, but has no such record" (no
 * error, and no answer). Both come with the zone's SOA record, which says how long this may be remembered.
 *
 * It answers datagrams on ports that its clients choose, and is therefore granted the whole host.
 *
 * @lecture 001 DNS · 004 DNS – Domain Name Service
 * @run     deno run --allow-net=127.0.0.1 scripts/hosts/dns_server.ts
 * @expect  listening on 127.0.0.1:5300
 * @log     www.rad.washington.edu. A over UDP: NOERROR, 2 answers
 * @option  --host HOST  the address to listen on (default: 127.0.0.1)
 * @option  --port PORT  the port to listen on, for UDP and TCP, 0 for a free one (default: 5300)
 * @option  --zone FILE  another zone file; grant it with --allow-read=FILE
 * @see     https://www.rfc-editor.org/rfc/rfc1034#section-4.3.2
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { visible } from "../../lib/display.ts";
import {
  codeName,
  CODES,
  decodeMessage,
  DnsFormatError,
  type DnsRecord,
  encodeMessage,
  type Message,
  MOST_BYTES,
  MOST_UDP_BYTES,
  type Question,
} from "../../lib/dns_message.ts";
import { sameName } from "../../lib/dns_name.ts";
import { attempt } from "../../lib/errors.ts";
import { SocketReader } from "../../lib/reader.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { type Connection, serve as serveTcp } from "../../lib/tcp.ts";
import { serve as serveUdp } from "../../lib/udp.ts";
import { isWithin, parseZone } from "../../lib/zone.ts";
import lectures from "./lectures.zone" with { type: "text" };

/** The most bytes sent in a datagram, whatever the client says: such ones arrive in one piece anywhere. */
const MOST_IN_A_DATAGRAM = 1_232;

/** What the records say to a question: the middle part of RFC 1034, 4.3.2. */
export function answer(
  { name, type }: Question,
  records: DnsRecord[],
): Pick<Message, "code" | "answers" | "authority"> {
  const answers: DnsRecord[] = [];
  const seen = new Set<string>();
  for (;;) {
    const zones = records.filter((one) => one.type === "SOA" && isWithin(name, one.name));
    // the closest zone is the one with the longest name; none means that others are to be asked
    const zone = zones.toSorted((one, other) => other.name.length - one.name.length)[0];
    if (!zone) {
      return {
        code: CODES.indexOf(answers.length > 0 ? "NOERROR" : "REFUSED"),
        answers,
        authority: [],
      };
    }
    const here = records.filter((one) => sameName(one.name, name));
    const found = here.filter((one) => one.type === type || type === "ANY");
    const alias = here.find((one) => one.type === "CNAME");
    if (found.length > 0) return { code: 0, answers: [...answers, ...found], authority: [] };
    if (!alias) {
      // a name exists as well when only names below it have records
      const exists = records.some((one) => isWithin(one.name, name));
      return { code: CODES.indexOf(exists ? "NOERROR" : "NXDOMAIN"), answers, authority: [zone] };
    }
    // an alias stands for another name, perhaps an alias again; a circle of them ends where it began
    if (seen.has(name.toLowerCase())) return { code: 0, answers, authority: [] };
    seen.add(name.toLowerCase());
    answers.push(alias);
    name = alias.data;
  }
}

/** The reply to the bytes of a question, or nothing for what is better left without one. */
export function reply(
  bytes: Uint8Array,
  records: DnsRecord[],
  transport: "UDP" | "TCP",
): Uint8Array | undefined {
  // without an id nothing can be answered; and who answers answers may go on for ever with another server
  if (bytes.length < 12 || (bytes[2]! & 0x80) !== 0) return undefined;
  const result: Message = {
    id: bytes[0]! << 8 | bytes[1]!,
    response: true,
    opcode: bytes[2]! >> 3 & 15,
    authoritative: false,
    truncated: false,
    recursionDesired: (bytes[2]! & 1) !== 0,
    recursionAvailable: false, // it knows its own file, and asks nobody else
    code: CODES.indexOf("FORMERR"),
    questions: [],
    answers: [],
    authority: [],
    additional: [],
  };
  let limit = transport === "TCP" ? MOST_BYTES : MOST_UDP_BYTES;
  try {
    const { opcode, questions, edns } = decodeMessage(bytes);
    const [question] = questions;
    result.questions = questions.slice(0, 1);
    if (edns) result.edns = { size: MOST_IN_A_DATAGRAM, version: 0 };
    if (transport === "UDP" && edns) {
      limit = Math.min(Math.max(edns.size, MOST_UDP_BYTES), MOST_IN_A_DATAGRAM);
    }
    if (opcode !== 0) result.code = CODES.indexOf("NOTIMP");
    else if (edns && edns.version > 0) result.code = 16; // BADVERS
    else if (question && questions.length === 1) {
      if (question.class !== 1) result.code = CODES.indexOf("REFUSED");
      else Object.assign(result, answer(question, records));
      result.authoritative = [0, 3].includes(result.code);
    }
  } catch (error) {
    if (!(error instanceof DnsFormatError)) throw error;
    console.error(`a malformed question over ${transport}: ${visible(error.message)}`);
    return encodeMessage(result);
  }
  const [question] = result.questions;
  const { length } = result.answers;
  console.error(
    `${question ? `${question.name} ${question.type}` : "no question"} over ${transport}: ` +
      `${codeName(result.code)}, ${length} answer${length === 1 ? "" : "s"}`,
  );
  return encodeMessage(result, limit);
}

/** Answers the questions of one TCP connection, each with its length in two bytes before it. */
async function converse(connection: Connection, records: DnsRecord[]): Promise<void> {
  const reader = new SocketReader(connection, { limit: MOST_BYTES });
  for (let length; (length = await reader.readExactly(2)) !== null;) {
    const bytes = await reader.readExactly(length[0]! << 8 | length[1]!);
    const answered = bytes && reply(bytes, records, "TCP");
    if (!answered) return;
    // one write: the length alone would go out as a packet of its own
    await connection.write(
      Uint8Array.of(answered.length >> 8, answered.length & 255, ...answered),
    );
  }
}

export async function main(
  { host, port, zone }: { host: string; port: number; zone?: string },
): Promise<void> {
  const text = zone === undefined
    ? lectures
    : await attempt(`read the zone file ${zone}`, () => Deno.readTextFile(zone));
  const records = await attempt(
    `use the zone file ${zone ?? "lectures.zone"}`,
    () => parseZone(text),
  );
  await using tcp = await serveTcp(
    { hostname: host, port },
    (connection) => converse(connection, records),
  );
  const { port: same } = tcp.addr as Deno.NetAddr;
  await using udp = await serveUdp(
    { hostname: host, port: same },
    (datagram) => reply(datagram, records, "UDP"),
  );
  using _stopping = onInterrupt(() => Promise.all([tcp.shutdown(), udp.shutdown()]));
  console.log(`listening on ${formatEndpoint(tcp.addr)}`);
  await Promise.all([tcp.finished, udp.finished]);
}

if (import.meta.main) await run(main);
