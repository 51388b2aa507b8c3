import { assert, assertEquals, assertMatch } from "@std/assert";
import { toTimestamp } from "../../lib/ntp_timestamp.ts";
import { Mode, packSntp, parseSntp, type SntpMessage } from "../../lib/sntp.ts";
import { chance, encode } from "../lib/helpers.ts";
import { askByDatagram, datagramAttacks, spray, type UdpTarget, udpTarget } from "./datagrams.ts";
import { NONSENSE } from "./peers.ts";
import { type Script, startDeno, startScript } from "./script.ts";
import { anyPort, besiege, type Subject } from "./siege.ts";
import { within } from "./waits.ts";

const SERVER = "scripts/time/sntp_server.ts", CLIENT = "scripts/time/sntp_client.ts";
const HOUR = 3_600_000;

const question = (transmit: bigint) => packSntp({ version: 4, mode: Mode.client, transmit });

/** Datagrams of the right size: every first byte there is, which holds leap, version and mode. */
function* everyFirstByte(): Generator<Uint8Array> {
  const next = chance(48);
  for (let first = 0; first < 256; first++) {
    yield Uint8Array.from({ length: 48 + next(3) }, (_, at) => at === 0 ? first : next(256));
  }
}

const subject: Subject<UdpTarget> = {
  path: SERVER,
  attacks: {
    ...datagramAttacks,
    "48 bytes of every kind come": spray(5, everyFirstByte),
    "20,000 good questions come": spray(10, () => Array(2_000).fill(question(1n))),
  },
  target: (port) => udpTarget(Number(port)),
  // from the address that the attacks came from: it is answered once it has waited
  async goodClient(target) {
    for (let asked = 1n;; asked++) {
      const answer = parseSntp(await askByDatagram(target, question(asked)));
      assertEquals([answer.mode, answer.originate], [Mode.server, asked]);
      if (answer.stratum === 10) break;
      assertEquals(answer.stratum, 0);
    }
  },
  taken:
    /^sntp_server\.ts: cannot bind 127\.0\.0\.1:\d+ for UDP: another program has that address already$/m,
};

besiege(subject, anyPort);

Deno.test("sntp_server answers 16 questions at once, and then tells the client to wait", async () => {
  await using server = startScript(SERVER, anyPort());
  const port = Number(await server.printed(/^listening on 127\.0\.0\.1:(\d+)$/m));
  const { address, open } = udpTarget(port);
  using socket = closing(open());
  const strata: number[] = [];
  // 16, and a few more that came in the meantime on a slow machine
  while (strata.at(-1) !== 0 && strata.length < 200) {
    await socket.conn.send(question(1n), address);
    const [bytes] = await within("an answer", socket.conn.receive());
    strata.push(parseSntp(bytes).stratum);
  }
  assertEquals(strata.slice(0, 16), Array(16).fill(10));
  assertEquals(strata.at(-1), 0);
  assertEquals(await server.stop("SIGINT"), 0);
});

function closing(conn: Deno.DatagramConn) {
  return { conn, [Symbol.dispose]: () => conn.close() };
}

type Fields = Partial<SntpMessage>;
type Answers = (asked: bigint, number: number) => (Uint8Array | Fields)[];

const honest = (asked: bigint, ahead = 0): Fields => {
  const now = toTimestamp(Date.now() + ahead);
  return {
    version: 4,
    mode: Mode.server,
    stratum: 2,
    originate: asked,
    receive: now,
    transmit: now,
  };
};

/** A server that answers each question as it is told; `stranger` sends before it, from another port. */
function tricky(answers: Answers, stranger: Answers = () => []) {
  const hostname = "127.0.0.1", transport = "udp";
  const socket = Deno.listenDatagram({ transport, hostname, port: 0 });
  const other = Deno.listenDatagram({ transport, hostname, port: 0 });
  const bytesOf = (answer: Uint8Array | Fields) =>
    answer instanceof Uint8Array ? answer : packSntp(answer);
  const serving = (async () => {
    let number = 0;
    for await (const [bytes, from] of socket) {
      const { transmit } = parseSntp(bytes);
      number++;
      try {
        for (const each of stranger(transmit, number)) await other.send(bytesOf(each), from);
        for (const each of answers(transmit, number)) await socket.send(bytesOf(each), from);
      } catch (error) {
        // the test is over while it still floods
        if (!(error instanceof Deno.errors.BadResource)) throw error;
      }
    }
  })();
  return {
    port: String((socket.addr as Deno.NetAddr).port),
    async [Symbol.asyncDispose]() {
      socket.close();
      await serving;
      other.close();
    },
  };
}

