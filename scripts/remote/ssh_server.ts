#!/usr/bin/env -S deno run --ignore-env --allow-env=SSH_PASSWORD --allow-net=127.0.0.1:2222 --allow-read=/tmp/lecture-ssh --allow-write=/tmp/lecture-ssh --allow-run=cat,cut,echo,false,id,ls,sleep,stat,true,uname
/**
 * SSH server
 *
 * What answers when ssh connects: it shows its host key, asks who comes, and runs commands for those it lets
 * in. The user is `student`, with the password from SSH_PASSWORD or a prompt, or with a key whose public part
 * is a line of the authorized keys.
 *
 * There is no shell behind it: a command line is cut into words, and the first one must be among --programs
 * and Deno's --allow-run. So pipes, variables and patterns do not work, and nobody can smuggle in a second
 * command; but `cat` still reads whatever the one who started this may read. Terminals, forwarding and file
 * transfer are refused.
 *
 * @lecture 000 SSH (Secure Socket Shell) · 001 SSH
 * @python  paramiko.Transport.start_server → ssh2.Server
 * @run     SSH_PASSWORD=lecture deno run --ignore-env --allow-env=SSH_PASSWORD --allow-net=127.0.0.1:2222 \
 *          --allow-read=/tmp/lecture-ssh --allow-write=/tmp/lecture-ssh \
 *          --allow-run=cat,cut,echo,false,id,ls,sleep,stat,true,uname scripts/remote/ssh_server.ts
 * @expect  host key SHA256:*, in /tmp/lecture-ssh/host_key.pub
 * @expect  listening on 127.0.0.1:2222
 * @log     127.0.0.1:*: student logged in by password
 * @log     127.0.0.1:*: exit code 0, * s
 * @option  --host HOST             the address to listen on (default: 127.0.0.1)
 * @option  --port PORT             the port to listen on, 0 for a free one (default: 2222)
 * @option  --user NAME             who may log in (default: student)
 * @option  --host-key FILE         made when it is not there (default: /tmp/lecture-ssh/host_key)
 * @option  --authorized-keys FILE  public keys, one a line (default: /tmp/lecture-ssh/authorized_keys)
 * @option  --programs LIST         what may be run (default: cat,cut,echo,false,id,ls,sleep,stat,true,uname)
 * @option  --login-timeout SECONDS how long a client may take to log in (default: 60)
 * @see     https://github.com/mscdex/ssh2
 * @see     https://www.rfc-editor.org/rfc/rfc4254#section-6
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { visible } from "../../lib/display.ts";
import { explain } from "../../lib/errors.ts";
import { pause } from "../../lib/pause.ts";
import { passwordToGive } from "../../lib/secrets.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import type { Accept, Session } from "../../lib/ssh2_server.ts";
import type { Ending, SessionChannel } from "../../lib/ssh_channel.ts";
import { readAuthorizedKeys } from "../../lib/ssh_authorized_keys.ts";
import { CommandError, splitCommand } from "../../lib/ssh_commands.ts";
import { openSshDoor, type Visitor } from "../../lib/ssh_door.ts";
import { keepHostKey } from "../../lib/ssh_host_key.ts";
import { Attempts, judge, passwordOf, type Rules } from "../../lib/ssh_login.ts";
import { type ProgramOptions, type Running, runProgram } from "../../lib/ssh_program.ts";
import { runShell } from "../../lib/ssh_shell.ts";

/** What the command line says. */
export interface Options {
  host: string;
  port: number;
  user: string;
  hostKey: string;
  authorizedKeys: string;
  programs: string;
  loginTimeout: number;
}

const WAYS = ["publickey", "password"];

/** Asks a client who it is, until it has proved it or has tried too often. */
function askIn(visitor: Visitor, rules: Rules, tell: (text: string) => void): void {
  const attempts = new Attempts();
  visitor.onLogin(async (login) => {
    const name = visible(login.username.slice(0, 100));
    const { good, how } = await judge(login, rules).catch((error) => {
      tell(explain(error).reason);
      return { good: false, how: login.method };
    });
    if (visitor.gone.aborted) return;
    if (good) {
      const proved = login.method === "password" || login.signature !== undefined;
      if (proved) tell(`${name} logged in by ${how}`);
      return login.accept();
    }
    // by "none" a client asks which ways there are
    if (login.method !== "none") tell(`${name} refused, ${visible(how)}`);
    const mayTryAgain = attempts.failed(login.method);
    // who guesses has to wait for each answer
    if (login.method === "password") await pause(1_000);
    if (visitor.gone.aborted) return;
    if (mayTryAgain) login.reject(WAYS);
    else visitor.dismiss("too many logins failed");
  });
}

