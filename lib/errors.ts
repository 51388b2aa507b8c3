/**
 * What went wrong, in one sentence that names the action and the value, and what to do next.
 *
 * @module
 */

import { within } from "./deadline.ts";
import { explainTls } from "./tls_errors.ts";

/** An action that failed: what was tried, why it did not work, and what to do next. */
export class ActionError extends Error {
  override name = "ActionError";
  /** What the reader can do about it. */
  readonly explanation: Explanation;

  constructor(action: string, cause: unknown) {
    const explanation = explain(cause);
    const reason = `cannot ${action}: ${explanation.reason}`;
    super(reason, { cause });
    // a socket file that is not there is a server that is not there
    const noSocket = cause instanceof Deno.errors.NotFound && action.startsWith("connect to ");
    this.explanation = { ...explanation, ...(noSocket && { partner: true }), reason };
  }
}

/**
 * Does one action under a name and a deadline: an error then says what was tried, not only that it failed.
 * A thing that arrives after the deadline is closed.
 *
 * @param action what is done, with its values: `connect to 127.0.0.1 port 10000`
 * @param options.timeout how long to wait at most, in milliseconds; 10,000 unless told; `Infinity` for no limit
 * @throws {ActionError} with the reason and the next step
 *
 * @example
 * ```ts
 * import { attempt } from "./errors.ts";
 * import { assertRejects } from "@std/assert";
 *
 * await assertRejects(
 *   () => attempt("wait for the bus", new Promise(() => {}), { timeout: 5 }),
 *   Error,
 *   "cannot wait for the bus: nothing came within 0.005 s",
 * );
 * ```
 */
export async function attempt<T>(
  action: string,
  work: Promise<T> | (() => T | Promise<T>),
  options: { timeout?: number } = {},
): Promise<T> {
  try {
    const result = typeof work === "function" ? work() : work;
    if (!(result instanceof Promise)) return result;
    return await within(options.timeout ?? 10_000, result);
  } catch (error) {
    throw new ActionError(action, error);
  }
}

/** Why something failed, and what to do about it. */
export interface Explanation {
  reason: string;
  /** The next step, where it does not depend on the lesson. */
  next?: string;
  /** Whether the next step is to start the lesson's partner. */
  partner?: boolean;
}

const REASONS: Record<string, Explanation> = {
  ENOTFOUND: { reason: "no such host is known", next: "Check the name, or give an IP address." },
  EAI_AGAIN: { reason: "no such host is known", next: "Check the name, or give an IP address." },
  ECONNREFUSED: { reason: "connection refused, nothing is listening there", partner: true },
  ENOENT: { reason: "there is no such file" },
  EAGAIN: { reason: "too many clients are waiting there already", next: "Try again later." },
  ECONNRESET: { reason: "the other side reset the connection" },
  EPIPE: { reason: "the other side has already closed the connection" },
  // after a reset, what still asks about the connection gets this one: so does connecting, now and then
  ENOTCONN: { reason: "the other side reset the connection" },
  ETIMEDOUT: { reason: "no answer came in time" },
  EHOSTUNREACH: { reason: "no route leads to that host", next: "Check the address." },
  ENETUNREACH: { reason: "no route leads to that network", next: "Check the address." },
  EADDRINUSE: {
    reason: "another program has that address already",
    next: "Stop that program, or choose another (--port or --path) and grant it with --allow-net.",
  },
  EADDRNOTAVAIL: {
    reason: "this machine does not have that address",
    next: "Use one of its own, such as 127.0.0.1 or ::1.",
  },
  EACCES: {
    reason: "the operating system does not permit it",
    next: "Ports below 1024 are kept for root, and files have owners: choose another.",
  },
  EMFILE: {
    reason: "too many files and sockets are open",
    next: "Raise the limit with ulimit -n.",
  },
  EMSGSIZE: {
    reason: "a UDP datagram carries at most 65,507 bytes",
    next: "Send less, or use TCP.",
  },
};

/** Puts an error in words: the reason, and the next step where there is one. */
export function explain(error: unknown): Explanation {
  if (!(error instanceof Error)) return { reason: String(error) };
  if ("explanation" in error) return error.explanation as Explanation;
  if (error instanceof Deno.errors.NotCapable) {
    // such files open with --allow-all only, which would grant everything else as well
    const [, kept] = /Requires all access to "([^"]*)"/.exec(error.message) ?? [];
    if (kept !== undefined) {
      return { reason: `Deno keeps ${kept} from scripts`, next: "Take another file." };
    }
    const flag = missingFlag(error.message);
    return {
      reason: `Deno was not given ${flag}`,
      next: `Start it with deno run, and ${flag} before the script's name.`,
    };
  }
  if (error.message.startsWith("failed to lookup address information")) {
    return { reason: "no such host is known", next: "Check the name, or give an IP address." };
  }
  if (error.message === "path must be shorter than SUN_LEN") {
    return { reason: "a socket path has at most 107 bytes", next: "Choose a shorter one." };
  }
  // AbortSignal.timeout
  if (error.name === "TimeoutError") return REASONS.ETIMEDOUT!;
  if (error.message === "fetch failed" && error.cause instanceof Error) {
    return explainFetch(error.cause.message);
  }
  const code = (error as Error & { code?: string }).code;
  return REASONS[code ?? ""] ?? explainTls(error.message) ?? { reason: error.message };
}

/** What went wrong below a `fetch` stands at the end of a long message, and has no code. */
function explainFetch(message: string): Explanation {
  const why = message.split("): ").at(-1)!;
  if (why.includes("Connection refused")) return REASONS.ECONNREFUSED!;
  if (why.includes("failed to lookup")) return REASONS.ENOTFOUND!;
  return explainTls(why) ?? { reason: why.replace(/ \(os error \d+\)$/, "") };
}

/** The flag that grants what Deno just refused: `Requires net access to "x"` becomes `--allow-net=x`. */
function missingFlag(message: string): string {
  const found = /Requires (\w+) access(?: to "([^"]*)")?/.exec(message);
  if (!found) return "a permission";
  return `--allow-${found[1]}` + (found[2] === undefined ? "" : `=${found[2]}`);
}
