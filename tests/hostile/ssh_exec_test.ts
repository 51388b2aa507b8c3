/**
 * The SSH client with servers that misbehave: one clear error within the deadline, and bounded memory.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { KnownHosts } from "../../lib/known_hosts.ts";
import { connectSsh } from "../../lib/ssh_client.ts";
import { encode } from "../lib/helpers.ts";
import { behaviours, beSilent, misbehave, NONSENSE, type Peer, reset } from "./peers.ts";
import { ENVIRONMENT, memory, type Script, startDeno } from "./script.ts";
import { hostKey, serveSsh, type SshLogin, type SshServer, type Steps } from "./ssh_servers.ts";
import { settles, times, until, within } from "./waits.ts";

const BANNER = encode("SSH-2.0-hostile\r\n");
const KEY = hostKey();
const PASSWORD = "correct horse";
/** Which of these a client meets first is a matter of chance. */
const GONE =
  /it closed the connection before the |already closed the connection$|reset the connection$/m;

/** A folder with known hosts, and the script beside it. */
class Client implements AsyncDisposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "ssh-exec-" });
  readonly script: Script;

  constructor(
    readonly port: number | string,
    { words = ["--accept-new"], timeout = 1, known = "", output = "" } = {},
  ) {
    const file = `${this.folder}/known_hosts`;
    if (output) words = ["--output", `${this.folder}/${output}`, ...words];
    if (known) Deno.writeTextFileSync(file, known);
    ENVIRONMENT.SSH_PASSWORD = PASSWORD;
    this.script = startDeno(
      [
        ...["--ignore-env", "--allow-env=SSH_PASSWORD", `--allow-net=127.0.0.1:${port}`],
        ...[`--allow-read=${this.folder}`, `--allow-write=${this.folder}`],
      ],
      "scripts/remote/ssh_exec.ts",
      {
        words: [
          ...["--known-hosts", file, "--connect-timeout", `${timeout}`, ...words],
          ...[`student@127.0.0.1:${port}`, "true"],
        ],
        smallHeap: true,
      },
    );
  }

  /** Its exit code; what it said is free of stack traces and of control characters. */
  async end(): Promise<number> {
    const code = await within("the client's end", this.script.ended, 30_000);
    const { stderr } = this.script;
    assertEquals(/^ +at .*|^.*Uncaught.*|^.*TypeError.*/m.exec(stderr)?.[0], undefined);
    const controls = [...stderr].filter((sign) => /[\p{Cc}\p{Cf}]/u.test(sign) && sign !== "\n");
    assertEquals(controls, []);
    assert(!stderr.includes(PASSWORD));
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.script[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}

const say = (...parts: Uint8Array[]) =>
  misbehave(async (connection, gone) => {
    for (const part of parts) await connection.write(part);
    await beSilent(connection, gone);
  });

/** A packet that is not encrypted, as before the keys are agreed on. */
function packet(...payload: number[]): Uint8Array {
  const padding = 8 - (payload.length + 5) % 8 + 8;
  const length = payload.length + padding + 1;
  return Uint8Array.from([0, 0, length >> 8, length & 255, padding, ...payload, ...Array(padding)]);
}

const RAW: Record<string, [() => Peer | Promise<Peer>, RegExp]> = {
  "hangs before its banner": [
    () => misbehave(beSilent),
    /nothing came within 1 s, while waiting for the server's SSH greeting$/m,
  ],
  "hangs after its banner": [
    () => say(BANNER),
    /nothing came within 1 s, while waiting for the key exchange$/m,
  ],
  "sends half a packet and hangs": [
    () => say(BANNER, packet(20, ...Array(16).fill(7)).subarray(0, 20)),
    /nothing came within 1 s, while waiting for the key exchange$/m,
  ],
  "greets with garbage": [
    () => say(NONSENSE, crypto.getRandomValues(new Uint8Array(20_000))),
    /it does not speak SSH \(.*\)\nCheck the port\.$/m,
  ],
  "is a web server": [
    () => say(encode("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nnot SSH\n")),
    /nothing came within 1 s, while waiting for the server's SSH greeting$/m,
  ],
  "greets with lines for ever": [
    () => {
      const lines = encode("hello\r\n".repeat(1_000));
      return misbehave(async (connection, gone) => {
        while (!gone()) await connection.write(lines);
      });
    },
    /it does not speak SSH \(Max greeting lines exceeded\)$/m,
  ],
  "sends one line for ever": [
    () => misbehave(behaviours["never stops sending"]!),
    /it does not speak SSH \(Header line too long\)$/m,
  ],
  "sends a byte every 50 ms": [
    () => misbehave(behaviours["sends a byte every 50 ms"]!),
    /nothing came within 1 s, while waiting for the server's SSH greeting$/m,
  ],
  "sends garbage after its banner": [
    () => say(BANNER, new Uint8Array(50_000).fill(0xff)),
    /packet length.*, during the key exchange$/im,
  ],
  "says goodbye in escape sequences": [
    () => say(BANNER, packet(1, 0, 0, 0, 2, 0, 0, 0, 4, 0x1b, 0x5b, 0x32, 0x4a, 0, 0, 0, 0)),
    /it says ".*\\x1b\[2J.*"$|during the key exchange$/m,
  ],
  "closes without a word": [
    () => misbehave(behaviours["closes without a word"]!),
    /it closed the connection before the server's SSH greeting$/m,
  ],
  "closes after its banner": [
    () => misbehave((connection) => connection.write(BANNER)),
    GONE,
  ],
  "resets": [() => reset("data"), GONE],
};

Deno.test("ssh_exec.ts fails clearly when the server misbehaves before the login", async () => {
  const cases = Object.entries(RAW);
  await times(cases.length, 4, async (index) => {
    const [name, [start, expected]] = cases[index]!;
    await using peer = await start();
    await using client = new Client(peer.address);
    assertEquals(await client.end(), 1, name);
    peer.release();
    assertMatch(
      client.script.stderr,
      /^ssh_exec\.ts: cannot connect to student@127\.0\.0\.1:/m,
      name,
    );
    assertMatch(client.script.stderr, expected, name);
  });
});

Deno.test("ssh_exec.ts keeps its memory when a banner line has a gigabyte", async () => {
  let sent = 0;
  await using peer = misbehave(async (connection) => {
    const piece = new Uint8Array(64 * 1024).fill(0x78);
    for (; sent < 1024 ** 3; sent += piece.length) await connection.write(piece);
  });
  await using client = new Client(peer.address);
  let most = 0;
  const watch = setInterval(() => {
    try {
      most = Math.max(most, memory(client.script.pid));
    } catch {
      // it has just ended
    }
  }, 10);
  try {
    assertEquals(await client.end(), 1);
  } finally {
    clearInterval(watch);
  }
  assertMatch(client.script.stderr, /it does not speak SSH \(Header line too long\)/);
  assert(sent < 64 * 1024 ** 2, `${sent} bytes were taken`);
  assert(most < 200 * 1024 ** 2, `${most} bytes`);
});

/** Runs the script against a server that follows some steps. */
async function against(
  steps: Steps,
  options: ConstructorParameters<typeof Client>[1] = {},
): Promise<{ code: number; stdout: string; stderr: string; server: SshServer }> {
  await using server = await serveSsh(KEY, steps);
  await using client = new Client(server.port, { timeout: 5, ...options });
  const code = await client.end();
  return { code, stdout: client.script.stdout, stderr: client.script.stderr, server };
}

const STEPS: Record<string, { steps: Steps; words?: string[]; says: RegExp }> = {
  "never answers the login": {
    steps: { login() {} },
    says: /nothing came within 5 s, while waiting for the answer to the login$/m,
  },
  "refuses the login": {
    steps: { login: (login) => login.reject() },
    says: /cannot connect to \S+: it (lets nobody in|does not accept)/,
  },
  "never answers the request for a command": {
    steps: { request() {} },
    says: /cannot run "true" on 127\.0\.0\.1: nothing came within 5 s$/m,
  },
  "refuses a command": {
    steps: { request: (_accept, reject) => reject() },
    says: /the server does not run it \(.*\)$/m,
  },
  "hangs in mid-exec": {
    steps: { command: (channel) => void channel.write("one\n") },
    words: ["--accept-new", "--idle-timeout", "1"],
    says: /it printed nothing for 1 s\nThe command may still run there\.$/m,
  },
  "goes in mid-exec": {
    steps: {
      command(channel, socket) {
        channel.write("one\n");
        setTimeout(() => socket.destroy(), 50);
      },
    },
    says: GONE,
  },
  "resets in mid-exec": {
    steps: {
      command(channel, socket) {
        channel.write("one\n");
        setTimeout(() => socket.resetAndDestroy(), 50);
      },
    },
    says: GONE,
  },
  "sends garbage in mid-exec": {
    steps: {
      command(channel, socket) {
        channel.write("one\n");
        setTimeout(() => socket.write(new Uint8Array(100_000).fill(7)), 50);
      },
    },
    says: /, during the command$/m,
  },
  "does not tell the exit code": {
    steps: { command: (channel) => channel.end() },
    says: /the server does not tell how it ended$/m,
  },
};

Deno.test("ssh_exec.ts fails clearly when the server misbehaves at the login or later", async () => {
  const cases = Object.entries(STEPS);
  await times(cases.length, 4, async (index) => {
    const [name, { steps, words, says }] = cases[index]!;
    const { code, stderr } = await against(steps, { words });
    assertEquals(code, 1, `${name}: ${stderr}`);
    assertMatch(stderr, says, name);
  });
});

Deno.test("ssh_exec.ts sends no password when the host key is unknown, changed or revoked", async () => {
  const other = hostKey().publicKey;
  const cases: [string[], (name: string) => string, RegExp][] = [
    [[], () => "", /the key of \S+ is not known: ssh-ed25519 SHA256:/],
    [["--accept-new"], (name) => `${name} ${other}\n`, /THE KEY OF \S+ HAS CHANGED/],
    [["--accept-new"], () => `* ${other}\n`, /THE KEY OF \S+ HAS CHANGED/],
    [
      ["--accept-new"],
      (name) => `${name} ${KEY.publicKey}\n@revoked ${name} ${KEY.publicKey}\n`,
      /is revoked in line 2 of /,
    ],
  ];
  for (const [words, known, says] of cases) {
    await using server = await serveSsh(KEY);
    const text = known(`[127.0.0.1]:${server.port}`);
    await using client = new Client(server.port, { timeout: 5, words, known: text });
    assertEquals(await client.end(), 1);
    assertMatch(client.script.stderr, says);
    assertMatch(client.script.stderr, /AutoAddPolicy takes every unknown key/);
    assertEquals(server.passwords, []);
  }
  await using server = await serveSsh(KEY);
  const known = `damaged\n[127.0.0.1]:${server.port} ${KEY.publicKey}\n`;
  await using client = new Client(server.port, { timeout: 5, words: [], known });
  assertEquals(await client.end(), 0);
  assertMatch(client.script.stderr, /^line 1 of .* is not used: /m);
  assertEquals(server.passwords, [PASSWORD]);
});

Deno.test("ssh_exec.ts answers one hidden question with the password, and no further one", async () => {
  const answers: string[][] = [];
  const asking = (...rounds: string[][]) => (login: SshLogin) => {
    if (login.method !== "keyboard-interactive") return login.reject(["keyboard-interactive"]);
    const ask = (round: number) => {
      if (round === rounds.length) return login.accept();
      const questions = rounds[round]!.map((prompt) => ({ prompt, echo: false }));
      login.prompt(questions, (given) => {
        answers.push(given);
        ask(round + 1);
      });
    };
    ask(0);
  };
  // PAM ends with a round of no question, to tell what it has to tell
  const usual = await against({ login: asking(["Password: "], []) });
  assertEquals([usual.code, answers], [0, [[PASSWORD], []]], usual.stderr);

  answers.length = 0;
  const { code, stderr } = await against({
    login: asking(["Password: "], ["New password: "], ["Verification code: "]),
  });
  assertEquals([code, answers], [1, [[PASSWORD]]]);
  assertMatch(
    stderr,
    /: it asks for more than a password: New password: \nTry --key or --agent\.$/m,
  );
});

Deno.test("ssh_exec.ts shows a banner without its escape sequences, and not all of a long one", async () => {
  const banner = `\x1b[2Jwelcome\r\n\x9b31m\u202e${"x".repeat(20_000)}\r\n`;
  const { code, stderr } = await against({ banner });
  assertEquals(code, 0, stderr);
  assertMatch(stderr, /^\\x1b\[2Jwelcome$/m);
  assert(stderr.length < 6_000, `${stderr.length}`);
});

Deno.test("ssh_exec.ts passes on both streams and what ends them, whatever comes in which order", async () => {
  const all = "x".repeat(3_000_000);
  const { code, stdout, stderr } = await against({
    command(channel) {
      // more than a window of the one before anything of the other
      channel.stderr.write(encode(all.slice(0, 900_000)));
      channel.write(encode(all));
      channel.exit(9);
      channel.end();
    },
  }, { words: ["--accept-new", "--idle-timeout", "5"] });
  assertEquals(code, 9, stderr.slice(0, 300));
  // the test keeps a mebibyte of it
  assert(stdout.length >= 1024 * 1024 && /^x*$/.test(stdout));
  assert(stderr.includes("x".repeat(900_000)));
});

Deno.test("ssh_exec.ts loses nothing when what reads its stderr is slow", async () => {
  await using server = await serveSsh(KEY, {
    command(channel) {
      channel.stderr.write(encode("x".repeat(900_000)));
      channel.write(encode("o".repeat(3_000_000)));
      channel.exit(0);
      channel.end();
    },
  });
  const folder = Deno.makeTempDirSync({ prefix: "ssh-exec-" });
  const words = ["--known-hosts", `${folder}/known_hosts`, "--accept-new"];
  const flags = [
    "--ignore-env",
    "--allow-env=SSH_PASSWORD",
    `--allow-net=127.0.0.1:${server.port}`,
  ];
  const files = [`--allow-read=${folder}`, `--allow-write=${folder}`];
  const script = new URL("../../scripts/remote/ssh_exec.ts", import.meta.url).pathname;
  const target = [`student@127.0.0.1:${server.port}`, "true"];
  // a pipe that takes 64 KiB now and then; a reader in Deno would be ahead of this one
  const slowly = "n=0; while [ $n -lt 20 ]; do dd bs=65536 count=1 2>/dev/null; sleep 0.05; " +
    "n=$((n+1)); done; cat";
  const command = [Deno.execPath(), "run", "--no-prompt", ...flags, ...files, script];
  const { code, stdout } = await new Deno.Command("sh", {
    args: ["-c", `"$@" 2>&1 >/dev/null | { ${slowly}; }`, "sh", ...command, ...words, ...target],
    env: { SSH_PASSWORD: PASSWORD },
    stdin: "null",
  }).output();
  assertEquals(code, 0);
  Deno.removeSync(folder, { recursive: true });
  // its own lines may have one or the other as well
  const count = stdout.filter((byte) => byte === "x".charCodeAt(0)).length;
  assert(count >= 900_000, `${count} of 900000`);
});

Deno.test("connectSsh sends no password before the server's new key is kept", async () => {
  await using server = await serveSsh(KEY);
  const writing = Promise.withResolvers<never>();
  const { open } = Deno;
  Deno.open = () => writing.promise;
  using _again = { [Symbol.dispose]: () => void (Deno.open = open) };
  const connecting = connectSsh({
    ...{ user: "student", hostname: "127.0.0.1", port: server.port, timeout: 30_000 },
    login: { password: () => PASSWORD },
    hostKey: { known: new KnownHosts(""), path: "known_hosts", acceptNew: true },
  });
  assert(!await settles(connecting.then(() => {}, () => {}), 1_000), "it is logged in");
  writing.reject(new Error("the disk is full"));
  const error = await assertRejects(() => connecting, Error);
  assertMatch(error.message, /cannot add a host key to known_hosts: the disk is full/);
  assertEquals(server.passwords, []);
});

Deno.test("ssh_exec.ts tells the server about Ctrl-C and ends when the server ignores it", async () => {
  const signals: string[] = [];
  await using server = await serveSsh(KEY, {
    command: (channel) => void channel.write("go\n"),
    signal: (name) => signals.push(name),
  });
  await using client = new Client(server.port, { timeout: 5 });
  await client.script.printed(/^go$/m);
  assertEquals(await client.script.stop("SIGINT"), 130);
  assertEquals(signals, ["INT"]);
  assertMatch(client.script.stderr, /it did not end at SIGINT, and may still run there$/m);
});

Deno.test("ssh_exec.ts leaves no output file when it is ended before the login", async () => {
  const asked = Promise.withResolvers<void>();
  await using server = await serveSsh(KEY, { login: () => asked.resolve() });
  await using client = new Client(server.port, { timeout: 60, output: "users.txt" });
  await within("the login", asked.promise, 30_000);
  assert(await client.script.stop("SIGINT") !== 0);
  assertEquals(Array.from(Deno.readDirSync(client.folder), ({ name }) => name), ["known_hosts"]);
});

Deno.test("ssh_exec.ts ends at once at Ctrl-C before the login", async () => {
  await using peer = misbehave(beSilent);
  await using early = new Client(peer.address, { timeout: 60 });
  await until(() => early.script.stderr, () => /^connecting to /m.test(early.script.stderr));
  assert(await early.script.stop("SIGINT") !== 0);
  peer.release();
});
