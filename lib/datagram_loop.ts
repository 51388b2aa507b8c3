/**
 * Runs a protocol on a UDP socket. The protocol itself knows neither socket nor clock: it is told what comes
 * and what time it is, so that a test can play a day of bad network in a second.
 *
 * @module
 */

import { after } from "./deadline.ts";
import { ActionError } from "./errors.ts";

/** A protocol as seen from outside. */
export interface Protocol {
  /** Whether it has ended. */
  readonly done: boolean;
  /** When it wants to be woken, in milliseconds of `performance.now()`; `Infinity` for never. */
  readonly due: number;
  /** A datagram has come; its bytes are written over afterwards. */
  arrived(datagram: Uint8Array, from: Deno.NetAddr, now: number): void;
  /** The time `due` has come. */
  late(now: number): void;
  /** The loop ends before it has ended: it may send a last word. */
  leave?(): void;
}

/** A socket that a protocol runs on. */
export interface DatagramLoop {
  /** Sends without waiting. What cannot be sent at all ends the loop. */
  send(datagram: Uint8Array, to: Deno.NetAddr): void;
  /** Feeds the protocol until it is done or the loop is closed; closes the socket. */
  run(protocol: Protocol): Promise<void>;
  /** Ends the loop. */
  close(): void;
}

const LONGEST_WAIT = 200; // milliseconds; up to here after() is exact

/**
 * Makes a loop on a socket.
 *
 * @example
 * ```ts
 * import { datagramLoop } from "./datagram_loop.ts";
 * import { bind } from "./udp_socket.ts";
 * import { assertEquals } from "@std/assert";
 *
 * let heard = 0;
 * const socket = await bind();
 * const loop = datagramLoop(socket);
 * loop.send(new Uint8Array(5), socket.addr as Deno.NetAddr);
 * await loop.run({
 *   get done() { return heard > 0 },
 *   due: Infinity,
 *   arrived(datagram) { heard = datagram.length },
 *   late() {},
 * });
 * assertEquals(heard, 5);
 * ```
 */
export function datagramLoop(socket: Deno.DatagramConn): DatagramLoop {
  let failure: unknown;
  let closed = false, leaving = false;
  let running: Protocol | undefined;
  const close = () => {
    if (closed || leaving) return;
    leaving = true;
    try {
      if (running && !running.done) running.leave?.();
    } catch (error) {
      failure ??= error;
    }
    closed = true;
    try {
      socket.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  };
  const fail = (error: unknown) => {
    failure ??= error;
    close();
  };

  async function run(protocol: Protocol): Promise<void> {
    running = protocol;
    let timer: Disposable | undefined;
    // one timer at a time: most deadlines are moved long before they come
    const arm = () => {
      if (closed || timer || protocol.due === Infinity) return;
      const wait = Math.max(1, protocol.due - performance.now());
      timer = after(Math.min(wait, LONGEST_WAIT), wake);
    };
    const wake = () => {
      timer = undefined;
      if (closed) return;
      try {
        const now = performance.now();
        if (now >= protocol.due) protocol.late(now);
      } catch (error) {
        return fail(error);
      }
      if (protocol.done) close();
      else arm();
    };
    const memory = new Uint8Array(65_536);
    try {
      arm();
      while (!closed && !protocol.done) {
        try {
          const [datagram, from] = await socket.receive(memory);
          protocol.arrived(datagram, from as Deno.NetAddr, performance.now());
        } catch (error) {
          if (closed || error instanceof Deno.errors.BadResource) break;
          if (!isRefusal(error)) throw error;
        }
        arm();
      }
      if (failure) throw failure;
    } finally {
      timer?.[Symbol.dispose]();
      close();
    }
  }

  const send = (datagram: Uint8Array, to: Deno.NetAddr) => {
    if (closed) return;
    socket.send(datagram, to).catch((error) => {
      if (closed || isRefusal(error)) return;
      fail(
        new ActionError(`send ${datagram.length} bytes to ${to.hostname} port ${to.port}`, error),
      );
    });
  };
  return { send, run, close };
}

/** Some systems tell that nobody listened to the last datagram. It is lost then, as any other may be. */
function isRefusal(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionRefused ||
    error instanceof Deno.errors.ConnectionReset;
}
