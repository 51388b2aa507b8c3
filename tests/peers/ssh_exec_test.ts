/**
 * ssh_exec.ts with OpenSSH's sshd, and with paramiko's server for passwords.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { readKnownHosts } from "../../lib/known_hosts_file.ts";
import { connectSsh, type Login } from "../../lib/ssh_client.ts";
import { exitCode } from "../../lib/ssh_exec.ts";
import { readPrivateKey } from "../../lib/ssh_keys.ts";
import { memory, startDeno } from "../hostile/script.ts";
import { until } from "../hostile/waits.ts";
import { decode, encode } from "../lib/helpers.ts";
import { peerTest, python, startPeer, temporaryFolder } from "./peers.ts";
import { Process } from "./process.ts";
import { pathOf } from "./scripts.ts";
import { makeKey, OPENSSH, run, Sshd } from "./sshd.ts";
import { Terminal } from "./terminal.ts";

interface Run {
  options?: string[];
  env?: Record<string, string>;
  /** More permissions. */
  grants?: string[];
}

/** The command line of the script, by the key `key` unless its options tell another way. */
function commandLine(sshd: Sshd, words: string[], { options, grants = [] }: Run = {}): string[] {
  const folder = sshd.path("");
  return [
    ...[Deno.execPath(), "run", "--no-prompt", "--ignore-env", ...grants],
    ...[`--allow-net=127.0.0.1:${sshd.port}`, `--allow-read=${folder}`, `--allow-write=${folder}`],
    ...[pathOf("remote/ssh_exec"), "--known-hosts", sshd.path("known")],
    ...options ?? ["--key", sshd.path("key")],
    ...[sshd.target, ...words],
  ];
}

/** The same for a shell. */
const quoted = (...given: Parameters<typeof commandLine>) =>
  commandLine(...given).map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");

const ours = (sshd: Sshd, words: string[], run: Run = {}) =>
  new Process(commandLine(sshd, words, run), { env: run.env });

/** Runs the script to its end. */
async function result(
  sshd: Sshd,
  words: string[],
  { stdin, ...run }: Run & { stdin?: Uint8Array } = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  await using process = ours(sshd, words, run);
  if (stdin) await process.send(stdin);
  await process.send();
  const code = await process.end();
  return { code, stdout: process.stdout.text, stderr: process.stderr.text };
}

peerTest("ssh_exec.ts adds a key that ssh and ssh-keygen then know", OPENSSH, async () => {
  await using sshd = await Sshd.start();
  const refused = await result(sshd, ["true"]);
  assertEquals(refused.code, 1);
  assertMatch(refused.stderr, /is not known: ssh-ed25519 SHA256:/);
  assertMatch(refused.stderr, /AutoAddPolicy takes every unknown key/);
  const shown = await run(["ssh-keygen", "-l", "-f", sshd.path("host.pub")]);
  assertStringIncludes(refused.stderr, shown.split(" ")[1]!);

  const options = ["--key", sshd.path("key"), "--accept-new"];
  const first = await result(sshd, ["echo out; echo err >&2; exit 7"], { options });
  assertEquals([first.code, first.stdout], [7, "out\n"]);
  assertMatch(first.stderr, /^err$/m);
  const ssh = [
    ...["ssh", "-F", "none", "-o", `UserKnownHostsFile=${sshd.path("known")}`],
    ...["-o", "StrictHostKeyChecking=yes", "-i", sshd.path("key"), "-p", `${sshd.port}`],
  ];
  assertEquals(await run([...ssh, `${sshd.user}@127.0.0.1`, "echo ok"]), "ok\n");
  await run(["ssh-keygen", "-f", sshd.path("known"), "-F", sshd.name]);
  // hashed by ssh-keygen, it is understood
  await run(["ssh-keygen", "-H", "-f", sshd.path("known")]);
  assertEquals((await result(sshd, ["kill -TERM $$"])).code, 143);
});

