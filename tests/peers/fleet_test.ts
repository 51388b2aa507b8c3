/**
 * fleet.ts with several of OpenSSH's sshd, and with a WinRM server beside them.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { encode } from "../lib/helpers.ts";
import { freePort, peerTest } from "./peers.ts";
import { Process } from "./process.ts";
import { pathOf } from "./scripts.ts";
import { OPENSSH, Sshd } from "./sshd.ts";

/** Some sshd, with a key that all of them take, and their host keys in one file. */
async function startSome(count: number) {
  const stack = new AsyncDisposableStack();
  const all = await Promise.all(Array.from({ length: count }, () => Sshd.start()));
  for (const sshd of all) stack.use(sshd);
  const [first, ...others] = all as [Sshd, ...Sshd[]];
  const open = await Deno.readTextFile(first.path("key.pub"));
  for (const sshd of others) await Deno.writeTextFile(sshd.path("authorized"), open);
  for (const sshd of all) {
    const line = `${sshd.name} ${await Deno.readTextFile(sshd.path("host.pub"))}`;
    await Deno.writeTextFile(first.path("known"), line, { append: true });
  }
  return { all, first, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

type Some = Awaited<ReturnType<typeof startSome>>;

const hostLine = (name: string, { port, user }: Sshd, more = "") =>
  `${name} host=127.0.0.1 port=${port} user=${user} ${more}\n`;

interface Options {
  words: string[];
  ports?: number[];
  grants?: string[];
  env?: Record<string, string>;
  checks?: unknown[];
}

async function fleet(
  { all, first }: Some,
  inventory: string,
  { words, ports = [], grants = [], env, checks }: Options,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const folder = first.path("");
  const net = [...all.map(({ port }) => port), ...ports].map((port) => `127.0.0.1:${port}`);
  const options = ["--known-hosts", first.path("known"), "--key", first.path("key")];
  if (checks) {
    await Deno.writeTextFile(first.path("checks.json"), JSON.stringify(checks));
    options.push("--checks", first.path("checks.json"));
  }
  await using process = new Process([
    ...[Deno.execPath(), "run", "--no-prompt", "--ignore-env", `--allow-net=${net}`],
    ...[`--allow-read=${folder}`, `--allow-write=${folder}`, ...grants],
    ...[pathOf("remote/fleet"), ...options, ...words],
  ], { env });
  await process.send(encode(inventory));
  await process.send();
  const code = await process.end();
  return { code, stdout: process.stdout.text, stderr: process.stderr.text };
}

peerTest(
  "fleet.ts runs a command on several sshd and tells who failed and who is not there",
  OPENSSH,
  async () => {
    await using some = await startSome(3);
    const [a, b, c] = some.all as [Sshd, Sshd, Sshd];
    const nobody = freePort();
    const inventory = `[web]\n${hostLine("a", a, "say='one; id'")}${hostLine("b", b, "say=two")}` +
      `[db]\n${hostLine("c", c, "say=$(id)")}gone host=127.0.0.1 port=${nobody} user=me say=x\n`;
    const command = "echo {{ say }} {{ name }}; test {{ name }} != b";
    const run = { words: ["all", command], ports: [nobody] };
    const { code, stdout, stderr } = await fleet(some, inventory, run);
    assertEquals(code, 1, stderr);
    assertMatch(stdout, /^a +ok +\d+\.\d s {2}one; id a$/m);
    assertMatch(stdout, /^b +failed +\d+\.\d s {2}exit code 1\n +two b$/m);
    assertMatch(stdout, /^c +ok +\d+\.\d s {2}\$\(id\) c$/m);
    assertMatch(stdout, /^gone +unreachable .* connection refused/m);
    assertMatch(stdout, /^4 hosts: 2 ok, 1 failed, 1 unreachable$/m);
    const web = await fleet(some, inventory, { words: ["a", "true"] });
    assertEquals([web.code, web.stdout.match(/^1 host: 1 ok$/m)?.length], [0, 1]);
  },
);

peerTest("fleet.ts makes checks on several sshd and reports them as JSON", OPENSSH, async () => {
  await using some = await startSome(2);
  const [a, b] = some.all as [Sshd, Sshd];
  const file = some.first.path("it's a file");
  await Deno.writeTextFile(file, "hello\n", { mode: 0o600 });
  const inventory = `[web]\n${hostLine("a", a)}[db]\n${hostLine("b", b)}`;
  const checks = [
    { file, mode: "600", contains: "hell" },
    { file, content: "hello\n" },
    { on: "db", file, mode: "644" },
    { file: `${file}.no`, exists: false },
    { port: "{{ port }}" },
    { on: "web", port: freePort() },
    { process: "sshd" },
    { process: "no-such-program", running: false },
    { command: "echo out; echo err >&2; exit 3", exit: 3, prints: "out" },
  ];
  const { code, stdout, stderr } = await fleet(some, inventory, {
    words: ["--json", "all"],
    checks,
  });
  assertEquals(code, 1, stderr);
  const results = JSON.parse(stdout) as {
    host: string;
    state: string;
    groups: string[];
    checks: { check: string; holds: boolean; found: string }[];
  }[];
  assertEquals(results.map(({ host, state, groups }) => [host, state, groups]), [
    ["a", "failed", ["web"]],
    ["b", "failed", ["db"]],
  ]);
  const broken = results.map(({ checks }) => checks.filter(({ holds }) => !holds));
  assertEquals(broken.map((list) => list.map(({ found }) => found)), [
    ["nothing listens"],
    ["mode 0600"],
  ]);
  assertEquals(results.map(({ checks }) => checks.length), [8, 8]);
});

peerTest(
  "fleet.ts visits at most so many hosts at once, and gives up on one that is late",
  OPENSSH,
  async () => {
    await using some = await startSome(1);
    const names = Array.from({ length: 6 }, (_, number) => `h${number}`);
    const inventory = names.map((name) => hostLine(name, some.first)).join("");
    const folder = some.first.path("busy");
    await Deno.mkdir(folder);
    // each looks how many others are there
    const command = `mkdir ${folder}/$$; sleep 0.3; ls ${folder} | wc -l; rmdir ${folder}/$$`;
    const two = await fleet(some, inventory, {
      words: ["--at-once", "2", "--json", "all", command],
    });
    assertEquals(two.code, 0, two.stderr);
    const counts = (JSON.parse(two.stdout) as { output: { stdout: string } }[])
      .map(({ output }) => Number(output.stdout));
    assertEquals(counts.length, 6);
    assert(Math.max(...counts) <= 2, `${counts}`);

    const late = "if [ {{ name }} = h0 ]; then exec sleep 100; fi; echo fine";
    const limited = await fleet(some, inventory, { words: ["--timeout", "5", "all", late] });
    assertEquals(limited.code, 1);
    assertMatch(limited.stdout, /^h0 +failed .* it took longer than 5 s$/m);
    assertMatch(limited.stdout, /^6 hosts: 5 ok, 1 failed$/m);
  },
);

peerTest("fleet.ts reaches hosts by SSH and by WinRM in one run", OPENSSH, async () => {
  await using some = await startSome(1);
  const ca = some.first.path("ca.pem");
  await using windows = new Process([
    ...[Deno.execPath(), "run", "--no-prompt", "--allow-env=WINRM_PASSWORD"],
    ...["--allow-net=127.0.0.1:0", "--allow-run=echo", `--allow-write=${ca}`],
    ...[pathOf("remote/winrm_server"), "--port", "0", "--programs", "echo", "--ca", ca],
  ], { env: { WINRM_PASSWORD: "sesame" } });
  const [, port] = await windows.stdout.line(/^listening on 127\.0\.0\.1:(\d+)$/);
  const inventory = hostLine("unix", some.first) +
    `windows host=127.0.0.1 port=${port} user=student connection=winrm\n`;
  const common = { ports: [Number(port)], grants: ["--allow-env=WINRM_PASSWORD"] };
  const words = ["--ca", ca, "all", "echo {{ name }}"];
  const good = await fleet(some, inventory, {
    words,
    ...common,
    env: { WINRM_PASSWORD: "sesame" },
  });
  assertEquals(good.code, 0, good.stdout + good.stderr);
  assertMatch(good.stdout, /^unix +ok .* unix$/m);
  assertMatch(good.stdout, /^windows +ok .* windows$/m);
  const bad = await fleet(some, inventory, { words, ...common, env: { WINRM_PASSWORD: "wrong" } });
  assertEquals(bad.code, 1);
  assertMatch(bad.stdout, /^windows +unreachable /m);
  assertMatch(bad.stdout, /^2 hosts: 1 ok, 1 unreachable$/m);
});
