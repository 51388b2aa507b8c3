/**
 * The known_hosts file: read whole, and a line added at its end.
 *
 * @module
 */

import { dirname } from "node:path";
import { ActionError, attempt } from "./errors.ts";
import { keyType, KnownHosts } from "./known_hosts.ts";
import { UsageError } from "./usage.ts";

/** A file of a few thousand hosts has less than one. */
const LIMIT = 16 * 1024 * 1024;

/**
 * Where OpenSSH keeps it.
 *
 * @throws {Deno.errors.NotCapable} when Deno was not given `--allow-env=HOME`
 */
export function defaultKnownHosts(): string {
  // with --ignore-env a variable that may not be read looks like one that is not set
  const variable = Deno.build.os === "windows" ? "USERPROFILE" : "HOME";
  if (Deno.permissions.querySync({ name: "env", variable }).state !== "granted") {
    const missing = new Deno.errors.NotCapable(`Requires env access to "${variable}"`);
    throw new ActionError("find the known hosts of your home (or give --known-hosts)", missing);
  }
  const home = Deno.env.get(variable);
  if (!home) throw new UsageError(`${variable} is not set: give --known-hosts`);
  return `${home}/.ssh/known_hosts`;
}

/**
 * Reads the file; one that is not there knows no hosts.
 *
 * @throws {ActionError} when it may not be read, or has more than 16 MiB
 */
export async function readKnownHosts(path: string): Promise<KnownHosts> {
  return await attempt(`read the known hosts ${path}`, async () => {
    try {
      const { size, isFile } = await Deno.stat(path);
      if (!isFile) throw new Error("it is not a file");
      if (size > LIMIT) throw new Error(`it has ${size} bytes, more than ${LIMIT}`);
      return new KnownHosts(await Deno.readTextFile(path));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return new KnownHosts("");
      throw error;
    }
  });
}

/**
 * Adds a key at the end. One write in append mode, so that nothing is lost when another program adds one at
 * the same moment; the folder (0700) and the file (0600) are made when they are not there.
 *
 * @param name as `hostName` gives it
 * @throws {ActionError} when it cannot be written
 *
 * @example
 * ```ts
 * import { appendKnownHost, readKnownHosts } from "./known_hosts_file.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const path = `${await Deno.makeTempDir()}/.ssh/known_hosts`;
 * const key = Uint8Array.fromBase64("AAAAC3NzaC1lZDI1NTE5");
 * await appendKnownHost(path, "[localhost]:2222", key);
 * assertEquals((await readKnownHosts(path)).check("[localhost]:2222", key).kind, "known");
 * ```
 */
export async function appendKnownHost(
  path: string,
  name: string,
  key: Uint8Array,
): Promise<void> {
  // one that would be read as several fields, lines or patterns
  if (/[\s,*?!|@#]|^$/.test(name)) throw new UsageError(`"${name}" is not the name of one host`);
  await attempt(`add a host key to ${path}`, async () => {
    using file = await openToAppend(path);
    const line = `${name} ${keyType(key)} ${key.toBase64()}\n`;
    const bytes = new TextEncoder().encode((await endsLine(file) ? "" : "\n") + line);
    if (await file.write(bytes) !== bytes.length) throw new Error("the disk is full");
    await file.sync();
  });
}

async function openToAppend(path: string): Promise<Deno.FsFile> {
  const options = { read: true, append: true, create: true, mode: 0o600 };
  try {
    return await Deno.open(path, options);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
    return await Deno.open(path, options);
  }
}

/** Whether what is appended begins a new line: an editor may have left the last one without its end. */
async function endsLine(file: Deno.FsFile): Promise<boolean> {
  if ((await file.stat()).size === 0) return true;
  await file.seek(-1, Deno.SeekMode.End);
  const last = new Uint8Array(1);
  await file.read(last);
  return last[0] === 0x0a;
}
