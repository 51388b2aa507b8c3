#!/usr/bin/env -S deno run --ignore-env --allow-env=SSH_PASSWORD --allow-net=127.0.0.1:2222 --allow-read=/tmp/ssh-exec --allow-write=/tmp/ssh-exec
/**
 * A command on another machine, by SSH
 *
 * Logs in, runs one command, and gives what it gives: stdout, stderr and the exit code, 128 and the number
 * when a signal ended it. Its stdin is that of this script, and Ctrl-C ends it there.
 *
 * First the server must prove who it is. Its key is looked up in ~/.ssh/known_hosts, the file of OpenSSH (or
 * the one that --known-hosts names, for which Deno then needs no HOME). A key that is not there is refused,
 * with its fingerprint; --accept-new accepts and adds it. A key that has changed is always refused. The
 * lecture's AutoAddPolicy accepts whatever comes, and the password goes to whoever answers.
 *
 * On a terminal control characters of the output are shown and not obeyed, all but line ends and tabs: what
 * the other machine prints could otherwise rewrite the screen. A file or a pipe (| cat) gets every byte.
 *
 * The lecture's homework, the names of all users of a machine, is one command of it:
 * --output users.txt student@127.0.0.1:2222 "cut -d: -f1 /etc/passwd"
 *
 * @lecture 000 Login to a remote machine and run a command · Collect the output · 001 SSH
 * @python  getpass.getpass → password, client.load_system_host_keys → readKnownHosts,
 *          client.connect → connectSsh, client.exec_command → connection.exec
 * @partner scripts/remote/ssh_server.ts
 * @run     SSH_PASSWORD=lecture deno run --ignore-env --allow-env=SSH_PASSWORD --allow-net=127.0.0.1:2222 --allow-read=/tmp/ssh-exec --allow-write=/tmp/ssh-exec scripts/remote/ssh_exec.ts --known-hosts /tmp/ssh-exec/known_hosts --accept-new student@127.0.0.1:2222 echo hello
 * @log     connecting to 127.0.0.1 port 2222
 * @log     [127.0.0.1]:2222 was not known: added its key ssh-ed25519 SHA256:*
 * @expect  hello
 * @argument TARGET               user@host or user@host:port; an IPv6 address in brackets
 * @argument COMMAND...           what a shell there is to run; -- before it when it has options of its own
 * @option  --key FILE            log in by this key; a passphrase comes from SSH_PASSPHRASE, or is asked for
 * @option  --agent               log in by the keys of the agent at SSH_AUTH_SOCK
 * @option  --known-hosts FILE    where the keys of known hosts are; ~/.ssh/known_hosts unless told
 * @option  --accept-new          accept the key of a host that is not known, and add it there
 * @option  --output FILE         put stdout into this file
 * @option  --connect-timeout SECONDS  how long each step to the login may take (default: 10)
 * @option  --idle-timeout SECONDS     how long the command may print nothing; 0 for ever (default: 0)
 * @see     https://www.rfc-editor.org/rfc/rfc4254#section-6
 * @see     https://man.openbsd.org/sshd#SSH_KNOWN_HOSTS_FILE_FORMAT
 * @module
 */

import { run } from "../../lib/cli.ts";
import { attempt } from "../../lib/errors.ts";
import { password } from "../../lib/secrets.ts";
import { connectSsh, type HostKeyPolicy, type Login } from "../../lib/ssh_client.ts";
import { exitCode } from "../../lib/ssh_exec.ts";
import { parseSshTarget } from "../../lib/ssh_target.ts";
import { safeForTerminal } from "../../lib/terminal_output.ts";

/** What the command line says. */
export interface Options {
  target: string;
  command: string[];
  key?: string;
  agent: boolean;
  knownHosts?: string;
  acceptNew: boolean;
  output?: string;
  connectTimeout: number;
  idleTimeout: number;
}

/** By key, by agent, or by password; the password is asked for when the server has proved who it is. */
async function loginOf({ key, agent, target }: Options): Promise<Login> {
  if (!agent && key === undefined) {
    return { password: () => password("SSH_PASSWORD", `Password of ${target}:`) };
  }
  const { agentSocket, readPrivateKey } = await import("../../lib/ssh_keys.ts");
  if (agent) return { agent: agentSocket() };
  const ask = () => password("SSH_PASSPHRASE", `Passphrase of ${key}:`);
  return { key: await readPrivateKey(key!, ask) };
}

/** Which keys of hosts are known, and what becomes of one that is not. */
async function policyOf({ knownHosts, acceptNew }: Options): Promise<HostKeyPolicy> {
  const { defaultKnownHosts, readKnownHosts } = await import("../../lib/known_hosts_file.ts");
  const path = knownHosts ?? defaultKnownHosts();
  const known = await readKnownHosts(path);
  for (const { line, reason } of known.damaged) {
    console.error(`line ${line} of ${path} is not used: ${reason}`);
  }
  return { known, path, acceptNew, report: console.error };
}

/** Ctrl-C here is Ctrl-C there: the command gets the signal. A second one ends this script. */
function passedOn(): AbortSignal {
  const stop = new AbortController();
  const names = Deno.build.os === "windows" ? ["INT"] as const : ["INT", "TERM"] as const;
  for (const name of names) {
    const onSignal = () => stop.signal.aborted ? Deno.exit(130) : stop.abort(name);
    Deno.addSignalListener(`SIG${name}`, onSignal);
  }
  return stop.signal;
}

/** Opens a file that is there; what is in it stays for now. One that is not there is made for a trial only. */
async function openThere(path: string): Promise<Deno.FsFile | undefined> {
  try {
    (await Deno.open(path, { write: true, createNew: true })).close();
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    return await Deno.open(path, { write: true });
  }
  await Deno.remove(path);
}

/** Runs the command; gives the exit code. */
async function execute(options: Options): Promise<number> {
  const target = parseSshTarget(options.target);
  const { output } = options;
  const given = output !== undefined;
  using there = given ? await attempt(`open ${output}`, openThere(output)) : undefined;

  console.error(`connecting to ${target.hostname} port ${target.port}`);
  await using connection = await connectSsh({
    ...target,
    // both are made ready while the server is
    login: () => loginOf(options),
    hostKey: () => policyOf(options),
    timeout: options.connectTimeout * 1_000,
    onBanner: console.error,
  });
  // only now: when the login fails, what an earlier run has written stays
  if ((await there?.stat())?.isFile) await there!.truncate();
  using made = given && !there
    ? await attempt(`open ${output}`, Deno.open(output, { write: true, create: true }))
    : undefined;
  const ended = await connection.exec(options.command.join(" "), {
    stdin: Deno.stdin,
    stdout: there ?? made ?? safeForTerminal(Deno.stdout),
    stderr: safeForTerminal(Deno.stderr),
    idle: options.idleTimeout * 1_000 || undefined,
    signal: passedOn(),
  });
  if (ended.left) {
    console.error(`it did not end at SIG${ended.signal}, and may still run there`);
    if (target.user === "root") console.error("(OpenSSH gives no signal to a command of root)");
  } else if (ended.signal) {
    // OpenSSH says SIG@openssh.com for those that the standard has no name for
    const named = /^[A-Z0-9]+$/.test(ended.signal);
    console.error(`ended there by ${named ? `SIG${ended.signal}` : "a signal without a name"}`);
  }
  return exitCode(ended);
}

export async function main(options: Options): Promise<void> {
  const code = await execute(options);
  // a read of stdin may still wait, for lines that nobody wants any more
  Deno.exit(code);
}

if (import.meta.main) await run(main);
