#!/usr/bin/env -S deno run --ignore-env --allow-env=SSH_PASSWORD --allow-net=127.0.0.1:2222 --allow-read=/tmp/fleet --allow-write=/tmp/fleet
/**
 * Many machines at once
 *
 * What Ansible and Testinfra do at their core: an inventory tells which machines there are, and a command is
 * run, or checks are made, on all of them, some at the same time. A machine that cannot be reached is told from
 * one where something is not as it should be; either makes the exit code 1, and holds up no other.
 *
 * The inventory is a file as Ansible's: groups in brackets, a host a line, variables as name=value. `host`,
 * `port` and `user` tell where a machine is; `connection=winrm` that it is one with Windows. `{{ name }}` in a
 * command or a check is that variable of the host, and stays one word whatever is in it.
 *
 * Checks are a JSON list: { "file": "/etc/hosts", "mode": "644", "contains": "localhost" },
 * { "port": 22 }, { "process": "sshd" }, { "command": "uname", "exit": 0, "prints": "Linux" };
 * "on": "GROUP" makes one for some hosts only.
 *
 * @lecture 001 Some tools which use pywinrm and paramiko: Testinfra, Ansible
 * @python  concurrent.futures.ThreadPoolExecutor → onAll, paramiko.SSHClient → reach, winrm.Session → reach
 * @partner scripts/remote/ssh_server.ts
 * @partner scripts/remote/winrm_server.ts
 * @run     SSH_PASSWORD=lecture deno run --ignore-env --allow-env=SSH_PASSWORD --allow-net=127.0.0.1:2222 \
 *          --allow-read=/tmp/fleet --allow-write=/tmp/fleet scripts/remote/fleet.ts \
 *          --known-hosts /tmp/fleet/known_hosts --accept-new all "echo {{ name }} says {{ motto }}"
 * @stdin   [lab]
 * @stdin   first  host=127.0.0.1 port=2222
 * @stdin   second host=127.0.0.1 port=2222 motto="work; rest"
 * @stdin   [all:vars]
 * @stdin   user=student
 * @stdin   motto=hello
 * @expect  first   ok *first says hello
 * @expect  second  ok *second says work; rest
 * @expect  2 hosts: 2 ok
 * @run     SSH_PASSWORD=lecture WINRM_PASSWORD=example deno run --ignore-env \
 *          --allow-env=SSH_PASSWORD,WINRM_PASSWORD --allow-net=127.0.0.1:2222,127.0.0.1:5986 \
 *          --allow-read=/tmp/fleet,/tmp/winrm_ca.pem,scripts/remote/fleet/checks.json --allow-write=/tmp/fleet \
 *          scripts/remote/fleet.ts --known-hosts /tmp/fleet/known_hosts --accept-new --ca /tmp/winrm_ca.pem \
 *          --checks scripts/remote/fleet/checks.json all
 * @stdin   unix    host=127.0.0.1 port=2222 user=student
 * @stdin   windows host=127.0.0.1 port=5986 user=student connection=winrm
 * @expect  unix     ok *6 of 6 checks hold
 * @expect  windows  ok *1 of 1 checks hold
 * @expect  2 hosts: 2 ok
 * @argument GROUP                   a group or a host of the inventory, or all
 * @argument [COMMAND...]            what to run on each
 * @option  --inventory FILE         which machines there are; - for standard input (default: -)
 * @option  --checks FILE            what must hold on each
 * @option  --at-once COUNT          how many hosts at the same time (default: 10)
 * @option  --timeout SECONDS        how long one host may take (default: 30)
 * @option  --key FILE               log in by this key; a passphrase comes from SSH_PASSPHRASE, or is asked for
 * @option  --agent                  log in by the keys of the agent at SSH_AUTH_SOCK
 * @option  --known-hosts FILE       where the keys of known hosts are; ~/.ssh/known_hosts unless told
 * @option  --accept-new             accept the keys of hosts that are not known, and add them there
 * @option  --ca FILE                trust the certificates in this file for WinRM, too
 * @option  --json                   all results as JSON
 * @see     https://docs.ansible.com/ansible/latest/inventory_guide/intro_inventory.html
 * @see     https://testinfra.readthedocs.io/en/latest/modules.html
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { explain } from "../../lib/errors.ts";
import { accessFor } from "../../lib/fleet_access.ts";
import { type Check, parseChecks } from "../../lib/fleet_checks.ts";
import { probe } from "../../lib/fleet_probe.ts";
import { type Access, deadlineSignal, reach, type Remote } from "../../lib/fleet_remote.ts";
import { type Result, rowsOf, summaryOf } from "../../lib/fleet_table.ts";
import { readSmallText } from "../../lib/fleet_text.ts";
import { parseInventory } from "../../lib/inventory.ts";
import { type Host, selectHosts } from "../../lib/inventory_host.ts";
import { fillIn, posixWord, windowsWord } from "../../lib/inventory_words.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { UsageError } from "../../lib/usage.ts";

/** What the command line says. */
export interface Options {
  group: string;
  command: string[];
  inventory: string;
  checks?: string;
  atOnce: number;
  timeout: number;
  key?: string;
  agent: boolean;
  knownHosts?: string;
  acceptNew: boolean;
  ca?: string;
  json: boolean;
}

