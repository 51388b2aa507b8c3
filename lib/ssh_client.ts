/**
 * An SSH connection: made, the server's key checked, logged in; then commands run on it.
 *
 * @module
 */

import { formatEndpoint } from "./address.ts";
import { after, within } from "./deadline.ts";
import { visible } from "./display.ts";
import { ActionError } from "./errors.ts";
import type { HostKeyPolicy } from "./host_key.ts";
import { requireNet } from "./require_net.ts";
import { algorithms } from "./ssh_algorithms.ts";
import { authenticator, type Login, requireAgent } from "./ssh_authentication.ts";
import { closedDuring, shownBanner, SilenceError, type Stage, whySshFailed } from "./ssh_errors.ts";
import { type Ended, type ExecOptions, runCommand } from "./ssh_exec.ts";
import type { SshTarget } from "./ssh_target.ts";
import { connect } from "./tcp.ts";

export type { Ended, ExecOptions, HostKeyPolicy, Login };

/** Where to, who, and on what conditions. */
export interface SshOptions extends SshTarget {
  /** Both, or what gives them: that is called when the server is reached, and gets ready to greet. */
  login: Login | (() => Promise<Login>);
  hostKey: HostKeyPolicy | (() => Promise<HostKeyPolicy>);
  /** How long each part may take until a command can be run, in milliseconds; 10,000 unless told. */
  timeout?: number;
  /** How often the server is asked whether it is still there, in milliseconds; three times; 15,000 unless told. */
  keepalive?: number;
  /** Gives up, until a command can be run; its reason tells why. */
  signal?: AbortSignal;
  /** Told what the server has to say before the login, its control characters made visible. */
  onBanner?: (text: string) => void;
}

/** A connection that is logged in. */
export interface SshConnection extends AsyncDisposable {
  /**
   * Runs a command; several may run at once.
   *
   * @throws {ActionError} when the server does not start it, falls silent, or goes before it has ended
   */
  exec(command: string, options?: ExecOptions): Promise<Ended>;
}

/** Gets all ready that takes as long as a server to greet: the library is large. */
async function prepare({ login, hostKey }: SshOptions) {
  const { Client } = await import("./ssh2.ts");
  const { SshSocket } = await import("./ssh_socket.ts");
  const { checkHostKey, refused } = await import("./host_key.ts");
  const { hostName } = await import("./known_hosts.ts");
  const itsLogin = typeof login === "function" ? await login() : login;
  if ("agent" in itsLogin) await requireAgent(itsLogin.agent);
  return {
    ...{ Client, SshSocket, checkHostKey, refused, hostName },
    login: itsLogin,
    hostKey: typeof hostKey === "function" ? await hostKey() : hostKey,
  };
}

/**
 * Connects and logs in.
 *
 * @throws {HostKeyError} when the server's key is not to be trusted
 * @throws {ActionError} with the reason: refused, no answer, not an SSH server, not let in
 *
 * @example
 * ```ts ignore
 * const known = await readKnownHosts(path);
 * await using connection = await connectSsh({
 *   ...parseSshTarget("student@127.0.0.1:2222"),
 *   login: { password: () => password("SSH_PASSWORD", "Password:") },
 *   hostKey: { known, path },
 * });
 * const { code } = await connection.exec("ls -1", { stdout: Deno.stdout });
 * ```
 */
export async function connectSsh(options: SshOptions): Promise<SshConnection> {
  const { user, hostname, port, timeout = 10_000, keepalive = 15_000, signal } = options;
  const action = `connect to ${user}@${formatEndpoint({ hostname, port })}`;
  await requireNet(hostname, port);
  const tcp = await connect({ hostname, port, timeout, signal });
  const prepared = await prepare(options).catch((error) => {
    tcp.close();
    throw error;
  });
  const { Client, SshSocket, checkHostKey, refused, hostName, login, hostKey } = prepared;

  const client = new Client();
  let stage: Stage = "the server's SSH greeting";
  let whenProven: () => void | Promise<void> = () => {};
  let proven = Promise.resolve();
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
  const { promise: lost, reject: lose } = Promise.withResolvers<never>();
  lost.catch(() => {});
  const fail = (error: unknown) => {
    reject(error);
    lose(error);
  };
  const reached = (): Stage =>
    stage === "the server's SSH greeting" && client._remoteVer !== undefined
      ? "the key exchange"
      : stage;
  const late = () => fail(new SilenceError(timeout, reached()));
  let deadline = after(timeout, late);
  const alive = (next: Stage) => {
    stage = next;
    deadline[Symbol.dispose]();
    deadline = after(timeout, late);
  };

  const onAbort = () => fail(signal!.reason);
  signal?.addEventListener("abort", onAbort);
  if (signal?.aborted) onAbort();

  const socket = new SshSocket(tcp);
  const gone = new Promise((left) => socket.once("finish", left).once("close", left));
  // it listens however much waits to be sent: else two sides that both do not would wait for ever
  socket.run(Infinity).catch(fail);
  client
    .on("greeting", () => {})
    .on("banner", (text: string) => options.onBanner?.(shownBanner(text)))
    // the server has signed the exchange with its key
    .on("handshake", () => {
      if (stage === "the command") return; // keys are exchanged again after a gigabyte
      alive("the answer to the login");
      proven = Promise.try(whenProven);
      proven.catch(fail);
    })
    .on("ready", () => resolve())
    .on("error", (error: Error) => fail(whySshFailed(error, reached())))
    .on("end", () => fail(closedDuring(reached())))
    .on("close", () => fail(closedDuring(reached())));
  const end = async () => {
    client.end();
    // when the goodbye has left, nobody waits for the answer
    await within(500, gone).catch(() => {});
    socket.destroy();
  };
  const authenticate = authenticator(user, login, {
    fail,
    alive: () => alive("the answer to the login"),
  });
  try {
    client.connect({
      sock: socket,
      username: user,
      readyTimeout: 0,
      keepaliveInterval: keepalive,
      keepaliveCountMax: 2,
      algorithms: algorithms(hostKey.known.typesOf(hostName(hostname, port))),
      hostVerifier(key) {
        stage = stage === "the command" ? stage : "the key exchange";
        try {
          whenProven = checkHostKey(options, key, hostKey);
          return true;
        } catch (error) {
          fail(error);
          return false;
        }
      },
      // no password before its key is among the known ones
      authHandler(...asked) {
        proven.then(() => authenticate(...asked), () => {});
      },
    });
    await ready;
    stage = "the command";
  } catch (error) {
    socket.destroy();
    throw refused(action, error);
  } finally {
    deadline[Symbol.dispose]();
    signal?.removeEventListener("abort", onAbort);
  }
  return {
    async exec(command, execOptions = {}) {
      try {
        return await runCommand(client, command, { timeout, ...execOptions, lost });
      } catch (error) {
        throw new ActionError(`run "${visible(command).slice(0, 80)}" on ${hostname}`, error);
      }
    },
    [Symbol.asyncDispose]: end,
  };
}
