/**
 * Private keys from files: OpenSSH's own format, and the PEM formats of OpenSSL, encrypted or not.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createPrivateKey, sign } from "node:crypto";
import { ActionError, attempt } from "./errors.ts";
import { opensshKey } from "./openssh_key.ts";
import { parseKey, type PrivateKey } from "./ssh2.ts";
import { UsageError } from "./usage.ts";

export type { PrivateKey };

/** More than any key has. */
const LIMIT = 64 * 1024;

/** The curves of ECDSA: SSH's name, that of JSON Web Keys, and how many bytes a number has. */
const CURVES: Record<string, { crv: string; size: number }> = {
  "ecdsa-sha2-nistp256": { crv: "P-256", size: 32 },
  "ecdsa-sha2-nistp384": { crv: "P-384", size: 48 },
  "ecdsa-sha2-nistp521": { crv: "P-521", size: 66 },
};

/**
 * Reads a private key from a file.
 *
 * @param askPassphrase called only when the key is encrypted
 * @throws {ActionError} when there is no such file, others can read it, it holds no private key, or the
 *   passphrase is wrong
 */
export async function readPrivateKey(
  path: string,
  askPassphrase: () => string | Promise<string>,
): Promise<PrivateKey> {
  const action = `read the key ${path}`;
  const text = await attempt(action, async () => {
    const { size, mode, isDirectory } = await Deno.stat(path);
    if (isDirectory) throw new Error("it is a folder, not a file");
    if (size > LIMIT) throw new Error(`it has ${size} bytes: that is no key`);
    if (mode !== null && (mode & 0o077) !== 0) {
      throw new Error(`others can read it, as OpenSSH would not allow either: chmod 600 ${path}`);
    }
    return await Deno.readTextFile(path);
  });
  // outside of any deadline: a person may take their time
  const passphrase = isEncrypted(text) ? await askPassphrase() : undefined;
  try {
    return parsePrivateKey(text, passphrase);
  } catch (error) {
    throw new ActionError(action, error);
  }
}

/** Whether a passphrase is needed to read a key. */
export function isEncrypted(text: string): boolean {
  if (/^-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(text)) return true;
  // the library throws at some PEM
  if (!/^-----BEGIN OPENSSH PRIVATE KEY-----/m.test(text)) return false;
  const found = parseKey(text);
  return found instanceof Error && /no passphrase given/.test(found.message);
}

/**
 * Reads a private key.
 *
 * @throws {Error} when it is none, or the passphrase is wrong
 *
 * @example
 * ```ts
 * import { parsePrivateKey } from "./ssh_keys.ts";
 * import { assertEquals } from "@std/assert";
 * import { generateKeyPairSync } from "node:crypto";
 *
 * const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
 * const pem = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
 * assertEquals(parsePrivateKey(pem).type, "ecdsa-sha2-nistp256");
 * ```
 */
export function parsePrivateKey(text: string, passphrase?: string): PrivateKey {
  if (/^-----BEGIN (?:[\w ]+ )?PUBLIC KEY-----|^(?:ssh|ecdsa)-\S+ AAAA/m.test(text)) {
    throw new Error("it is a public key: give the file without .pub");
  }
  const openssh = /^-----BEGIN OPENSSH PRIVATE KEY-----/m.test(text);
  const pem = /^-----BEGIN (?:\w+ )?PRIVATE KEY-----/m.test(text);
  if (!pem) throw new Error("it holds no private key in OpenSSH's format or as PEM");
  // the library's own reading of PEM fails on Deno for P-521, for encrypted keys, and for PKCS#8
  const found = parseKey(openssh ? text : opensshKey(pemToJwk(text, passphrase)), passphrase);
  const key = Array.isArray(found) ? found[0]! : found;
  if (key instanceof Error) throw new Error(whyUnreadable(key.message, passphrase));
  if (key.getPrivatePEM() === null) throw new Error("it holds no private key");
  if (key.type in CURVES) key.sign = signer(key);
  return key;
}

