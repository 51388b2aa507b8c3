import { assert, assertEquals, assertMatch } from "@std/assert";
import { chance, encode } from "../lib/helpers.ts";
import { freePort } from "../peers/peers.ts";
import { memory, openFiles, type Script, startScript } from "./script.ts";
import { until, within } from "./waits.ts";

const SEED = 224_000_001;
const GROWTH = 40 * 1024 * 1024; // as in siege.ts

/** What an honest sender does not send. */
function* nonsense(): Generator<Uint8Array> {
  const next = chance(SEED);
  for (let count = 0; count < 500; count++) {
    yield Uint8Array.from({ length: next(1_500) }, () => next(256));
  }
  for (let count = 0; count < 20; count++) yield new Uint8Array(65_507).fill(27);
  for (let count = 0; count < 20; count++) yield new Uint8Array();
}

interface Subject {
  path: string;
  hostname: string;
  flags: (port: number) => (flag: string) => string;
  heard: RegExp;
}

const SUBJECTS: Subject[] = [
  {
    path: "scripts/udp/multicast_receiver.ts",
    hostname: "239.255.0.12",
    flags: (port) => (flag) => flag.replace("10012", String(port)),
    heard: /127\.0\.0\.1:\d+ says "\\x1b\[2J a good message"/g,
  },
  {
    path: "scripts/udp/broadcast_receiver.ts",
    hostname: "127.255.255.255",
    flags: (port) => (flag) => flag.replace("10011", String(port)),
    heard: /127\.0\.0\.1:\d+ asks "\\x1b\[2J a good message"/g,
  },
];

for (const { path, hostname, flags, heard } of SUBJECTS) {
  const start = (port: number, ...words: string[]): Script =>
    startScript(path, {
      words: ["--port", String(port), ...words],
      flags: flags(port),
      smallHeap: true,
    });

  Deno.test(`${path} serves on when nonsense comes, and shows no control characters`, async () => {
    const port = freePort();
    await using receiver = start(port);
    await receiver.printed(/^listening on (.+)$/m);
    const to: Deno.NetAddr = { transport: "udp", hostname, port };
    const sender = Deno.listenDatagram({
      transport: "udp",
      hostname: "127.0.0.1",
      port: 0,
      loopback: true,
    });
    try {
      let files = 0;
      let before = 0;
      for (let round = 1; round <= 4; round++) {
        for (const datagram of nonsense()) await sender.send(datagram, to);
        const count = () => receiver.stdout.match(heard)?.length ?? 0;
        const wanted = count() + 1;
        for (let tries = 0; tries < 100 && count() < wanted; tries++) {
          // it may be lost where the others fill the socket's buffer
          await sender.send(encode("\x1b[2J a good message"), to);
          await until(() => "", () => count() >= wanted, 200).catch(() => {});
        }
        assert(count() >= wanted, receiver.stdout.slice(-500));
        if (round > 1) continue;
        files = openFiles(receiver.pid);
        before = memory(receiver.pid);
      }
      assertEquals(openFiles(receiver.pid), files);
      const growth = memory(receiver.pid) - before;
      assert(growth < GROWTH, `grew by ${growth} bytes`);
    } finally {
      sender.close();
    }
    assertEquals(await receiver.stop("SIGINT"), 0);
    const codes = [...receiver.stdout].map((character) => character.codePointAt(0)!);
    const controls = codes.filter((code) =>
      code !== 10 && (code < 32 || code >= 127 && code < 160)
    );
    assertEquals(controls, []);
    assert(!receiver.stderr.includes("    at "), receiver.stderr);
  });
}

Deno.test("scripts/udp/multicast_receiver.ts says why it cannot join", async () => {
  const port = freePort();
  const cases: [code: number, words: string[], pattern: RegExp][] = [
    [1, ["--interface", "192.0.2.250"], /cannot join 239\.255\.0\.12 on 192\.0\.2\.250: /],
    [
      2,
      ["--group", "10.1.2.3"],
      /--group is an address from 224\.0\.0\.0 to .*, not "10\.1\.2\.3"/,
    ],
  ];
  for (const [code, words, pattern] of cases) {
    await using receiver = startScript("scripts/udp/multicast_receiver.ts", {
      words: ["--port", String(port), ...words],
      flags: () => `--allow-net=239.255.0.12:${port}`,
    });
    assertEquals(await within("its end", receiver.ended), code);
    assertMatch(receiver.stderr, pattern);
    assert(!receiver.stderr.includes("    at "), receiver.stderr);
  }
});
