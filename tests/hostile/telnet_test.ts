/**
 * The telnet client with servers that misbehave, and the telnet server under siege.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { COMMANDS, subnegotiation } from "../../lib/telnet.ts";
import { concat, decode, encode } from "../lib/helpers.ts";
import { attacks, type Target, tcpTarget } from "./attacks.ts";
import { behaviours, beSilent, misbehave, type Peer, reset } from "./peers.ts";
import { memory, type Script, startScript } from "./script.ts";
import { anyPort, besiege, starve, type Subject } from "./siege.ts";
import { ask } from "./streams.ts";
import { pause, settles, times, until, within } from "./waits.ts";

const { IAC, SB, WILL, WONT, DO, DONT, AYT, NOP } = COMMANDS;
const PATH = "scripts/remote/telnet.ts";

interface Run {
  words?: string[];
  stdin?: string;
}

function startClient(peer: Peer, { words = [], stdin = "" }: Run = {}): Script {
  return startScript(PATH, {
    words: ["127.0.0.1", peer.address, "--wait", "1", ...words],
    flags: (flag) => flag.replace(/:\d+$/, `:${peer.address}`),
    stdin: encode(stdin),
    smallHeap: true,
  });
}

async function runAgainst(peer: Peer, run: Run = {}) {
  await using _ended = peer;
  await using client = startClient(peer, run);
  const code = await within("the client's end", client.ended, 30_000);
  peer.release();
  assertEquals(/^ +at .*|^.*Uncaught.*/m.exec(client.stderr)?.[0], undefined);
  return { code, stdout: client.stdout, stderr: client.stderr };
}

/** A server that says the same again and again, and counts what it hears. */
function repeating(said: Uint8Array, most = Infinity): { peer: Peer; heard: () => Uint8Array } {
  const heard: Uint8Array[] = [];
  const many = concat(...Array.from({ length: Math.ceil(3_000 / said.length) }, () => said));
  const peer = misbehave(async (connection, gone) => {
    const listen = async () => {
      const buffer = new Uint8Array(64 * 1024);
      for (let count; (count = await connection.read(buffer)) !== null;) {
        heard.push(buffer.slice(0, count));
      }
    };
    const listening = listen().catch(() => {}); // the client went
    for (let sent = 0; sent < most && !gone(); sent += many.length) {
      for (let at = 0; at < many.length;) at += await connection.write(many.subarray(at));
    }
    await connection.closeWrite();
    await listening;
  });
  return { peer, heard: () => concat(...heard) };
}

const endless: Record<string, number[]> = {
  "switches an option on and off": [IAC, WILL, 3, IAC, WONT, 3],
  "switches one of ours on and off": [IAC, DO, 24, IAC, DONT, 24],
  "asks for what was refused": [IAC, DO, 200],
  "offers what was refused": [IAC, WILL, 200],
  "asks for the terminal's type": [IAC, DO, 24, ...subnegotiation(24, Uint8Array.of(1))],
};

for (const [name, words] of Object.entries(endless)) {
  Deno.test(`telnet ends when the server ${name} for ever, after a bounded number of answers`, async () => {
    const { peer, heard } = repeating(Uint8Array.from(words));
    const { code, stderr } = await runAgainst(peer);
    assertEquals(code, 1);
    assertMatch(stderr, /^telnet\.ts: the server negotiates without end, 10000 answers$/m);
    assert(heard().length <= 10_000 * 12, `${heard().length} bytes`);
  });
}

const said: Record<string, [words: number[], heard: number[]]> = {
  "WILL SGA": [[IAC, WILL, 3], [IAC, DO, 3]],
  "WONT and DONT": [[IAC, WONT, 3, IAC, DONT, 24, IAC, WONT, 200], []],
  "DO TTYPE": [[IAC, DO, 24], [IAC, WILL, 24]],
  "commands, and subnegotiations that nobody asked for": [
    [
      IAC,
      AYT,
      IAC,
      NOP,
      ...subnegotiation(24, Uint8Array.of(1)),
      ...subnegotiation(99, Uint8Array.of(7)),
    ],
    [],
  ],
};

for (const [name, [words, answer]] of Object.entries(said)) {
  Deno.test(`telnet answers ${name} at most once, when it is said a thousand times`, async () => {
    const { peer, heard } = repeating(Uint8Array.from(words), 10_000);
    const { code, stderr } = await runAgainst(peer);
    assertEquals(heard(), Uint8Array.from(answer));
    assertMatch(stderr, /Connection closed by foreign host\.\n$/);
    assertEquals(code, 0);
  });
}

Deno.test("telnet refuses a subnegotiation without end", async () => {
  const { peer } = repeating(Uint8Array.of(IAC, SB, 24, ...new Uint8Array(4_000)));
  const { code, stderr } = await runAgainst(peer);
  assertMatch(
    stderr,
    /^telnet\.ts: a telnet subnegotiation is longer than the limit of 1024 bytes$/m,
  );
  assertEquals(code, 1);
});

