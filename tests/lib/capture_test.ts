/** The captures: written, read, damaged, and what their packets carry. */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { flowsOf } from "../../lib/capture_flows.ts";
import { CaptureError, readCapture } from "../../lib/capture_reader.ts";
import { summarize } from "../../lib/capture_summary.ts";
import { ethernetHeader, joined, TCP_FLAG } from "../../lib/packets.ts";
import { pcapFile } from "../../lib/pcap.ts";
import { fileStart, LINK_TYPE, packetBlock } from "../../lib/pcapng.ts";
import { TapPackets } from "../../lib/tap_packets.ts";
import type { TapConversation, TapEvent } from "../../lib/tap_event.ts";
import { captureOf, segment } from "./segments.ts";

const encode = (text: string) => new TextEncoder().encode(text);

function conversation(number = 1, port = 50_000): TapConversation {
  return {
    number,
    transport: "tcp",
    client: { name: `127.0.0.1:${port}`, hostname: "127.0.0.1", port },
    server: { name: "127.0.0.1:80", hostname: "127.0.0.1", port: 80 },
  };
}

/** The file of a conversation: who says what. */
function captured(
  said: [TapEvent["from"], string][],
  its = conversation(),
): Uint8Array<ArrayBuffer> {
  const packets = new TapPackets(its);
  const time = 1_700_000_000_000;
  const events: Partial<TapEvent>[] = [
    { kind: "asked", from: "client" },
    { kind: "connected", from: "server" },
    ...said.flatMap(([from, text]): Partial<TapEvent>[] => [
      { kind: "data", from, bytes: encode(text) },
      { kind: "delivered", from },
    ]),
  ];
  const blocks = events.flatMap((event, index) =>
    packets.of({ conversation: its, time, ...event } as TapEvent)
      .map((bytes) => packetBlock({ bytes, time: time + index }))
  );
  return joined(fileStart({ linkType: LINK_TYPE.RAW_IP, from: "test" }), ...blocks);
}

async function summaryOf(file: Uint8Array, options = {}): Promise<string[]> {
  const path = Deno.makeTempFileSync();
  try {
    Deno.writeFileSync(path, file);
    return await summarize(path, options);
  } finally {
    Deno.removeSync(path);
  }
}

Deno.test("readCapture gives the packets of a classic pcap file", () => {
  const file = pcapFile([{ frame: new Uint8Array(60), time: 1_234.567 }]);
  const [packet, ...more] = readCapture(file);
  assertEquals(more, []);
  assertEquals({ ...packet!, bytes: packet!.bytes.length }, {
    number: 1,
    time: 1_234.567,
    linkType: 1,
    bytes: 60,
  });
});

Deno.test("readCapture reads the other order of bytes", () => {
  const big = pcapFile([{ frame: new Uint8Array([7]), time: 1_000 }]);
  const little = big.slice();
  // every field of the headers, turned round
  for (
    const [at, size] of [[0, 4], [4, 2], [6, 2], [16, 4], [20, 4], [24, 4], [28, 4], [32, 4], [
      36,
      4,
    ]]
  ) {
    little.subarray(at, at! + size!).reverse();
  }
  assertEquals(readCapture(little), readCapture(big));
});

Deno.test("readCapture gives what is whole when a file is cut at any byte", () => {
  const file = captured([["client", "hello"], ["server", "hello back"]]);
  const whole = readCapture(file);
  assertEquals(whole.length, 7);
  let before = 0;
  for (let end = 24; end <= file.length; end++) {
    const found = readCapture(file.subarray(0, end));
    assertEquals(found, whole.slice(0, found.length));
    if (found.length < before) throw new Error(`fewer packets at ${end} than before`);
    before = found.length;
  }
  assertEquals(before, whole.length);
});

Deno.test("readCapture refuses what is no capture", () => {
  assertThrows(() => readCapture(new Uint8Array(0)), CaptureError, "0 bytes are too few");
  assertThrows(() => readCapture(encode("x".repeat(100))), CaptureError, "neither as pcapng nor");
});

Deno.test("readCapture and flowsOf neither crash nor hang when 20,000 captures are damaged", () => {
  const file = captured([["client", "hello"], ["server", "hello back"]]);
  let seed = 1;
  const random = (below: number) => {
    seed = Math.imul(seed, 1_103_515_245) + 12_345 >>> 0;
    return (seed >>> 8) % below;
  };
  let refused = 0;
  for (let round = 0; round < 20_000; round++) {
    const damaged = file.slice(0, 24 + random(file.length - 24));
    for (let times = random(6); times >= 0; times--) damaged[random(damaged.length)] = random(256);
    try {
      flowsOf(readCapture(damaged));
    } catch (error) {
      if (!(error instanceof CaptureError)) throw error;
      refused++;
    }
  }
  if (refused === 0 || refused === 20_000) throw new Error(`${refused} were refused`);
});