function startClient(port: string, ...words: string[]): Script {
  const flags = [`--allow-net=127.0.0.1:0,127.0.0.1:${port}`];
  return startDeno(flags, CLIENT, {
    words: ["--samples", "2", "--interval", "5", ...words, "--port", port],
  });
}

/** The end of a client, told in words and without what a peer wrote for the terminal. */
async function endOf(client: Script): Promise<number> {
  const code = await within("its end", client.ended, 30_000);
  const said = client.stdout + client.stderr;
  assertEquals(/[^\P{Cc}\n]/u.test(said), false, JSON.stringify(said));
  assertEquals(/^ +at /m.test(client.stderr), false, client.stderr);
  return code;
}

const offsetIn = (text: string) => Number(/^best: offset (-?[\d.]+) ms/m.exec(text)![1]);

Deno.test("sntp_client passes over all that is no answer to its question", async () => {
  let before = 0n;
  await using peer = tricky((asked) => {
    const old = before;
    before = asked;
    return [
      new Uint8Array(),
      NONSENSE,
      packSntp(honest(asked, HOUR)).subarray(0, 47),
      new Uint8Array(65_507),
      honest(old, HOUR),
      honest(asked + 1n, HOUR),
      { ...honest(asked, HOUR), mode: Mode.client },
      { ...honest(asked, HOUR), version: 7 },
      honest(asked),
      honest(asked, HOUR), // too late, and from now on an old answer
    ];
  }, (asked) => [honest(asked, HOUR), honest(asked - 1n, HOUR)]);
  await using client = startClient(peer.port);
  assertEquals(await endOf(client), 0, client.stderr);
  assertMatch(client.stderr, /^ignoring 48 bytes from 127\.0\.0\.1:\d+$/m);
  assertMatch(client.stderr, /^passing over a datagram: 47 bytes are too few$/m);
  assertMatch(client.stderr, /^passing over a datagram: it answers another question$/m);
  assert(Math.abs(offsetIn(client.stdout)) < 600_000, client.stdout);
});

