/** What the tap makes of events: packets, lines and a picture. */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { readIpv4, readIpv6, readTcp, readUdp, TCP_FLAG } from "../../lib/packets.ts";
import { sequenceDiagram } from "../../lib/sequence_diagram.ts";
import { TapCapture } from "../../lib/tap_capture.ts";
import { TapDiagram } from "../../lib/tap_diagram.ts";
import { clientEnd, serverEnd } from "../../lib/tap_ends.ts";
import type { Side, TapConversation, TapEvent } from "../../lib/tap_event.ts";
import { TapPackets } from "../../lib/tap_packets.ts";
import { TapTerminal } from "../../lib/tap_terminal.ts";

const end = (hostname: string, port: number) => ({ name: `${hostname}:${port}`, hostname, port });

function conversation(client = "127.0.0.1", server = "127.0.0.1"): TapConversation {
  return { number: 1, transport: "tcp", client: end(client, 50_000), server: end(server, 80) };
}

/** The packets of events, taken apart: flags, numbers and length of each. */
function told(its: TapConversation, events: [TapEvent["kind"], Side, number?][], first = 0) {
  const packets = new TapPackets(its, () => first);
  return events.flatMap(([kind, from, length]) =>
    packets.of({ kind, from, conversation: its, time: 0, bytes: new Uint8Array(length ?? 0) })
      .map((packet) => {
        const ip = packet[0]! >> 4 === 6 ? readIpv6(packet) : readIpv4(packet);
        const { fields, payload } = readTcp(ip.payload, ip.fields);
        const names = Object.entries(TCP_FLAG).filter(([, bit]) => fields.flags & bit);
        const { sequence, acknowledgment } = fields;
        const flags = names.map(([name]) => name).join(" ");
        return `${ip.fields.source} ${flags} ${sequence} ${acknowledgment} ${payload.length}`;
      })
  );
}

Deno.test("TapPackets numbers a whole conversation as TCP does, when one side goes on after the other", () => {
  const packets = told(conversation(), [
    ["asked", "client"],
    ["connected", "server"],
    ["data", "client", 10],
    ["delivered", "client"],
    ["end", "client"],
    ["delivered", "client"],
    ["data", "server", 4],
    ["delivered", "server"],
    ["end", "server"],
    ["delivered", "server"],
  ]);
  assertEquals(packets.map((line) => line.replace("127.0.0.1 ", "")), [
    "SYN 0 0 0",
    "SYN ACK 0 1 0",
    "ACK 1 1 0",
    "PSH ACK 1 1 10",
    "ACK 1 11 0",
    "FIN ACK 11 1 0",
    "ACK 1 12 0",
    "PSH ACK 1 12 4",
    "ACK 12 5 0",
    "FIN ACK 5 12 0",
    "ACK 12 6 0",
  ]);
});

Deno.test("TapPackets cuts at 1,460 bytes over IPv4 and 1,440 over IPv6, and lets numbers go round", () => {
  const sizes = (its: TapConversation, length: number) =>
    told(
      its,
      [["asked", "client"], ["connected", "server"], ["data", "client", length]],
      0.9999999999,
    )
      .slice(3).map((line) => Number(line.split(" ").at(-1)));
  assertEquals(sizes(conversation(), 1_460), [1_460]);
  assertEquals(sizes(conversation(), 65_536).reduce((sum, size) => sum + size), 65_536);
  assertEquals(sizes(conversation(), 3_000), [1_460, 1_460, 80]);
  assertEquals(sizes(conversation("::1", "::1"), 2_880), [1_440, 1_440]);
});

Deno.test("TapPackets says nothing more of a conversation when it was refused or reset", () => {
  const after: [TapEvent["kind"], Side, number?][] = [["data", "client", 1], ["end", "client"]];
  assertEquals(
    told(conversation(), [["asked", "client"], ["refused", "server"], ...after]).length,
    2,
  );
  const reset = told(conversation(), [
    ["asked", "client"],
    ["connected", "server"],
    ["reset", "server"],
    ...after,
  ]);
  assertEquals(reset.at(-1), "127.0.0.1 RST ACK 1 1 0");
});

for (
  const [client, server, source] of [
    ["::ffff:127.0.0.1", "127.0.0.1", "127.0.0.1"],
    ["::1", "127.0.0.1", "::1"],
    ["127.0.0.1", "::1", "::ffff:127.0.0.1"],
    ["fe80::1%eth0", "fe80::2", "fe80::1"],
  ] as const
) {
  Deno.test(`TapPackets writes one family when ${client} talks to ${server}`, () => {
    assertEquals(told(conversation(client, server), [["asked", "client"]]), [
      `${source} SYN 0 0 0`,
    ]);
  });
}