Deno.test("telnet reads a stream that comes byte by byte, and one that ends in the middle of a command", async () => {
  const stream = concat(
    Uint8Array.of(IAC, WILL, 1, IAC, IAC),
    encode("one\r\0two\r\n"),
    subnegotiation(24, Uint8Array.of(1)),
    encode("three"),
    Uint8Array.of(IAC, SB, 24),
  );
  const peer = misbehave(async (connection) => {
    for (const byte of stream) {
      await connection.write(Uint8Array.of(byte));
      await pause(2);
    }
    await connection.closeWrite();
    await connection.read(new Uint8Array(64));
  });
  const { code, stdout } = await runAgainst(peer);
  assertEquals(stdout, "\ufffdone\rtwo\r\nthree");
  assertEquals(code, 0);
});

Deno.test("telnet hears a server out that still negotiates when the client has ended its side", async () => {
  const peer = misbehave(async (connection) => {
    while (await connection.read(new Uint8Array(64)) !== null);
    await connection.write(encode("before "));
    await pause(50);
    await connection.write(concat(Uint8Array.of(IAC, DO, 24, IAC, WILL, 1), encode("the answer")));
    await pause(50);
    await connection.write(encode(", and more"));
  });
  const { code, stdout, stderr } = await runAgainst(peer, { stdin: "hello\n" });
  assertEquals([code, stdout], [0, "before the answer, and more"], stderr);
});

/** The client in a pipe of the shell, which a program reads that is not as fast as Deno. */
async function pipedInto(reader: string, peer: Peer) {
  await using _ended = peer;
  const command = [Deno.execPath(), "run", "--no-prompt", `--allow-net=127.0.0.1:${peer.address}`];
  const words = [PATH, "--wait", "1", "127.0.0.1", peer.address];
  const { stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", `echo GET | { "$@"; echo "ended with $?" >&2; } | { ${reader}; }`, "sh"]
      .concat(command, words),
    cwd: new URL("../../", import.meta.url),
    env: { NO_COLOR: "1" },
  }).output();
  peer.release();
  return { stdout: decode(stdout), stderr: decode(stderr) };
}

/** A server that says 3,000,000 bytes and closes. */
const longAnswer = () =>
  misbehave(async (connection) => {
    await connection.read(new Uint8Array(64));
    const answer = new Uint8Array(3_000_000).fill(0x78);
    for (let at = 0; at < answer.length;) at += await connection.write(answer.subarray(at));
  });

Deno.test("telnet loses nothing when what reads its output is slower than --wait", async () => {
  const { stdout, stderr } = await pipedInto("sleep 3; wc -c", longAnswer());
  assertEquals(stdout.trim(), "3000000");
  assertMatch(stderr, /Connection closed by foreign host\.\nended with 0\n$/);
});

Deno.test("telnet says that nobody reads its output when its reader has gone, not the server", async () => {
  const { stderr } = await pipedInto("true", longAnswer());
  assertMatch(stderr, /^telnet\.ts: nobody reads its output any more\nended with 1\n$/m);
});

const outcomes: Record<string, { code: number; stderr: RegExp; stdout: RegExp }> = {
  "is silent": {
    code: 1,
    stderr: /^telnet\.ts: the server said nothing within 1 s$/m,
    stdout: /^$/,
  },
  "closes without a word": { code: 0, stderr: /closed by foreign host\.\n$/, stdout: /^$/ },
  "closes in mid-answer": { code: 0, stderr: /closed by foreign host\.\n$/, stdout: /^Yes$/ },
  // into a pipe goes every byte as it is
  "sends nonsense": {
    code: 0,
    stderr: /closed by foreign host\.\n$/,
    stdout: /^[^ -~]\]0;owned[^ -~]/u,
  },
};

for (const [name, { code, stderr, stdout }] of Object.entries(outcomes)) {
  Deno.test(`telnet ends in time and says how when the server ${name}`, async () => {
    const result = await runAgainst(misbehave(behaviours[name]!));
    assertMatch(result.stderr, stderr);
    assertMatch(result.stdout, stdout);
    assertEquals(result.code, code);
  });
}

for (const when of ["connection", "data"] as const) {
  Deno.test(`telnet says that the server reset the connection (${when})`, async () => {
    const { code, stderr } = await runAgainst(await reset(when), { stdin: "hello\n" });
    assertMatch(
      stderr,
      /^telnet\.ts: cannot (hear from the server|send): the other side (reset|has already closed) the connection$|^telnet: Unable to connect to remote host: Connection reset by peer$/m,
    );
    assertEquals(code, 1);
  });
}

Deno.test("telnet says in telnet's words that a connection is refused, and what to do", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  await using client = startScript(PATH, {
    words: ["127.0.0.1", String(port)],
    flags: (flag) => flag.replace(/:\d+$/, `:${port}`),
  });
  assertEquals(await within("its end", client.ended, 30_000), 1);
  assertEquals(
    client.stderr,
    "Trying 127.0.0.1...\ntelnet: Unable to connect to remote host: Connection refused\n" +
      `Nothing listens on port ${port} there: check the port.\n`,
  );
});

