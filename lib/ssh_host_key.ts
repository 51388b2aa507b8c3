/**
 * The key by which an SSH server shows that it is the one a client has met before.
 *
 * It is made at the first start and kept: a key that changed would look to each client like another machine
 * in between. Ed25519, since every client of the last ten years knows it, the keys are short, there is no
 * size to choose, and signing needs no random numbers, which leak an ECDSA key when they are bad.
 *
 * @module
 */

import { createHash } from "node:crypto";
import ssh2 from "ssh2";
import { ActionError, attempt } from "./errors.ts";
import { newKeyPair } from "./openssh_key.ts";

/** A host key, and what a client may know of it. */
export interface HostKey {
  /** The private key, as OpenSSH writes it. */
  privateKey: string;
  /** The public key, as a line of known_hosts has it after the name: `ssh-ed25519 AAAA…`. */
  publicKey: string;
  /** What `ssh` shows of it: `SHA256:…`. */
  fingerprint: string;
}

/** More than any host key has, in bytes. */
const MOST = 64 * 1024;

/**
 * Reads a server's host key; makes one when there is none. The private key goes to a file that only its
 * owner may read, all of it or nothing, the public one beside it to `FILE.pub`.
 *
 * @throws {ActionError} when the file holds no private key, is a link, or others may read it
 * @see {@link https://www.rfc-editor.org/rfc/rfc8709 RFC 8709}: Ed25519 in SSH
 *
 * @example
 * ```ts
 * import { keepHostKey } from "./ssh_host_key.ts";
 * import { assertEquals, assertMatch } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * const first = await keepHostKey(`${folder}/keys/host_key`);
 * assertMatch(first.fingerprint, /^SHA256:[\w+/]{43}$/);
 * assertEquals(await keepHostKey(`${folder}/keys/host_key`), first);
 * ```
 */
export async function keepHostKey(file: string): Promise<HostKey> {
  const found = await attempt(`read the host key ${file}`, () => readPrivately(file));
  const text = found ?? await attempt(`make the host key ${file}`, () => makeKey(file));
  const key = describe(file, text);
  const line = `${key.publicKey} lecture\n`;
  const present = await Deno.readTextFile(`${file}.pub`).catch(() => undefined);
  if (present !== line) {
    await attempt(`write ${file}.pub`, () => replace(`${file}.pub`, line, 0o644));
  }
  return key;
}

/** The text of a file that is nobody else's business; `undefined` when it is not there. */
async function readPrivately(file: string): Promise<string | undefined> {
  const info = await Deno.lstat(file).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
  if (!info) return undefined;
  if (!info.isFile) throw new Error("it is no plain file");
  if (info.size > MOST) throw new Error(`it has ${info.size} bytes, no key has more than ${MOST}`);
  // Windows tells no mode
  if (info.mode !== null && (info.mode & 0o077) !== 0) {
    const mode = (info.mode & 0o777).toString(8).padStart(4, "0");
    throw new Error(`others may read or write it (mode ${mode}): chmod 600 ${file}`);
  }
  return await Deno.readTextFile(file);
}

async function makeKey(file: string): Promise<string> {
  await Deno.mkdir(folderOf(file), { recursive: true, mode: 0o700 });
  const { privateKey: text } = newKeyPair();
  const fresh = await writeFresh(file, text, 0o600);
  try {
    // unlike a rename, a link never takes the place of a key that another start has just made
    await Deno.link(fresh, file);
    return text;
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    return (await readPrivately(file))!;
  } finally {
    await Deno.remove(fresh);
  }
}

async function replace(file: string, text: string, mode: number): Promise<void> {
  await Deno.rename(await writeFresh(file, text, mode), file);
}

/** Writes a new file beside another, all of it to the disk. */
async function writeFresh(file: string, text: string, mode: number): Promise<string> {
  const fresh = `${file}.${crypto.randomUUID()}`;
  using output = await Deno.open(fresh, { write: true, createNew: true, mode });
  const bytes = new TextEncoder().encode(text);
  for (let sent = 0; sent < bytes.length;) sent += await output.write(bytes.subarray(sent));
  await output.sync();
  return fresh;
}

function folderOf(file: string): string {
  const end = file.lastIndexOf("/");
  return end < 0 ? "." : file.slice(0, end) || "/";
}

function describe(file: string, privateKey: string): HostKey {
  const parsed = ssh2.utils.parseKey(privateKey);
  if (parsed instanceof Error || !parsed.isPrivateKey()) {
    const reason = parsed instanceof Error ? parsed.message : "it is a public key";
    throw new ActionError(`use ${file} as host key`, new Error(reason));
  }
  const bytes: Uint8Array = parsed.getPublicSSH();
  return {
    privateKey,
    publicKey: `${parsed.type} ${bytes.toBase64()}`,
    fingerprint: fingerprint(bytes),
  };
}

/** How `ssh` and `ssh-keygen -l` show a public key: base64 of its SHA-256, without padding. */
export function fingerprint(publicKey: Uint8Array): string {
  const digest = createHash("sha256").update(publicKey).digest("base64");
  return `SHA256:${digest.replace(/=+$/, "")}`;
}