peerTest("ssh_exec.ts refuses sshd when its key has changed or is revoked", OPENSSH, async () => {
  await using sshd = await Sshd.start();
  await makeKey(sshd.path("other"), "ed25519");
  const other = await Deno.readTextFile(sshd.path("other.pub"));
  const known = `# mine\n${sshd.name} ${other}`;
  await Deno.writeTextFile(sshd.path("known"), known);
  const options = ["--key", sshd.path("key"), "--accept-new"];
  const changed = await result(sshd, ["true"], { options });
  assertEquals([changed.code, changed.stdout], [1, ""]);
  assertMatch(changed.stderr, /THE KEY OF \S+ HAS CHANGED/);
  assertMatch(changed.stderr, /Known before line 2: ssh-ed25519 SHA256:/);
  assertMatch(changed.stderr, /ssh-keygen -f \S+ -R /);
  // nothing was added, and nothing was logged in
  assertEquals(await Deno.readTextFile(sshd.path("known")), known);

  const its = await Deno.readTextFile(sshd.path("host.pub"));
  await Deno.writeTextFile(sshd.path("known"), `${sshd.name} ${its}@revoked * ${its}`);
  const revoked = await result(sshd, ["true"], { options });
  assertEquals(revoked.code, 1);
  assertMatch(revoked.stderr, /is revoked in line 2 of /);
});

peerTest(
  "ssh_exec.ts knows a host on another port by its bare name, as ssh does",
  OPENSSH,
  async () => {
    await using sshd = await Sshd.start();
    const its = await Deno.readTextFile(sshd.path("host.pub"));
    const ssh = [
      ...["ssh", "-F", "none", "-o", `UserKnownHostsFile=${sshd.path("known")}`],
      ...["-o", "StrictHostKeyChecking=yes", "-i", sshd.path("key"), "-p", `${sshd.port}`],
    ];
    await Deno.writeTextFile(sshd.path("known"), `127.0.0.1 ${its}`);
    assertEquals(await run([...ssh, `${sshd.user}@127.0.0.1`, "echo ok"]), "ok\n");
    assertEquals((await result(sshd, ["echo", "ok"])).stdout, "ok\n");
    await Deno.writeTextFile(sshd.path("known"), `@revoked 127.0.0.1 ${its}`);
    const revoked = await result(sshd, ["true"], {
      options: ["--key", sshd.path("key"), "--accept-new"],
    });
    assertEquals(revoked.code, 1);
    assertMatch(revoked.stderr, /is revoked in line 1 of /);
  },
);

peerTest("ssh_exec.ts says what is wrong on its own side", [...OPENSSH, "head"], async () => {
  await using sshd = await Sshd.start();
  await sshd.makeKnown();
  const piped = await new Deno.Command("sh", {
    args: ["-c", `${quoted(sshd, ["yes"])} | head -1`],
  }).output();
  assertEquals(decode(piped.stdout), "y\n");
  assertMatch(decode(piped.stderr), /cannot run "yes" on \S+: nobody reads its output any more$/m);

  const bus = await result(sshd, ["kill -BUS $$"]);
  assertEquals(bus.code, 128);
  assertMatch(bus.stderr, /^ended there by a signal without a name$/m);

  const folder = await result(sshd, ["true"], { options: ["--key", sshd.path("")] });
  assertMatch(folder.stderr, /cannot read the key \S+: it is a folder, not a file/);

  const agent = await result(sshd, ["true"], {
    options: ["--agent"],
    grants: ["--allow-env=SSH_AUTH_SOCK", `--allow-net=unix:${sshd.path("nowhere")}`],
    env: { SSH_AUTH_SOCK: sshd.path("nowhere") },
  });
  assertEquals(agent.code, 1);
  assertMatch(
    agent.stderr,
    /cannot connect to the SSH agent \S+: there is no such file\nStart one, /,
  );
  assert(!agent.stderr.includes("partner"), agent.stderr);

  // nothing was run, so there is no output, and what was there stays
  const wrong = ["--key", sshd.path("other"), "--output"];
  await makeKey(sshd.path("other"), "ed25519");
  await Deno.writeTextFile(sshd.path("old"), "of an earlier run");
  for (const name of ["new", "old"]) {
    const refused = await result(sshd, ["true"], { options: [...wrong, sshd.path(name)] });
    assertEquals(refused.code, 1, refused.stderr);
  }
  await assertRejects(() => Deno.stat(sshd.path("new")), Deno.errors.NotFound);
  assertEquals(await Deno.readTextFile(sshd.path("old")), "of an earlier run");
});