function whyUnreadable(message: string, passphrase?: string): string {
  if (/integrity check failed|Malformed/.test(message)) {
    return passphrase === undefined ? "it is damaged" : "the passphrase is wrong";
  }
  // what Deno says of a cipher which it takes another number of bytes for
  if (/Invalid key length/.test(message)) {
    return "it is encrypted by a cipher that this script does not know: ssh-keygen -p -Z aes256-ctr changes that";
  }
  if (/cipher|kdf|type/.test(message)) return `${message}: not one that this script knows`;
  return message;
}

function pemToJwk(text: string, passphrase?: string): JsonWebKey {
  try {
    return createPrivateKey({ key: text, format: "pem", passphrase }).export({ format: "jwk" });
  } catch {
    throw new Error(
      passphrase === undefined
        ? "it is damaged, or of a kind that SSH does not use"
        : "the passphrase is wrong",
    );
  }
}

/**
 * Signs with an ECDSA key.
 *
 * The library writes the secret number into a PEM as the key file has it: without leading zeros, or with a
 * zero before a first bit that is set. Deno takes only the curve's full length (RFC 5915, 3), and says
 * "invalid SEC1 private key" for about half of all keys. So the key is made from its numbers, padded.
 */
function signer(key: PrivateKey): PrivateKey["sign"] {
  const { crv, size } = CURVES[key.type]!;
  // … 0x04 x y is the end of the public key
  const point = key.getPublicSSH().subarray(-2 * size);
  const d = padded(secretOf(Buffer.from(pemBody(key.getPrivatePEM()!), "base64")), size);
  const [x, y] = [point.subarray(0, size), point.subarray(size)];
  const own = createPrivateKey({
    format: "jwk",
    key: {
      kty: "EC",
      crv,
      x: x.toString("base64url"),
      y: y.toString("base64url"),
      d: d.toString("base64url"),
    },
  });
  const hash = `sha${{ 32: 256, 48: 384, 66: 512 }[size]}`;
  return (data) => {
    try {
      return sign(hash, data, own);
    } catch (error) {
      return error as Error;
    }
  };
}

const pemBody = (pem: string) => pem.replace(/-----[^-]+-----|\s/g, "");

/** The secret number of an EC private key: a sequence of the number 1 and the octets (RFC 5915, 3). */
function secretOf(der: Buffer): Buffer {
  // 0x30, the length in one byte, or in as many more as 0x81 and on say; then 02 01 01, then 04, length
  const start = 2 + (der[1]! > 0x80 ? der[1]! - 0x80 : 0) + 3;
  if (der[start] !== 0x04) throw new Error("it is damaged");
  return der.subarray(start + 2, start + 2 + der[start + 1]!);
}

/** A number with exactly `size` bytes. */
function padded(number: Buffer, size: number): Buffer {
  const first = number.findIndex((byte) => byte !== 0);
  const digits = number.subarray(first < 0 ? number.length : first);
  if (digits.length > size) throw new Error("it is damaged: its number is too long for its curve");
  return Buffer.concat([Buffer.alloc(size - digits.length), digits]);
}

/**
 * Where the SSH agent is.
 *
 * @throws {Deno.errors.NotCapable} when Deno was not given `--allow-env=SSH_AUTH_SOCK`
 * @throws {UsageError} when none is set
 */
export function agentSocket(): string {
  const variable = "SSH_AUTH_SOCK";
  if (Deno.permissions.querySync({ name: "env", variable }).state !== "granted") {
    const missing = new Deno.errors.NotCapable(`Requires env access to "${variable}"`);
    throw new ActionError("find the SSH agent", missing);
  }
  const path = Deno.env.get(variable);
  if (path) return path;
  throw new UsageError(`${variable} is not set: start an agent (eval $(ssh-agent); ssh-add)`);
}
