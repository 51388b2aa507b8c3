/**
 * Who may log in to an SSH server, by password or by key, and how often one may try.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { isAuthorized, parsePublicKey, readAuthorizedKeys } from "./ssh_authorized_keys.ts";
import { fingerprint } from "./ssh_host_key.ts";

/** What a client shows to be let in, as ssh2 tells it. */
export interface Login {
  method: string;
  username: string;
  /** With the method `password`. */
  password?: string;
  /** With `publickey`: the key's bytes, and the signature, which is not there when it only asks. */
  key?: { algo: string; data: Uint8Array };
  blob?: Uint8Array;
  signature?: Uint8Array;
  hashAlgo?: string;
}

/**
 * Compares names and passwords with those of the one user, in constant time: both sides are hashed first, so
 * that neither their length nor how much of a guess was right shows in the time taken. A wrong name takes the
 * same way as a wrong password.
 *
 * @example
 * ```ts
 * import { passwordOf } from "./ssh_login.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const fits = passwordOf("student", "sesame");
 * assertEquals([fits("student", "sesame"), fits("student", "Sesame")], [true, false]);
 * assertEquals([fits("root", "sesame"), fits("studentsesame", "")], [false, false]);
 * ```
 */
export function passwordOf(
  user: string,
  password: string,
): (user: string, password: string) => boolean {
  // under a key of this process: nobody can compute beforehand which guess has a similar hash
  const secret = randomBytes(32);
  const digest = (name: string, word: string) =>
    createHmac("sha256", secret).update(`${Buffer.byteLength(name)}:${name}${word}`).digest();
  const wanted = digest(user, password);
  return (name, word) => timingSafeEqual(digest(name, word), wanted);
}

/** Whether a login's signature is that of its key; RSA with SHA-1 counts as none. */
export function isSigned({ key, blob, signature, hashAlgo }: Login): boolean {
  if (!key || !blob || !signature) return false;
  if (key.algo === "ssh-rsa" && hashAlgo === undefined) return false;
  const parsed = parsePublicKey(key.data);
  if (parsed?.type !== key.algo) return false;
  return parsed.verify(blob, signature, hashAlgo) === true;
}

/** What a login must fit. */
export interface Rules {
  user: string;
  /** See {@linkcode passwordOf}. */
  fits: (user: string, password: string) => boolean;
  /** The file with the public keys that may log in; read anew for each login. */
  authorizedKeys: string;
}

/**
 * Judges a login.
 *
 * @returns whether it is good, and how it was tried: `password`, `ssh-ed25519 key SHA256:…`
 * @throws {ActionError} when the file of authorized keys cannot be used
 */
export async function judge(login: Login, rules: Rules): Promise<{ good: boolean; how: string }> {
  const { method, username, password = "", key } = login;
  if (method === "password") return { good: rules.fits(username, password), how: method };
  if (method !== "publickey" || !key) return { good: false, how: method };
  const { keys } = await readAuthorizedKeys(rules.authorizedKeys);
  const known = isAuthorized(key.data, keys) && username === rules.user;
  // a client first asks whether a key would do, and signs only then
  const good = known && (login.signature === undefined || isSigned(login));
  return { good, how: `${key.algo} key ${fingerprint(key.data)}` };
}

/** Counts what did not let a client in: guessing does not go on for ever. */
export class Attempts {
  #passwords = 0;
  #others = 0;

  /** Counts a refusal; whether the client may try again. An agent offers all its keys: those count less. */
  failed(method: string): boolean {
    return method === "password" ? ++this.#passwords < 3 : ++this.#others < 20;
  }
}