peerTest("ssh_exec.ts logs in by every kind of key, encrypted too", OPENSSH, async () => {
  await using sshd = await Sshd.start();
  await sshd.makeKnown();
  const passphrase = "open sesame";
  const grants = ["--allow-env=SSH_PASSPHRASE"];
  const kinds = [
    ["ed25519"],
    ["ecdsa", "-b", "256"],
    ["ecdsa", "-b", "384"],
    ["ecdsa", "-b", "521"],
    ["rsa", "-b", "2048"],
    ["ed25519", "-N", passphrase],
    ["ecdsa", "-b", "256", "-m", "PEM", "-N", passphrase],
    ["rsa", "-b", "2048", "-m", "PKCS8", "-N", passphrase],
  ];
  await Promise.all(kinds.map(async ([type, ...more], number) => {
    await makeKey(sshd.path(`key${number}`), type!, ...more);
    await sshd.authorize(`key${number}`);
  }));
  // the fault of ssh2 hits every second key of P-256 and P-384: there are enough of them in the tests of lib
  for (const [number, words] of kinds.entries()) {
    const key = await readPrivateKey(sshd.path(`key${number}`), () => passphrase);
    assertEquals(await echo(sshd, { key }), "ok\n", words.join(" "));
  }
  const options = ["--key", sshd.path("key5")];
  const right = { options, grants, env: { SSH_PASSPHRASE: passphrase } };
  assertEquals((await result(sshd, ["echo ok"], right)).stdout, "ok\n");
  const wrong = { options, grants, env: { SSH_PASSPHRASE: "open barley" } };
  assertMatch((await result(sshd, ["echo ok"], wrong)).stderr, /the passphrase is wrong/);
  await makeKey(sshd.path("stranger"), "ed25519");
  const stranger = await result(sshd, ["id"], { options: ["--key", sshd.path("stranger")] });
  assertEquals(stranger.code, 1);
  assertMatch(stranger.stderr, /it does not accept this key for /);
});

/** Logs in within the test, and has `echo ok` run. */
async function echo(sshd: Sshd, login: Login): Promise<string> {
  let said = "";
  const write = (bytes: Uint8Array) => {
    said += decode(bytes);
    return Promise.resolve(bytes.length);
  };
  await using connection = await connectSsh({
    ...{ user: sshd.user, hostname: "127.0.0.1", port: sshd.port, login },
    hostKey: { known: await readKnownHosts(sshd.path("known")), path: sshd.path("known") },
  });
  const ended = await connection.exec("echo ok", { stdout: { write }, stderr: { write } });
  assertEquals(exitCode(ended), 0);
  return said;
}