/** What a session may run. */
interface House extends ProgramOptions {
  programs: readonly string[];
  tell(text: string): void;
}

/** Runs one command line without a shell; tells the client why when it cannot. */
async function execute(line: string, channel: SessionChannel, house: House): Promise<Ending> {
  const { programs, tell } = house;
  const began = performance.now();
  const refuse = async (code: number, reason: string) => {
    await channel.write("stderr", new TextEncoder().encode(`ssh_server: ${visible(reason)}\n`));
    return { code };
  };
  const start = async () => {
    const words = splitCommand(line);
    const name = words[0]!;
    if (!programs.includes(name)) {
      tell(`to allow ${visible(name)}, start this with it in --programs and --allow-run`);
      return refuse(126, `${name} is not allowed here, only ${programs.join(", ")}`);
    }
    const ending = await runProgram(words, channel, house);
    if (ending.fault === undefined) return ending;
    tell(explain(ending.fault).reason);
    return refuse(126, `${name} cannot be run here`);
  };
  const ending = await start().catch((error) => {
    if (error instanceof CommandError) return refuse(2, error.message);
    throw error;
  });
  const how = "code" in ending ? `exit code ${ending.code}` : `signal ${ending.signal}`;
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  tell(`${visible(line.slice(0, 500))}: ${how}, ${seconds} s`);
  return ending;
}

/** Serves one session: a command, or a shell that takes commands from its input. */
function host(session: Session, visitor: Visitor, house: Omit<House, "input">): void {
  const serve = async (work: (channel: SessionChannel) => Promise<Ending>, accept: Accept) => {
    const channel = visitor.open(session, accept);
    if (!channel) return;
    try {
      await channel.finish(await work(channel));
    } catch (error) {
      house.tell(explain(error).reason);
      await channel.finish({ code: 255 }).catch(() => {});
    }
  };
  let running: Running | undefined;
  const its = { ...house, onStart: (program: Running) => void (running = program) };
  session.on("exec", (accept, _, { command }) => {
    serve((channel) => execute(command, channel, { ...its, input: true }), accept);
  });
  session.on("shell", (accept) => {
    house.tell("shell");
    // its input is what the shell reads: the programs have none
    const runLine = (channel: SessionChannel) => (line: string) =>
      execute(line, channel, { ...its, input: false });
    serve((channel) => runShell(channel, runLine(channel)), accept);
  });
  session.on("signal", (_accept, _reject, { name }) => {
    house.tell(`signal ${visible(name)}`);
    running?.signal(name);
  });
  // a terminal, variables and subsystems such as sftp are refused by ssh2, since nobody listens for them
}

/** Tells at once which keys let nobody in: who comes with one only hears that it is refused. */
async function lookAtKeys(file: string): Promise<void> {
  const { leftOut } = await readAuthorizedKeys(file);
  if (leftOut.length === 0) return;
  const numbers = leftOut.slice(0, 20).join(", ") + (leftOut.length > 20 ? " …" : "");
  console.error(
    `not used in ${file}: line ${numbers} (options before a key, or no key of a kind taken here)`,
  );
}

export async function main(options: Options): Promise<void> {
  const { host: hostname, port, user, authorizedKeys, loginTimeout } = options;
  const programs = options.programs.split(",");
  for (const command of programs) {
    const { state } = await Deno.permissions.query({ name: "run", command });
    if (state !== "granted") {
      throw new Deno.errors.NotCapable(`Requires run access to "${command}"`);
    }
  }
  const secret = await passwordToGive("SSH_PASSWORD", user);
  const rules = { user, fits: passwordOf(user, secret), authorizedKeys };
  // a file that cannot be used is told at each login, and passwords do without it
  await lookAtKeys(authorizedKeys).catch((error) => console.error(explain(error).reason));
  const { privateKey, fingerprint } = await keepHostKey(options.hostKey);
  const server = await openSshDoor({
    hostname,
    port,
    hostKey: privateKey,
    loginTimeout: loginTimeout * 1_000,
    maxConnections: 1_000,
    maxSessions: 10,
    onFault: (remote, reason) => console.error(`${remote}: ${visible(reason)}`),
  }, (visitor) => {
    const tell = (text: string) => console.error(`${visitor.remote}: ${text}`);
    askIn(visitor, rules, tell);
    visitor.onSession((session) => host(session, visitor, { user, programs, tell }));
  });
  using _stopping = onInterrupt(() => server.shutdown());
  console.log(`host key ${fingerprint}, in ${options.hostKey}.pub`);
  console.log(`listening on ${formatEndpoint(server.addr)}`);
  await server.finished;
}

if (import.meta.main) await run(main);
