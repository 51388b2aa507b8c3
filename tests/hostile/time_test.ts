import { assert, assertEquals, assertMatch } from "@std/assert";
import { formatAnswer, paddedQuestion, parseAnswer, questionId } from "../../lib/reqtime.ts";
import { decode, encode } from "../lib/helpers.ts";
import { attacks, type Target, tcpTarget } from "./attacks.ts";
import { askByDatagram, datagramAttacks, type UdpTarget, udpTarget } from "./datagrams.ts";
import { behaviours, misbehave, NONSENSE, reset } from "./peers.ts";
import { type Script, startDeno, startScript } from "./script.ts";
import { anyPort, besiege, starve, type Subject } from "./siege.ts";
import { ask } from "./streams.ts";
import { within } from "./waits.ts";

const SERVER = "scripts/time/time_server.ts", CLIENT = "scripts/time/time_client.ts";

interface Both extends Target {
  udp: UdpTarget;
}

const overUdp = Object.entries(datagramAttacks).map(([name, attack]) =>
  [
    `over UDP ${name}`,
    (target: Both, meanwhile: () => Promise<void>) => attack(target.udp, meanwhile),
  ] as const
);

const subject: Subject<Both> = {
  path: SERVER,
  attacks: { ...attacks, ...Object.fromEntries(overUdp) },
  target: (port) => ({ ...tcpTarget(Number(port)), udp: udpTarget(Number(port)) }),
  idleClient: (target) => target.dial(),
  async goodClient(target) {
    const answer = parseAnswer(await ask(target, "reqtime"));
    assert(answer && answer.received <= answer.answered);
    const datagram = await askByDatagram(target.udp, encode(paddedQuestion("beef")));
    assertEquals(parseAnswer(decode(datagram))?.id, "beef");
  },
  taken: /^time_server\.ts: cannot listen on 127\.0\.0\.1.*: another program has that address/m,
};

besiege(subject, anyPort);
starve(subject, anyPort);

Deno.test("time_server says what it wants when it is asked anything else", async () => {
  await using server = startScript(SERVER, anyPort());
  const port = Number(await server.printed(/^listening on 127\.0\.0\.1:(\d+)$/m));
  const cases = {
    "what time is it?\n": 'send "reqtime", not "what time is it?"\n',
    "reqtime ABC\n": 'send "reqtime", not "reqtime ABC"\n',
    "\x1b[2J\n": 'send "reqtime", not "\\x1b[2J"\n',
    "": "",
    ["x".repeat(300)]: 'send "reqtime"\n',
  };
  for (const [question, answer] of Object.entries(cases)) {
    assertEquals(await within("an answer", ask(tcpTarget(port), question)), answer);
  }
  assertEquals((server.stdout + server.stderr).includes("\x1b"), false);
  assertEquals(await server.stop("SIGINT"), 0);
});

/** The end of a client, which must be told in words and without what a peer wrote for the terminal. */
async function endOf(client: Script): Promise<number> {
  const code = await within("its end", client.ended, 30_000);
  const said = client.stdout + client.stderr;
  assertEquals(/[^\P{Cc}\n]/u.test(said), false, JSON.stringify(said));
  assertEquals(/^ +at /m.test(client.stderr), false, client.stderr);
  return code;
}

function startClient(port: string, words: string[]): Script {
  const flags = [`--allow-net=127.0.0.1:0,127.0.0.1:${port}`];
  return startDeno(flags, CLIENT, { words: [...words, "--port", port] });
}

Deno.test("time_client ends with one clear sentence when a server misbehaves over TCP", async () => {
  // all at once: some end at their deadline only
  await Promise.all(
    Object.entries(behaviours).map(async ([name, behaviour]) => {
      await using peer = misbehave(behaviour);
      await using client = startClient(peer.address, ["--samples", "1"]);
      const code = await endOf(client).catch((error) => {
        throw new Error(`it ${name}`, { cause: error });
      });
      peer.release();
      // a text without times may be a time all the same: it is shown
      const isText = name === "closes in mid-answer" || name === "sends nonsense";
      assertEquals(code, isText ? 0 : 1, `${name}: ${client.stderr}`);
    }),
  );
});

Deno.test("time_client says that the connection was reset when it is", async () => {
  for (const when of ["connection", "data"] as const) {
    await using peer = await reset(when);
    await using client = startClient(peer.address, ["--samples", "1"]);
    assertEquals(await endOf(client), 1);
    assertMatch(client.stderr, /^time_client\.ts: .*(reset|closed) the connection/m);
  }
});

type Trick = (question: string, send: (answer: string | Uint8Array) => Promise<unknown>) => unknown;

/** A UDP server that answers by a trick; `stranger` sends from another port. */
function tricky(trick: Trick, stranger: Trick = () => {}) {
  const hostname = "127.0.0.1", transport = "udp";
  const socket = Deno.listenDatagram({ transport, hostname, port: 0 });
  const other = Deno.listenDatagram({ transport, hostname, port: 0 });
  let over = false;
  const serving = (async () => {
    for await (const [bytes, from] of socket) {
      const sendBy = (by: Deno.DatagramConn) => async (answer: string | Uint8Array) => {
        if (!over) await by.send(typeof answer === "string" ? encode(answer) : answer, from);
      };
      await stranger(decode(bytes), sendBy(other));
      await trick(decode(bytes), sendBy(socket));
    }
  })();
  return {
    port: String((socket.addr as Deno.NetAddr).port),
    async [Symbol.asyncDispose]() {
      over = true;
      socket.close();
      await serving;
      other.close();
    },
  };
}

