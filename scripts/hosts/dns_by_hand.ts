#!/usr/bin/env -S deno run --allow-net=127.0.0.1:0,127.0.0.1:5300
/**
 * A DNS question, byte by byte
 *
 * What gethostbyname does below: a question of some 30 bytes goes to the server in a datagram, the reply
 * comes back in another, and every part of it is printed, as dig does. A reply repeats the number of the
 * question. Whatever has another number, or comes from elsewhere, is ignored: anybody can send it.
 *
 * A reply that does not fit a datagram comes cut off, with a bit set that says so. The question is then
 * asked again over TCP (try long.example.com with --type TXT).
 *
 * Port 0 in the grant is the client's own port, which the system chooses.
 *
 * @lecture 001 DNS · 004 DNS – Domain Name Service
 * @python  socket.gethostbyname → Deno.resolveDns, struct.pack → DataView,
 *          struct.unpack → DataView
 * @partner scripts/hosts/dns_server.ts
 * @run     deno run --allow-net=127.0.0.1:0,127.0.0.1:5300 scripts/hosts/dns_by_hand.ts www.rad.washington.edu
 * @log     sending 40 bytes to 127.0.0.1:5300 over UDP
 * @expect  ;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: *
 * @expect  ;; flags: qr aa rd; QUERY: 1, ANSWER: 2, AUTHORITY: 0, ADDITIONAL: 0
 * @expect  ;www.rad.washington.edu. IN A
 * @expect  www.rad.washington.edu. 3600 IN CNAME elladan.rad.washington.edu.
 * @expect  elladan.rad.washington.edu. 3600 IN A 128.95.247.84
 * @run     deno run --allow-net=127.0.0.1:0,127.0.0.1:5300 scripts/hosts/dns_by_hand.ts long.example.com --type TXT
 * @log     the reply was cut off: asking again over TCP
 * @expect  ;; flags: qr aa rd; QUERY: 1, ANSWER: 8, AUTHORITY: 0, ADDITIONAL: 0
 * @argument NAME              the name to ask for
 * @option  --type TYPE        A, AAAA, CNAME, MX, NS, TXT, SOA, SRV, CAA, PTR, ANY or TYPE and a number (default: A)
 * @option  --server HOST:PORT the DNS server, as an IP address (default: 127.0.0.1:5300)
 * @see     https://www.rfc-editor.org/rfc/rfc1035#section-4
 * @module
 */

