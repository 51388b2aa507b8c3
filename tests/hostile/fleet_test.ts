/**
 * fleet.ts with machines that hang, refuse, lie and never stop, and with inventories that are none: none holds
 * up the others.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { encode } from "../lib/helpers.ts";
import { behaviours, beSilent, misbehave } from "./peers.ts";
import { ENVIRONMENT, memory, type Script, startDeno } from "./script.ts";
import { hostKey, serveSsh } from "./ssh_servers.ts";
import { until, within } from "./waits.ts";

const KEY = hostKey();

interface Run {
  words?: string[];
  ports?: (number | string)[];
  known?: string;
  /** The checks, as JSON. */
  checks?: string;
}

/** The script with a folder for its known hosts. */
class Fleet implements AsyncDisposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "fleet-" });
  readonly script: Script;

  constructor(
    inventory: string | Uint8Array<ArrayBuffer>,
    { words, ports = [], known = "", checks }: Run = {},
  ) {
    const file = `${this.folder}/known_hosts`;
    if (known) Deno.writeTextFileSync(file, known);
    const list = `${this.folder}/checks.json`;
    if (checks) Deno.writeTextFileSync(list, checks);
    ENVIRONMENT.SSH_PASSWORD = "correct horse";
    const net = ports.map((port) => `127.0.0.1:${port}`);
    this.script = startDeno(
      [
        ...["--ignore-env", "--allow-env=SSH_PASSWORD", `--allow-read=${this.folder}`],
        ...[`--allow-write=${this.folder}`, ...net.length > 0 ? [`--allow-net=${net}`] : []],
      ],
      "scripts/remote/fleet.ts",
      {
        words: [
          "--known-hosts",
          file,
          ...checks ? ["--checks", list] : [],
          ...words ?? ["--accept-new", "all", "true"],
        ],
        stdin: typeof inventory === "string" ? encode(inventory) : inventory,
        smallHeap: true,
      },
    );
  }

  async end(): Promise<number> {
    const code = await within("the end of fleet", this.script.ended, 40_000);
    const said = this.script.stderr + this.script.stdout;
    assertEquals(/^ +at .*|^.*Uncaught.*|^.*TypeError.*/m.exec(said)?.[0], undefined);
    const controls = [...said].filter((sign) => /[\p{Cc}\p{Cf}]/u.test(sign) && sign !== "\n");
    assertEquals(controls, []);
    assert(!said.includes("correct horse"));
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.script[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}

const at = (name: string, port: number | string) =>
  `${name} host=127.0.0.1 port=${port} user=student\n`;

Deno.test("fleet.ts tells each kind of bad machine apart and serves the good one", async () => {
  const other = hostKey();
  await using good = await serveSsh(KEY);
  await using changed = await serveSsh(KEY);
  await using refusing = await serveSsh(KEY, { login: (login) => login.reject() });
  await using hanging = await serveSsh(KEY, { command() {} });
  await using leaving = await serveSsh(KEY, { command: (_, socket) => void socket.destroy() });
  await using lying = await serveSsh(KEY, {
    command(channel) {
      channel.write(encode("\x1b[2J\u202e evil\r\n\x9b31m\n"));
      channel.exit(0);
      channel.end();
    },
  });
  await using silent = misbehave(beSilent);
  await using talking = misbehave(behaviours["never stops sending"]!);
  const ports = [good, changed, refusing, hanging, leaving, lying].map(({ port }) => port);
  const inventory = [
    ...["good", "changed", "refusing", "hanging", "leaving", "lying"]
      .map((name, index) => at(name, ports[index]!)),
    ...[at("silent", silent.address), at("talking", talking.address), at("nobody", 1)],
  ].join("");
  await using fleet = new Fleet(inventory, {
    ports: [...ports, silent.address, talking.address, 1],
    known: `[127.0.0.1]:${changed.port} ${other.publicKey}\n`,
    words: ["--accept-new", "--timeout", "8", "all", "true"],
  });
  assertEquals(await fleet.end(), 1);
  silent.release();
  talking.release();
  const { stdout } = fleet.script;
  const rows: [string, RegExp][] = [
    ["good", /ok /],
    ["changed", /unreachable .* THE KEY OF \S+ HAS CHANGED/],
    ["refusing", /unreachable .* it (does not accept|lets nobody in)/],
    ["hanging", /failed .* it took longer than 8 s/],
    ["leaving", /failed .* (closed the connection|reset the connection)/],
    ["lying", /ok .* \\x1b\[2J/],
    ["silent", /unreachable .* it took longer than 8 s/],
    ["talking", /unreachable .* it does not speak SSH/],
    ["nobody", /unreachable .* connection refused/],
  ];
  for (const [name, says] of rows) {
    assertMatch(stdout, new RegExp(`^${name} +${says.source}`, "m"), stdout);
  }
  assertMatch(stdout, /^9 hosts: 2 ok, 2 failed, 5 unreachable$/m);
  assertEquals(changed.passwords, []);
});

Deno.test("fleet.ts keeps its memory when a machine never stops printing", async () => {
  await using server = await serveSsh(KEY, {
    command(channel) {
      const piece = new Uint8Array(256 * 1024).fill(0x78);
      let left = 400;
      const more = () => {
        while (left-- > 0) if (!channel.write(piece)) return channel.once("drain", more);
        channel.exit(0);
        channel.end();
      };
      more();
    },
  });
  await using fleet = new Fleet(at("loud", server.port), { ports: [server.port] });
  let most = 0;
  const watch = setInterval(() => {
    try {
      most = Math.max(most, memory(fleet.script.pid));
    } catch {
      // it has just ended
    }
  }, 20);
  try {
    assertEquals(await fleet.end(), 0);
  } finally {
    clearInterval(watch);
  }
  assertMatch(fleet.script.stdout, /… cut here: more than 1 MiB/);
  assert(most < 220 * 1024 ** 2, `${most} bytes`);
});

Deno.test("fleet.ts goes on at once when a list of ports is nothing but line ends, or has one endless line", async () => {
  const lines = "\n".repeat(400_000);
  const answers: Record<string, string> = {
    "cat /proc/net/tcp /proc/net/tcp6": `  sl  local_address\n${lines}`,
    "netstat -an": `tcp${" 0".repeat(10)}${lines}tcp${".1".repeat(250_000)}`,
  };
  const serve = (given: string[]) =>
    serveSsh(KEY, {
      command(channel, _socket, command) {
        if (given.includes(command!)) channel.write(answers[command!]!);
        channel.exit(0);
        channel.end();
      },
    });
  await using table = await serve(Object.keys(answers));
  await using netstat = await serve(["netstat -an"]);
  const ports = [table.port, netstat.port];
  await using fleet = new Fleet(at("table", table.port) + at("netstat", netstat.port), {
    ports,
    checks: '[{ "port": 22 }]',
    words: ["--accept-new", "all"],
  });
  // when this took longer than it may, nobody could stop it
  assertEquals(await fleet.end(), 1);
  const { stdout } = fleet.script;
  assertEquals(stdout.match(/port 22 open: nothing listens$/gm)?.length, 2, stdout);
});

Deno.test("fleet.ts works on at most so many hosts at once", async () => {
  let [now, most] = [0, 0];
  await using server = await serveSsh(KEY, {
    command(channel) {
      most = Math.max(most, ++now);
      setTimeout(() => {
        now--;
        channel.exit(0);
        channel.end();
      }, 20);
    },
  });
  const inventory = Array.from({ length: 30 }, (_, index) => at(`h${index}`, server.port)).join("");
  await using fleet = new Fleet(inventory, {
    ports: [server.port],
    words: ["--accept-new", "--at-once", "3", "all", "true"],
  });
  assertEquals(await fleet.end(), 0);
  assertMatch(fleet.script.stdout, /^30 hosts: 30 ok$/m);
  assert(most > 1 && most <= 3, `${most} at once`);
  // one key, thirty times shown, is added once
  const known = await Deno.readTextFile(`${fleet.folder}/known_hosts`);
  assertEquals(known.split("\n").length, 2);
});

Deno.test("fleet.ts ends what runs at Ctrl-C and tells what was done", async () => {
  const signals: string[] = [];
  await using server = await serveSsh(KEY, {
    command(channel, _socket, command) {
      if (command !== "echo last") return;
      channel.exit(0);
      channel.end();
    },
    signal: (name) => signals.push(name),
  });
  await using fleet = new Fleet(at("first", server.port) + at("second", server.port), {
    ports: [server.port],
    words: ["--accept-new", "--at-once", "1", "all", "sleep"],
  });
  await until(() => "nobody logs in", () => server.passwords.length === 1, 30_000);
  await until(() => fleet.script.stderr, () => fleet.script.stderr.includes("was not known"));
  assertEquals(await fleet.script.stop("SIGINT"), 130);
  assertMatch(fleet.script.stdout, /^first +(failed|unreachable) .* interrupted$/m);
  assertMatch(fleet.script.stdout, /^second +unreachable .* interrupted$/m);
});

const WRONG: [string | Uint8Array<ArrayBuffer>, string[], RegExp][] = [
  ["", ["all", "true"], /there is no host in the inventory/],
  ["[web\nx y z\n", ["all", "true"], /line 1 of the inventory: a host cannot be called "\[web"/],
  [crypto.getRandomValues(new Uint8Array(10_000)), ["all", "true"], /it is not text in UTF-8/],
  [new Uint8Array(5 * 1024 * 1024).fill(0x61), ["all", "true"], /it has more than 4194304 bytes/],
  ["a\x1b[2Jb\n", ["all", "true"], /a host cannot be called "a\\x1b\[2Jb"/],
  ["a host=127.0.0.1 port=1\n", ["web", "true"], /no group and no host is called "web"/],
  ["a\n", ["all"], /give a command to run, or --checks FILE/],
  ["a\n", ["--at-once", "0", "all", "true"], /--at-once must be 1 or more/],
  ["a\n", ["--checks", "/nowhere.json", "all"], /Deno was not given --allow-read=/],
  ["a host=127.0.0.1\n", ["all", "true"], /Deno was not given --allow-net=127\.0\.0\.1:22\b/],
];

Deno.test("fleet.ts refuses in a sentence what it cannot use", async () => {
  for (const [inventory, words, says] of WRONG) {
    await using fleet = new Fleet(inventory, { words });
    const code = await fleet.end();
    assert(code === 1 || code === 2, `${code}`);
    assertMatch(fleet.script.stderr, says);
    assertEquals(fleet.script.stdout, "");
  }
});

Deno.test("fleet.ts refuses a check that is for no group and no host", async () => {
  await using fleet = new Fleet("[web]\na host=127.0.0.1 port=1\n", {
    words: ["all"],
    checks: '[{ "on": "webb", "file": "/etc/hosts" }]',
  });
  assertEquals(await fleet.end(), 2);
  assertMatch(fleet.script.stderr, /no group and no host is called "webb", only web, a/);
  assertEquals(fleet.script.stdout, "");
});