const idOf = (question: string) => questionId(question)!;
const honest = (question: string, ahead = 0) => {
  const now = Date.now() + ahead;
  return formatAnswer({ received: now, answered: now, id: idOf(question) });
};
const UDP = ["--udp", "--samples", "2"];

Deno.test("time_client says over UDP that nobody answers when nobody does", async () => {
  await using peer = tricky(() => {});
  await using client = startClient(peer.port, ["--udp", "--samples", "1"]);
  assertEquals(await endOf(client), 1);
  assertMatch(client.stderr, /no answer from 127\.0\.0\.1:\d+ to 3 datagrams/);
});

Deno.test("time_client passes over UDP over strangers, old answers and other ids", async () => {
  const stranger: Trick = async (question, send) => {
    await send(honest(question, 3_600_000));
    await send(NONSENSE);
  };
  let before = "";
  await using peer = tricky(async (question, send) => {
    await send(honest(paddedQuestion("0"), 3_600_000));
    if (before) await send(honest(before, 3_600_000));
    before = question;
    await send(honest(question));
  }, stranger);
  await using client = startClient(peer.port, UDP);
  assertEquals(await endOf(client), 0, client.stderr);
  assertMatch(client.stderr, /^ignoring 9\d bytes from 127\.0\.0\.1:\d+$/m);
  const offset = /^best: offset (-?[\d.]+) ms/m.exec(client.stdout)![1];
  assert(Math.abs(Number(offset)) < 600_000, client.stdout);
});

Deno.test("time_client does not believe times that cannot be", async () => {
  for (
    const answer of [
      // an answer that was sent an hour before the question came
      (id: string) => formatAnswer({ received: Date.now(), answered: Date.now() - 3_600_000, id }),
      // an hour at the server
      (id: string) => formatAnswer({ received: Date.now() - 3_600_000, answered: Date.now(), id }),
    ]
  ) {
    await using peer = tricky((question, send) => send(answer(idOf(question))));
    await using client = startClient(peer.port, [...UDP, "--set-clock"]);
    assertEquals(await endOf(client), 1);
    assertEquals(client.stdout, "");
    assertMatch(client.stderr, /^sample 1 is of no use: .*\nsample 2 is of no use: /m);
    assertMatch(client.stderr, /^time_client\.ts: no answer is of use: do not trust this server$/m);
  }
});

Deno.test("time_client shows what is no answer to its question as text, escaped", async () => {
  for (const answer of [NONSENSE, new Uint8Array(65_507).fill(0x1b), new Uint8Array(), "14:25"]) {
    await using peer = tricky((_question, send) => send(answer));
    await using client = startClient(peer.port, ["--udp", "--bare", "--samples", "1"]);
    assertEquals(await endOf(client), 0, client.stderr);
    assert(client.stdout.length < 1_500, client.stdout);
    assertMatch(client.stdout, /^sample 1: ".*"(… \(1024 bytes\))?, delay [\d.]+ ms$/m);
  }
});

Deno.test("time_client ends in time when its server or a stranger floods it", async () => {
  for (const who of ["server", "stranger"]) {
    const flood: Trick = async (_question, send) => {
      for (let count = 0; count < 5_000; count++) await send("reqtime 0a1b".padEnd(1_200, "x"));
    };
    const answer: Trick = (question, send) => send(honest(question));
    await using peer = tricky(who === "server" ? flood : answer, who === "server" ? answer : flood);
    await using client = startClient(peer.port, ["--udp", "--samples", "1"]);
    const code = await endOf(client);
    assert(code === 0 || client.stderr.includes("no answer from"), client.stderr);
  }
});

/** A program named date that writes down with what it was called; no clock is touched. */
function fakeDate(code: number) {
  const folder = Deno.makeTempDirSync({ prefix: "hostile-" });
  const script =
    `#!/bin/sh\necho "$*" > ${folder}/called\necho "date: no \x1b[31mway" >&2\nexit ${code}`;
  Deno.writeTextFileSync(`${folder}/date`, script, { mode: 0o755 });
  return {
    path: `${folder}:/usr/bin:/bin`,
    called: () => {
      try {
        return Deno.readTextFileSync(`${folder}/called`).trim();
      } catch {
        return undefined;
      }
    },
    [Symbol.dispose]: () => Deno.removeSync(folder, { recursive: true }),
  };
}

for (
  const [when, permitted, code] of [
    ["it was not given --allow-run=date", false, 0],
    ["it was given --allow-run=date", true, 0],
    ["the system does not permit it", true, 1],
  ] as const
) {
  Deno.test(`time_client --set-clock prints the command first when ${when}`, async () => {
    using date = fakeDate(code);
    // an hour ahead: the command must set the server's time, not ours
    await using peer = tricky((question, send) => send(honest(question, 3_600_000)));
    const flags = [`--allow-net=127.0.0.1:0,127.0.0.1:${peer.port}`];
    if (permitted) flags.push("--allow-run=date");
    const words = [...UDP, "--set-clock", "--port", peer.port];
    await using client = startDeno(flags, CLIENT, { words, env: { PATH: date.path } });
    assertEquals(await endOf(client), permitted && code === 0 ? 0 : 1, client.stderr);
    const command = /^to set the clock: date (.+)$/m.exec(client.stdout)![1]!;
    if (Deno.build.os === "linux") {
      const ahead = Date.parse(command.replace("-s ", "")) - Date.now();
      assert(Math.abs(ahead - 3_600_000) < 600_000, command);
    }
    assertEquals(date.called(), permitted ? command : undefined);
    if (!permitted) assertMatch(client.stderr, /Deno was not given --allow-run=date/);
    else if (code === 0) assertMatch(client.stdout, /^the clock is set$/m);
    else assertMatch(client.stderr, /date ended with exit code 1: date: no \\x1b\[31mway$/m);
  });
}