import { formatEndpoint, type NetEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { DeadlineError, within } from "../../lib/deadline.ts";
import { visible } from "../../lib/display.ts";
import { readData, typeCode, typeName } from "../../lib/dns_data.ts";
import { codeName } from "../../lib/dns_message.ts";
import { DnsFormatError, labelsOf, sameName } from "../../lib/dns_name.ts";
import { NoSuchRecordError, parseServer } from "../../lib/dns_query.ts";
import { attempt } from "../../lib/errors.ts";
import { SocketReader } from "../../lib/reader.ts";
import { connect } from "../../lib/tcp.ts";
import { NoAnswerError } from "../../lib/udp.ts";
import { localFor } from "../../lib/udp_socket.ts";
import { UsageError } from "../../lib/usage.ts";

const PATIENCE = [500, 1_000, 2_000]; // milliseconds, one for each try

/** The question: a header of six 16-bit numbers, a name, a type and a class. */
export function questionBytes(id: number, name: string, type: number): Uint8Array {
  // a name is its labels, each after its length; a label of length 0, the root, is the end
  const labels = labelsOf(name).flatMap((label) => [label.length, ...label]);
  const bytes = new Uint8Array(12 + labels.length + 1 + 4);
  const view = new DataView(bytes.buffer); // Python's struct.pack("!H", …): big-endian
  view.setUint16(0, id); // repeated in the reply
  view.setUint16(2, 0x0100); // flags: a question, and please ask others if you do not know
  view.setUint16(4, 1); // one question; the other three counts stay 0
  bytes.set(labels, 12);
  view.setUint16(bytes.length - 4, type);
  view.setUint16(bytes.length - 2, 1); // class IN, the internet
  return bytes;
}

/** Reads a name: labels, until one of length 0 or a pointer to where the rest stood before. */
function readName(bytes: Uint8Array, at: number): { name: string; next: number } {
  let name = "", next: number | undefined, start = at;
  for (;;) {
    const length = bytes[at];
    if (length === undefined) throw new DnsFormatError("the reply ends in a name");
    if (length === 0) return { name: name || ".", next: next ?? at + 1 };
    if (length >= 0xc0) { // the first two bits set: a pointer, in the other 14
      const target = (length & 0x3f) << 8 | (bytes[at + 1] ?? 0);
      next ??= at + 2;
      // without this a pointer to itself would be followed for ever
      if (target >= start) throw new DnsFormatError(`a pointer at byte ${at} does not lead back`);
      at = start = target;
    } else if (length > 63 || name.length > 1_020) {
      throw new DnsFormatError(`no name stands at byte ${at}`);
    } else {
      for (const byte of bytes.subarray(at + 1, at + 1 + length)) {
        const plain = byte > 0x20 && byte < 0x7f &&
          !'.\\";()@$'.includes(String.fromCharCode(byte));
        name += plain ? String.fromCharCode(byte) : "\\" + String(byte).padStart(3, "0");
      }
      name += ".";
      at += 1 + length;
    }
  }
}

const FLAGS = { qr: 0x8000, aa: 0x0400, tc: 0x0200, rd: 0x0100, ra: 0x0080 };
const SECTIONS = ["QUESTION", "ANSWER", "AUTHORITY", "ADDITIONAL"];

/** Every part of a reply, in lines as dig prints them. */
export function readReply(bytes: Uint8Array) {
  if (bytes.length < 12) throw new DnsFormatError(`a reply of ${bytes.length} bytes has no header`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [id, flags, ...counts] = [0, 2, 4, 6, 8, 10].map((place) => view.getUint16(place));
  const set = Object.entries(FLAGS).filter(([, bit]) => flags! & bit).map(([name]) => name);
  const opcode = flags! >> 11 & 15, code = flags! & 15;
  const lines = [
    `;; ->>HEADER<<- opcode: ${opcode === 0 ? "QUERY" : opcode}, status: ${
      codeName(code)
    }, id: ${id}`,
    `;; flags: ${set.join(" ")}; QUERY: ${counts[0]}, ANSWER: ${counts[1]}, ` +
    `AUTHORITY: ${counts[2]}, ADDITIONAL: ${counts[3]}`,
  ];
  let asked: { name: string; type: number } | undefined;
  let at = 12;
  for (const [section, count] of counts.entries()) {
    if (count > 0) lines.push("", `;; ${SECTIONS[section]} SECTION:`);
    for (let index = 0; index < count; index++) {
      const { name, next } = readName(bytes, at);
      at = next + (section === 0 ? 4 : 10);
      if (at > bytes.length) throw new DnsFormatError("the reply ends in a record");
      const type = view.getUint16(next), kind = view.getUint16(next + 2);
      const internet = kind === 1 ? "IN" : `CLASS${kind}`;
      if (section === 0) {
        asked ??= { name, type };
        lines.push(`;${name} ${internet} ${typeName(type)}`);
        continue;
      }
      const seconds = view.getUint32(next + 4), length = view.getUint16(next + 8);
      const data = readData(bytes, at, length, typeName(type));
      lines.push(`${name} ${seconds} ${internet} ${typeName(type)} ${data}`);
      at += length;
    }
  }
  return {
    id: id!,
    isReply: set.includes("qr"),
    truncated: set.includes("tc"),
    code,
    counts,
    asked,
    lines,
  };
}

type Reply = ReturnType<typeof readReply>;

/** Why a message is no reply to the question, if so. */
function fault(question: Uint8Array, reply: Reply): string | undefined {
  const sent = readReply(question);
  if (reply.id !== sent.id) return `its id is ${reply.id}, not ${sent.id}`;
  if (!reply.isReply) return "it is a question";
  const { asked } = reply;
  if (!asked) return reply.code === 0 ? "it does not repeat the question" : undefined;
  const same = sameName(asked.name, sent.asked!.name) && asked.type === sent.asked!.type;
  return same ? undefined : "it answers another question";
}

/** Asks in a datagram, and again when no reply comes. */
async function askOverUdp(question: Uint8Array, server: NetEndpoint): Promise<Reply> {
  const name = formatEndpoint(server);
  // the system chooses a port: like the id, a stranger who wants to forge a reply would have to guess it
  const socket = await attempt(
    "open a UDP socket",
    () =>
      Deno.listenDatagram({
        transport: "udp",
        hostname: localFor(server.hostname),
        port: 0,
      }),
  );
  try {
    let receiving = socket.receive();
    for (const patience of PATIENCE) {
      console.error(`sending ${question.length} bytes to ${name} over UDP`);
      await attempt(
        `send to ${name}`,
        () => socket.send(question, { transport: "udp", ...server }),
      );
      const due = performance.now() + patience;
      try {
        for (;;) {
          const [bytes, from] = await within(due - performance.now(), receiving);
          receiving = socket.receive();
          const reply = usable(question, bytes, formatEndpoint(from), name);
          if (reply) return receiving.catch(() => {}), reply; // the close below ends it
        }
      } catch (error) {
        if (!(error instanceof DeadlineError)) throw error;
        console.error(`no reply in ${patience} ms`);
      }
    }
    receiving.catch(() => {});
    throw new NoAnswerError(name, PATIENCE.length);
  } finally {
    socket.close();
  }
}

/** The reply in a datagram; of any other datagram it is told why it is ignored. */
function usable(question: Uint8Array, bytes: Uint8Array, from: string, server: string) {
  let why = from === server ? undefined : `it does not come from ${server}`;
  try {
    const reply = why ? undefined : readReply(bytes);
    why ??= fault(question, reply!);
    if (!why) return reply;
  } catch (error) {
    if (!(error instanceof DnsFormatError)) throw error;
    why = error.message;
  }
  console.error(`ignoring ${bytes.length} bytes from ${from}: ${visible(why)}`);
}

/** Asks over TCP, a stream: the length stands before the question and before the reply, in two bytes. */
async function askOverTcp(question: Uint8Array, server: NetEndpoint): Promise<Reply> {
  using connection = await connect(server);
  await connection.write(Uint8Array.of(question.length >> 8, question.length & 255, ...question));
  const reader = new SocketReader(connection, { timeout: 5_000 });
  const length = await attempt("get the reply over TCP", reader.readExactly(2));
  const bytes = length && await attempt(
    "get the reply over TCP",
    reader.readExactly(length[0]! << 8 | length[1]!),
  );
  const reply = readReply(bytes ?? new Uint8Array());
  const why = fault(question, reply);
  if (why) throw new DnsFormatError(`what came over TCP is no reply: ${why}`);
  return reply;
}

export async function main(
  { name, type, server }: { name: string; type: string; server: string },
): Promise<void> {
  const endpoint = parseServer(server);
  const id = crypto.getRandomValues(new Uint16Array(1))[0]!; // one that nobody can guess
  let question: Uint8Array;
  try {
    question = questionBytes(id, name, typeCode(type));
  } catch (error) {
    throw error instanceof DnsFormatError ? new UsageError(error.message) : error;
  }
  let reply = await askOverUdp(question, endpoint);
  if (reply.truncated) {
    console.error("the reply was cut off: asking again over TCP");
    reply = await askOverTcp(question, endpoint);
  }
  for (const line of reply.lines) console.log(line);
  if (reply.code !== 0 || reply.counts[1] === 0) {
    throw new NoSuchRecordError(name, type.toUpperCase(), reply.code);
  }
}

if (import.meta.main) await run(main);
