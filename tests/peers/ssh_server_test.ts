/**
 * Our SSH server with OpenSSH's client and with paramiko.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { ALGORITHMS } from "../../lib/ssh2_server.ts";
import { pause, times, within } from "../hostile/waits.ts";
import { peerTest, python, temporaryFolder } from "./peers.ts";
import { Process } from "./process.ts";
import { pathOf } from "./scripts.ts";

const SSH = ["ssh", "ssh-keygen"];
const PASSWORD = "correct horse";
const PROGRAMS = "cat,cut,echo,false,id,sh,sleep,true";

/** A server that runs, and a folder for it and its clients. */
class OurServer implements AsyncDisposable {
  readonly folder: string;
  readonly #removed: Disposable;
  #process: Process;
  port = 0;

  private constructor() {
    const folder = temporaryFolder();
    this.#removed = folder;
    this.folder = folder.path;
    this.#process = this.#launch();
    // OpenSSH asks this program for the password, since there is no terminal
    const ask = '#!/bin/sh\nprintf "%s\\n" "$PEER_PASSWORD"\n';
    Deno.writeTextFileSync(`${this.folder}/askpass`, ask, { mode: 0o755 });
  }

  static async start(): Promise<OurServer> {
    const server = new OurServer();
    await server.#listens();
    return server;
  }

