/**
 * A question to a DNS server over TCP, and what the code of a reply means for who asked.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7766 RFC 7766}: every server answers over TCP as well
 * @module
 */

import { formatEndpoint, type NetEndpoint, parseEndpoint } from "./address.ts";
import { DeadlineError, within } from "./deadline.ts";
import {
  codeName,
  CODES,
  decodeMessage,
  encodeMessage,
  type Message,
  questionFor,
} from "./dns_message.ts";
import { DnsFormatError, sameName } from "./dns_name.ts";
import { ActionError, attempt, type Explanation } from "./errors.ts";
import { canonicalAddress } from "./hosts_file.ts";
import { SocketReader } from "./reader.ts";
import { connect } from "./tcp.ts";
import { UsageError } from "./usage.ts";

/**
 * Reads the address of a server from an option, in the form in which its datagrams tell it.
 *
 * @throws {UsageError} when it is no IP address with a port
 */
export function parseServer(text: string): NetEndpoint {
  try {
    const endpoint = parseEndpoint(text);
    const hostname = "hostname" in endpoint && canonicalAddress(endpoint.hostname);
    if (hostname) return { hostname, port: (endpoint as NetEndpoint).port };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new UsageError(
    `--server is an IP address and a port, as 127.0.0.1:53 or [::1]:53, not "${text}"`,
  );
}

/** Whether a message is the reply to a question: the id is repeated, and so is what was asked. */
export function isReplyTo(question: Message, reply: Message): boolean {
  const [asked] = question.questions, [repeated] = reply.questions;
  return reply.response && reply.id === question.id && (
    // a server that cannot read the question cannot repeat it
    (!repeated && reply.code !== 0) ||
    (!!asked && !!repeated && sameName(asked.name, repeated.name) && asked.type === repeated.type)
  );
}

/**
 * Asks a server over TCP. Nothing is lost there, and a reply may have 65,535 bytes.
 *
 * @param options.timeout for the connection and for the reply, in milliseconds; 5,000 unless told
 * @throws {ActionError} when it cannot connect
 * @throws {DnsFormatError} when what comes is no reply to this question
 */
export async function askOverTcp(
  question: Message,
  server: NetEndpoint,
  options: { timeout?: number } = {},
): Promise<Message> {
  const { timeout = 5_000 } = options;
  using connection = await connect({ ...server, timeout });
  const bytes = encodeMessage(question);
  await connection.write(Uint8Array.of(bytes.length >> 8, bytes.length & 255, ...bytes));
  const reader = new SocketReader(connection, { timeout });
  const length = await reader.readExactly(2);
  const reply = length && await reader.readExactly(length[0]! << 8 | length[1]!);
  const name = formatEndpoint(server);
  if (!reply) throw new DnsFormatError(`${name} closed the connection without a reply`);
  const message = decodeMessage(reply);
  if (isReplyTo(question, message)) return message;
  throw new DnsFormatError(`what ${name} sent is no reply to the question`);
}

const MEANINGS: Record<string, [reason: string, next: string]> = {
  FORMERR: ["the server cannot read the question", "Check the name, or ask another server."],
  SERVFAIL: ["the server failed to find out", "Try again later, or ask another server."],
  NXDOMAIN: ["there is no such name", "Check the name."],
  NOTIMP: ["the server does not answer such questions", "Ask another server."],
  REFUSED: ["the server refuses to answer that", "Ask another server, one that serves you."],
};

/** The server replied, and the reply is that there is no answer. */
export class NoSuchRecordError extends Error {
  override name = "NoSuchRecordError";
  readonly explanation: Explanation;

  /** @param code that of the reply; 0 means that the name exists, without such a record */
  constructor(name: string, type: string, readonly code: number) {
    const known = MEANINGS[CODES[code] ?? ""];
    const what = code === 0
      ? `the name exists, but has no ${type} record`
      : `${known?.[0] ?? "the server replied with an error"} (${codeName(code)})`;
    super(`cannot look up ${name}: ${what}`);
    this.explanation = {
      reason: this.message,
      next: code === 0 ? "Ask for another type." : known?.[1] ?? "Ask another server.",
    };
  }
}

/**
 * Why a question that `Deno.resolveDns` asked had no result: it tells neither the reply's code nor whether
 * anything listens there. The question is asked again over TCP, for which the same grant does.
 *
 * @param failure what `Deno.resolveDns` threw
 * @returns the error to throw; `failure` itself when it has another reason
 */
export async function whyNot(
  name: string,
  type: string,
  server: NetEndpoint,
  failure: unknown,
): Promise<unknown> {
  const { NotFound, TimedOut } = Deno.errors;
  const silent = failure instanceof TimedOut || failure instanceof DeadlineError;
  if (!silent && !(failure instanceof NotFound)) {
    return new ActionError(`look up ${name} at ${formatEndpoint(server)}`, failure);
  }
  try {
    const action = `get an answer from ${formatEndpoint(server)}`;
    const { code } = await attempt(action, askOverTcp(questionFor(name, type), server));
    if (!silent || code !== 0) return new NoSuchRecordError(name, type, code);
    return new Error(`${formatEndpoint(server)} gives an answer over TCP, but none over UDP`);
  } catch (error) {
    return error;
  }
}

/** How long `Deno.resolveDns` may take, in milliseconds: it asks again by itself. */
export const PATIENCE = 6_000;

/**
 * The data of a name's records as text, by `Deno.resolveDns`; none when the name exists without such.
 *
 * @throws {NoSuchRecordError} when there is no such name, or the server refuses or fails
 * @throws {ActionError} when nobody answers
 */
export async function resolve(
  name: string,
  type: "A" | "AAAA" | "CNAME" | "PTR",
  server: NetEndpoint,
): Promise<string[]> {
  const gaveUp = new AbortController();
  const nameServer = { ipAddr: server.hostname, port: server.port };
  try {
    return await within(
      PATIENCE,
      Deno.resolveDns(name, type, { nameServer, signal: gaveUp.signal }),
    );
  } catch (error) {
    gaveUp.abort();
    const why = await whyNot(name, type, server, error);
    if (why instanceof NoSuchRecordError && why.code === 0) return [];
    throw why;
  }
}
