/**
 * An SSH connection: made, the server's key checked, logged in; then commands run on it.
 *
 * @module
 */

import { connect as connectTcp } from "node:net";
import { formatEndpoint } from "./address.ts";
import { after, DeadlineError, within } from "./deadline.ts";
import { visible } from "./display.ts";
import { ActionError } from "./errors.ts";
import { checkHostKey, type HostKeyPolicy, refused } from "./host_key.ts";
import { hostName } from "./known_hosts.ts";
import { requireNet } from "./require_net.ts";
import { Client } from "./ssh2.ts";
import { algorithms } from "./ssh_algorithms.ts";
import { authenticator, type Login } from "./ssh_authentication.ts";
import { closedDuring, type Stage, whySshFailed } from "./ssh_errors.ts";
import { type Ended, type ExecOptions, runCommand } from "./ssh_exec.ts";
import type { SshTarget } from "./ssh_target.ts";

export type { Ended, ExecOptions, HostKeyPolicy, Login };

/** Where to, who, and on what conditions. */
export interface SshOptions extends SshTarget {
  login: Login;
  hostKey: HostKeyPolicy;
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
  const { user, hostname, port, hostKey, login, timeout = 10_000, keepalive = 15_000 } = options;
  const { signal } = options;
  const action = `connect to ${user}@${formatEndpoint({ hostname, port })}`;
  await requireNet(hostname, port);
  if ("agent" in login) await requireAgent(login.agent);

  const client = new Client();
  let stage: Stage = "the connection";
  let whenProven: () => void | Promise<void> = () => {};
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
  const { promise: closed, resolve: onClosed } = Promise.withResolvers<void>();
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

  // ssh2 leaves Nagle's algorithm on: two small writes then wait 40 ms for each other
  const socket = connectTcp({ host: hostname, port, noDelay: true });
  client
    .on("connect", () => stage = "the server's SSH greeting")
    .on("greeting", () => {})
    .on("banner", (text: string) => options.onBanner?.(shownBanner(text)))
    // the server has signed the exchange with its key
    .on("handshake", async () => {
      if (stage === "the command") return; // keys are exchanged again after a gigabyte
      alive("the answer to the login");
      try {
        await whenProven();
      } catch (error) {
        fail(error);
      }
    })
    .on("ready", () => resolve())
    .on("error", (error: Error) => fail(whySshFailed(error, reached())))
    .on("end", () => fail(closedDuring(reached())))
    .on("close", () => {
      fail(closedDuring(reached()));
      onClosed();
    });
  const end = async () => {
    client.end();
    // what is left of a server that does not hang up is thrown away
    await within(500, closed).catch(() => socket.destroy());
  };
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
      authHandler: authenticator(user, login, {
        fail,
        alive: () => alive("the answer to the login"),
      }),
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

/** A server may say much before the login; a screenful is enough. */
const shownBanner = (text: string) =>
  text.slice(0, 4_000).trimEnd().split(/\r?\n/).map(visible).join("\n");

/** Nothing came, and what it was that did not come. */
class SilenceError extends DeadlineError {
  constructor(milliseconds: number, stage: Stage) {
    super(milliseconds);
    this.message += `, while waiting for ${stage}`;
  }
}

/** The library does not tell why an agent cannot be reached. */
async function requireAgent(path: string): Promise<void> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
  } catch (error) {
    throw new ActionError(`connect to the SSH agent ${path}`, error);
  }
}
