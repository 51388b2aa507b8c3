import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  Kind,
  MOST_NUMBER,
  packSegment,
  parseSegment,
  type Segment,
} from "../../lib/reliable_segment.ts";
import { chance, encode, temporaryFolder } from "../lib/helpers.ts";
import { openFiles } from "./script.ts";
import { anyPort, besiege, type Subject } from "./siege.ts";
import { startLink, startReceiver, startSender, transfer } from "./transfers.ts";
import { settles, times, until, within } from "./waits.ts";

const SEED = 19_810_901;

function random(length: number): Uint8Array<ArrayBuffer> {
  const next = chance(SEED);
  return Uint8Array.from({ length }, () => next(256));
}

const local = (port: string | number) => ({
  transport: "udp" as const,
  hostname: "127.0.0.1",
  port: Number(port),
});

function open(): Deno.DatagramConn {
  return Deno.listenDatagram(local(0));
}

/** Datagrams that no honest sender sends. */
function* nonsense(): Generator<Uint8Array> {
  const next = chance(SEED);
  for (let count = 0; count < 100; count++) yield random(next(1_500));
  for (let count = 0; count < 300; count++) {
    const transfer = BigInt(next(5));
    const kind = 1 + next(5) as Segment["kind"];
    const number = [0, 1, 2, 1_023, 1_024, MOST_NUMBER, next(MOST_NUMBER)][next(7)]!;
    const segment = packSegment({
      transfer,
      kind,
      number,
      payload: kind === Kind.Data ? random(100) : undefined,
    });
    if (next(4) === 0) segment[next(segment.length)]! ^= 1 << next(8);
    yield segment;
  }
}

Deno.test("a file arrives whole at 20% loss, 5% duplicates, reordering and damage", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/sent`;
  const output = `${folder.path}/received`;
  Deno.writeFileSync(path, random(300_007));
  const { code, said, link } = await transfer(path, output, {
    link: ["--drop", "20", "--duplicate", "5", "--reorder", "10", "--corrupt", "5"],
    sender: ["--window", "64"],
    receiver: ["--linger", "2"],
  });
  assertEquals(code, 0, said);
  assertEquals(Deno.readFileSync(output), Deno.readFileSync(path));
  assertMatch(said, /^window 64: 253 segments, \d{2,} resent, /);
  assertMatch(link, /^to the server: \d+ came, [1-9]\d* dropped, [1-9]\d* duplicated, [1-9]/m);
});

for (const length of [0, 1, 1_200]) {
  Deno.test(`a file of ${length} bytes arrives whole through a bad link`, async () => {
    using folder = temporaryFolder();
    const path = `${folder.path}/sent`;
    const output = `${folder.path}/received`;
    Deno.writeFileSync(path, random(length));
    const { code, said } = await transfer(path, output, {
      link: ["--drop", "30"],
      receiver: ["--linger", "2"],
    });
    assertEquals(code, 0, said);
    assertEquals(Deno.readFileSync(output), Deno.readFileSync(path));
    assertEquals([...Deno.readDirSync(folder.path)].length, 2, "something was left behind");
  });
}

Deno.test("a file arrives whole while strangers flood receiver and sender with nonsense", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/sent`;
  const output = `${folder.path}/received`;
  Deno.writeFileSync(path, random(100_000));
  const { receiver, port } = await startReceiver(output, "--transfers", "1", "--linger", "2");
  await using _receiving = receiver;
  const { link, port: linkPort } = await startLink(port, "--delay", "5", "--drop", "5");
  await using _linking = link;
  await using sender = startSender(path, linkPort, "--window", "4");
  // whoever goes on first is served: from now on that is the honest one
  await until(() => receiver.stderr, () => receiver.stderr.includes("sends a file"));
  const senderPort = /session 1: 127\.0\.0\.1:(\d+)/.exec(link.stderr)![1]!;
  const stranger = open();
  try {
    let rounds = 0;
    for (let ended = false; !ended; rounds++) {
      for (const datagram of nonsense()) {
        await stranger.send(datagram, local(port));
        await stranger.send(datagram, local(senderPort));
      }
      ended = await settles(sender.ended, 20);
    }
    assert(rounds > 0);
  } finally {
    stranger.close();
  }
  assertEquals(await sender.ended, 0, sender.stderr);
  assertEquals(await within("the receiver's end", receiver.ended), 0);
  assertEquals(receiver.stderr.match(/sends a file/g)?.length, 1);
  assertEquals(Deno.readFileSync(output), Deno.readFileSync(path));
});

