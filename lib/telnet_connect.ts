/**
 * Connecting as telnet does it, and in its words.
 *
 * @module
 */

import { DeadlineError, within } from "./deadline.ts";
import { ActionError } from "./errors.ts";
import { addressesOf } from "./host_addresses.ts";

/**
 * Connects to a host, whose addresses are tried in turn, and tells so on stderr.
 *
 * @param timeout for each address, in milliseconds; 10,000 unless told
 * @throws {ActionError} when a permission is missing
 * @throws {ConnectError} when no address could be connected to
 */
export async function connect(host: string, port: number, timeout = 10_000): Promise<Deno.Conn> {
  try {
    const addresses = await addressesOf(host, port);
    for (const hostname of addresses.slice(0, -1)) {
      try {
        return await tryOne(hostname, port, timeout);
      } catch (error) {
        console.error(`telnet: connect to address ${hostname}: ${inWords(error)}`);
      }
    }
    return await tryOne(addresses.at(-1)!, port, timeout);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) {
      throw new ActionError(`connect to ${host} port ${port}`, error);
    }
    throw new ConnectError(error, port);
  }
}

async function tryOne(hostname: string, port: number, timeout: number): Promise<Deno.Conn> {
  console.error(`Trying ${hostname}...`);
  const late = new AbortController();
  try {
    return await within(timeout, Deno.connect({ hostname, port, signal: late.signal }));
  } catch (error) {
    late.abort();
    throw error;
  }
}

/** A connection that did not come about: telnet's message, and what to do next. */
export class ConnectError extends Error {
  override name = "ConnectError";
  readonly next: string;

  constructor(cause: unknown, port: number) {
    super(`Unable to connect to remote host: ${inWords(cause)}`, { cause });
    this.next = nextStep(cause, port);
  }
}

/** The system's own words for a failed connection. */
function inWords(error: unknown): string {
  if (error instanceof DeadlineError) return "Connection timed out";
  // a reset that came while Deno still set the connection up
  if (error instanceof Deno.errors.NotConnected) return "Connection reset by peer";
  const { message } = error as Error;
  if (isUnknown(error)) return "Name or service not known";
  return message.replace(/ \(os error \d+\)$/, "");
}

function isUnknown(error: unknown): boolean {
  return /failed to lookup|ENOTFOUND|EAI_AGAIN/.test(String(error));
}

function nextStep(error: unknown, port: number): string {
  if (isUnknown(error)) return "Check the name, or give an IP address.";
  if (!(error instanceof Deno.errors.ConnectionRefused)) return "Check the address and the port.";
  return `Nothing listens on port ${port} there` +
    (port !== 2323
      ? ": check the port."
      : ". Start the partner first, in another terminal: ./scripts/remote/telnet_server.ts");
}