Deno.test("flowsOf leaves out what TCP sent again, and joins nothing across a hole", () => {
  const frame = (sequence: number, text: string) => {
    const [destination, source] = ["02:00:00:00:00:01", "02:00:00:00:00:02"];
    const filled = new Uint8Array(3); // the card fills short frames up
    const ethernet = ethernetHeader({ destination, source, type: 0x800 });
    return joined(ethernet, segment(sequence, text), filled);
  };
  const near = 2 ** 32 - 3;
  const frames = [
    frame(near, "abcd"), // the numbers go round behind these
    frame(near, "abcd"),
    frame(near + 2 - 2, "abcdef"), // sent again, with more
    frame(10, "z"), // 3 to 9 were missed
  ];
  const [flow] = flowsOf(readCapture(pcapFile(frames.map((each) => ({ frame: each, time: 0 })))));
  const text = flow!.pieces.map(({ offset, bytes, packet }) =>
    `${packet}:${offset}:${new TextDecoder().decode(bytes)}`
  );
  assertEquals([flow!.from, flow!.to, text], ["10.0.0.1:5000", "10.0.0.2:6000", [
    "1:0:abcd",
    "3:4:ef",
    "4:13:z",
  ]]);
});

Deno.test("summarize finds a message also when the answer was cut into several packets", async () => {
  const file = captured([
    ["client", "this is my message"],
    ["server", "this is my messa"],
    ["server", "ge"],
  ]);
  assertEquals(await summaryOf(file), [
    "9 packets, 3 of them carry something",
    '"this is my message"  2 times, in the packets 4, 6, 8',
    "  127.0.0.1:50000 → 127.0.0.1:80  packet 4",
    "  127.0.0.1:80 → 127.0.0.1:50000  packets 6, 8",
  ]);
});

Deno.test("summarize counts what it is asked for, and what it does not find", async () => {
  const file = captured([["client", "tick tock tick"], ["server", "tock"]]);
  assertEquals((await summaryOf(file, { message: "tick" })).slice(1), [
    '"tick"  2 times, in the packet 4',
    "  127.0.0.1:50000 → 127.0.0.1:80  packet 4",
    "  127.0.0.1:50000 → 127.0.0.1:80  packet 4",
  ]);
  assertEquals((await summaryOf(file, { message: "boom" })).slice(1), ['"boom"  0 times']);
});

Deno.test("summarize takes what one side said until the other answers for one message", async () => {
  const file = captured([["client", "he"], ["client", "llo"], ["server", "yes"], [
    "client",
    "bye",
  ]]);
  const lines = await summaryOf(file);
  assertEquals(lines.filter((line) => line.startsWith('"')), [
    '"hello"  1 time, in the packets 4, 6',
    '"bye"  1 time, in the packet 10',
  ]);
});

/** What is found of a text, in the form "packets: text". */
function found(packets: Uint8Array[]): string[] {
  return flowsOf(readCapture(captureOf(packets))).map(({ pieces }) => {
    let end: number | undefined;
    return pieces.map(({ packet, offset, bytes }) => {
      const hole = end !== undefined && end !== offset ? "… " : "";
      end = offset + bytes.length;
      return `${hole}${packet}:${new TextDecoder().decode(bytes)}`;
    }).join(" ");
  });
}

const SYN = { flags: TCP_FLAG.SYN };

Deno.test("flowsOf puts segments in order when they were captured in another", () => {
  const late = [segment(100, "", SYN), segment(106, "WORLD"), segment(101, "hello")];
  assertEquals(found(late), ["3:hello 2:WORLD"]);
  const noBeginning = [segment(106, "WORLD"), segment(101, "hello"), segment(111, "!")];
  assertEquals(found(noBeginning), ["2:hello 1:WORLD 3:!"]);
  const roundTheCircle = [segment(-3, "", SYN), segment(3, "f"), segment(-2, "abcde")];
  assertEquals(found(roundTheCircle), ["3:abcde 2:f"]);
});

