/**
 * The SSH server under attack: after each, a good client is served, and nothing stays open.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { connect, createConnection, type Socket } from "node:net";
import ssh2 from "ssh2";
import { chance, concat, encode } from "../lib/helpers.ts";
import { attacks as anyServer, type Target, tcpTarget } from "./attacks.ts";
import { ENVIRONMENT, memory, openFiles, type Script, startScript } from "./script.ts";
import { hostKey } from "./ssh_servers.ts";
import { pause, times, until, within } from "./waits.ts";

const SERVER = "scripts/remote/ssh_server.ts";
const PASSWORD = "sesame";
const BANNER = encode("SSH-2.0-hostile\r\n");
const SEED = 2_222;

/** A server that runs. */
interface Ssh extends AsyncDisposable {
  script: Script;
  port: number;
  target: Target;
}

const start = (...words: string[]) => startWith("", ...words);

/** @param authorized what stands in the file of authorized keys */
async function startWith(authorized: string, ...words: string[]): Promise<Ssh> {
  const folder = await Deno.makeTempDir({ prefix: "ssh-siege-" });
  await Deno.writeTextFile(`${folder}/authorized_keys`, authorized, { mode: 0o600 });
  ENVIRONMENT.SSH_PASSWORD = PASSWORD;
  const script = startScript(SERVER, {
    words: [
      ...["--port", "0", "--host-key", `${folder}/host_key`],
      ...["--authorized-keys", `${folder}/authorized_keys`, ...words],
    ],
    flags: (flag) =>
      flag.replace(/127\.0\.0\.1:\d+/, "127.0.0.1:0").replace("/tmp/lecture-ssh", folder),
  });
  const port = Number(await script.printed(/^listening on 127\.0\.0\.1:(\d+)$/m));
  return {
    script,
    port,
    target: tcpTarget(port),
    async [Symbol.asyncDispose]() {
      await script[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** What is used of a channel of ssh2's client. */
interface Exec {
  stderr: { resume(): void };
  outgoing: { id: number };
  on(event: string, listener: (value: Uint8Array) => void): void;
  once(event: string, listener: (value: number) => void): void;
  resume(): void;
  end(bytes?: Uint8Array | string): void;
}

/** A client that logs in and may then misbehave. */
class Guest implements Disposable {
  readonly closed: Promise<void>;

  private constructor(readonly client: ReturnType<typeof ssh2.Client>, readonly socket: Socket) {
    this.closed = new Promise((resolve) => client.once("close", () => resolve()));
    client.on("error", () => {});
  }

  static async open({ port }: Ssh, password = PASSWORD): Promise<Guest> {
    const socket = connect(port, "127.0.0.1").setNoDelay();
    const client = new ssh2.Client();
    const guest = new Guest(client, socket);
    const ready = new Promise<void>((resolve, reject) => {
      client.once("ready", resolve);
      client.once("error", reject);
    });
    const algorithms = { cipher: ["chacha20-poly1305@openssh.com"] };
    client.connect({ sock: socket, username: "student", password, algorithms });
    await within("a login", ready, 10_000);
    return guest;
  }

  /** Starts a command; `listen` gets the channel at once, since all of an answer may come with it. */
  exec(command: string, listen: (channel: Exec) => void = () => {}): Promise<Exec> {
    return new Promise((resolve, reject) =>
      this.client.exec(command, (error: Error | undefined, channel: Exec) => {
        if (error) return reject(error);
        listen(channel);
        resolve(channel);
      })
    );
  }

  /** Runs a command; gives what it prints, and its exit code. */
  async run(command: string, stdin = ""): Promise<string> {
    let printed = "";
    let code: number | undefined;
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    await this.exec(command, (channel) => {
      channel.on("data", (data) => printed += new TextDecoder().decode(data));
      channel.stderr.resume();
      channel.once("exit", (value) => code = value);
      channel.once("close", () => resolve());
      channel.end(stdin);
    });
    await closed;
    return `${code} ${printed}`;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

/** A client that behaves gets its answers. */
async function serves(server: Ssh): Promise<void> {
  const talk = async () => {
    using guest = await Guest.open(server);
    assertEquals(await guest.run("echo well"), "0 well\n");
    assertEquals(await guest.run("cat", "x".repeat(100_000)), `0 ${"x".repeat(100_000)}`);
    assertEquals(await guest.run("false"), "1 ");
  };
  await within("a good client's answer", talk(), 10_000);
}

/** Connects, sends bytes, and waits until the server has had enough. */
async function cutOff({ target }: Ssh, ...pieces: Uint8Array[]): Promise<void> {
  using connection = await target.dial();
  const drain = async () => {
    const scratch = new Uint8Array(64 * 1024);
    try {
      const all = concat(...pieces);
      for (let sent = 0; sent < all.length;) sent += await connection.write(all.subarray(sent));
      while (await connection.read(scratch) !== null);
    } catch (error) {
      const { ConnectionReset, BrokenPipe } = Deno.errors;
      if (!(error instanceof ConnectionReset || error instanceof BrokenPipe)) throw error;
    }
  };
  await within("the end of the connection", drain(), 8_000);
}

/** An SSH packet without encryption. */
function packet(payload: Uint8Array): Uint8Array {
  const padding = 8 + (8 - (payload.length + 5) % 8) % 8;
  const bytes = new Uint8Array(5 + payload.length + padding);
  new DataView(bytes.buffer).setUint32(0, 1 + payload.length + padding);
  bytes[4] = padding;
  bytes.set(payload, 5);
  return bytes;
}

function field(content: Uint8Array | string): Uint8Array {
  const bytes = typeof content === "string" ? encode(content) : content;
  const head = new Uint8Array(4);
  new DataView(head.buffer).setUint32(0, bytes.length);
  return concat(head, bytes);
}

function kexInit(): Uint8Array {
  const lists = [
    ...["curve25519-sha256", "ssh-ed25519", "aes128-ctr", "aes128-ctr", "hmac-sha2-256"],
    ...["hmac-sha2-256", "none", "none", "", ""],
  ];
  const end = new Uint8Array(5);
  return packet(concat(new Uint8Array([20, ...Array(16).fill(7)]), ...lists.map(field), end));
}

const long = (text: string, count: number) => encode(text.repeat(count));
const of = (...bytes: number[]) => new Uint8Array(bytes);

const CUT_OFF: Record<string, Uint8Array[]> = {
  "an HTTP client comes": [encode("GET / HTTP/1.1\r\nhost: x\r\n\r\n")],
  "a TLS client comes": [of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, ...Array(300).fill(10))],
  "a banner never ends": [long("x", 2_000_000)],
  "a banner begins well and never ends": [encode("SSH-2.0-"), long("x", 2_000_000)],
  "lines come before the banner": [long("hello\r\n", 2_000), BANNER],
  "a banner is of SSH 1": [encode("SSH-1.5-old\r\n")],
  "a packet announces 4 GiB": [BANNER, of(0xff, 0xff, 0xff, 0xff, 4), long("x", 100_000)],
  "a packet is empty": [BANNER, of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)],
  "padding is longer than its packet": [BANNER, of(0, 0, 0, 12, 255, ...Array(20).fill(1))],
  "nothing is agreed on": [
    BANNER,
    packet(
      concat(of(20, ...Array(16).fill(7)), ...Array(10).fill(field("nothing")), new Uint8Array(5)),
    ),
  ],
  "lists are longer than their packet": [
    BANNER,
    packet(of(20, ...Array(16).fill(7), 0x7f, 0xff, 0xff, 0xff, 65)),
  ],
  "a public key is of the wrong size": [BANNER, kexInit(), packet(concat(of(30), field(of(1, 2))))],
  "a public key is zero": [BANNER, kexInit(), packet(concat(of(30), field(new Uint8Array(32))))],
  "the login comes before the keys": [
    BANNER,
    kexInit(),
    packet(concat(of(5), field("ssh-userauth"))),
  ],
  "it says good bye": [
    BANNER,
    kexInit(),
    packet(concat(of(1, 0, 0, 0, 2), field("\x1b[2J"), field(""))),
  ],
};

/** A random key share: the server answers it and waits for NEWKEYS. */
const halfExchange = () =>
  concat(
    BANNER,
    kexInit(),
    packet(concat(of(30), field(crypto.getRandomValues(new Uint8Array(32))))),
  );

const SOME = Object.keys(anyServer).filter((name) =>
  /random bytes|2,000|500 clients|never reads|vanish|in mid-message|byte every/.test(name)
);

/** ssh2's own means, to send what a good client does not. */
const protocolOf = ({ client }: Guest) => client._protocol;

const ATTACKS: Record<string, (server: Ssh) => Promise<unknown>> = {
  ...Object.fromEntries(
    Object.entries(CUT_OFF).map(([name, pieces]) => [name, (server) => cutOff(server, ...pieces)]),
  ),
  ...Object.fromEntries(
    SOME.map((name) => [name, (server) => anyServer[name]!(server.target, () => serves(server))]),
  ),
  [`300 clients send damaged key exchanges (seed ${SEED})`]: (server) => {
    const next = chance(SEED);
    return times(300, 20, async () => {
      const bytes = halfExchange();
      for (let faults = 1 + next(5); faults > 0; faults--) bytes[next(bytes.length)] = next(256);
      using connection = await server.target.dial();
      await connection.write(bytes.subarray(0, 1 + next(bytes.length))).catch(() => {});
      await connection.closeWrite().catch(() => {});
      const scratch = new Uint8Array(4_096);
      const drain = async () => {
        while (await connection.read(scratch).catch(() => null) !== null);
      };
      await within("the end of the connection", drain(), 8_000);
    });
  },
  "100 clients stop in the middle of the key exchange": async (server) => {
    const crowd = await times(100, 20, async () => {
      const connection = await server.target.dial();
      await connection.write(halfExchange());
      return connection;
    });
    await serves(server);
    for (const connection of crowd) connection.close();
  },
  "clients leave while their password is judged": (server) =>
    times(20, 10, async () => {
      const guest = Guest.open(server, "wrong").catch(() => {});
      await pause(150);
      void guest;
      const socket = createConnection(server.port, "127.0.0.1");
      const client = new ssh2.Client();
      client.on("error", () => {});
      client.connect({ sock: socket, username: "student", password: "wrong", tryKeyboard: false });
      await pause(100);
      socket.end();
      await pause(50);
      socket.destroy();
      await guest;
    }),
  "80 logins leave in the middle of a command": (server) =>
    times(80, 10, async (index) => {
      using guest = await Guest.open(server);
      await guest.exec(index % 2 ? "sleep 600" : "cat /dev/zero");
      if (index % 3 === 0) guest.socket.resetAndDestroy();
    }),
  "a client opens 2,000 sessions": async (server) => {
    using guest = await Guest.open(server);
    for (let id = 0; id < 2_000; id++) protocolOf(guest).session(5_000 + id, 65_536, 32_768);
    // ten of them stay open: there is no place for a command
    await guest.exec("id").then(() => assert(false, "one more session"), () => {});
  },
  "a client opens and closes 2,000 sessions": async (server) => {
    using guest = await Guest.open(server);
    for (let id = 0; id < 2_000; id++) {
      protocolOf(guest).session(5_000 + id, 65_536, 32_768);
      protocolOf(guest).channelClose(id);
    }
    assertEquals(await guest.run("echo well"), "0 well\n");
  },
  "a client runs 120 commands in a row": async (server) => {
    using guest = await Guest.open(server);
    const work = times(120, 5, () => guest.run("true"));
    assertEquals(new Set(await within("120 commands", work, 30_000)), new Set(["0 "]));
  },
  "a client wants two commands in a session": async (server) => {
    using guest = await Guest.open(server);
    const channel = await guest.exec("cat");
    protocolOf(guest).exec(channel.outgoing.id, "id", true);
    protocolOf(guest).exec(channel.outgoing.id, "id", true);
    assertEquals(await guest.run("echo well"), "0 well\n");
  },
  "a client asks for packets of no bytes": async (server) => {
    using guest = await Guest.open(server);
    protocolOf(guest).session(7_000, 1_000_000, 0);
    protocolOf(guest).exec(0, "echo one", true);
    await within("the end of the connection", guest.closed);
  },
  "a client uses channels that are not there": async (server) => {
    using guest = await Guest.open(server);
    for (let id = 50; id < 250; id++) {
      protocolOf(guest).channelData(id, encode("x"));
      protocolOf(guest).channelWindowAdjust(id, 0xffff_ffff);
      protocolOf(guest).channelEOF(id);
      protocolOf(guest).channelClose(id);
      protocolOf(guest).signal(id, "KILL");
    }
    assertEquals(await guest.run("echo well"), "0 well\n");
  },
  "a client sends commands that are none": async (server) => {
    using guest = await Guest.open(server);
    for (
      const bad of ["", " ", "'", "\\", "\0", "echo \0", "../../bin/sh", "sh", "x".repeat(30_000)]
    ) {
      assertMatch(await guest.run(bad), /^(2|126) /);
    }
  },
};

/** A fault of a client is told in a line; a stack trace would be a mistake of the script. */
function assertNoTrace(script: Script): void {
  assertEquals(/^ +at .*|^.*(?:[Uu]ncaught|Error:).*/m.exec(script.stderr)?.[0], undefined);
}

/** The programs that the server has started and that still run. */
function children(pid: number): string[] {
  const names: string[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const status = Deno.readTextFileSync(`/proc/${name}/status`);
      if (status.includes(`\nPPid:\t${pid}\n`)) names.push(/^Name:\t(.*)$/m.exec(status)![1]!);
    } catch {
      // it has just ended
    }
  }
  return names;
}

Deno.test("ssh_server.ts serves on when", async (t) => {
  await using server = await start();
  const { script } = server;
  await serves(server);
  const files = openFiles(script.pid);
  // these never log in: see below
  using silent = await server.target.dial();
  using half = await server.target.dial();
  await half.write(halfExchange());
  const dropped = Promise.all([silent, half].map(async (connection) => {
    const scratch = new Uint8Array(4_096);
    while (await connection.read(scratch).catch(() => null) !== null);
  }));

  const attackBy = async (name: string) => {
    await ATTACKS[name]!(server);
    await serves(server);
  };
  for (const name of Object.keys(ATTACKS)) await t.step(name, () => attackBy(name));
  await t.step("a key exchange never comes, or stops", async () => {
    await within("the end of the connection", dropped, 15_000);
    assertMatch(script.stderr, /: no key exchange within 10 s$/m);
  });
  const open = () => `${openFiles(script.pid)} files are open, ${files} were open before`;
  await t.step("all have gone, with no file and no program left", async () => {
    await until(open, () => openFiles(script.pid) <= files);
    if (Deno.build.os !== "linux") return;
    await until(
      () => `still running: ${children(script.pid)}`,
      () => children(script.pid).length === 0,
    );
  });
  await t.step("much of it comes again, with the same memory", async () => {
    const again = Object.keys(ATTACKS).filter((name) => /sessions|none|banner/.test(name));
    const before = memory(script.pid);
    for (const name of again) await attackBy(name);
    const growth = (memory(script.pid) - before) / 1024 / 1024;
    console.log(`${SERVER}: ${growth.toFixed(1)} MiB more`);
    assert(growth < 80, `grew by ${growth} MiB`);
    await until(open, () => openFiles(script.pid) <= files);
  });
  assertNoTrace(script);
  // of all control characters only the line feed is itself
  const controls = [...script.stderr].filter((sign) =>
    /[\p{Cc}\p{Cf}]/u.test(sign) && sign !== "\n"
  );
  assertEquals(controls, []);
  assertEquals(await script.stop("SIGTERM"), 0);
});

Deno.test("ssh_server.ts tells at its start which authorized keys it does not use", async () => {
  const { publicKey } = hostKey();
  await using good = await startWith(`# mine\n${publicKey}\n`);
  await using bad = await startWith(`${publicKey}\nno-pty ${publicKey}\n\nssh-dss AAAA old\n`);
  assertMatch(
    bad.script.stderr,
    /^not used in \S+\/authorized_keys: line 2, 4 \(options before a key, or no key of a kind taken here\)$/m,
  );
  assertEquals(good.script.stderr, "");
});

Deno.test("ssh_server.ts cuts clients off when they agree on keys and do not log in", async () => {
  await using server = await start("--login-timeout", "2");
  const client = new ssh2.Client();
  const socket = createConnection(server.port, "127.0.0.1");
  client.on("error", () => {});
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  // keyboard-interactive is none of the server's ways: it asks, and then has nothing to say
  client.connect({ sock: socket, username: "student", authHandler: () => {} });
  await within("the end of the connection", closed, 15_000);
  assertMatch(server.script.stderr, /: no login within 2 s$/m);
  await serves(server);
  assertNoTrace(server.script);
});

Deno.test("ssh_server.ts keeps its memory when a client never reads its output", async () => {
  await using server = await start();
  const files = openFiles(server.script.pid);
  await serves(server);
  const before = memory(server.script.pid);
  {
    using guest = await Guest.open(server);
    const crowd = await times(4, 4, () => guest.exec("cat /dev/zero"));
    // there is room for 4 GiB on each channel, but nobody takes it from the socket
    for (const channel of crowd) {
      protocolOf(guest).channelWindowAdjust(channel.outgoing.id, 0xffff_0000);
    }
    guest.socket.pause();
    await pause(1_500);
    await serves(server);
    const growth = (memory(server.script.pid) - before) / 1024 / 1024;
    assert(growth < 80, `grew by ${growth} MiB`);
  }
  await until(() => "programs still run", () => children(server.script.pid).length === 0);
  await until(() => "files stay open", () => openFiles(server.script.pid) <= files);
  assertNoTrace(server.script);
});

Deno.test("ssh_server.ts ends a connection when its client sends more than its window allows", async () => {
  await using server = await start();
  await serves(server);
  const before = memory(server.script.pid);
  using guest = await Guest.open(server);
  // sleep reads nothing
  const channel = await guest.exec("sleep 600");
  const piece = new Uint8Array(32_000);
  const flood = async () => {
    for (let sent = 0; sent < 200 && !guest.socket.destroyed; sent++) {
      for (let more = 0; more < 10; more++) {
        protocolOf(guest).channelData(channel.outgoing.id, piece);
      }
      await pause(1);
    }
  };
  await flood().catch(() => {});
  await within("the end of the connection", guest.closed, 10_000);
  await until(
    () => `it says ${server.script.stderr.slice(-300)}`,
    () => /: it sent more than its window allows$/m.test(server.script.stderr),
  );
  const growth = (memory(server.script.pid) - before) / 1024 / 1024;
  assert(growth < 80, `grew by ${growth} MiB`);
  await until(() => "sleep still runs", () => children(server.script.pid).length === 0);
  await serves(server);
  assertNoTrace(server.script);
});
