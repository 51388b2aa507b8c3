/**
 * What goes wrong between an SSH client and its server, in words.
 *
 * @module
 */

import { DeadlineError } from "./deadline.ts";
import { visible } from "./display.ts";

/** How far a connection has come; what a server that falls silent was waited for. */
export type Stage =
  | "the connection"
  | "the server's SSH greeting"
  | "the key exchange"
  | "the answer to the login"
  | "the command";

/** What the algorithms of each kind are called, as ssh2 names them. */
const KINDS: Record<string, string> = {
  "key exchange algorithm": "key exchange",
  "host key format": "type of host key",
  "C->S cipher": "cipher",
  "S->C cipher": "cipher",
  "C->S MAC": "MAC",
  "S->C MAC": "MAC",
  "C->S compression": "compression",
  "S->C compression": "compression",
};

/** An error whose next step is known. */
export class SshError extends Error {
  override name = "SshError";
  readonly explanation: { reason: string; next?: string };

  constructor(reason: string, next?: string) {
    super(reason);
    this.explanation = { reason, next };
  }
}

/** Puts an error of ssh2's in words; one that has better words elsewhere is given back as it is. */
export function whySshFailed(error: Error, stage: Stage): Error {
  const { level, code } = error as Error & { level?: string; code?: string | number };
  if (level === "client-socket" || typeof code === "string") return error;
  // the words of the other side, which could be anything
  if (typeof code === "number") {
    return new SshError(`it says "${visible(error.message).slice(0, 200)}"`);
  }
  const kind = /no matching (.+)/.exec(error.message)?.[1];
  if (kind) {
    return new SshError(
      `it has no ${KINDS[kind] ?? kind} in common with this script`,
      "The README of ssh2 lists what this script knows. Of OpenSSH's defaults it lacks sntrup761x25519, " +
        "ecdh-sha2-nistp521 (Deno has no such exchange), the umac MACs, certificates and security keys.",
    );
  }
  if (
    stage === "the server's SSH greeting" && error.message !== "Connection lost before handshake"
  ) {
    return new SshError(`it does not speak SSH (${error.message})`, "Check the port.");
  }
  if (error.message === "Connection lost before handshake") return closedDuring(stage);
  if (/^Keepalive timeout/.test(error.message)) {
    return new SshError("it has stopped answering", "The command may still run there.");
  }
  return new SshError(`${visible(error.message)}, during ${stage}`);
}

/** The server ended the connection and gave no reason. */
export function closedDuring(stage: Stage): Error {
  const where = stage === "the command" ? "before the command had ended" : `before ${stage}`;
  return new SshError(`it closed the connection ${where}`);
}

/** A server may say much before the login; a screenful is enough. */
export const shownBanner = (text: string) =>
  text.slice(0, 4_000).trimEnd().split(/\r?\n/).map(visible).join("\n");

/** Nothing came, and what it was that did not come. */
export class SilenceError extends DeadlineError {
  constructor(milliseconds: number, stage: Stage) {
    super(milliseconds);
    this.message += `, while waiting for ${stage}`;
  }
}
