/**
 * OpenSSH's sshd on a free port, with keys and a configuration of its own in a temporary folder.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { freePort, startPeer, temporaryFolder } from "./peers.ts";
import { Process } from "./process.ts";

/** What a test needs of OpenSSH. */
export const OPENSSH = ["../sbin/sshd", "ssh", "ssh-keygen", "ssh-agent", "ssh-add"];

/** Runs a command that must succeed; gives what it prints. */
export async function run(command: string[], env?: Record<string, string>): Promise<string> {
  await using process = new Process(command, { env });
  await process.send();
  assertEquals(await process.end(), 0, process.stderr.text);
  return process.stdout.text;
}

/** Makes a pair of keys. */
export async function makeKey(path: string, type: string, ...options: string[]): Promise<void> {
  const secret = options.includes("-N") ? [] : ["-N", ""];
  await run(["ssh-keygen", "-q", "-t", type, ...secret, ...options, "-f", path]);
}

/** An sshd that runs. */
export class Sshd implements AsyncDisposable {
  /** Who may log in: the one who runs the test. */
  user = "";
  readonly port = freePort();
  readonly #folder = temporaryFolder();
  #daemon: Process | undefined;

  private constructor() {}

  /**
   * Starts it with a host key `host`, and a key `key` that may log in.
   *
   * @param settings lines for its configuration; the first of a kind counts
   * @param before a command that starts it
   */
  static async start(settings: string[] = [], before: string[] = []): Promise<Sshd> {
    const sshd = new Sshd();
    try {
      await sshd.#start(settings, before);
      return sshd;
    } catch (error) {
      await sshd[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #start(settings: string[], before: string[]): Promise<void> {
    this.user = (await run(["id", "-un"])).trim();
    await Promise.all(["host", "key"].map((name) => makeKey(this.path(name), "ed25519")));
    await this.authorize("key");
    const lines = [
      ...settings,
      `ListenAddress 127.0.0.1:${this.port}`,
      `HostKey ${this.path("host")}`,
      `AuthorizedKeysFile ${this.path("authorized")}`,
      ...["UsePAM no", "StrictModes no", "PermitRootLogin yes", "PidFile none"],
      // many may be at the door at once
      "MaxStartups 100",
      // bash reads the user's .bashrc for sshd, unless it seems to have done so already
      "SetEnv SHLVL=2",
    ];
    await Deno.writeTextFile(this.path("config"), lines.join("\n") + "\n");
    // where sshd, as root, locks itself in
    if (Deno.uid() === 0) await Deno.mkdir("/run/sshd", { recursive: true });
    const command = [...before, "/usr/sbin/sshd", "-D", "-e", "-f", this.path("config")];
    this.#daemon = await startPeer(command, /^Server listening on/);
  }

  path(name: string): string {
    return `${this.#folder.path}/${name}`;
  }

  get target(): string {
    return `${this.user}@127.0.0.1:${this.port}`;
  }

  /** Its name in known_hosts. */
  get name(): string {
    return `[127.0.0.1]:${this.port}`;
  }

  /** Lets the owner of a key in. */
  async authorize(name: string): Promise<void> {
    const line = await Deno.readTextFile(this.path(`${name}.pub`));
    await Deno.writeTextFile(this.path("authorized"), line, { append: true });
  }

  /** Writes its host key into a known_hosts file, `known` unless told. */
  async makeKnown(file = "known"): Promise<void> {
    const key = await Deno.readTextFile(this.path("host.pub"));
    await Deno.writeTextFile(this.path(file), `${this.name} ${key}`, { append: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon?.[Symbol.asyncDispose]();
    this.#folder[Symbol.dispose]();
  }
}