Deno.test("reliable_sender fails clearly when its receiver is killed, and no half file is there", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/sent`;
  const output = `${folder.path}/received`;
  Deno.writeFileSync(path, random(1_000_000));
  Deno.writeTextFileSync(output, "from before");
  const { receiver, port } = await startReceiver(output);
  await using _receiving = receiver;
  const { link, port: linkPort } = await startLink(port, "--delay", "20");
  await using _linking = link;
  await using sender = startSender(path, linkPort, "--window", "2", "--patience", "1");
  await until(() => receiver.stderr, () => receiver.stderr.includes("sends a file"));
  await receiver.stop("SIGKILL");
  assertEquals(await within("the sender's end", sender.ended, 30_000), 1);
  assertMatch(
    sender.stderr,
    /^reliable_sender\.ts: 127\.0\.0\.1:\d+ fell silent: nothing more acknowledged in 1 s, \d+ segments were before$/m,
  );
  assertEquals(Deno.readTextFileSync(output), "from before");
});

Deno.test("reliable_sender fails at once when the receiver was started anew meanwhile", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/sent`;
  Deno.writeFileSync(path, random(1_000_000));
  const first = await startReceiver(`${folder.path}/received`);
  await using _first = first.receiver;
  const { link, port } = await startLink(first.port, "--delay", "20");
  await using _linking = link;
  await using sender = startSender(path, port, "--window", "2", "--patience", "60");
  await until(() => first.receiver.stderr, () => first.receiver.stderr.includes("sends a file"));
  await first.receiver.stop("SIGKILL");
  const second = await startReceiver(`${folder.path}/received`, "--port", first.port);
  await using _second = second.receiver;
  assertEquals(await within("the sender's end", sender.ended, 30_000), 1);
  assertMatch(
    sender.stderr,
    /the receiver at 127\.0\.0\.1:\d+ has refused or given up this transfer$/m,
  );
});

Deno.test("reliable_receiver gives up when its sender is killed: exit 1, no half file, the old one kept", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/sent`;
  const output = `${folder.path}/received`;
  Deno.writeFileSync(path, random(1_000_000));
  Deno.writeTextFileSync(output, "from before");
  const { receiver, port } = await startReceiver(output, "--transfers", "1", "--patience", "1");
  await using _receiving = receiver;
  const { link, port: linkPort } = await startLink(port, "--delay", "20");
  await using _linking = link;
  await using sender = startSender(path, linkPort, "--window", "2");
  await until(() => receiver.stderr, () => receiver.stderr.includes("sends a file"));
  await sender.stop("SIGKILL");
  assertEquals(await within("the receiver's end", receiver.ended, 30_000), 1);
  assertMatch(
    receiver.stderr,
    /fell silent for 1 s after \d+ segments: what has come .* thrown away$/m,
  );
  assertEquals(Deno.readTextFileSync(output), "from before");
  assertEquals([...Deno.readDirSync(folder.path)].length, 2, "a part was left behind");
});

Deno.test("reliable_receiver throws half a file away at Ctrl-C, and exits with 0", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/sent`;
  Deno.writeFileSync(path, random(1_000_000));
  const { receiver, port } = await startReceiver(`${folder.path}/received`);
  await using _receiving = receiver;
  const { link, port: linkPort } = await startLink(port, "--delay", "20");
  await using _linking = link;
  await using sender = startSender(path, linkPort, "--window", "2");
  await until(() => receiver.stderr, () => receiver.stderr.includes("sends a file"));
  assertEquals(await receiver.stop("SIGINT"), 0);
  assertEquals([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["sent"]);
  assertMatch(
    receiver.stderr,
    /is told to stop after \d+ segments: what has come .* thrown away$/m,
  );
  assertEquals(await within("the sender's end", sender.ended), 1);
  assertMatch(sender.stderr, /has refused or given up this transfer$/m);
});

