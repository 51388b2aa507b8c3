/**
 * Why a WinRM server was not reached, or not understood: what TLS and HTTP say, in words.
 *
 * @module
 */

import { visible } from "./display.ts";
import type { Explanation } from "./errors.ts";

/** What a message went wrong by, apart from the faults that a server answers. */
export class WsmanError extends Error {
  override name = "WsmanError";

  /** @param kind "unreachable" when no server was spoken to, so that nothing was done */
  constructor(
    readonly kind: "unreachable" | "login" | "timeout" | "answer",
    readonly explanation: Explanation,
  ) {
    super(explanation.reason);
  }
}

const CA = "Name the certificate of its authority with --ca FILE.";
const PORTS = "WinRM has HTTPS on port 5986, and plain HTTP (--insecure-http) on 5985.";

/** What TLS and HTTP say, and what it means. */
const CAUSES: [said: RegExp, Explanation][] = [
  [/Connection refused/, {
    reason: "connection refused, nothing is listening there",
    partner: true,
  }],
  [/UnknownIssuer/, {
    reason: "nobody whom this machine trusts vouches for its certificate",
    next: CA,
  }],
  [/not valid for name/, {
    reason: "its certificate is for another name",
    next: "Use the name that stands in the certificate.",
  }],
  [/certificate expired/, { reason: "its certificate has expired", next: "Compare both clocks." }],
  [/certificate not valid yet/, {
    reason: "its certificate is not valid yet",
    next: "Compare both clocks.",
  }],
  [/invalid peer certificate/, { reason: "its certificate is not valid", next: CA }],
  [/corrupt message|InvalidContentType/, { reason: "that port does not speak TLS", next: PORTS }],
  [/invalid HTTP (version|header)|unexpected message/, {
    reason: "that port does not speak HTTP",
    next: PORTS,
  }],
  [/tunnel|proxy/i, {
    reason: "the proxy that HTTPS_PROXY names does not lead there",
    next: "Name the host in NO_PROXY.",
  }],
  [/failed to lookup/, { reason: "no such host is known", next: "Check the name." }],
];

/** The error that stands for what `fetch` threw. */
export function notReached(url: string, error: unknown): WsmanError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const message = String((cause as Error).message);
  const known = CAUSES.find(([said]) => said.test(message))?.[1];
  const why = message.split("): ").at(-1)!.replace(/ \(os error \d+\)/, "");
  const { reason, ...next } = known ?? { reason: visible(why).slice(0, 200) };
  return new WsmanError("unreachable", { reason: `cannot reach ${url}: ${reason}`, ...next });
}