Deno.test("flowsOf counts each byte once when segments overlap", () => {
  const packets = ["cde", "abcd", "abcdef", "ef", "abcdefgh"].map((text) =>
    segment(text.charCodeAt(0), text)
  );
  const [text] = found([segment(96, "", SYN), ...packets]);
  assertEquals(text!.replace(/\d+:| /g, ""), "abcdefgh");
});

Deno.test("flowsOf leaves out the byte of a probe when it stands before the first", () => {
  assertEquals(found([segment(100, "", SYN), segment(100, "?"), segment(101, "hi")]), ["3:hi"]);
});

Deno.test("flowsOf keeps a hole when it is never filled, however large it is", () => {
  assertEquals(found([segment(1, "a"), segment(2 ** 30, "b"), segment(2 ** 31, "c")]), [
    "1:a … 2:b … 3:c",
  ]);
});

Deno.test("flowsOf joins nothing across connections when they have the same ports", () => {
  const server = { server: true };
  const packets = [
    segment(100, "", SYN),
    segment(900, "", { ...server, flags: TCP_FLAG.SYN | TCP_FLAG.ACK }),
    segment(100, "", SYN), // the same connection: sent again
    segment(101, "hel"),
    segment(901, "yes", server),
    segment(7_000, "", SYN),
    // whether the server chose another number or not
    segment(901, "yes", server),
    segment(7_001, "lo"),
    // far behind the first connection's numbers in the circle, or before them
    segment(2 ** 31 + 500, "", SYN),
    segment(2 ** 31 + 501, "!"),
  ];
  assertEquals(found(packets), ["4:hel … 8:lo … 10:!", "5:yes … 7:yes"]);
});

Deno.test("flowsOf takes what comes with the SYN for the first bytes", () => {
  assertEquals(found([segment(100, "he", SYN), segment(103, "llo")]), ["1:he 2:llo"]);
});

Deno.test("summarize finds a message when a part of it was captured late", async () => {
  const packets = [
    segment(100, "", SYN),
    segment(108, " my message"),
    segment(101, "this is"),
    segment(900, "yes", { server: true }),
    segment(101, "this is"), // sent again
  ];
  assertEquals((await summaryOf(captureOf(packets))).slice(1), [
    '"this is my message"  1 time, in the packets 2, 3',
    "  10.0.0.1:5000 → 10.0.0.2:6000  packets 3, 2",
  ]);
});

Deno.test("summarize takes what was answered for two messages when the first one came late", async () => {
  const packets = [
    segment(100, "", SYN),
    segment(104, "two"),
    segment(101, "one"),
    segment(1, "answer", { server: true }),
    segment(107, "three"),
  ];
  const lines = await summaryOf(captureOf(packets));
  assertEquals(lines.filter((line) => line.startsWith('"')).map((line) => line.split(" ")[0]), [
    '"onetwo"',
    '"three"',
  ]);
});

Deno.test("summarize ends when a connection has 200,000 messages", async () => {
  const ping = "ping";
  const packets = Array.from({ length: 200_000 }, (_, index) => {
    const place = (index >> 1) * ping.length;
    return segment(101 + place, ping, { server: index % 2 === 1 });
  });
  const [all, ...lines] = await summaryOf(captureOf(packets));
  assertEquals(all, "200000 packets, 200000 of them carry something");
  assertEquals(lines[0]!.slice(0, 40), '"ping"  200000 times, in the packets 1, ');
  assertEquals(lines.at(-1), "  … 199980 more");
});

Deno.test("summarize ends when a long message is all zeros but for one byte", async () => {
  const [pieces, size] = [20, 60_000];
  const zeros = new Uint8Array(size);
  const packets = Array.from({ length: pieces }, (_, index) => segment(1 + index * size, zeros));
  packets[0] = segment(1, zeros.with(10, 1));
  for (let index = 0; index < 3 * pieces; index++) {
    packets.push(segment(1 + index * size, zeros, { server: true }));
  }
  const [, line, ...where] = await summaryOf(captureOf(packets));
  assertEquals(
    line!.replace(/^.*bytes\) {2}/, "").slice(0, 32),
    "1 time, in the packets 1, 2, 3, ",
  );
  assertEquals(where.length, 1);
});

Deno.test("summarize says what is wrong with a file", async () => {
  await assertRejects(
    () => summaryOf(encode("no capture at all, but text")),
    Error,
    "neither as pcapng",
  );
  const file = captured([]);
  await assertRejects(() => summaryOf(file, { size: 10 }), Error, "more than 10");
});