Deno.test("reliable_receiver tells the sender when it ends because the file is too large", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/sent`;
  Deno.writeFileSync(path, random(5_000));
  const words = ["--transfers", "1", "--limit", "10"];
  const { receiver, port } = await startReceiver(`${folder.path}/received`, ...words);
  await using _receiving = receiver;
  await using sender = startSender(path, port);
  assertEquals(await within("the receiver's end", receiver.ended), 1);
  assertEquals(await within("the sender's end", sender.ended), 1);
  assertMatch(receiver.stderr, /^reliable_receiver\.ts: more than 10 bytes: refused$/m);
  assertMatch(sender.stderr, /has refused or given up this transfer$/m);
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`the next sender need not wait when reliable_sender ends at ${signal}`, async () => {
    using folder = temporaryFolder();
    const [path, output] = [`${folder.path}/sent`, `${folder.path}/received`];
    Deno.writeFileSync(path, random(1_000_000));
    const { receiver, port } = await startReceiver(output);
    await using _receiving = receiver;
    const { link, port: linkPort } = await startLink(port, "--delay", "20");
    await using _linking = link;
    await using sender = startSender(path, linkPort, "--window", "2");
    await until(() => receiver.stderr, () => receiver.stderr.includes("sends a file"));
    assertEquals(await sender.stop(signal), 1);
    assertMatch(sender.stderr, /^reliable_sender\.ts: stopped before all of .* had arrived$/m);
    await until(() => receiver.stderr, () => receiver.stderr.includes("has given up after"));
    await using next = startSender(path, port);
    assertEquals(await within("the next sender's end", next.ended), 0, next.stderr);
    assertEquals(Deno.readFileSync(output), Deno.readFileSync(path));
  });
}

/** What a receiver that does not behave answers to each segment. */
const LIARS: Record<string, (segment: Uint8Array) => Uint8Array[]> = {
  "answers nothing": () => [],
  "answers garbage": () => [random(500), new Uint8Array()],
  "sends everything back": (segment) => [segment],
  "acknowledges what was never sent": (segment) => {
    const { transfer } = parseSegment(segment)!;
    return [packSegment({ transfer, kind: Kind.Acknowledgement, number: MOST_NUMBER })];
  },
  "acknowledges the start for ever": (segment) => {
    const { transfer } = parseSegment(segment)!;
    const payload = new Uint8Array(128);
    return [packSegment({ transfer, kind: Kind.Acknowledgement, number: 1, payload })];
  },
};

async function checkLiar(answer: (segment: Uint8Array) => Uint8Array[], path: string) {
  const liar = open();
  const answering = (async () => {
    for await (const [segment, from] of liar) {
      for (const datagram of answer(segment)) await liar.send(datagram, from);
    }
  })();
  try {
    const port = String((liar.addr as Deno.NetAddr).port);
    await using sender = startSender(path, port, "--patience", "1");
    assertEquals(await within("the sender's end", sender.ended, 30_000), 1);
    assertMatch(sender.stderr, /(no answer from|fell silent: nothing more acknowledged in) /);
    assert(!sender.stderr.includes("    at "), sender.stderr);
  } finally {
    liar.close();
    await answering;
  }
}

Deno.test(`reliable_sender gives up when its receiver ${Object.keys(LIARS).join("; ")}`, async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/sent`;
  Deno.writeFileSync(path, random(10_000));
  // all at once: each takes the second of its patience
  await Promise.all(Object.values(LIARS).map((answer) => checkLiar(answer, path)));
});

