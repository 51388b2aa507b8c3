/**
 * Brokers and clients of MQTT: Mosquitto with a configuration of its own, and our scripts with their flags.
 *
 * @module
 */

import { freePort, temporaryFolder } from "./peers.ts";
import { Process, type ProcessOptions } from "./process.ts";
import { pathOf } from "./scripts.ts";

/** A Mosquitto that can be stopped, and started again on the same port with what it has kept. */
export class Mosquitto implements AsyncDisposable {
  readonly port = freePort();
  readonly folder = temporaryFolder();
  #process: Process | undefined;

  /** Where a file of this broker is. */
  path(name: string): string {
    return `${this.folder.path}/${name}`;
  }

  /** @param settings lines of mosquitto.conf, beside the listener */
  async start(...settings: string[]): Promise<this> {
    const conf = this.path("mosquitto.conf");
    // the files are root's where the tests run as root, and Mosquitto would become another user
    const user = Deno.uid() === 0 ? ["user root"] : [];
    const lines = [`listener ${this.port} 127.0.0.1`, ...user, `pid_file ${this.path("pid")}`];
    if (settings.length > 0 || !this.#process) {
      Deno.writeTextFileSync(conf, [...lines, ...settings, ""].join("\n"));
    }
    this.#process = new Process(["mosquitto", "-c", conf]);
    await this.#process.stderr.line(/ mosquitto version \S+ running$/);
    return this;
  }

  signal(signal: Deno.Signal): void {
    Deno.kill(Number(Deno.readTextFileSync(this.path("pid"))), signal);
  }

  async stop(): Promise<void> {
    await this.#process!.stop("SIGTERM");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process?.[Symbol.asyncDispose]();
    this.folder[Symbol.dispose]();
  }
}

export const OPEN = "allow_anonymous true";

/** The command of a script of this chapter, with its narrow flags. */
export function commandOf(script: string, port: number, ...words: string[]): string[] {
  const grants = ["--ignore-env", `--allow-net=127.0.0.1:${port}`];
  const ca = words.indexOf("--ca");
  if (ca >= 0) grants.push(`--allow-read=${words[ca + 1]}`);
  if (words.includes("--user")) grants.push("--allow-env=MQTT_PASSWORD");
  const start = [Deno.execPath(), "run", "--no-prompt", ...grants, pathOf(`mqtt/${script}`)];
  return [...start, "--port", String(port), ...words];
}

/** Starts a publisher or another client of ours. */
export function client(
  script: string,
  port: number,
  words: string[] = [],
  options?: ProcessOptions,
): Process {
  return new Process(commandOf(script, port, ...words), options);
}

/** Starts a subscriber of ours, and waits until it listens. */
export async function subscriber(
  port: number,
  words: string[] = [],
  options?: ProcessOptions,
): Promise<Process> {
  return await listening(client("subscriber", port, words, options), "stderr", /^listening on /);
}

/** Waits for a line, and ends the process when it does not come. */
export async function listening(
  process: Process,
  stream: "stdout" | "stderr",
  line: RegExp,
): Promise<Process> {
  try {
    await process[stream].line(line);
    return process;
  } catch (error) {
    await process[Symbol.asyncDispose]();
    throw error;
  }
}

/** Our broker on a free port. */
export interface OurBroker extends AsyncDisposable {
  port: number;
  websocket: number;
  process: Process;
}

/** Starts our broker with TCP and WebSocket. */
export async function ourBroker(
  words: string[] = [],
  options?: ProcessOptions,
): Promise<OurBroker> {
  const start = commandOf("broker", 0, "--websocket", "0", ...words);
  const process = await listening(new Process(start, options), "stdout", /^listening on /);
  const said = (pattern: RegExp) => Number(pattern.exec(process.stdout.text)![1]);
  return {
    process,
    websocket: said(/^WebSocket on ws:\/\/127\.0\.0\.1:(\d+)$/m),
    port: said(/^listening on 127\.0\.0\.1:(\d+)$/m),
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}

async function run(...command: string[]): Promise<void> {
  await using process = new Process(command);
  if (await process.end() !== 0) throw new Error(`${command.join(" ")}\n${process.stderr.text}`);
}

/** Sets a user's password for Mosquitto. */
export async function passwordFile(path: string, user: string, password: string): Promise<void> {
  await run("mosquitto_passwd", "-c", "-b", path, user, password);
}

/** Makes an authority and a certificate signed by it, for a name or address (`IP:127.0.0.1`). */
export async function certificates(folder: string, ...names: string[]): Promise<void> {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const at = (name: string) => `${folder}/${name}`;
  const authority = async (name: string) => {
    const files = ["-keyout", at(`${name}.key`), "-out", at(`${name}.pem`)];
    await run("openssl", "req", "-x509", ...key, ...files, "-days", "2", "-subj", `/CN=${name}`);
  };
  await Promise.all([authority("ca"), authority("stranger")]);
  const request = ["-keyout", at("server.key"), "-out", at("server.csr"), "-subj", "/CN=server"];
  await run("openssl", "req", ...key, ...request);
  const sign = ["-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-CAcreateserial", "-days", "2"];
  for (const name of names) {
    const extension = at("extension");
    await Deno.writeTextFile(extension, `subjectAltName=${name}\n`);
    const files = ["-in", at("server.csr"), "-out", at(`${name}.pem`), "-extfile", extension];
    await run("openssl", "x509", "-req", ...files, ...sign);
  }
}
