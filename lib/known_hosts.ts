/**
 * Host keys that are known already, in the format of OpenSSH's `~/.ssh/known_hosts`, and what they say of a
 * key that a server shows.
 *
 * @see {@link https://man.openbsd.org/sshd#SSH_KNOWN_HOSTS_FILE_FORMAT sshd(8), SSH_KNOWN_HOSTS FILE FORMAT}
 * @module
 */

import { createHash, createHmac } from "node:crypto";
import { visible } from "./display.ts";

/** What a line is about: a key, a key that must never be accepted, or an authority that signs host keys. */
export type Marker = "key" | "revoked" | "cert-authority";

/** One line that could be read. */
export interface KnownHost {
  /** Where it stands, from 1; 0 when it came in since. */
  line: number;
  marker: Marker;
  /** Names and patterns by comma, or `|1|salt|hash`. */
  hosts: string;
  /** `ssh-ed25519`, `ecdsa-sha2-nistp256`, `ssh-rsa` … */
  type: string;
  key: Uint8Array;
}

/** What the known hosts say of a key. */
export type Verdict =
  | { kind: "known"; line: number }
  /** Nothing is known of this host; an authority that could vouch for it may be. */
  | { kind: "unknown"; authority?: number }
  /** The host is known by other keys. */
  | { kind: "changed"; known: KnownHost[] }
  | { kind: "revoked"; line: number };

/** The name under which a host is listed: with its port, when that is not 22. */
export function hostName(hostname: string, port: number): string {
  const name = hostname.toLowerCase();
  return port === 22 ? name : `[${name}]:${port}`;
}

/** The name of the same host on port 22. */
const withoutPort = (name: string) => /^\[(.*)\]:\d+$/.exec(name)?.[1] ?? name;

/**
 * The lines of a known_hosts file.
 *
 * @example
 * ```ts
 * import { KnownHosts } from "./known_hosts.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const known = new KnownHosts("*.example.org,!old.example.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5\n");
 * const key = Uint8Array.fromBase64("AAAAC3NzaC1lZDI1NTE5");
 * assertEquals(known.check("www.example.org", key), { kind: "known", line: 1 });
 * assertEquals(known.check("old.example.org", key), { kind: "unknown" });
 * ```
 */
export class KnownHosts {
  readonly hosts: KnownHost[] = [];
  /** Lines that could not be read and are not used, with the reason. */
  readonly damaged: { line: number; reason: string }[] = [];

