/**
 * From a checker's command line to its exit code.
 *
 * @module
 */

import { formatEndpoint, type NetEndpoint, parseEndpoint } from "../address.ts";
import { attempt } from "../errors.ts";
import { UsageError } from "../usage.ts";
import { type Check, runChecks } from "./check.ts";
import { ClientTrial } from "./client_trial.ts";
import { Report } from "./report.ts";
import { type ServerTrial, serverTrials, type TrialOptions } from "./server_trial.ts";

/** What every checker takes on its command line. */
export interface CheckerOptions extends TrialOptions {
  /** Where the student's server is, or where the checker waits for the student's client. */
  address: string;
  /** Whether it is a client that is checked. */
  client: boolean;
  /** How long is waited for a client to be started, in seconds. */
  patience: number;
  first: boolean;
  json: boolean;
}

/**
 * Checks the server at an address, prints the report, and sets the exit code: 0 all passed, else 1.
 *
 * @throws {UsageError} when the address is none
 */
export async function checkServer(
  what: string,
  checks: readonly Check<ServerTrial>[],
  options: CheckerOptions,
): Promise<void> {
  const where = readAddress(options.address);
  await check(`${what} at ${formatEndpoint(where)}`, checks, serverTrials(where, options), options);
}

/**
 * Listens at an address, checks the clients that come, one for each check, prints the report, and sets the exit
 * code.
 *
 * @throws {UsageError} when the address is none
 * @throws {ActionError} when it cannot listen there
 */
export async function checkClient(
  what: string,
  checks: readonly Check<ClientTrial>[],
  options: CheckerOptions,
): Promise<void> {
  const where = readAddress(options.address);
  using listener = await attempt(`listen on ${options.address}`, () => Deno.listen(where));
  const { timeout, patience } = options;
  console.error(`start ${what} once for each of ${checks.length} checks`);
  console[options.json ? "error" : "log"](`listening on ${formatEndpoint(listener.addr)}`);
  const begin = () => new ClientTrial(listener, { timeout, patience: patience * 1_000 });
  await check(`${what} at ${formatEndpoint(listener.addr)}`, checks, begin, options);
}

/** Runs checks, prints the report, and sets the exit code. */
export async function check<T extends Disposable>(
  subject: string,
  checks: readonly Check<T>[],
  begin: () => T,
  { json, first, timeout }: Pick<CheckerOptions, "json" | "first" | "timeout">,
): Promise<void> {
  const report = new Report(subject, { json });
  const onResult = report.add.bind(report);
  await runChecks(checks, begin, { stopAtFirst: first, timeout, onResult });
  Deno.exitCode = report.end();
}

/**
 * Reads `HOST:PORT`.
 *
 * @throws {UsageError} when it is none
 *
 * @example
 * ```ts
 * import { readAddress } from "./checker.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(readAddress("127.0.0.1:10000"), { hostname: "127.0.0.1", port: 10000 });
 * ```
 */
export function readAddress(text: string): NetEndpoint {
  let endpoint;
  try {
    endpoint = parseEndpoint(text);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  if ("path" in endpoint) throw new UsageError(`the address is HOST:PORT, not "${text}"`);
  return endpoint;
}
