/**
 * lib's SSH client, measured by itself: PORT USER FOLDER connect|exec|bulk|bulk-default COUNT. The last is
 * ssh2 as it is when nobody sets anything.
 *
 * @module
 */

import type { Duplex } from "node:stream";
import ssh2 from "ssh2";
import { readKnownHosts } from "../../lib/known_hosts_file.ts";
import { connectSsh, type SshConnection } from "../../lib/ssh_client.ts";
import { readPrivateKey } from "../../lib/ssh_keys.ts";

const [port, user, folder, work, words] = Deno.args as [string, string, string, string, string];
const count = Number(words);
const key = await readPrivateKey(`${folder}/key`, () => "");
const known = await readKnownHosts(`${folder}/known`);

const connect = () =>
  connectSsh({
    ...{ user, hostname: "127.0.0.1", port: Number(port), login: { key } },
    hostKey: { known, path: "" },
  });

async function run(connection: SshConnection, command: string): Promise<number> {
  let size = 0;
  const write = (bytes: Uint8Array) => {
    size += bytes.length;
    return Promise.resolve(bytes.length);
  };
  const { code } = await connection.exec(command, { stdout: { write } });
  if (code !== 0) throw new Error(`${command}: exit code ${code}`);
  return size;
}

async function connectAndRun(): Promise<void> {
  await using connection = await connect();
  await run(connection, "true");
}

async function measure(): Promise<Record<string, number>> {
  if (work === "connect") {
    await connectAndRun();
    const times: number[] = [];
    for (let number = 0; number < count; number++) {
      const start = performance.now();
      await connectAndRun();
      times.push(performance.now() - start);
    }
    return { ms: times.toSorted((a, b) => a - b)[Math.floor(count / 2)]! };
  }
  if (work === "bulk-default") return { rate: await defaultRate() };
  await using connection = await connect();
  await run(connection, "true");
  const start = performance.now();
  if (work === "exec") {
    for (let number = 0; number < count; number++) await run(connection, "true");
    return { ms: (performance.now() - start) / count };
  }
  const size = await run(connection, `head -c ${count} /dev/zero`);
  if (size !== count) throw new Error(`${size} bytes came`);
  return { rate: size / (performance.now() - start) * 1_000 };
}

/** ssh2 with nothing but what it needs to log in. */
async function defaultRate(): Promise<number> {
  const client = new ssh2.Client();
  await new Promise((resolve, reject) => {
    client.on("ready", resolve).on("error", reject);
    const privateKey = Deno.readTextFileSync(`${folder}/key`);
    client.connect({ host: "127.0.0.1", port: Number(port), username: user, privateKey });
  });
  const start = performance.now();
  const size = await new Promise<number>((resolve) => {
    let size = 0;
    client.exec(`head -c ${count} /dev/zero`, (_: unknown, channel: Duplex) => {
      channel.on("data", (data: Uint8Array) => size += data.length);
      channel.on("close", () => resolve(size));
    });
  });
  if (size !== count) throw new Error(`${size} bytes came`);
  const rate = size / (performance.now() - start) * 1_000;
  client.end();
  return rate;
}

console.log(JSON.stringify(await measure()));
Deno.exit(0);
