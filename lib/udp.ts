/**
 * Datagrams over UDP: each arrives whole or not at all, perhaps twice, in any order, from anyone.
 *
 * @module
 */

import type { NetEndpoint } from "./address.ts";
import { within } from "./deadline.ts";
import { explain } from "./errors.ts";
import { bind } from "./udp_socket.ts";

export { NoAnswerError, request, type RequestOptions } from "./udp_request.ts";
export { bind, MOST_BYTES } from "./udp_socket.ts";

/** Where and how to answer datagrams. */
export interface UdpServeOptions extends Partial<NetEndpoint> {
  /** How many datagrams are worked on at once; 4 unless told. */
  atOnce?: number;
  /** Told what went wrong with a datagram; prints one line on stderr unless told. */
  onError?: (error: unknown) => void;
}

/**
 * Gets a datagram and who sent it; what it returns is sent back. The bytes are written over once it has
 * returned: copy what you keep.
 */
export type DatagramHandler = (
  datagram: Uint8Array,
  from: Deno.NetAddr,
) => Uint8Array | void | Promise<Uint8Array | void>;

/** A UDP server that runs. */
export interface UdpServer extends AsyncDisposable {
  readonly addr: Deno.NetAddr;
  /** Settles when the server has shut down. */
  readonly finished: Promise<void>;
  /** Receives nothing more, and waits for the handlers at work, at most a second. */
  shutdown(): Promise<void>;
}

/**
 * Answers datagrams, each by a call of `handler`. What goes wrong with one ends nothing else.
 *
 * @throws {ActionError} when it cannot bind
 *
 * @example An echo server, and a request to it
 * ```ts
 * import { request, serve } from "./udp.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await serve({ port: 0 }, (datagram) => datagram);
 * const answer = await request(new TextEncoder().encode("hello"), server.addr);
 * assertEquals(new TextDecoder().decode(answer), "hello");
 * ```
 */
export async function serve(
  options: UdpServeOptions,
  handler: DatagramHandler,
): Promise<UdpServer> {
  const { atOnce = 4 } = options;
  const { onError = (error) => console.error(explain(error).reason) } = options;
  const report = (error: unknown) => {
    try {
      onError(error);
    } catch (fault) {
      console.error(fault);
    }
  };
  const socket = await bind(options);
  let stopping = false;

  // several receives at once keep the socket's buffer empty; each has memory of its own, used again
  const receiver = async () => {
    const memory = new Uint8Array(65_536);
    while (!stopping) {
      try {
        const [datagram, from] = await socket.receive(memory);
        const answer = await handler(datagram, from as Deno.NetAddr);
        if (answer) await socket.send(answer, from);
      } catch (error) {
        if (stopping) return;
        report(error);
        if (error instanceof Deno.errors.BadResource) return;
      }
    }
  };
  const receivers = Promise.all(Array.from({ length: atOnce }, receiver)).then(() => {});
  const { promise: finished, resolve } = Promise.withResolvers<void>();
  const shutdown = () => {
    if (!stopping) {
      stopping = true;
      socket.close();
      within(1_000, receivers).then(resolve, () => resolve());
    }
    return finished;
  };
  return { addr: socket.addr as Deno.NetAddr, finished, shutdown, [Symbol.asyncDispose]: shutdown };
}
