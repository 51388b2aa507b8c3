/**
 * What a broker refuses, and what goes wrong on the way to it, in words.
 *
 * @module
 */

/** What the codes of MQTT 3.1.1 (CONNACK, below 128) and of MQTT 5 (any packet) mean. */
const CODES: Record<number, string> = {
  1: "it does not speak this version of MQTT: try --mqtt 3 or --mqtt 5",
  2: "it refuses this client id",
  3: "it is not available at present",
  4: "bad user name or password",
  5: "not authorised",
  // MQTT 3.1.1 has one code for a refused subscription, and permission is what brokers mean by it
  128: "not authorised, or the filter is one that it does not take",
  132: "it does not speak this version of MQTT: try --mqtt 3 or --mqtt 5",
  133: "it refuses this client id",
  134: "bad user name or password",
  135: "not authorised",
  136: "it is not available at present",
  137: "it is too busy at present",
  138: "this client is banned",
  143: "it does not take this filter",
  144: "it does not take this topic",
  149: "the message is too large for it",
  151: "its quota is used up",
  158: "it has no shared subscriptions",
};

/** A refusal by its code. */
export function refusal(code: number): Error {
  return new Error(CODES[code] ?? `it refuses with code ${code}`);
}

const UNTRUSTED = [
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
];

/** Thrown when the broker closes the connection in place of an answer. */
export class NoAnswer extends Error {
  override name = "NoAnswer";
}

/** Why a connection could not be made; what has better words elsewhere is given back as it is. */
export function whyNotConnected(error: unknown, { ca, user }: { ca?: string; user?: string }) {
  if (!(error instanceof Error)) return error;
  const { code } = error as Error & { code?: number | string };
  // some brokers give this code for a wrong password, too
  if (code === 5 || code === 135) {
    return new Error(
      user === undefined
        ? "not authorised: it wants a user name (--user)"
        : `not authorised: bad password, or ${user} may not enter`,
    );
  }
  if (typeof code === "number") return refusal(code);
  const closed = error instanceof NoAnswer || code === "ECONNRESET" || code === "EPROTO";
  if (ca === undefined) {
    if (!closed) return error;
    return new Error("it closed the connection without an answer: perhaps it wants TLS (--ca)");
  }
  if (UNTRUSTED.includes(`${code}`)) {
    return new Error(`its certificate is not signed by one in ${ca}: it is not to be trusted`);
  }
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return new Error("its certificate is for another name than this --host");
  }
  if (code === "CERT_HAS_EXPIRED") return new Error("its certificate has expired");
  if (closed || code === "ERR_SSL_WRONG_VERSION_NUMBER") {
    return new Error("it does not speak TLS on this port: choose another, or leave out --ca");
  }
  return error;
}