  #launch(): Process {
    const place = `${this.folder}/server`;
    return new Process([
      ...[Deno.execPath(), "run", "--no-prompt", "--ignore-env", "--allow-env=SSH_PASSWORD"],
      ...["--allow-net=127.0.0.1:0", `--allow-read=${place}`, `--allow-write=${place}`],
      ...[`--allow-run=${PROGRAMS}`, pathOf("remote/ssh_server"), "--port", "0"],
      ...["--host-key", `${place}/host_key`, "--programs", PROGRAMS],
      ...["--authorized-keys", `${place}/authorized_keys`],
    ], { env: { SSH_PASSWORD: PASSWORD } });
  }

  async #listens(): Promise<void> {
    const [, port] = (await this.#process.stdout.line(/^listening on 127\.0\.0\.1:(\d+)$/))!;
    this.port = Number(port);
  }

  get log() {
    return this.#process.stderr;
  }

  get fingerprint(): string {
    return /^host key (\S+),/m.exec(this.#process.stdout.text)![1]!;
  }

  async restart(): Promise<void> {
    assertEquals(await this.#process.stop("SIGTERM"), 0);
    this.#process = this.#launch();
    await this.#listens();
  }

  /** Makes a key pair; it may log in unless told otherwise. */
  async key(name: string, kind: string, bits: number, authorized = true): Promise<string> {
    const file = `${this.folder}/${name}`;
    const options = ["-q", "-t", kind, "-b", `${bits}`, "-N", "", "-f", file];
    await using making = new Process(["ssh-keygen", ...options]);
    assertEquals(await making.end(), 0, making.stderr.text);
    if (authorized) {
      const place = `${this.folder}/server/authorized_keys`;
      await Deno.writeTextFile(place, await Deno.readTextFile(`${file}.pub`), {
        append: true,
        mode: 0o600,
      });
    }
    return file;
  }

  /** OpenSSH's client with nothing but its defaults. */
  client(
    words: string[],
    { password = PASSWORD, host = "student@127.0.0.1", level = "ERROR" } = {},
  ): Process {
    const quiet = [
      "-F",
      "none",
      "-o",
      `LogLevel=${level}`,
      "-o",
      "StrictHostKeyChecking=accept-new",
    ];
    const known = ["-o", `UserKnownHostsFile=${this.folder}/known_hosts`];
    return new Process(["ssh", ...quiet, ...known, "-p", `${this.port}`, host, ...words], {
      env: {
        PEER_PASSWORD: password,
        SSH_ASKPASS: `${this.folder}/askpass`,
        SSH_ASKPASS_REQUIRE: "force",
        SSH_AUTH_SOCK: "",
      },
    });
  }

  /** Runs OpenSSH's client to its end. */
  async run(
    words: string[],
    { stdin, ...options }: {
      password?: string;
      host?: string;
      level?: string;
      stdin?: Uint8Array | string;
    } = {},
  ): Promise<{ code: number; stdout: string; stderr: string; bytes: Uint8Array }> {
    await using process = this.client(words, options);
    const input = typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin;
    if (input) await process.send(input);
    await process.send();
    const code = await process.end();
    const { stdout, stderr } = process;
    return { code, stdout: stdout.text, stderr: stderr.text, bytes: stdout.bytes };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
    this.#removed[Symbol.dispose]();
  }
}

/** Login by a key and by nothing else. */
const byKey = (file: string) => [
  ...["-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-i", file],
];

async function users(): Promise<string> {
  const lines = (await Deno.readTextFile("/etc/passwd")).trimEnd().split("\n");
  return lines.map((line) => `${line.split(":")[0]}\n`).join("");
}

peerTest("ssh_server.ts lets OpenSSH in by password and runs commands", SSH, async () => {
  await using server = await OurServer.start();
  const homework = await server.run(["cut -d: -f1 /etc/passwd"]);
  assertEquals(homework, { ...homework, code: 0, stdout: await users(), stderr: "" });
  assertMatch(server.log.text, /^127\.0\.0\.1:\d+: student logged in by password$/m);

  const both = await server.run(["sh", "-c", "'echo out; echo err >&2; exit 42'"]);
  assertEquals([both.code, both.stdout, both.stderr], [42, "out\n", "err\n"]);
  const killed = await server.run(["sh -c 'kill -KILL $$'"]);
  assertEquals(killed.code, 255);
  assertMatch(server.log.text, /: sh -c 'kill -KILL \$\$': signal KILL, /);

  for (
    const [command, code, said] of [
      ["false", 1, /^$/],
      ["rm -r /nowhere", 126, /^ssh_server: rm is not allowed here, only cat, /],
      ["echo a | cat", 2, /^ssh_server: \| \(a pipe\) needs a shell/],
      ["echo $HOME", 2, /needs a shell/],
      ["echo 'a", 2, /the quote ' does not end/],
    ] as const
  ) {
    const answer = await server.run([command]);
    assertEquals([answer.code, answer.stdout], [code, ""], command);
    assertMatch(answer.stderr, said);
  }
  // the server's environment, with the password in it, stays with the server
  const variables = await server.run(["cat /proc/self/environ"]);
  assertStringIncludes(variables.stdout, "USER=student");
  assert(!variables.stdout.includes(PASSWORD));
});

peerTest("ssh_server.ts refuses OpenSSH when the password or the user is wrong", SSH, async () => {
  await using server = await OurServer.start();
  // the host is known from here on: two clients at once would both write it down
  assertEquals((await server.run(["true"])).code, 0);
  const [password, user] = await Promise.all([
    server.run(["id"], { password: "wrong" }),
    server.run(["id"], { host: "root@127.0.0.1" }),
  ]);
  for (const refused of [password, user]) {
    assertEquals([refused.code, refused.stdout], [255, ""]);
    assertEquals(refused.stderr.match(/Permission denied, please try again/g)?.length, 2);
  }
  assertEquals(server.log.text.match(/: student refused, password$/gm)?.length, 3);
  assertEquals(server.log.text.match(/: root refused, password$/gm)?.length, 3);
  assertEquals(server.log.text.match(/: too many logins failed$/gm)?.length, 2);
});

peerTest("ssh_server.ts lets OpenSSH in by every kind of key that it takes", SSH, async () => {
  await using server = await OurServer.start();
  const echo = async (key: string, ...options: string[]) => {
    const { code, stdout } = await server.run([...options, ...byKey(key), "echo", "in"]);
    return `${code} ${stdout.trim()}`.trim();
  };
  for (
    const [kind, bits] of [["ed25519", 256], ["ecdsa", 256], ["ecdsa", 384], ["ecdsa", 521], [
      "rsa",
      2048,
    ]] as const
  ) {
    const key = await server.key(`${kind}${bits}`, kind, bits);
    assertEquals(await echo(key), "0 in", `${kind} ${bits}`);
  }
  const rsa = `${server.folder}/rsa2048`;
  assertEquals(await echo(rsa, "-o", "PubkeyAcceptedAlgorithms=rsa-sha2-256"), "0 in");
  // a signature with SHA-1, a short key, a key that nobody has allowed
  assertEquals(await echo(rsa, "-o", "PubkeyAcceptedAlgorithms=ssh-rsa"), "255");
  assertEquals(await echo(await server.key("short", "rsa", 1024)), "255");
  const stranger = await server.key("stranger", "ed25519", 256, false);
  const refused = await server.run([...byKey(stranger), "id"]);
  assertEquals(refused.code, 255);
  assertStringIncludes(refused.stderr, "Permission denied (publickey,password)");
  assertMatch(server.log.text, /: student refused, ssh-ed25519 key SHA256:/);
  // an unwelcome key first, then the password
  const words = ["-o", "IdentitiesOnly=yes", "-i", stranger, "echo", "in"];
  assertEquals((await server.run(words)).stdout, "in\n");
});

peerTest("ssh_server.ts keeps its host key when it starts again", SSH, async () => {
  await using server = await OurServer.start();
  const before = server.fingerprint;
  await using shown = new Process(["ssh-keygen", "-l", "-f", `${server.folder}/server/host_key`]);
  await shown.end();
  assertStringIncludes(shown.stdout.text, `256 ${before} lecture (ED25519)`);
  assertEquals(Deno.statSync(`${server.folder}/server/host_key`).mode! & 0o777, 0o600);
  await server.restart();
  assertEquals(server.fingerprint, before);
});

/** What a program of OpenSSH says it knows. */
async function known(what: string): Promise<string[]> {
  await using asking = new Process(["ssh", "-Q", what]);
  await asking.end();
  return asking.stdout.lines.filter((line) => line !== "");
}

peerTest(
  "ssh_server.ts and OpenSSH agree on each algorithm that is offered, and on no other",
  SSH,
  async () => {
    await using server = await OurServer.start();
    const key = await server.key("key", "ed25519", 256);
    const text = "some text\n".repeat(5_000);
    const tries = [
      ...(await known("kex")).map((name) => ({
        name,
        words: ["-o", `KexAlgorithms=${name}`],
        offered: ALGORITHMS.kex,
        none: "no matching key exchange method found",
      })),
      ...(await known("cipher")).map((name) => ({
        name,
        words: ["-o", `Ciphers=${name}`],
        offered: ALGORITHMS.cipher,
        none: "no matching cipher found",
      })),
      ...(await known("mac")).map((name) => ({
        name,
        words: ["-o", "Ciphers=aes128-ctr", "-o", `MACs=${name}`],
        offered: ALGORITHMS.hmac,
        none: "no matching MAC found",
      })),
    ];
    const agreed = await times(tries.length, 4, async (index) => {
      const { name, words, offered, none } = tries[index]!;
      const options = { stdin: text, level: "INFO" };
      const result = await server.run([...words, ...byKey(key), "cat"], options);
      if (offered.includes(name)) assertEquals([result.code, result.stdout], [0, text], name);
      else assertStringIncludes(result.stderr, none, name);
      return offered.includes(name);
    });
    const all = [...ALGORITHMS.kex, ...ALGORITHMS.cipher, ...ALGORITHMS.hmac];
    assertEquals(agreed.filter(Boolean).length, all.length);
    // compression is asked for, and done without
    assertEquals((await server.run(["-C", ...byKey(key), "echo", "in"])).stdout, "in\n");
  },
);

async function hash(bytes: Uint8Array): Promise<string> {
  const copy = new Uint8Array(bytes);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", copy)).toHex();
}

peerTest(
  "ssh_server.ts takes and gives 50 MiB whole, also when keys are changed on the way",
  SSH,
  async () => {
    await using server = await OurServer.start();
    const key = await server.key("key", "ed25519", 256);
    const stdin = new Uint8Array(50 * 1024 * 1024);
    for (let at = 0; at < stdin.length; at += 65_536) {
      crypto.getRandomValues(stdin.subarray(at, at + 65_536));
    }
    const { code, bytes } = await server.run([...byKey(key), "cat"], { stdin });
    assertEquals([code, bytes.length, await hash(bytes)], [0, stdin.length, await hash(stdin)]);

    const part = stdin.subarray(0, 8 * 1024 * 1024);
    const again = await server.run(["-o", "RekeyLimit=1M", ...byKey(key), "cat"], { stdin: part });
    assertEquals([again.code, await hash(again.bytes)], [0, await hash(part)]);

    // both streams at once, more than a window each
    const noise = [
      "sh",
      "-c",
      "'cat /dev/zero | head -c 6000000 & head -c 6000000 /dev/zero >&2; wait'",
    ];
    const apart = await server.run([...byKey(key), ...noise]);
    assertEquals([apart.code, apart.stdout.length, apart.stderr.length], [0, 6_000_000, 6_000_000]);
  },
);

peerTest("ssh_server.ts serves several sessions of OpenSSH on one connection", SSH, async () => {
  await using server = await OurServer.start();
  const key = await server.key("key", "ed25519", 256);
  const control = ["-S", `${server.folder}/control`];
  await using master = server.client([...byKey(key), ...control, "-M", "-N"]);
  await server.log.line(/logged in/);
  // ssh makes its socket after that; whoever finds none logs in by itself
  const ready = async () => {
    while ((await server.run([...control, "-O", "check"])).code !== 0) await pause(50);
  };
  await within("the master takes sessions", ready(), 30_000);
  await using cat = server.client([...control, ...byKey(key), "cat"]);
  const results = await times(20, 5, async (index) => {
    const { code, stdout } = await server.run([...control, ...byKey(key), "echo", `${index}`]);
    return `${code} ${stdout.trim()}`;
  });
  assertEquals(results, Array.from({ length: 20 }, (_, index) => `0 ${index}`));
  await cat.send(new TextEncoder().encode("still here"));
  await cat.send();
  assertEquals([await cat.end(), cat.stdout.text], [0, "still here"]);
  // not by a signal: one that comes just before it waits, ssh only heeds at the next packet, 15 s later
  assertEquals((await server.run([...control, "-O", "exit"])).code, 0);
  await master.end();
  assertEquals(server.log.text.match(/logged in/g)?.length, 1);
});

peerTest("ssh_server.ts gives OpenSSH a shell without a terminal", SSH, async () => {
  await using server = await OurServer.start();
  const key = await server.key("key", "ed25519", 256);
  const typed =
    "echo one\n\n# nothing\necho 'two  words'\nfalse\nunknown\necho a > b\nexit 7\necho never\n";
  const shell = await server.run(["-T", ...byKey(key)], { stdin: typed });
  assertEquals([shell.code, shell.stdout], [7, "one\ntwo  words\n"]);
  assertMatch(shell.stderr, /unknown is not allowed here[^]*> \(a redirection\) needs a shell/);
  assertEquals((await server.run(["-T", ...byKey(key)], { stdin: "true\nfalse" })).code, 1);
  // a terminal is refused; asked for with -tt, OpenSSH gives up
  const forced = await server.run(["-tt", ...byKey(key), "echo", "in"]);
  assertEquals([forced.code, forced.stdout], [255, ""]);
  assertStringIncludes(forced.stderr, "PTY allocation request failed");
  const set = await server.run(["-o", "SetEnv=LECTURE=1", ...byKey(key), "cat /proc/self/environ"]);
  assert(set.stdout.includes("USER=student") && !set.stdout.includes("LECTURE"));
});

peerTest(
  "ssh_server.ts ends a program when its client goes, and refuses forwarding",
  SSH,
  async () => {
    await using server = await OurServer.start();
    const key = await server.key("key", "ed25519", 256);
    await using client = server.client([...byKey(key), "sleep", "600"]);
    await server.log.line(/logged in/);
    await using stubborn = server.client([
      ...byKey(key),
      ...["sh", "-c", `'trap "" TERM; echo ready; while :; do sleep 0.1; done'`],
    ]);
    await stubborn.stdout.line(/ready/);
    await client.stop("SIGKILL");
    await stubborn.stop("SIGKILL");
    await server.log.line(/: sleep 600: signal TERM, /);
    await server.log.line(/: sh -c .*: signal KILL, /);
    const forward = await server.run([...byKey(key), "-W", `127.0.0.1:${server.port}`]);
    assertStringIncludes(forward.stderr, "stdio forwarding failed");
    const remote = ["-R", "0:127.0.0.1:1", "-o", "ExitOnForwardFailure=yes"];
    assertEquals((await server.run([...byKey(key), ...remote, "true"])).code, 255);
  },
);

peerTest("ssh_server.ts serves paramiko", [...SSH, "python3"], async () => {
  await using server = await OurServer.start();
  const key = await server.key("key", "ecdsa", 256);
  const wrong = await server.key("wrong", "ed25519", 256, false);
  await using client = new Process(
    python("ssh_server_paramiko.py", server.port, PASSWORD, key, wrong),
  );
  assertEquals(await client.end(), 0, client.stderr.text);
  const { pty, sftp, late, forward, tcpip, stderr, ...met } = JSON.parse(client.stdout.text);
  assertEquals(met, {
    users: (await users()).trim().split("\n"),
    exit: 0,
    stdout: "from stdin",
    failed: 1,
    several: Array.from({ length: 8 }, (_, number) => `${number}\n`),
    "after a signal": "",
    // that is what paramiko says of a signal
    "its exit": -1,
    "by key": "by key\n",
    "second try": "second try\n",
    "late variable": "nothing was refused",
    "wrong passwords": [
      ...Array(3).fill("AuthenticationException"),
      "SSHException",
    ],
  });
  assertMatch(stderr, /nowhere/);
  for (const said of [pty, sftp, late]) assertMatch(said, /Channel closed/);
  assertMatch(forward, /denied/);
  assertMatch(tcpip, /Administratively prohibited/);
  assertMatch(server.log.text, /: sleep 600: signal TERM, /);
});