  constructor(text: string) {
    text.split(/\r?\n/).forEach((words, index) => {
      const line = index + 1;
      if (/^\s*(?:#|$)/.test(words)) return;
      const found = parseLine(words, line);
      if (typeof found === "string") this.damaged.push({ line, reason: found });
      else this.hosts.push(found);
    });
  }

  /** Takes a key for that of a host from now on; the file is another matter. */
  add(name: string, key: Uint8Array): void {
    const type = keyType(key) ?? "";
    this.hosts.push({ line: 0, marker: "key", hosts: name.toLowerCase(), type, key });
  }

  /** The lines of a host, for whatever they are. */
  of(name: string): KnownHost[] {
    return this.hosts.filter(({ hosts }) => matchesHost(hosts, name));
  }

  /** The types of the keys by which a host is known, so that it can be asked for one of them. */
  typesOf(name: string): string[] {
    const mine = this.of(name).filter(({ marker }) => marker === "key");
    const all = mine.length > 0 ? mine : this.of(withoutPort(name));
    return all.filter(({ marker }) => marker === "key").map(({ type }) => type);
  }

  /**
   * What to think of the key that a host shows.
   *
   * A key of a type that is not listed counts as changed as soon as the host is listed with another: who
   * stands in between could otherwise show a key of a type that nobody knows.
   *
   * A host of which nothing is known on its port is looked for without the port, as OpenSSH does: the same key is
   * good or revoked there as well, and another one tells nothing, since another server may listen there.
   *
   * @param name as {@linkcode hostName} gives it
   */
  check(name: string, key: Uint8Array): Verdict {
    const mine = this.of(name);
    const isIt = (host: KnownHost) => sameBytes(host.key, key);
    const elsewhere = this.of(withoutPort(name)).filter(isIt);
    const same = mine.filter(isIt);
    const revoked = [...same, ...elsewhere].find(({ marker }) => marker === "revoked");
    if (revoked) return { kind: "revoked", line: revoked.line };
    const listed = mine.some(({ marker }) => marker === "key");
    const known = (listed ? same : elsewhere).find(({ marker }) => marker === "key");
    if (known) return { kind: "known", line: known.line };
    const others = mine.filter(({ marker }) => marker === "key");
    if (others.length > 0) return { kind: "changed", known: others };
    const authority = mine.find(({ marker }) => marker === "cert-authority");
    return { kind: "unknown", ...authority && { authority: authority.line } };
  }
}

function parseLine(text: string, line: number): KnownHost | string {
  const words = text.trim().split(/[ \t]+/);
  let marker: Marker = "key";
  if (words[0]!.startsWith("@")) {
    const word = words.shift()!;
    if (word !== "@revoked" && word !== "@cert-authority") {
      return `there is no marker ${visible(word).slice(0, 40)}, only @revoked and @cert-authority`;
    }
    marker = word.slice(1) as Marker;
  }
  const [hosts, type, code] = words;
  if (!hosts || !type || !code) return "it needs host names, a key type and a key";
  if (/^\d+$/.test(type)) return "it is a key of SSH version 1, which is no longer used";
  if (hosts.startsWith("|") && !readHash(hosts)) {
    return "its hashed name is not of the form |1|salt|hash";
  }
  const key = decodeBase64(code);
  if (!key) return "its key is not base64";
  if (keyType(key) !== type) {
    return `its key is not of the type ${visible(type).slice(0, 40)} that it says`;
  }
  return { line, marker, hosts, type, key };
}

function decodeBase64(code: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromBase64(code);
  } catch {
    return undefined;
  }
}

/** The type that a public key begins with: a length of four bytes, and the name. */
export function keyType(key: Uint8Array): string | undefined {
  if (key.length < 4) return undefined;
  const length = new DataView(key.buffer, key.byteOffset).getUint32(0);
  if (length > key.length - 4 || length > 64) return undefined;
  const name = String.fromCharCode(...key.subarray(4, 4 + length));
  return /^[\x21-\x7e]+$/.test(name) ? name : undefined;
}

/**
 * A key's fingerprint as `ssh-keygen -l` shows it.
 *
 * @example
 * ```ts
 * import { fingerprint } from "./known_hosts.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(fingerprint(new Uint8Array()), "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU");
 * ```
 */
export function fingerprint(key: Uint8Array): string {
  return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

/** Whether a line's names mean a host: one pattern of them does, and none with `!` before it. */
export function matchesHost(hosts: string, name: string): boolean {
  if (hosts.startsWith("|")) return matchesHash(hosts, name);
  let matched = false;
  for (const pattern of hosts.toLowerCase().split(",")) {
    const negated = pattern.startsWith("!");
    if (!matchesPattern(negated ? pattern.slice(1) : pattern, name)) continue;
    if (negated) return false;
    matched = true;
  }
  return matched;
}

/** `*` stands for any run of characters, `?` for one; in time that grows with the lengths only. */
function matchesPattern(pattern: string, name: string): boolean {
  let at = 0, star = -1, retry = 0;
  for (let index = 0; index < name.length;) {
    // a star takes nothing at first, and one character more each time that what follows does not fit
    if (pattern[at] === "*") [star, retry] = [at++, index];
    else if (pattern[at] === "?" || pattern[at] === name[index]) [at, index] = [at + 1, index + 1];
    else if (star >= 0) [at, index] = [star + 1, ++retry];
    else return false;
  }
  while (pattern[at] === "*") at++;
  return at === pattern.length;
}

function readHash(hosts: string): { salt: Uint8Array; hash: Uint8Array } | undefined {
  const found = /^\|1\|([^|]+)\|([^|,]+)$/.exec(hosts);
  const salt = found && decodeBase64(found[1]!), hash = found && decodeBase64(found[2]!);
  return salt && hash?.length === 20 ? { salt, hash } : undefined;
}

/** A hashed name is HMAC-SHA1 under a salt: who steals the file does not learn where its owner logs in. */
function matchesHash(hosts: string, name: string): boolean {
  const { salt, hash } = readHash(hosts)!;
  return sameBytes(createHmac("sha1", salt).update(name).digest(), hash);
}
