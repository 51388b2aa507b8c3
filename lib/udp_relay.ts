/**
 * Between UDP clients and a server, as a router with NAT: each client gets a socket of its own towards the
 * server, and by that socket an answer finds its way back.
 *
 * @module
 */

import { formatEndpoint } from "./address.ts";
import { explain } from "./errors.ts";
import { SendQueue } from "./send_queue.ts";
import { addressOf, bind, localFor, senderOf } from "./udp_socket.ts";

/** One client's way to the server and back. */
export interface UdpSession {
  /** Counted from 1. */
  number: number;
  client: Deno.NetAddr;
  /** Sends to the server from this client's own socket, in order; false when too many are waiting for that. */
  toServer(datagram: Uint8Array, onDone?: (sent: boolean) => void): boolean;
  /** Sends to the client from the socket that it knows, in order; false when too many are waiting for that. */
  toClient(datagram: Uint8Array, onDone?: (sent: boolean) => void): boolean;
}

/** What is done with datagrams; each has memory of its own. */
export interface UdpRelayHandlers {
  opened?(session: UdpSession): void;
  fromClient(session: UdpSession, datagram: Uint8Array): void;
  fromServer(session: UdpSession, datagram: Uint8Array): void;
  /** Another client has got this one's way. */
  closed?(session: UdpSession): void;
}

/** Limits of a relay. */
export interface UdpRelayOptions {
  /** How many clients have a way through at once; 64 unless told. */
  sessions?: number;
  /** After how long without a datagram a way may be given to another client, in ms; 1,000 unless told. */
  idle?: number;
}

interface Kept {
  session: UdpSession;
  socket: Deno.DatagramConn;
  used: number;
}

/**
 * Hands every datagram that comes on `socket`, and every answer of the server, to the handlers, until the
 * socket is closed. When all ways are in use, a new client's datagrams are dropped, and stderr says so once.
 *
 * Needs leave for datagrams to the clients' ports and to the server: a net grant of the host without a port.
 *
 * @example
 * ```ts
 * import { bind, request, serve } from "./udp.ts";
 * import { relayDatagrams } from "./udp_relay.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await serve({ port: 0 }, (datagram) => datagram);
 * const socket = await bind();
 * const relaying = relayDatagrams(socket, server.addr, {
 *   fromClient: (session, datagram) => session.toServer(datagram),
 *   fromServer: (session, datagram) => session.toClient(datagram),
 * });
 * const answer = await request(new Uint8Array([1, 2]), socket.addr as Deno.NetAddr);
 * assertEquals([...answer], [1, 2]);
 * socket.close();
 * await relaying;
 * ```
 */
export async function relayDatagrams(
  socket: Deno.DatagramConn,
  server: Deno.NetAddr,
  handlers: UdpRelayHandlers,
  options: UdpRelayOptions = {},
): Promise<void> {
  const { sessions = 64, idle = 1_000 } = options;
  const kept = new Map<string, Kept>();
  let opened = 0;
  const to = { ...server, hostname: await addressOf(server.hostname) };
  const serverName = senderOf(to);
  let full = false;

  const open = async (client: Deno.NetAddr): Promise<Kept> => {
    const own = await bind({ hostname: localFor(to.hostname) });
    // a queue each: where one client's or the server's socket is slow, no other waits
    const there = new SendQueue(own, to, { onError: report });
    const back = new SendQueue(socket, client, { onError: report });
    const session: UdpSession = {
      number: ++opened,
      client,
      toServer: (datagram, onDone) => there.send(datagram, onDone),
      toClient: (datagram, onDone) => back.send(datagram, onDone),
    };
    handlers.opened?.(session);
    receiveAll(own, (datagram, from) => {
      // only the server's answers are for the client
      if (formatEndpoint(from) === serverName) handlers.fromServer(session, datagram);
    });
    return { session, socket: own, used: 0 };
  };

  try {
    await receiveAll(socket, async (datagram, client) => {
      const name = formatEndpoint(client);
      const now = performance.now();
      let its = kept.get(name);
      if (!its) {
        // a Map keeps its entries in the order in which they were set: the idlest is the first
        const [idlest] = kept;
        if (idlest && kept.size >= sessions) {
          if (now - idlest[1].used < idle) {
            if (!full) console.error(`${sessions} clients are here: what ${name} sends is dropped`);
            full = true;
            return;
          }
          kept.delete(idlest[0]);
          idlest[1].socket.close();
          handlers.closed?.(idlest[1].session);
        }
        its = await open(client);
      }
      its.used = now;
      kept.delete(name);
      kept.set(name, its);
      handlers.fromClient(its.session, datagram);
    });
  } finally {
    for (const { socket } of kept.values()) socket.close();
  }
}

/** Gives every datagram to `handle`, until the socket is closed. What goes wrong with one ends nothing. */
async function receiveAll(
  socket: Deno.DatagramConn,
  handle: (datagram: Uint8Array, from: Deno.NetAddr) => unknown,
): Promise<void> {
  const memory = new Uint8Array(65_536);
  for (;;) {
    try {
      const [datagram, from] = await socket.receive(memory);
      // it may be sent much later
      await handle(datagram.slice(), from as Deno.NetAddr);
    } catch (error) {
      if (isClosed(error)) return;
      report(error);
    }
  }
}

function isClosed(error: unknown): boolean {
  return error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted;
}

function report(error: unknown): void {
  if (!isClosed(error)) console.error(explain(error).reason);
}
