/**
 * The captures of the tap, read by tshark: real conversations of programs that nobody here wrote, and not one
 * thing in them that an expert would note.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { flowsOf } from "../../lib/capture_flows.ts";
import { readCapture } from "../../lib/capture_reader.ts";
import { TCP_FLAG } from "../../lib/packets.ts";
import { ROOT } from "../../lib/runner/library.ts";
import { captureOf, segment } from "../lib/segments.ts";
import { freePort, peerTest, socatCat, temporaryFolder } from "./peers.ts";
import { Process } from "./process.ts";

const TAP = new URL("scripts/analyzer/tap.ts", ROOT).pathname;

/** A running tap that writes a capture. */
interface Tapped extends AsyncDisposable {
  port: number;
  process: Process;
  /** Stops it, and gives what tshark finds in the capture. */
  packets(fields: string[]): Promise<string[][]>;
  file: string;
}

async function tap(
  server: string,
  options: string[] = [],
  listen = "127.0.0.1:0",
): Promise<Tapped> {
  const folder = temporaryFolder();
  const file = `${folder.path}/tap.pcapng`;
  const udp = options.includes("--udp");
  const unix = [listen, server].filter((end) => end.startsWith("unix:"));
  const grants = [listen, server].map((end) => udp ? end.replace(/:\d+$/, "") : end);
  const flags = [
    `--allow-net=${[...new Set(grants)].join(",")}`,
    `--allow-write=${[file, ...unix.map((end) => end.slice(5))].join(",")}`,
    ...(unix.length > 0 ? [`--allow-read=${unix.map((end) => end.slice(5)).join(",")}`] : []),
  ];
  const words = [listen, server, "--pcap", file, "--show", "none", ...options];
  const process = new Process([Deno.execPath(), "run", "--no-prompt", ...flags, TAP, ...words]);
  const [, port] = await process.stdout.line(/^listening on (?:.*:(\d+)|unix:.*)$/);
  return {
    port: Number(port),
    process,
    file,
    async packets(fields) {
      assertEquals(await process.stop("SIGINT"), 0, process.stderr.text);
      assertEquals(process.stderr.text.match(/^wrote \d+ packets to .*$/m)?.length, 1);
      return await decode(file, fields);
    },
    async [Symbol.asyncDispose]() {
      await process[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

/** How an expert rates what belongs to any conversation; a note, a warning and an error are rated higher. */
const CHAT = 0x200000;
/** Notes that every good close, and every true reset, gets from tshark. */
const COURSE_OF_THINGS =
  /^This frame (initiates|undergoes) the connection closing|^Connection reset/;

/** What the payload says is none of the tap's business, and some protocol is known for almost any port. */
const PLAIN = ["tcp", "udp"].flatMap((name) => ["-d", `${name}.port==1-65535,data`]);

/** What tshark finds: for each packet the fields. Any note, warning, malformed packet or bad checksum fails. */
async function decode(file: string, fields: string[]): Promise<string[][]> {
  const checks = ["ip", "tcp", "udp"].flatMap((name) => ["-o", `${name}.check_checksum:TRUE`]);
  const wanted = ["_ws.malformed", "_ws.expert.severity", "_ws.expert.message", ...fields];
  await using tshark = new Process([
    ...[
      "tshark",
      "-n",
      "-r",
      file,
      ...checks,
      "-T",
      "fields",
      "-E",
      "separator=|",
      "-E",
      "aggregator=~",
    ],
    ...PLAIN,
    ...wanted.flatMap((name) => ["-e", name]),
  ]);
  assertEquals(await tshark.end(), 0, tshark.stderr.text);
  return tshark.stdout.lines.map((line) => {
    const [malformed, severities, messages, ...values] = line.split("|");
    assertEquals(malformed, "", line);
    const texts = messages!.split("~");
    const notes = severities!.split("~")
      .flatMap((severity, index) => Number(severity) > CHAT ? [texts[index]!] : [])
      .filter((text) => !COURSE_OF_THINGS.test(text));
    assertEquals(notes, [], `tshark notes: ${line}`);
    return values;
  });
}

/** The bytes of one side of the first conversation, as tshark puts them together. */
async function followed(file: string): Promise<{ client: string; server: string }> {
  await using tshark = new Process(["tshark", "-n", "-r", file, "-q", "-z", "follow,tcp,raw,0"]);
  assertEquals(await tshark.end(), 0, tshark.stderr.text);
  const lines = tshark.stdout.text.split("\n").filter((line) => /^\t?[0-9a-f]+$/.test(line));
  return {
    client: lines.filter((line) => !line.startsWith("\t")).join(""),
    server: lines.filter((line) => line.startsWith("\t")).map((line) => line.trim()).join(""),
  };
}

/** A server of socat that echoes. */
async function socatEcho(listen: string): Promise<Process> {
  const server = new Process(["socat", "-d", "-d", `${listen},fork`, "EXEC:cat"]);
  await server.stderr.line(/listening on/);
  return server;
}

for (const bytes of [0, 1, 1_460, 1_461, 1024 * 1024]) {
  peerTest(`tshark finds nothing to note when socat echoes ${bytes} bytes to nc`, [
    "tshark",
    "socat",
    "nc",
  ], async () => {
    const port = freePort();
    await using _server = await socatEcho(`TCP4-LISTEN:${port},bind=127.0.0.1,reuseaddr`);
    await using tapped = await tap(`127.0.0.1:${port}`);
    await using client = new Process(["nc", "-N", "127.0.0.1", String(tapped.port)]);
    const sent = new Uint8Array(bytes).map((_, index) => index * 7);
    if (bytes > 0) await client.send(sent);
    await client.send();
    assertEquals(await client.end(), 0);
    assertEquals(client.stdout.bytes, sent);
    const packets = await tapped.packets(["tcp.dstport", "tcp.flags.str", "tcp.stream", "tcp.len"]);
    const [syn, answer, third] = packets.map(([, flags]) => flags!.replace(/[^A-Z]/g, ""));
    assertEquals([syn, answer, third], ["S", "AS", "A"]);
    assertEquals(new Set(packets.map(([, , stream]) => stream)), new Set(["0"]));
    const there = packets.filter(([to]) => to === String(port));
    const back = packets.filter(([to]) => to !== String(port));
    for (const side of [there, back]) {
      assertEquals(side.reduce((sum, [, , , length]) => sum + Number(length), 0), bytes);
      assertEquals(
        side.filter(([, flags]) => flags!.includes("F")).length,
        1,
        "each side ends once",
      );
    }
    if (bytes > 0 && bytes < 100_000) {
      const hex = sent.toHex();
      assertEquals(await followed(tapped.file), { client: hex, server: hex });
    }
  });
}

peerTest("tshark finds the right streams when socat serves 100 clients at once", [
  "tshark",
  "socat",
], async () => {
  const port = freePort();
  await using _server = await socatEcho(`TCP4-LISTEN:${port},bind=127.0.0.1,reuseaddr,backlog=128`);
  await using tapped = await tap(`127.0.0.1:${port}`);
  const clients = await Promise.all(
    Array.from({ length: 100 }, () => Deno.connect({ hostname: "127.0.0.1", port: tapped.port })),
  );
  await Promise.all(clients.map(async (client, index) => {
    using _closed = client;
    const text = `client ${index}`;
    await client.write(new TextEncoder().encode(text));
    const buffer = new Uint8Array(100);
    const count = await client.read(buffer);
    assertEquals(new TextDecoder().decode(buffer.subarray(0, count!)), text);
  }));
  const packets = await tapped.packets(["tcp.stream", "tcp.payload"]);
  const said = new Map<string, string[]>();
  for (const [stream, payload] of packets) {
    if (payload) said.set(stream!, [...said.get(stream!) ?? [], payload]);
  }
  assertEquals(said.size, 100);
  for (const [there, back] of said.values()) assertEquals(there, back);
});

peerTest(
  "tshark sees a half-close when the server goes on to speak",
  ["tshark", "nc"],
  async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const serving = (async () => {
      using connection = await listener.accept();
      const buffer = new Uint8Array(100);
      while (await connection.read(buffer) !== null);
      await connection.write(new TextEncoder().encode("now I speak"));
      await connection.closeWrite();
    })();
    await using tapped = await tap(`127.0.0.1:${listener.addr.port}`);
    await using client = new Process(["nc", "-N", "127.0.0.1", String(tapped.port)]);
    await client.send(new TextEncoder().encode("done"));
    await client.send();
    await client.end();
    await serving;
    assertEquals(client.stdout.text, "now I speak");
    const packets = await tapped.packets(["tcp.dstport", "tcp.flags.str", "tcp.payload"]);
    const server = String(listener.addr.port);
    const firstEnd = packets.findIndex(([to, flags]) => to === server && flags!.includes("F"));
    const lastWords = packets.findIndex(([to, , payload]) => to !== server && payload);
    assertEquals(
      firstEnd > 0 && firstEnd < lastWords,
      true,
      "the end comes before the server speaks",
    );
  },
);

peerTest(
  "tshark sees a reset when python3 breaks a connection off",
  ["tshark", "python3"],
  async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const serving = (async () => {
      using connection = await listener.accept();
      const buffer = new Uint8Array(100);
      // a client that resets before it is accepted is never seen
      await connection.write(new TextEncoder().encode("!"));
      try {
        while (await connection.read(buffer) !== null);
      } catch {
        // the end is what counts
      }
    })();
    await using tapped = await tap(`127.0.0.1:${listener.addr.port}`);
    const program = "import socket, struct\n" +
      `s = socket.create_connection(("127.0.0.1", ${tapped.port}))\n` +
      "s.recv(1)\n" +
      's.sendall(b"hello")\n' +
      "s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))\n" +
      "s.close()\n";
    await using client = new Process(["python3", "-c", program]);
    assertEquals(await client.end(), 0);
    await serving;
    const packets = await tapped.packets(["tcp.flags.reset", "tcp.flags.fin"]);
    const [reset] = packets.at(-1)!;
    assertEquals(reset === "1" || reset === "True", true, JSON.stringify(packets));
  },
);

peerTest("tshark sees a refusal when nothing listens behind the tap", ["tshark"], async () => {
  const port = freePort();
  await using tapped = await tap(`127.0.0.1:${port}`);
  const client = await Deno.connect({ hostname: "127.0.0.1", port: tapped.port });
  assertEquals(await client.read(new Uint8Array(1)), null);
  client.close();
  const packets = await tapped.packets(["tcp.flags.str"]);
  const flags = packets.map(([text]) => text!.replace(/[^A-Z]/g, ""));
  assertEquals(flags, ["S", "AR"]);
});

peerTest("tshark finds nothing to note over IPv6", ["tshark", "socat", "nc"], async () => {
  const port = freePort();
  await using _server = await socatEcho(`TCP6-LISTEN:${port},bind=[::1],reuseaddr`);
  await using tapped = await tap(`[::1]:${port}`, [], "[::1]:0");
  await using client = new Process(["nc", "-6", "-N", "::1", String(tapped.port)]);
  await client.send(new Uint8Array(5_000));
  await client.send();
  await client.end();
  assertEquals(client.stdout.bytes.length, 5_000);
  const packets = await tapped.packets(["ipv6.src", "tcp.len"]);
  assertEquals(new Set(packets.map(([source]) => source)), new Set(["::1"]));
  assertEquals(packets.reduce((sum, [, length]) => sum + Number(length), 0), 10_000);
});

peerTest(
  "tshark reads the datagrams that socat echoes, the longest too",
  ["tshark", "socat"],
  async () => {
    const port = freePort();
    const listen = `UDP4-RECVFROM:${port},bind=127.0.0.1,fork`;
    const command = ["socat", "-b", "65536", "-d", "-d", listen, socatCat("udp")];
    await using server = new Process(command);
    await server.stderr.line(/receiving on|listening on|starting/);
    await using tapped = await tap(`127.0.0.1:${port}`, ["--udp"]);
    const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
    using closing = new DisposableStack();
    closing.defer(() => socket.close());
    const to = { transport: "udp", hostname: "127.0.0.1", port: tapped.port } as const;
    for (const length of [1, 1_472, 9_000, 65_507]) {
      await socket.send(new Uint8Array(length), to);
      const [answer] = await socket.receive(new Uint8Array(65_536));
      assertEquals(answer.length, length);
    }
    const packets = await tapped.packets(["udp.stream", "udp.dstport", "udp.length"]);
    const [there, back] = [true, false].map((way) =>
      packets.filter(([, to]) => (to === String(port)) === way).map(([, , length]) => length)
    );
    assertEquals(there, ["9", "1480", "9008", "65515"]);
    assertEquals(back, there);
    assertEquals(new Set(packets.map(([stream]) => stream)), new Set(["0"]));
  },
);

peerTest("tshark reads what socat echoes over Unix sockets", ["tshark", "socat"], async () => {
  using folder = temporaryFolder();
  const [mine, theirs] = [`${folder.path}/tap.sock`, `${folder.path}/echo.sock`];
  await using _server = await socatEcho(`UNIX-LISTEN:${theirs}`);
  await using tapped = await tap(`unix:${theirs}`, [], `unix:${mine}`);
  await using client = new Process(["socat", "-t", "30", "-", `UNIX-CONNECT:${mine}`]);
  await client.send(new TextEncoder().encode("over a path"));
  await client.send();
  assertEquals(await client.end(), 0);
  assertEquals(client.stdout.text, "over a path");
  const packets = await tapped.packets(["ip.src", "tcp.payload"]);
  const hex = new TextEncoder().encode("over a path").toHex();
  assertEquals(packets.filter(([, payload]) => payload), [["192.0.2.1", hex], ["192.0.2.2", hex]]);
  await using naming = new Process(
    ["tshark", "-N", "n", "-r", tapped.file, "-T", "fields", "-e", "ip.src_host"],
  );
  assertEquals(await naming.end(), 0, naming.stderr.text);
  assertEquals(new Set(naming.stdout.lines), new Set(["client", `unix:${theirs}`]));
});

peerTest(
  "the summary counts what tcpdump's own format holds",
  ["tshark", "socat", "nc"],
  async () => {
    const port = freePort();
    await using _server = await socatEcho(`TCP4-LISTEN:${port},bind=127.0.0.1,reuseaddr`);
    await using tapped = await tap(`127.0.0.1:${port}`);
    await using client = new Process(["nc", "-N", "127.0.0.1", String(tapped.port)]);
    await client.send(new TextEncoder().encode("this is my message"));
    await client.send();
    await client.end();
    await tapped.packets([]);
    const filter = ["-Y", 'frame contains "this is my message"', "-T", "fields"];
    const fields = ["-e", "frame.number"];
    await using counting = new Process(["tshark", "-r", tapped.file, ...filter, ...fields]);
    assertEquals(await counting.end(), 0, counting.stderr.text);
    const numbers = counting.stdout.lines;
    assertEquals(numbers.length, 2);
    for (const format of ["pcapng", "pcap", "nsecpcap"]) {
      const file = `${tapped.file}.${format}`;
      await using converting = new Process(["tshark", "-r", tapped.file, "-F", format, "-w", file]);
      assertEquals(await converting.end(), 0, converting.stderr.text);
      await using summary = new Process(
        [Deno.execPath(), "run", "--no-prompt", `--allow-read=${file}`, TAP, "summary", file],
      );
      assertEquals(await summary.end(), 0, summary.stderr.text);
      const found = `"this is my message"  2 times, in the packets ${numbers.join(", ")}`;
      assertEquals(summary.stdout.lines[1], found);
    }
  },
);

/** What both sides say, in segments that overlap, come twice and change places, on either side of 2^32. */
function disorder(random: (below: number) => number): Uint8Array[] {
  const begins = { client: random(2 ** 32), server: 2 ** 32 - 1 - random(3_000) };
  const { SYN, ACK } = TCP_FLAG;
  // tshark gives up on what the other side has acknowledged
  const options = {
    client: { acknowledgment: begins.server + 1 },
    server: { acknowledgment: begins.client + 1, server: true },
  };
  const said = (["client", "server"] as const).flatMap((side) => {
    const bytes = Uint8Array.from({ length: 1 + random(5_000) }, () => random(256));
    const packets: Uint8Array[] = [];
    for (let at = 0; at < bytes.length;) {
      const end = Math.min(bytes.length, at + 1 + random(400));
      const start = random(4) === 0 ? Math.max(0, at - random(500)) : at;
      const packet = segment(begins[side] + 1 + start, bytes.slice(start, end), options[side]);
      packets.push(packet, ...(random(5) === 0 ? [packet] : []));
      at = end;
    }
    return packets;
  });
  const shuffled = said.map((packet) => ({ packet, place: random(2 ** 30) }))
    .sort((a, b) => a.place - b.place).map(({ packet }) => packet);
  return [
    segment(begins.client, "", { flags: SYN }),
    segment(begins.server, "", { ...options.server, flags: SYN | ACK }),
    segment(begins.client + 1, "", options.client),
    ...shuffled,
  ];
}

peerTest("flowsOf puts together what tshark does when segments are in disorder", [
  "tshark",
], async () => {
  using folder = temporaryFolder();
  let seed = 1;
  const random = (below: number) => {
    seed = Math.imul(seed, 1_103_515_245) + 12_345 >>> 0;
    return Math.floor(seed / 2 ** 32 * below);
  };
  for (let round = 0; round < 20; round++) {
    const file = `${folder.path}/${round}.pcapng`;
    const capture = captureOf(disorder(random));
    Deno.writeFileSync(file, capture);
    const [client, server] = flowsOf(readCapture(capture)).map(({ pieces }) =>
      pieces.map(({ bytes }) => bytes.toHex()).join("")
    );
    assertEquals({ client, server }, await followed(file), `round ${round}`);
  }
});
