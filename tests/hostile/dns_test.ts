/**
 * Malformed packets at the DNS server: none stops it, and a good question is answered at once.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { decodeMessage, encodeMessage, questionFor } from "../../lib/dns_message.ts";
import { SocketReader } from "../../lib/reader.ts";
import { chance, concat } from "../lib/helpers.ts";
import { type Script, startScript } from "./script.ts";
import { settles, within } from "./waits.ts";

const SEED = 1_987;
const HEADER = [0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
const GOOD = encodeMessage(questionFor("uw.edu", "A", { id: 4_242 }));

/** What a server is to answer with FORMERR, or not at all. */
const MALFORMED: Record<string, Uint8Array[]> = {
  "empty datagrams": Array(20).fill(new Uint8Array()),
  "headers that are cut": HEADER.map((_, length) => Uint8Array.from(HEADER.slice(0, length))),
  "questions that are cut": Array.from(GOOD, (_, length) => GOOD.slice(0, length)),
  "pointers to themselves": [Uint8Array.from([...HEADER, 0xc0, 12, 0, 1, 0, 1])],
  "pointers in a circle": [Uint8Array.from([...HEADER, 1, 0x61, 0xc0, 12, 0, 1, 0, 1])],
  "labels of unknown kinds": [0x40, 0x80, 0xbf].map((size) =>
    Uint8Array.from([...HEADER, size, 0, 0, 1, 0, 1])
  ),
  "names of over 255 bytes": [
    Uint8Array.from([...HEADER, ...Array(64).fill([3, 97, 97, 97]).flat(), 0, 0, 1, 0, 1]),
  ],
  "65,535 questions that are not there": [Uint8Array.from([0, 7, 1, 0, 255, 255, 255, 255])],
  "many questions": [
    Uint8Array.from([0, 7, 1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 0, 1]),
  ],
  "answers to nobody's question": [GOOD.with(2, 0x81)],
  "other operations": Array.from({ length: 15 }, (_, code) => GOOD.with(2, code + 1 << 3)),
  "the largest datagrams": Array(5).fill(new Uint8Array(65_507).fill(0xc0)),
  [`random bytes (seed ${SEED})`]: random(),
};

function random(): Uint8Array[] {
  const next = chance(SEED);
  return Array.from(
    { length: 500 },
    (_, index) =>
      index % 2 === 0
        ? Uint8Array.from({ length: next(600) }, () => next(256))
        : GOOD.slice().with(next(GOOD.length), next(256)),
  );
}

async function startServer(): Promise<{ server: Script; port: number }> {
  const server = startScript("scripts/hosts/dns_server.ts", { words: ["--port", "0"] });
  return { server, port: Number(await server.printed(/^listening on 127\.0\.0\.1:(\d+)$/m)) };
}

/** Asks over UDP, again when the datagram was lost. */
async function goodOverUdp(port: number): Promise<void> {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  try {
    const answer = socket.receive();
    for (let tries = 1; tries <= 8; tries++) {
      await socket.send(GOOD, { transport: "udp", hostname: "127.0.0.1", port });
      if (await settles(answer, 500)) break;
    }
    assertEquals(
      decodeMessage((await within("the answer over UDP", answer))[0]).answers[0]?.data,
      ADDRESS,
    );
  } finally {
    socket.close();
  }
}

const ADDRESS = "128.95.155.135";

function framed(...messages: Uint8Array[]): Uint8Array {
  return concat(
    ...messages.flatMap((message) => [
      Uint8Array.of(message.length >> 8, message.length & 255),
      message,
    ]),
  );
}

async function goodOverTcp(port: number): Promise<void> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(framed(GOOD, GOOD, GOOD));
  const reader = new SocketReader(connection);
  for (let count = 0; count < 3; count++) {
    const length = (await within("the answer over TCP", reader.readExactly(2)))!;
    const reply = (await reader.readExactly(length[0]! << 8 | length[1]!))!;
    assertEquals(decodeMessage(reply).answers[0]?.data, ADDRESS);
  }
}

for (const [name, packets] of Object.entries(MALFORMED)) {
  Deno.test(`hosts/dns_server answers a good question at once after ${name}`, async () => {
    const { server, port } = await startServer();
    await using _ended = server;
    const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
    try {
      for (const packet of packets) {
        await socket.send(packet, { transport: "udp", hostname: "127.0.0.1", port });
        if (packet.length > 65_535) continue;
        using connection = await Deno.connect({ hostname: "127.0.0.1", port });
        await connection.write(framed(packet));
      }
    } finally {
      socket.close();
    }
    await goodOverUdp(port);
    await goodOverTcp(port);
    assertEquals(await server.stop("SIGTERM"), 0);
    assertEquals(server.stderr.match(/^ +at .*$/m), null, server.stderr);
  });
}

Deno.test("hosts/dns_server answers others while a client has sent half a length and waits", async () => {
  const { server, port } = await startServer();
  await using _ended = server;
  using silent = await Deno.connect({ hostname: "127.0.0.1", port });
  await silent.write(Uint8Array.of(0));
  await goodOverUdp(port);
  await goodOverTcp(port);
  assertEquals(await server.stop("SIGTERM"), 0);
});

for (
  const [name, packet] of Object.entries({
    "a pointer to itself": MALFORMED["pointers to themselves"]![0]!,
    "no question": Uint8Array.from([0, 7, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
  })
) {
  Deno.test(`hosts/dns_server answers FORMERR with the same id to ${name}`, async () => {
    const { server, port } = await startServer();
    await using _ended = server;
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(framed(packet));
    const reader = new SocketReader(connection);
    await within("the length", reader.readExactly(2));
    const { id, code } = decodeMessage((await reader.readExactly(12))!);
    assertEquals([id, code], [7, 1]);
  });
}