Deno.test("telnet gives up a connection that nobody accepts, after --timeout", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 1 });
  const { port } = listener.addr;
  const waiting: Deno.Conn[] = [];
  try {
    for (let client = 0; client < 10; client++) {
      waiting.push(
        await Deno.connect({ hostname: "127.0.0.1", port, signal: AbortSignal.timeout(300) }),
      );
    }
  } catch (error) {
    assertEquals((error as Error).name, "TimeoutError");
  }
  await using client = startScript(PATH, {
    words: ["127.0.0.1", String(port), "--timeout", "1"],
    flags: (flag) => flag.replace(/:\d+$/, `:${port}`),
  });
  assertEquals(await within("its end", client.ended, 30_000), 1);
  assertMatch(
    client.stderr,
    /Unable to connect to remote host: Connection timed out\nCheck the address/,
  );
  for (const connection of waiting) connection.close();
});

/** What a client may grow by: V8 and the buffers breathe, a flood kept would be hundreds of MiB. */
const GROWTH = 100 * 1024 * 1024;

const floods: Record<string, () => Peer> = {
  "floods it with text": () => misbehave(behaviours["never stops sending"]!),
  "asks on and on, and hears no answer": () =>
    misbehave(async (connection, gone) => {
      const words = concat(
        ...Array.from({ length: 1_000 }, () => Uint8Array.of(IAC, WILL, 1, IAC, WONT, 1)),
      );
      while (!gone()) {
        if (!await settles(connection.write(words), 500)) await beSilent(connection, gone);
      }
    }),
};

for (const [name, flood] of Object.entries(floods)) {
  Deno.test(`telnet keeps within its limits when the server ${name}`, async () => {
    await using peer = flood();
    await using client = startClient(peer);
    await until(() => "not connected", () => client.stderr.includes("Connected"), 30_000);
    if (name.startsWith("asks")) {
      // it gives up when it has answered often enough, heard or not
      assertEquals(await within("its end", client.ended, 30_000), 1);
      assertMatch(client.stderr, /the server negotiates without end/);
    } else {
      const before = memory(client.pid);
      await pause(1_000);
      const growth = memory(client.pid) - before;
      assert(growth < GROWTH, `grew by ${growth} bytes`);
      await client.stop("SIGTERM");
    }
    peer.release();
  });
}

/** Sends for a moment, or until nothing is taken. */
async function flood(target: Target, bytes: number[], reads: boolean): Promise<void> {
  using connection = await target.dial();
  const many = Uint8Array.from(Array.from({ length: 1_000 }, () => bytes).flat());
  const drain = async () => {
    const buffer = new Uint8Array(64 * 1024);
    while (await connection.read(buffer) !== null);
  };
  const draining = reads ? drain().catch(() => {}) : Promise.resolve();
  const due = performance.now() + 150;
  let writing: Promise<unknown> = Promise.resolve();
  while (performance.now() < due) {
    writing = connection.write(many).catch(() => {}); // the server may end it
    if (!await settles(writing, 200)) break;
  }
  connection.close();
  await Promise.all([writing, draining]);
}

const telnetServer: Subject<Target> = {
  path: "scripts/remote/telnet_server.ts",
  attacks: {
    ...attacks,
    "a client switches options on and off for ever": (target) =>
      flood(target, [IAC, DO, 1, IAC, DONT, 1, IAC, WILL, 31, IAC, WONT, 31], true),
    "a client asks for what is refused, and hears no answer": (target) =>
      flood(target, [IAC, DO, 200, IAC, WILL, 200], false),
    "a client's subnegotiation never ends": (target) => flood(target, [IAC, SB, 31, 0, 0, 0], true),
    "a client asks whether the server is there, and hears no answer": (target) =>
      flood(target, [IAC, AYT], false),
    "a client types commands ahead": (target) => flood(target, [...encode("who\r\n")], true),
    "clients leave in the middle of a command": async (target) => {
      const middles = [[IAC], [IAC, WILL], [IAC, SB], [IAC, SB, 24, 0, IAC], [13]];
      await times(50, 10, async (index) => {
        using connection = await target.dial();
        await connection.write(Uint8Array.from(middles[index % middles.length]!));
      });
    },
    "clients leave while they count": async (target) => {
      await times(20, 10, async () => {
        using connection = await target.dial();
        await connection.write(encode("count\n"));
        await pause(20);
      });
    },
  },
  target: (address) => tcpTarget(Number(address)),
  async goodClient(target) {
    assertMatch(await ask(target, "echo hello\nlogout\n"), /> hello\r\n> Goodbye\.\r\n$/);
  },
  idleClient: (target) => target.dial(),
  taken:
    /^telnet_server\.ts: cannot listen on 127\.0\.0\.1.*: another program has that address already$/m,
};

besiege(telnetServer, anyPort);
starve(telnetServer, anyPort);