const REFUSED: Record<string, [Fields, RegExp]> = {
  "a kiss": [
    { stratum: 0, leap: 3, referenceId: encode("DENY") },
    /answers DENY: it does not serve this client\nDo not ask it again: ask another server\.$/m,
  ],
  "a kiss for the terminal": [
    { stratum: 0, referenceId: encode("\x1b[2J") },
    /answers \\x1b\[2J: /,
  ],
  "an unset clock": [{ leap: 3 }, /does not know the time: its clock is not synchronised/],
  "a stratum too high": [{ stratum: 200 }, /its stratum is 200, of 15 at most/],
  "no time at all": [{ transmit: 0n }, /a timestamp is zero/],
  "a root delay below zero": [{ rootDelay: -5_000 }, /its root delay is -5000\.000 ms/],
  "a clock that was set after it answered": [
    { reference: toTimestamp(Date.now() + HOUR) },
    /its clock was last set after it answered/,
  ],
  "a clock wrong by hours": [{ rootDispersion: 20_000_000 }, /it may be wrong by 20000000 ms/],
};

for (const [what, [fields, words]] of Object.entries(REFUSED)) {
  Deno.test(`sntp_client believes no time when the server has ${what}`, async () => {
    await using peer = tricky((asked) => [{ ...honest(asked), ...fields }]);
    await using client = startClient(peer.port);
    assertEquals(await endOf(client), 1);
    assertEquals(client.stdout, "");
    assertMatch(client.stderr, words);
  });
}

Deno.test("sntp_client tells which leap second is announced", async () => {
  for (const [leap, seconds] of [[1, 61], [2, 59]] as const) {
    await using peer = tricky((
      asked,
    ) => [{ ...honest(asked), leap, referenceId: encode("GPS\0") }]);
    await using client = startClient(peer.port, "--samples", "1");
    assertEquals(await endOf(client), 0, client.stderr);
    assertMatch(
      client.stdout,
      new RegExp(`the day's last minute will have ${seconds} seconds$`, "m"),
    );
  }
});

Deno.test("sntp_client says that times are of no use when they cannot be", async () => {
  for (const [receive, transmit] of [[0, -HOUR], [-HOUR, 0]] as const) {
    await using peer = tricky((asked) => {
      const at = (shift: number) => toTimestamp(Date.now() + shift);
      return [{ ...honest(asked), receive: at(receive), transmit: at(transmit) }];
    });
    await using client = startClient(peer.port);
    assertEquals(await endOf(client), 1);
    assertMatch(client.stderr, /^sample 2 is of no use: /m);
    assertMatch(client.stderr, /^sntp_client\.ts: no answer is of use: do not trust this server$/m);
  }
});

Deno.test("sntp_client keeps its samples when it is told RATE, and stops", async () => {
  let asked = 0;
  await using peer = tricky((transmit, number) => {
    asked = number;
    const kiss = { stratum: 0, leap: 3, referenceId: encode("RATE") };
    return [{ ...honest(transmit, HOUR), ...(number > 2 && kiss) }];
  });
  await using client = startClient(peer.port, "--samples", "50");
  assertEquals(await endOf(client), 0, client.stderr);
  assertEquals(asked, 3);
  assertMatch(client.stderr, /answers RATE: .*\nstopped after 2 samples$/m);
  assert(Math.abs(offsetIn(client.stdout) - HOUR) < 600_000, client.stdout);
});

Deno.test("sntp_client measures across the end of the era, and a server that is decades off", async () => {
  const years = 60 * 365.25 * 24 * HOUR;
  for (const ahead of [-years, Date.UTC(2036, 1, 8) - Date.now(), years]) {
    await using peer = tricky((asked) => [honest(asked, ahead)]);
    await using client = startClient(peer.port);
    assertEquals(await endOf(client), 0, client.stderr);
    assert(Math.abs(offsetIn(client.stdout) - ahead) < 600_000, client.stdout);
    const year = new Date(Date.now() + ahead).getUTCFullYear();
    assertMatch(client.stdout, new RegExp(`^sample 1: ${year}-`, "m"));
  }
});

Deno.test("sntp_client refuses to ask servers elsewhere more often than RFC 4330 lets it", async () => {
  const few = ["--host", "192.0.2.1", "--interval", "14999"];
  await using client = startDeno([], CLIENT, { words: few });
  assertEquals(await endOf(client), 2);
  assertMatch(client.stderr, /--interval is at least 15000 for a server elsewhere, not 14999$/m);
  // 127.1 is here
  const allowed = ["--host", "127.1", "--interval", "0"];
  await using near = startDeno([], CLIENT, { words: allowed });
  assertEquals(await endOf(near), 1);
  assertMatch(near.stderr, /Deno was not given --allow-net=127\.0\.0\.1:0$/m);
});

Deno.test("sntp_client ends in time when nobody answers, and when it is flooded", async () => {
  const flood = (asked: bigint) => Array(5_000).fill(honest(asked + 1n));
  const lost = /to 3 datagrams: they were lost, or nothing is listening there\nStart its partner/;
  const wrong = (fault: string) =>
    new RegExp(`to 3 datagrams: something came from there, but ${fault}\nCheck the port: `);
  const changed = (fields: Fields): Answers => (asked) => [{ ...honest(asked), ...fields }];
  const cases: [string, Answers, Answers, RegExp][] = [
    ["silence", () => [], () => [], lost],
    ["server", flood, () => [], wrong("it answers another question")],
    ["stranger", () => [], flood, lost],
    ["mode", changed({ mode: 5 }), () => [], wrong("its mode is 5, not 4")],
    ["version 0", changed({ version: 0 }), () => [], wrong("its version is 0")],
    ["version 7", changed({ version: 7 }), () => [], wrong("its version is 7")],
    ["too short", () => [new Uint8Array(47)], () => [], wrong("47 bytes are too few")],
  ];
  // all at once: each ends at its deadline only
  await Promise.all(cases.map(async ([who, answers, stranger, words]) => {
    await using peer = tricky(answers, stranger);
    await using client = startClient(peer.port);
    assertEquals(await endOf(client), 1, who);
    assertMatch(client.stderr, /no answer from 127\.0\.0\.1:\d+ to 3 datagrams/);
    assertMatch(client.stderr, words);
  }));
});
