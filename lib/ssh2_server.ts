/**
 * The part of npm:ssh2 that a server uses, with types, since the package has none of its own, and what of it
 * is offered to clients. Names with an underscore are its own affair: they are touched only where it would
 * otherwise fail.
 *
 * @see https://github.com/mscdex/ssh2
 * @module
 */

import type { Duplex, Writable } from "node:stream";
import type { Login } from "./ssh_login.ts";

/** What ssh2 makes of a channel. */
export interface RawChannel extends Duplex {
  stderr: Writable;
  incoming: { window: number };
  _read(size: number): void;
  exit(status: number | string, coreDumped?: boolean, message?: string): void;
  eof(): void;
  close(): void;
  _chunk: unknown;
  _chunkcb: unknown;
  _chunkErr: unknown;
  _chunkcbErr: unknown;
}

/** A login that waits for its answer. */
export interface PendingLogin extends Login {
  /** Lets the client in; without a signature it only says that this key would do. */
  accept(): void;
  /** Refuses, and names what may still be tried. */
  reject(methods: string[]): void;
}

/** One of several sessions on a connection. */
export interface Session {
  on(
    event: "exec",
    listener: (accept: Accept, reject: Refuse, about: { command: string }) => void,
  ): this;
  on(event: "shell", listener: (accept: Accept) => void): this;
  on(
    event: "signal",
    listener: (accept: unknown, reject: unknown, about: { name: string }) => void,
  ): this;
  on(event: "pty" | "env" | "subsystem" | "sftp", listener: (_: unknown, no: Refuse) => void): this;
  on(event: "eof" | "close", listener: () => void): this;
  _ending: boolean;
  _channel: unknown;
  _chanInfo: { incoming: { id: number }; outgoing: { id: number; packetSize: number } };
}

/** Gives the channel, unless something runs in the session already. */
export type Accept = () => RawChannel | undefined;

/** Refuses a request; not there when the client wants no answer. */
export type Refuse = (() => void) | undefined;

/** A client, as ssh2 has it. */
export interface RawClient {
  on(event: "authentication", listener: (login: PendingLogin) => void): this;
  on(event: "session", listener: (accept: () => Session, reject: () => void) => void): this;
  on(event: "error", listener: (error: Error) => void): this;
  on(event: "handshake" | "ready" | "close", listener: () => void): this;
  on(event: "end", listener: () => void): this;
  _protocol: {
    _handlers: {
      SERVICE_REQUEST(protocol: unknown, service: string): void;
      CHANNEL_REQUEST(
        protocol: unknown,
        recipient: number,
        type: string,
        wantsReply: boolean,
        about: unknown,
      ): void;
    };
    serviceAccept(service: string): void;
    channelClose(id: number): void;
    channelFailure(id: number): void;
    channelSuccess(id: number): void;
    disconnect(reason: number): void;
    /** Set while keys are agreed on; what is sent meanwhile piles up. */
    _kexinit: unknown;
  };
  authenticated: boolean;
  _chanMgr: { get(id: number): Partial<Session> | undefined; remove(id: number): void };
}

/**
 * What is offered. Left out: ecdh-sha2-nistp521 and compression, which ssh2 gets wrong on Deno,
 * diffie-hellman-group-exchange, which its server does not have, and whatever rests on SHA-1.
 */
export const ALGORITHMS = {
  kex: [
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group18-sha512",
    "diffie-hellman-group14-sha256",
  ],
  cipher: [
    "chacha20-poly1305@openssh.com",
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
  ],
  hmac: [
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-sha2-256",
    "hmac-sha2-512",
  ],
  compress: ["none"],
};
