/**
 * A question and its answer over UDP: what TCP would do by itself, waiting, asking again and telling the
 * right sender from strangers, is done here.
 *
 * @module
 */

import { formatEndpoint, type NetEndpoint } from "./address.ts";
import { DeadlineError, within } from "./deadline.ts";
import { attempt, type Explanation } from "./errors.ts";
import { addressOf, bind, localFor, senderOf } from "./udp_socket.ts";

/** How long to wait for an answer, and how often to ask. */
export interface RequestOptions {
  /** How long to wait for the first answer, in milliseconds; doubled each time. 1,000 unless told. */
  timeout?: number;
  /** How often to ask again; 3 unless told, which makes four datagrams in 15 s. */
  retries?: number;
  /** Whether a datagram from the right address is the answer; any is unless told. */
  accept?: (answer: Uint8Array) => boolean;
  /** Told before the request is sent again, with the number of the retry. */
  onRetry?: (retry: number) => void;
  signal?: AbortSignal;
}

/**
 * Nobody answered, or not the question. Whether the request or the answer was lost, or nobody listens, UDP does
 * not tell.
 */
export class NoAnswerError extends Error {
  override name = "NoAnswerError";
  readonly explanation: Explanation;

  /** @param fault why what came from there was no answer, if something came */
  constructor(to: string, sent: number, fault?: string) {
    const why = fault === undefined
      ? "they were lost, or nothing is listening there"
      : `something came from there, but ${fault}`;
    super(`no answer from ${to} to ${sent} datagram${sent === 1 ? "" : "s"}: ${why}`);
    const next = "Check the port: another service may be listening there.";
    this.explanation = { reason: this.message, ...(fault ? { next } : { partner: true }) };
  }
}

/**
 * Sends a datagram and waits for the answer; asks again when none comes. What comes from any other address
 * is ignored: anybody can send to an open UDP port.
 *
 * @param to an IP address, or a name that DNS knows, and a port
 * @throws {NoAnswerError} when all tries were in vain
 * @throws {ActionError} when it cannot be sent at all
 */
export async function request(
  message: Uint8Array,
  to: NetEndpoint,
  options: RequestOptions = {},
): Promise<Uint8Array> {
  const { timeout = 1_000, retries = 3, accept = () => true, onRetry, signal } = options;
  const hostname = await addressOf(to.hostname);
  const peer = formatEndpoint({ hostname, port: to.port });
  const sender = senderOf({ hostname, port: to.port });
  const address: Deno.NetAddr = { transport: "udp", hostname, port: to.port };
  using socket = await bind({ hostname: localFor(hostname) }).then(closing);
  using _aborted = closeOnAbort(socket.conn, signal);
  for (let tried = 0; tried <= retries; tried++) {
    if (tried > 0) onRetry?.(tried);
    signal?.throwIfAborted();
    await attempt(`send to ${peer}`, socket.conn.send(message, address));
    const due = performance.now() + timeout * 2 ** tried;
    for (let left; (left = due - performance.now()) > 0;) {
      const answer = await socket.next(left).catch((error) => {
        signal?.throwIfAborted();
        if (!(error instanceof DeadlineError)) throw error;
      });
      if (answer && formatEndpoint(answer.from) === sender && accept(answer.datagram)) {
        return answer.datagram;
      }
    }
  }
  throw new NoAnswerError(peer, retries + 1);
}

/** A socket whose receives can be given up: the next one takes over what is still waiting. */
function closing(conn: Deno.DatagramConn) {
  let pending: Promise<[Uint8Array, Deno.Addr]> | undefined;
  return {
    conn,
    async next(milliseconds: number) {
      pending ??= conn.receive();
      const [datagram, from] = await within(milliseconds, pending);
      pending = undefined;
      return { datagram, from };
    },
    [Symbol.dispose]() {
      pending?.catch(() => {}); // closing ends it
      tryClose(conn);
    },
  };
}

function closeOnAbort(conn: Deno.DatagramConn, signal?: AbortSignal): Disposable {
  signal?.throwIfAborted();
  const close = () => tryClose(conn);
  signal?.addEventListener("abort", close);
  return { [Symbol.dispose]: () => signal?.removeEventListener("abort", close) };
}

function tryClose(conn: Deno.DatagramConn): void {
  try {
    conn.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
