/**
 * The file of public keys that may log in to an SSH server, as OpenSSH's authorized_keys.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { timingSafeEqual } from "node:crypto";
import ssh2 from "ssh2";
import { attempt } from "./errors.ts";

/** The kinds of keys that are taken; with RSA only SHA-2 signatures are. */
const KINDS = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "ssh-rsa",
];
const LEAST_RSA_BITS = 2_048;
const MOST = 1024 * 1024;

/**
 * Reads the keys of an authorized_keys file: one a line, `ssh-ed25519 AAAA… comment`; `#` begins a comment.
 * A line with options in front (`command="…"`) is left out, since what it forbids would not be forbidden
 * here; so is a key of a kind that is not taken. A file that is not there has no keys.
 *
 * @returns the bytes of each key, and the numbers of the lines that were left out
 * @throws {ActionError} when others may write the file, or it has over 1 MiB
 * @see {@link https://man.openbsd.org/sshd.8#AUTHORIZED_KEYS_FILE_FORMAT sshd(8)}
 */
export async function readAuthorizedKeys(
  file: string,
): Promise<{ keys: Uint8Array[]; leftOut: number[] }> {
  const text = await attempt(`read the authorized keys ${file}`, async () => {
    try {
      const { size, mode } = await Deno.stat(file);
      if (size > MOST) throw new Error(`it has ${size} bytes, over ${MOST}`);
      if (mode !== null && (mode & 0o022) !== 0) {
        throw new Error(`others may write it: chmod 600 ${file}`);
      }
      return await Deno.readTextFile(file);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return "";
      throw error;
    }
  });
  return parseAuthorizedKeys(text);
}

/**
 * The keys of the text of an authorized_keys file: see {@linkcode readAuthorizedKeys}.
 *
 * @example
 * ```ts
 * import { parseAuthorizedKeys } from "./ssh_authorized_keys.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const key = "AAAAC3NzaC1lZDI1NTE5AAAAIHB7u0V8gSxNOELEhdkT7+731nMFSEzu6R1TaBOcDHka";
 * const { keys, leftOut } = parseAuthorizedKeys(`# mine\nssh-ed25519 ${key} laptop\nnonsense\n`);
 * assertEquals([keys.length, leftOut], [1, [3]]);
 * ```
 */
export function parseAuthorizedKeys(text: string): { keys: Uint8Array[]; leftOut: number[] } {
  const keys: Uint8Array[] = [];
  const leftOut: number[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const [kind, data] = line.trim().split(/[ \t]+/);
    if (!kind || kind.startsWith("#")) continue;
    const key = KINDS.includes(kind) && data ? publicKey(kind, data) : undefined;
    if (key) keys.push(key);
    else leftOut.push(index + 1);
  }
  return { keys, leftOut };
}

function publicKey(kind: string, data: string): Uint8Array | undefined {
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.fromBase64(data);
  } catch {
    return undefined;
  }
  const parsed = parsePublicKey(bytes);
  return parsed?.type === kind && (kind !== "ssh-rsa" || rsaBits(bytes) >= LEAST_RSA_BITS)
    ? bytes
    : undefined;
}

/** A public key as ssh2 has it. */
export interface ParsedKey {
  type: string;
  verify(data: Uint8Array, signature: Uint8Array, hash?: string): boolean | Error;
}

/** Reads the bytes of a public key; `undefined` when they are none. */
export function parsePublicKey(bytes: Uint8Array): ParsedKey | undefined {
  try {
    const parsed = ssh2.utils.parseKey(Buffer.from(bytes));
    return parsed instanceof Error ? undefined : Array.isArray(parsed) ? parsed[0] : parsed;
  } catch {
    // ssh2 throws for some damaged keys and gives an error for others
    return undefined;
  }
}

/** The size of an RSA key: its bytes are three fields with their lengths, the last one the modulus. */
function rsaBits(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 4 + view.getUint32(0);
  at += 4 + view.getUint32(at);
  const length = view.getUint32(at);
  // a leading zero byte only says that the number is not negative
  return 8 * (bytes[at + 4] === 0 ? length - 1 : length);
}

/** Whether a key is one of those that may log in, compared in constant time. */
export function isAuthorized(key: Uint8Array, keys: readonly Uint8Array[]): boolean {
  let found = false;
  for (const each of keys) {
    if (each.length === key.length && timingSafeEqual(each, key)) found = true;
  }
  return found;
}
