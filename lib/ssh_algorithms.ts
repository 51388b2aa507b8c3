/**
 * Which algorithms an SSH client offers: those of OpenSSH that ssh2 knows and Deno can do, the fastest first.
 *
 * @module
 */

import type { Settings } from "./ssh2.ts";

// ecdh-sha2-nistp521 is missing: Deno's createECDH has no such curve
const KEX = [
  "curve25519-sha256",
  "curve25519-sha256@libssh.org",
  "ecdh-sha2-nistp256",
  "ecdh-sha2-nistp384",
  "diffie-hellman-group-exchange-sha256",
  "diffie-hellman-group16-sha512",
  "diffie-hellman-group18-sha512",
  "diffie-hellman-group14-sha256",
];

const HOST_KEYS = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256",
];

/** ssh2 would ask for AES-GCM first, the slowest on Deno. */
const CIPHERS = [
  "chacha20-poly1305@openssh.com",
  "aes128-ctr",
  "aes192-ctr",
  "aes256-ctr",
  "aes128-gcm@openssh.com",
  "aes256-gcm@openssh.com",
];

const MACS = [
  "hmac-sha2-256-etm@openssh.com",
  "hmac-sha2-512-etm@openssh.com",
  "hmac-sha1-etm@openssh.com",
  "hmac-sha2-256",
  "hmac-sha2-512",
  "hmac-sha1",
];

/**
 * What to offer a host.
 *
 * @param known the types of the keys by which it is known: the server shows one key only, and is asked for
 *   one that can be compared
 */
export function algorithms(known: string[]): Settings["algorithms"] {
  const isKnown = (name: string) => known.includes(name.startsWith("rsa-") ? "ssh-rsa" : name);
  return {
    kex: KEX,
    serverHostKey: HOST_KEYS.toSorted((a, b) => Number(isKnown(b)) - Number(isKnown(a))),
    cipher: CIPHERS,
    hmac: MACS,
    // zlib does not work in ssh2 on Deno
    compress: ["none"],
  };
}
