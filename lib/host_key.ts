/**
 * Whether a server is the one that it says it is: its key against the known hosts.
 *
 * @module
 */

import { ActionError } from "./errors.ts";
import { fingerprint, hostName, keyType, type KnownHosts } from "./known_hosts.ts";
import { appendKnownHost } from "./known_hosts_file.ts";

/** What is to be done about a server's key. */
export interface HostKeyPolicy {
  known: KnownHosts;
  /** The file they come from. */
  path: string;
  /** Whether the key of a host that is not known is accepted and added to the file; no, unless told. */
  acceptNew?: boolean;
  /** Told what was done, for a person to read. */
  report?: (text: string) => void;
}

/** A server's key is not accepted; nothing was sent that it could use. */
export class HostKeyError extends Error {
  override name = "HostKeyError";
  readonly explanation: { reason: string; next: string };

  constructor(
    readonly kind: "unknown" | "changed" | "revoked",
    reason: string,
    next: string,
  ) {
    super(reason);
    this.explanation = { reason, next };
  }
}

/** The lecture's script, in the same place. */
const LECTURE =
  "The lecture's script would have gone on and sent the password: AutoAddPolicy takes every unknown key, " +
  "and as the script loads no known hosts, every key is unknown to it.";

/**
 * Checks a key, and says what to do with it.
 *
 * @returns what is to be done as soon as the server has proved that the key is its own
 * @throws {HostKeyError} when the key is unknown (unless new ones are accepted), changed or revoked
 */
export function checkHostKey(
  host: { hostname: string; port: number },
  key: Uint8Array,
  policy: HostKeyPolicy,
): () => void | Promise<void> {
  const { known, path, acceptNew = false, report = () => {} } = policy;
  const name = hostName(host.hostname, host.port);
  const type = keyType(key) ?? "unknown type";
  const shown = `${type} ${fingerprint(key)}`;
  const verdict = known.check(name, key);
  if (verdict.kind === "known") return () => {};
  if (verdict.kind === "unknown" && acceptNew) {
    return async () => {
      // of several connections at once, the first has added it; the others must meet the same key
      if (known.check(name, key).kind !== "unknown") return void checkHostKey(host, key, policy);
      known.add(name, key);
      await appendKnownHost(path, name, key);
      report(`${name} was not known: added its key ${shown} to ${path}`);
    };
  }
  if (verdict.kind === "unknown") {
    const authority = verdict.authority
      ? `\nLine ${verdict.authority} of ${path} names an authority that signs host certificates: those this script cannot check.`
      : "";
    throw new HostKeyError(
      "unknown",
      `the key of ${name} is not known: ${shown}`,
      "Compare this fingerprint with the one that its owner tells you (there: ssh-keygen -lf " +
        `/etc/ssh/ssh_host_…_key.pub). If they are the same, run this again with --accept-new.${authority}\n${LECTURE}`,
    );
  }
  if (verdict.kind === "revoked") {
    throw new HostKeyError(
      "revoked",
      `the key of ${name} is revoked in line ${verdict.line} of ${path}: ${shown}`,
      `Somebody may hold this key who should not. Do not log in.\n${LECTURE}`,
    );
  }
  const before = verdict.known.map((host) =>
    `line ${host.line}: ${host.type} ${fingerprint(host.key)}`
  );
  throw new HostKeyError(
    "changed",
    `THE KEY OF ${name} HAS CHANGED. Somebody may stand between you and it and read your password`,
    `It shows     ${shown}\nKnown before ${before.join("\n             ")}\n` +
      `If its owner confirms the change, remove the old key (ssh-keygen -f ${path} -R '${name}') and run this again.\n${LECTURE}`,
  );
}

/** The failure as a part of connecting. */
export function refused(action: string, error: unknown): unknown {
  return error instanceof HostKeyError ? error : new ActionError(action, error);
}
