/**
 * The part of npm:ssh2 that a client uses, with types: the package has none of its own.
 *
 * @see https://github.com/mscdex/ssh2
 * @module
 */

import type { Buffer } from "node:buffer";
import type { Duplex, Readable } from "node:stream";
import ssh2 from "ssh2";

/** A private key that was read. */
export interface PrivateKey {
  /** `ssh-ed25519`, `ecdsa-sha2-nistp256` … */
  type: string;
  comment: string;
  getPrivatePEM(): string | null;
  getPublicSSH(): Buffer;
  /** Signs; gives an error and does not throw it. */
  sign(data: Uint8Array, hash?: string): Buffer | Error;
}

/** A channel on which a command runs: its stdin and stdout. */
export interface Channel extends Duplex {
  stderr: Readable;
  outgoing: { id: number; state: string };
  close(): void;
}

/** One question of a keyboard-interactive login. */
export interface Prompt {
  prompt: string;
  echo?: boolean;
}

/** One way to log in. */
export type Attempt =
  | { type: "password"; username: string; password: string }
  | { type: "publickey"; username: string; key: PrivateKey }
  | { type: "agent"; username: string; agent: string }
  | {
    type: "keyboard-interactive";
    username: string;
    prompt(
      name: string,
      instructions: string,
      language: string,
      prompts: Prompt[],
      finish: (answers: string[]) => void,
    ): void;
  };

/** How a client connects. */
export interface Settings {
  sock: Duplex;
  username: string;
  readyTimeout: number;
  keepaliveInterval: number;
  keepaliveCountMax: number;
  algorithms: Record<"kex" | "serverHostKey" | "cipher" | "hmac" | "compress", string[]>;
  hostVerifier(key: Buffer): boolean;
  authHandler(
    left: string[] | null,
    partial: boolean | null,
    next: (attempt: Attempt | false) => void,
  ): void;
}

/** A client; an emitter of `handshake`, `banner`, `ready`, `error`, `end` and `close`. */
export interface Client {
  on(event: string, listener: (...values: never[]) => void): this;
  connect(settings: Settings): this;
  exec(command: string, done: (error: Error | undefined, channel: Channel) => void): boolean;
  end(): void;
  destroy(): void;
  /** What software the server says that it is, once its greeting has come. */
  _remoteVer?: string;
  _protocol: { signal(channel: number, name: string): void };
}

export const Client: new () => Client = ssh2.Client;

/** Reads a key in any of the library's formats; gives an error and does not throw it. */
export const parseKey: (text: string, passphrase?: string) => PrivateKey | PrivateKey[] | Error =
  ssh2.utils.parseKey;