type Found = Pick<Result, "state" | "reason" | "output" | "checks">;

/** What is done on a machine that is reached. */
type Work = (remote: Remote, host: Host, signal: AbortSignal) => Promise<Found>;

/** Runs a command: exit code 0 is success, as in a shell. */
function commandWork(command: string): Work {
  return async (remote, { variables }, signal) => {
    const quote = remote.system === "windows" ? windowsWord : posixWord;
    const output = await remote.run(fillIn(command, variables, quote), signal);
    return { state: output.code === 0 ? "ok" : "failed", output };
  };
}

/** Makes the checks that are for this host. */
function checksWork(checks: Check[]): Work {
  return async (remote, { name, groups, variables }, signal) => {
    const meant = [undefined, "all", name, ...groups];
    const findings = [];
    for (const check of checks.filter(({ on }) => meant.includes(on))) {
      findings.push(await probe(remote, check, variables, signal));
    }
    const state = findings.every(({ holds }) => holds) ? "ok" : "failed";
    return { state, checks: findings };
  };
}

/** Visits one host, within its time; whatever goes wrong becomes a part of the result. */
async function visit(
  host: Host,
  work: Work,
  access: Access,
  { timeout, whole }: { timeout: number; whole: AbortSignal },
): Promise<Result> {
  const { name, groups, connection, hostname, port, user } = host;
  const target = `${user ?? ""}@${formatEndpoint({ hostname, port })}`;
  const began = performance.now();
  const late = new Error(`it took longer than ${timeout} s`);
  using limit = deadlineSignal(timeout * 1_000, late, whole);
  let found: Found = { state: "unreachable" };
  try {
    limit.signal.throwIfAborted();
    await using remote = await reach(host, access, limit.signal);
    found = { state: "failed" };
    found = await work(remote, host, limit.signal);
  } catch (error) {
    const cause = limit.signal.aborted ? limit.signal.reason : error;
    const { reason, next } = explain(cause);
    found = { ...found, reason: next ? `${reason}\n${next}` : reason };
  }
  const seconds = Math.round(performance.now() - began) / 1_000;
  return { host: name, target, connection, groups, seconds, ...found };
}

/** Starts `atOnce` workers; each takes the next host when it is done with one. Gives the results in order. */
async function* onAll(
  hosts: Host[],
  atOnce: number,
  work: (host: Host) => Promise<Result>,
): AsyncGenerator<Result> {
  const results = hosts.map(() => Promise.withResolvers<Result>());
  let next = 0;
  const worker = async () => {
    while (next < hosts.length) {
      const mine = next++;
      results[mine]!.resolve(await work(hosts[mine]!));
    }
  };
  for (let started = 0; started < Math.min(atOnce, hosts.length); started++) worker();
  for (const { promise } of results) yield await promise;
}

export async function main(options: Options): Promise<void> {
  const { group, command, checks, atOnce, timeout, json } = options;
  if (atOnce < 1) throw new UsageError("--at-once must be 1 or more");
  if ((command.length > 0) === (checks !== undefined)) {
    throw new UsageError("give a command to run, or --checks FILE: one of them");
  }
  const list = checks === undefined ? [] : parseChecks(await readSmallText(checks, "checks"));
  const inventory = parseInventory(await readSmallText(options.inventory, "inventory"));
  const hosts = selectHosts(inventory, group);
  // a name that is misspelt would make a check that always holds
  for (const { on = "all" } of list) selectHosts(inventory, on);
  const work = checks === undefined ? commandWork(command.join(" ")) : checksWork(list);
  const access = await accessFor(hosts, options);

  const stop = new AbortController();
  const interrupted = () => stop.abort(new Error("interrupted"));
  using _stopping = onInterrupt(interrupted, { grace: 10_000, code: 130 });
  const width = Math.max(...hosts.map(({ name }) => name.length));
  const results: Result[] = [];
  const visits = onAll(
    hosts,
    atOnce,
    (host) => visit(host, work, access, { timeout, whole: stop.signal }),
  );
  for await (const result of visits) {
    results.push(result);
    if (!json) rowsOf(result, width).forEach((row) => console.log(row));
  }
  console.log(json ? JSON.stringify(results, null, 2) : summaryOf(results));
  const allOk = results.every(({ state }) => state === "ok");
  Deno.exit(stop.signal.aborted ? 130 : allOk ? 0 : 1);
}

if (import.meta.main) await run(main);
