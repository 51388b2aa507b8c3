/**
 * A private key written in OpenSSH's own format, which every SSH library reads.
 *
 * @see https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key
 * @module
 */

import { Buffer } from "node:buffer";
import { generateKeyPairSync } from "node:crypto";

const CURVES: Record<string, { name: string; size: number }> = {
  "P-256": { name: "nistp256", size: 32 },
  "P-384": { name: "nistp384", size: 48 },
  "P-521": { name: "nistp521", size: 66 },
};

/**
 * Writes a key, not encrypted.
 *
 * @throws {Error} for a kind of key that SSH does not use
 *
 * @example
 * ```ts
 * import { opensshKey } from "./openssh_key.ts";
 * import { assertMatch } from "@std/assert";
 * import { generateKeyPairSync } from "node:crypto";
 *
 * const { privateKey } = generateKeyPairSync("ed25519");
 * const text = opensshKey(privateKey.export({ format: "jwk" }));
 * assertMatch(text, /^-----BEGIN OPENSSH PRIVATE KEY-----\n/);
 * ```
 */
export function opensshKey(key: JsonWebKey): string {
  const { type, open, secret } = partsOf(key);
  const check = Buffer.alloc(8); // twice the same four bytes: whether a passphrase was right
  const unpadded = Buffer.concat([check, string(type), ...secret, string("")]);
  const padding = Buffer.from(Array.from({ length: -unpadded.length & 7 }, (_, at) => at + 1));
  const bytes = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    string("none"), // cipher
    string("none"), // derivation of the cipher's key
    string(""),
    Buffer.from([0, 0, 0, 1]), // keys
    string(Buffer.concat([string(type), ...open])),
    string(Buffer.concat([unpadded, padding])),
  ]);
  const lines = bytes.toString("base64").match(/.{1,70}/g)!.join("\n");
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

/**
 * Makes a pair of Ed25519 keys: the private one as OpenSSH writes it, the public one as a line of known_hosts has
 * it after the name.
 *
 * Not ssh2's generateKeyPairSync: it takes zeros away from the start of a public key, so that nobody, not ssh2
 * either, can read one key of 256.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8709 RFC 8709}: Ed25519 in SSH
 *
 * @example
 * ```ts
 * import { newKeyPair } from "./openssh_key.ts";
 * import { assertMatch } from "@std/assert";
 *
 * assertMatch(newKeyPair().publicKey, /^ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI[\w+/]{43}$/);
 * ```
 */
export function newKeyPair(): { privateKey: string; publicKey: string } {
  const key = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  const { type, open } = partsOf(key);
  const publicKey = Buffer.concat([string(type), ...open]).toString("base64");
  return { privateKey: opensshKey(key), publicKey: `${type} ${publicKey}` };
}

function partsOf(key: JsonWebKey): { type: string; open: Buffer[]; secret: Buffer[] } {
  const bytes = (name: keyof JsonWebKey) => Buffer.from(key[name] as string, "base64url");
  if (key.kty === "RSA") {
    const number = (name: keyof JsonWebKey) => mpint(bytes(name));
    const secret = (["n", "e", "d", "qi", "p", "q"] as const).map(number);
    return { type: "ssh-rsa", open: [number("e"), number("n")], secret };
  }
  if (key.kty === "OKP" && key.crv === "Ed25519") {
    const open = string(bytes("x"));
    const secret = [open, string(Buffer.concat([bytes("d"), bytes("x")]))];
    return { type: "ssh-ed25519", open: [open], secret };
  }
  const curve = key.kty === "EC" ? CURVES[key.crv!] : undefined;
  if (!curve) throw new Error(`it is of a kind that SSH does not use: ${key.crv ?? key.kty}`);
  const full = (name: "x" | "y") => {
    const number = bytes(name);
    return Buffer.concat([Buffer.alloc(curve.size - number.length), number]);
  };
  const point = string(Buffer.concat([Buffer.from([4]), full("x"), full("y")]));
  const open = [string(curve.name), point];
  return { type: `ecdsa-sha2-${curve.name}`, open, secret: [...open, mpint(bytes("d"))] };
}

/** A length of four bytes, and the bytes. */
function string(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** A positive number: without leading zeros, but with one before a first bit that is set. */
function mpint(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = bytes.subarray(first < 0 ? bytes.length : first);
  return string(digits[0]! & 0x80 ? Buffer.concat([Buffer.alloc(1), digits]) : digits);
}