Deno.test("TapPackets carries the longest datagram, and a datagram of no bytes", () => {
  const its: TapConversation = { ...conversation(), transport: "udp" };
  const packets = new TapPackets(its);
  for (const length of [0, 65_507]) {
    const bytes = new Uint8Array(length);
    const [packet] = packets.of({
      kind: "data",
      from: "server",
      conversation: its,
      time: 0,
      bytes,
    });
    const ip = readIpv4(packet!);
    assertEquals(readUdp(ip.payload, ip.fields).payload.length, length);
  }
  assertEquals(packets.of({ kind: "end", from: "server", conversation: its, time: 0 }), []);
});

Deno.test("clientEnd and serverEnd give what has no address one that is kept for examples", () => {
  assertEquals(clientEnd({ transport: "unix", path: "" }, 1), {
    name: "client 1",
    hostname: "192.0.2.1",
    port: 1_024,
  });
  const unix = serverEnd({ transport: "unix", path: "/tmp/a" });
  assertEquals([unix.name, unix.hostname], ["unix:/tmp/a", "192.0.2.2"]);
  assertEquals(serverEnd({ hostname: "localhost", port: 1 }).hostname, "127.0.0.1");
  assertEquals(serverEnd({ hostname: "example.com", port: 1 }).hostname, "192.0.2.2");
});

Deno.test("TapTerminal shows control characters, and no more bytes than it is told", () => {
  const lines: string[] = [];
  const print = (line: string) => lines.push(line.replace(/^\S+ +/, ""));
  const bytes = new TextEncoder().encode("\x1b[2J0123456789");
  const event: TapEvent = {
    kind: "data",
    conversation: conversation(),
    from: "server",
    time: 0,
    bytes,
  };
  new TapTerminal({ print }).record(event);
  new TapTerminal({ print, most: 6 }).record(event);
  new TapTerminal({ print, most: 6, show: "hex" }).record(event);
  new TapTerminal({ print, show: "none" }).record(event);
  assertEquals(lines, [
    '1  server → client  14 bytes  "\\x1b[2J0123456789"',
    '1  server → client  14 bytes  "\\x1b[2J01"… (14 bytes)',
    "1  server → client  14 bytes\n" +
    "00000000  1b 5b 32 4a 30 31                                 |.[2J01|\n… 8 more",
  ]);
});

Deno.test("TapDiagram counts what is too much for a picture", () => {
  const diagram = new TapDiagram({ title: "t", arrows: 3, ends: 2 });
  const mine = conversation();
  for (let time = 0; time < 5; time++) {
    diagram.record({
      kind: "data",
      conversation: mine,
      from: "client",
      time,
      bytes: new Uint8Array(1),
    });
  }
  const other = { ...conversation(), number: 2 };
  diagram.record({ kind: "asked", conversation: other, from: "client", time: 6 });
  assertStringIncludes(diagram.svg(), "… 3 more");
});

Deno.test("sequenceDiagram escapes what it is given, shortens it, and shows pauses", () => {
  const svg = sequenceDiagram({
    title: "<script>",
    ends: ["a", "b"],
    arrows: [
      { from: 0, to: 1, text: "</text>", time: 0 },
      { from: 1, to: 0, text: "y".repeat(1_000), time: 1_500 },
      { from: 1, to: 1, text: "alone", time: 1_501 },
    ],
  });
  assert(!svg.includes("<script>") && !svg.includes("</text></text>"));
  assertStringIncludes(svg, "1.500 s pass");
  assert(!svg.includes("y".repeat(60)), "a long text is not shortened");
  assertThrows(() => sequenceDiagram({ title: "", ends: [], arrows: [] }), RangeError);
  assertThrows(
    () =>
      sequenceDiagram({ title: "", ends: ["a"], arrows: [{ from: 0, to: 1, text: "", time: 0 }] }),
    RangeError,
    "no end number 1",
  );
});

Deno.test("TapCapture lets the conversation go on when its file cannot be written any more", () => {
  const path = Deno.makeTempFileSync();
  try {
    const capture = new TapCapture(path, { from: "test" });
    capture[Symbol.dispose]();
    capture.record({ kind: "asked", conversation: conversation(), from: "client", time: 0 });
    assertEquals(capture.packets, 0);
  } finally {
    Deno.removeSync(path);
  }
});