Deno.test("reliable_sender gives up when nobody is there, and names its partner", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/sent`;
  Deno.writeFileSync(path, random(10));
  const gone = open();
  const port = String((gone.addr as Deno.NetAddr).port);
  gone.close();
  await using sender = startSender(path, port, "--patience", "1");
  assertEquals(await within("the sender's end", sender.ended, 30_000), 1);
  assertMatch(
    sender.stderr,
    /no answer from 127\.0\.0\.1:\d+ in 1 s: nothing is listening there, or all/,
  );
  assertMatch(sender.stderr, /Start its partner first, .*scripts\/udp\/reliable_receiver\.ts$/m);
});

interface Peer {
  address: Deno.NetAddr;
}

/** Sends from so many sockets and never reads. */
function spray(sockets: number, datagrams: () => Iterable<Uint8Array>) {
  return async ({ address }: Peer, meanwhile: () => Promise<void>) => {
    await times(sockets, 20, async () => {
      const socket = open();
      for (const datagram of datagrams()) await socket.send(datagram, address);
      socket.close();
    });
    await meanwhile();
  };
}

const sampleFolder = Deno.makeTempDirSync({ prefix: "reliable-" });
addEventListener("unload", () => Deno.removeSync(sampleFolder, { recursive: true }));

const receiver: Subject<Peer> = {
  path: "scripts/udp/reliable_receiver.ts",
  attacks: {
    "nonsense comes": spray(3, nonsense),
    "the largest datagrams come": spray(5, () => Array(10).fill(new Uint8Array(65_507))),
    "1,000 strangers want to start and never go on": spray(1_000, () => [
      packSegment({ transfer: 1n, kind: Kind.Start, number: 0 }),
    ]),
  },
  target: (port) => ({ address: local(port) }),
  async goodClient({ address }) {
    const path = `${sampleFolder}/sent`;
    Deno.writeFileSync(path, random(10_000));
    // nonsense may hold the receiver until it has been silent for a second
    for (let tries = 1;; tries++) {
      await using sender = startSender(path, String(address.port), "--patience", "5");
      const code = await sender.ended;
      if (code === 0) break;
      assert(tries < 10, sender.stderr);
      await settles(new Promise(() => {}), 300);
    }
    assertEquals(Deno.readFileSync(`${sampleFolder}/received`), Deno.readFileSync(path));
  },
  taken:
    /^reliable_receiver\.ts: cannot bind 127\.0\.0\.1:\d+ for UDP: another program has that address already$/m,
};

besiege(receiver, () => {
  const place = anyPort();
  const output = `${sampleFolder}/received`;
  return {
    ...place,
    words: [...place.words, "--output", output, "--patience", "1"],
    flags: (flag) => flag.replaceAll("/tmp/received", output),
  };
});

Deno.test("lossy_link serves on, with few files open, whatever comes", async (test) => {
  const server = open();
  const echoing = (async () => {
    for await (const [datagram, from] of server) await server.send(datagram, from);
  })();
  const { link, port } = await startLink(String((server.addr as Deno.NetAddr).port));
  await using _linking = link;
  const files = openFiles(link.pid);
  const attacks = {
    "500 clients send and never read": spray(500, () => [encode("anyone there?")]),
    "empty and largest datagrams come": spray(10, () => [new Uint8Array(), new Uint8Array(65_507)]),
    "a client floods it": spray(1, () => Array(5_000).fill(new Uint8Array(1_000))),
  };
  for (const [name, attack] of Object.entries(attacks)) {
    await test.step(name, async () => {
      await attack({ address: local(port) }, () => askThrough(local(port)));
      assert(openFiles(link.pid) <= files + 64, `${openFiles(link.pid)} files are open`);
    });
  }
  assertEquals(await link.stop("SIGTERM"), 0);
  assertMatch(link.stdout, /^to the clients: [1-9]\d* came, 0 dropped, /m);
  assert(!link.stderr.includes("    at "), link.stderr);
  server.close();
  await echoing;
});

Deno.test("lossy_link does not say at Ctrl-C that what still waits has gone on", async () => {
  const { link, port } = await startLink("9", "--delay", "60000");
  await using _linking = link;
  const client = open();
  for (const text of ["a", "b", "c"]) await client.send(encode(text), local(port));
  await until(() => link.stderr, () => link.stderr.includes("session 1: "));
  client.close();
  await link.stop("SIGINT");
  const [, came] = /^to the server: (\d) came, 0 dropped, .* 0 went on, \1 were still on the way$/m
    .exec(link.stdout)!;
  assert(Number(came) >= 1, link.stdout);
});

async function askThrough(address: Deno.NetAddr): Promise<void> {
  const socket = open();
  try {
    const answer = socket.receive();
    for (let tries = 1; tries <= 20; tries++) {
      await socket.send(encode("a good question"), address);
      if (await settles(answer, 500)) break;
    }
    assertEquals((await answer)[0], encode("a good question"));
  } finally {
    socket.close();
  }
}