peerTest("ssh_exec.ts logs in by the agent's keys", OPENSSH, async () => {
  await using sshd = await Sshd.start();
  await sshd.makeKnown();
  const socket = sshd.path("agent");
  await using agent = new Process(["ssh-agent", "-D", "-a", socket]);
  await agent.stdout.line(/SSH_AUTH_SOCK/);
  const env = { SSH_AUTH_SOCK: socket };
  const grants = ["--allow-env=SSH_AUTH_SOCK", `--allow-net=unix:${socket}`];
  const empty = await result(sshd, ["echo ok"], { options: ["--agent"], env, grants });
  assertEquals(empty.code, 1);
  assertMatch(empty.stderr, /it accepts none of the agent's keys for /);
  for (const [type, bits] of [["rsa", "2048"], ["ecdsa", "384"]]) {
    const path = sshd.path(`${type}`);
    await makeKey(path, type!, "-b", bits!);
    await run(["ssh-add", "-q", path], env);
    await sshd.authorize(type!);
    assertEquals(await echo(sshd, { agent: socket }), "ok\n", type);
    await run(["ssh-add", "-q", "-D"], env);
  }
  await makeKey(sshd.path("stranger"), "ed25519");
  await run(["ssh-add", "-q", sshd.path("stranger")], env);
  const stranger = await result(sshd, ["id"], { options: ["--agent"], env, grants });
  assertEquals(stranger.code, 1);
  assertMatch(stranger.stderr, /it accepts none of the agent's keys for /);
  await run(["ssh-add", "-q", sshd.path("key")], env);
  const { stdout, stderr } = await result(sshd, ["echo ok"], { options: ["--agent"], env, grants });
  assertEquals(stdout, "ok\n", stderr);
  await agent.stop("SIGTERM");
  const gone = await result(sshd, ["id"], { options: ["--agent"], env, grants });
  assertMatch(gone.stderr, /cannot connect to the SSH agent /);
});

/** What sshd does by default and this script cannot; ssh2 or Deno lacks it. */
const LACKING: Record<string, string[]> = {
  kexalgorithms: [
    "sntrup761x25519-sha512",
    "sntrup761x25519-sha512@openssh.com",
    "mlkem768x25519-sha256",
    "ecdh-sha2-nistp521",
  ],
  ciphers: [],
  macs: [
    "umac-64-etm@openssh.com",
    "umac-128-etm@openssh.com",
    "umac-64@openssh.com",
    "umac-128@openssh.com",
  ],
};
const KINDS: Record<string, string> = {
  kexalgorithms: "key exchange",
  ciphers: "cipher",
  macs: "MAC",
};

for (const [kind, lacking] of Object.entries(LACKING)) {
  peerTest(
    `ssh_exec.ts has each of sshd's default ${kind}, or says which it lacks`,
    OPENSSH,
    async () => {
      await using usual = await Sshd.start();
      const defaults = await run(["/usr/sbin/sshd", "-T", "-f", usual.path("config")]);
      const names = new RegExp(`^${kind} (.*)$`, "m").exec(defaults)![1]!.split(",");
      assert(names.length > 3, defaults);
      await Promise.all(names.map(async (name) => {
        const others = kind === "macs" ? ["Ciphers aes128-ctr"] : [];
        await using sshd = await Sshd.start([`${kind} ${name}`, ...others]);
        await sshd.makeKnown();
        const login = { key: await readPrivateKey(sshd.path("key"), () => "") };
        if (!lacking.includes(name)) return assertEquals(await echo(sshd, login), "ok\n", name);
        const message = `it has no ${KINDS[kind]} in common with this script`;
        await assertRejects(() => echo(sshd, login), Error, message, name);
      }));
    },
  );
}

peerTest("ssh_exec.ts asks for the type of host key that it knows", OPENSSH, async () => {
  const types = [["rsa", "2048"], ["ecdsa", "256"], ["ecdsa", "384"], ["ecdsa", "521"]];
  using folder = temporaryFolder();
  const path = (type?: string, bits?: string) => `${folder.path}/${type}${bits}`;
  await Promise.all(types.map(([type, bits]) => makeKey(path(type, bits), type!, "-b", bits!)));
  for (const [type, bits] of types) {
    // first ed25519, which it would take without knowing better
    await using sshd = await Sshd.start([`HostKey ${path(type, bits)}`]);
    const open = await Deno.readTextFile(`${path(type, bits)}.pub`);
    await Deno.writeTextFile(sshd.path("known"), `${sshd.name} ${open}`);
    const login = { key: await readPrivateKey(sshd.path("key"), () => "") };
    assertEquals(await echo(sshd, login), "ok\n", `${type} ${bits}`);
  }
});

peerTest("ssh_exec.ts forwards stdin, all bytes, and its end", OPENSSH, async () => {
  await using sshd = await Sshd.start();
  await sshd.makeKnown();
  const bytes = crypto.getRandomValues(new Uint8Array(65_536));
  const stdin = new Uint8Array(20 * bytes.length);
  for (let at = 0; at < stdin.length; at += bytes.length) stdin.set(bytes, at);
  await using process = ours(sshd, ["cat; echo err >&2; exit 3"]);
  await process.send(stdin);
  await process.send();
  assertEquals(await process.end(), 3);
  assertEquals(process.stdout.bytes, stdin);
  // a command that reads nothing of it ends all the same
  assertEquals((await result(sshd, ["echo ok"], { stdin })).stdout, "ok\n");
});

peerTest("ssh_exec.ts collects the user names of the homework in a file", OPENSSH, async () => {
  await using sshd = await Sshd.start();
  await sshd.makeKnown();
  const key = ["--key", sshd.path("key")];
  const options = [...key, "--output", sshd.path("users.txt")];
  const homework = await result(sshd, ["cut -d: -f1 /etc/passwd"], { options });
  assertEquals([homework.code, homework.stdout], [0, ""]);
  const users = await run(["cut", "-d:", "-f1", "/etc/passwd"]);
  assertEquals(await Deno.readTextFile(sshd.path("users.txt")), users);
  // a shorter one leaves nothing of it, a login that fails leaves all
  await result(sshd, ["echo x"], { options });
  assertEquals(await Deno.readTextFile(sshd.path("users.txt")), "x\n");
  await makeKey(sshd.path("stranger"), "ed25519");
  const stranger = ["--key", sshd.path("stranger"), "--output", sshd.path("users.txt")];
  assertEquals((await result(sshd, ["echo y"], { options: stranger })).code, 1);
  assertEquals(await Deno.readTextFile(sshd.path("users.txt")), "x\n");
});

peerTest(
  "ssh_exec.ts gives 100 MB whole, of stdout and stderr at once, in flat memory",
  OPENSSH,
  async () => {
    await using sshd = await Sshd.start();
    await sshd.makeKnown();
    const half = "head -c 50000000 /dev/zero";
    const command = `${half} | tr '\\0' x >&2 & ${half}; wait; echo the end`;
    const key = ["--key", sshd.path("key"), "--output", sshd.path("output")];
    const folder = sshd.path("");
    const flags = [`--allow-net=127.0.0.1:${sshd.port}`, `--allow-read=${folder}`];
    await using script = startDeno(
      ["--ignore-env", ...flags, `--allow-write=${folder}`],
      pathOf("remote/ssh_exec"),
      {
        words: ["--known-hosts", sshd.path("known"), ...key, sshd.target, command],
        smallHeap: true,
      },
    );
    let most = 0;
    const watch = setInterval(() => {
      try {
        most = Math.max(most, memory(script.pid));
      } catch {
        // it has just ended
      }
    }, 20);
    try {
      assertEquals(await script.ended, 0, script.stderr.slice(-300));
    } finally {
      clearInterval(watch);
    }
    assertEquals(Deno.statSync(sshd.path("output")).size, 50_000_000 + "the end\n".length);
    assert(most > 0 && most < 200 * 1024 * 1024, `${most} bytes`);
  },
);

peerTest("ssh_exec.ts makes a command wait when nobody takes its output", OPENSSH, async () => {
  await using sshd = await Sshd.start();
  await sshd.makeKnown();
  // head takes one line; the script then cannot write, says so, and ends
  const line = quoted(sshd, ["yes"]);
  await using process = new Process(["bash", "-c", `${line} | head -n 1; exit \${PIPESTATUS[0]}`]);
  await process.send();
  assertEquals(await process.end(), 1);
  assertEquals(process.stdout.text, "y\n");
  assertMatch(process.stderr.text, /cannot run "yes" on \S+: nobody reads its output any more$/m);
});

peerTest("ssh_exec.ts says so when a command does not end at a signal", OPENSSH, async () => {
  await using sshd = await Sshd.start();
  await sshd.makeKnown();
  await using process = ours(sshd, ["trap '' INT TERM; echo go; sleep 3"]);
  await process.stdout.line(/^go$/);
  assertEquals(await process.stop("SIGTERM"), 143);
  assertMatch(process.stderr.text, /it did not end at SIGTERM, and may still run there/);
});

peerTest("ssh_exec.ts shows escape sequences on a terminal and pipes them as they are", [
  ...OPENSSH,
  "tmux",
], async () => {
  await using sshd = await Sshd.start();
  await sshd.makeKnown();
  const command = "printf 'a\\033[2Jb\\tc\\n'; printf '\\033]0;owned\\007\\n' >&2";
  await using terminal = await Terminal.open(quoted(sshd, [command]), 150);
  const screen = await terminal.shows(/ended with 0/);
  assertStringIncludes(screen, "a\\x1b[2Jb");
  assertStringIncludes(screen, "\\x1b]0;owned\\x07");
  const piped = await result(sshd, [command]);
  assertEquals(piped.stdout, "a\x1b[2Jb\tc\n");
});

peerTest(
  "ssh_exec.ts gives up on a command that prints nothing for too long",
  OPENSSH,
  async () => {
    await using sshd = await Sshd.start();
    await sshd.makeKnown();
    const options = ["--key", sshd.path("key"), "--idle-timeout", "1"];
    const idle = await result(sshd, ["echo one; sleep 100"], { options });
    assertEquals([idle.code, idle.stdout], [1, "one\n"]);
    assertMatch(idle.stderr, /it printed nothing for 1 s\nThe command may still run there\./);
    const busy = await result(sshd, ["for i in 1 2 3 4; do echo $i; sleep 0.4; done"], { options });
    assertEquals([busy.code, busy.stdout], [0, "1\n2\n3\n4\n"]);
  },
);

const SECRET = "correct horse";

/** Users and passwords of our own, seen by this one program: the machine's stay as they are. */
const OWN_USERS = `set -e
cp /etc/passwd "$1/passwd"; echo "lecture:x:12345:12345::/:/bin/sh" >> "$1/passwd"
cp /etc/shadow "$1/shadow"; echo "lecture:$(openssl passwd -6 "$2"):19000:0:99999:7:::" >> "$1/shadow"
mount --bind "$1/passwd" /etc/passwd; mount --bind "$1/shadow" /etc/shadow
shift 2; exec "$@"`;

async function mayMount(): Promise<boolean> {
  try {
    const command = new Deno.Command("unshare", { args: ["-m", "true"], stderr: "null" });
    return Deno.uid() === 0 && (await command.output()).success;
  } catch {
    return false;
  }
}

/** A test with an sshd where a user `lecture`, who is not root, may log in by password. */
async function passwordTest(
  name: string,
  body: (sshd: Sshd, login: Run) => Promise<void>,
): Promise<void> {
  const ignore = !await mayMount() && "this user may not mount";
  const programs = [...OPENSSH, "openssl", "tmux"];
  peerTest(name, programs, async () => {
    using folder = temporaryFolder();
    const own = ["unshare", "-m", "sh", "-c", OWN_USERS, "sh", folder.path, SECRET];
    await using sshd = await Sshd.start(["PasswordAuthentication yes"], own);
    await sshd.makeKnown();
    sshd.user = "lecture";
    const grants = ["--allow-env=SSH_PASSWORD"];
    await body(sshd, { options: [], grants, env: { SSH_PASSWORD: SECRET } });
  }, { ignore });
}

await passwordTest("ssh_exec.ts logs in to sshd by password", async (sshd, login) => {
  const { stdout, stderr } = await result(sshd, ["echo ok; id -u"], login);
  assertEquals(stdout, "ok\n12345\n", stderr);
  assert(!stderr.includes(SECRET));
  const wrong = { ...login, env: { SSH_PASSWORD: "wrong" } };
  assertMatch((await result(sshd, ["id"], wrong)).stderr, /it does not accept this password for /);
});

await passwordTest("ssh_exec.ts asks for the password on a terminal, unseen", async (sshd) => {
  await using terminal = await Terminal.open(quoted(sshd, ["echo ok"], { options: [] }), 150);
  await terminal.shows(/^Password of lecture@127\.0\.0\.1:\d+:/m);
  await terminal.type(SECRET + "\r");
  const screen = await terminal.shows(/ended with 0/);
  assertMatch(screen, /^ok$/m);
  assert(!screen.includes(SECRET), screen);
});

await passwordTest("ssh_exec.ts ends the remote command at Ctrl-C", async (sshd, login) => {
  const ended = (pid: string) => {
    try {
      Deno.statSync(`/proc/${pid}`);
      return false;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return true;
      throw error;
    }
  };
  // the shell around it gets the signal, too, and goes on
  const line = `trap : INT; SSH_PASSWORD='${SECRET}' ${
    quoted(sshd, ["echo pid $$; exec sleep 1000"], login)
  }`;
  await using terminal = await Terminal.open(line, 150);
  const [, pid] = /^pid (\d+)$/m.exec(await terminal.shows(/^pid \d+$/m))!;
  assert(!ended(pid!));
  await terminal.press("C-c");
  await terminal.shows(/ended there by SIGINT\n+ended with 130/);
  await until(() => "sleep still runs", () => ended(pid!));
});

for (const way of ["password", "keyboard-interactive"]) {
  peerTest(
    `ssh_exec.ts logs in to paramiko's server by ${way}`,
    ["python3", ...OPENSSH],
    async () => {
      using folder = temporaryFolder();
      const path = (name: string) => `${folder.path}/${name}`;
      await makeKey(path("host"), "ecdsa");
      const secret = "correct horse";
      await using server = await startPeer(
        python("paramiko_server.py", path("host"), way, secret),
        /^listening on \d+$/,
      );
      const [, port] = await server.stderr.line(/^listening on (\d+)$/);
      const start = [
        ...[Deno.execPath(), "run", "--no-prompt", "--ignore-env", "--allow-env=SSH_PASSWORD"],
        ...[
          `--allow-net=127.0.0.1:${port}`,
          `--allow-read=${path("")}`,
          `--allow-write=${path("")}`,
        ],
        ...[pathOf("remote/ssh_exec"), "--known-hosts", path("known"), "--accept-new"],
      ];
      const command = [...start, `student@127.0.0.1:${port}`, "greet"];
      await using good = new Process(command, { env: { SSH_PASSWORD: secret } });
      await good.send(encode("Ann"));
      await good.send();
      assertEquals(await good.end(), 5, good.stderr.text);
      assertEquals(good.stdout.text, "greet Ann\n");
      await using bad = new Process(command, { env: { SSH_PASSWORD: "wrong" } });
      assertEquals(await bad.end(), 1);
      assertMatch(bad.stderr.text, /it does not accept this password for student/);
    },
  );
}
