/**
 * A tap for datagrams: there is no beginning and no end to be seen, only who sends what.
 *
 * @module
 */

import type { NetEndpoint } from "./address.ts";
import { Later } from "./later.ts";
import { clientEnd, serverEnd } from "./tap_ends.ts";
import type { Side, TapConversation } from "./tap_event.ts";
import { relayDatagrams, type UdpSession } from "./udp_relay.ts";

/** How datagrams are passed on. */
export interface TapDatagramOptions {
  /** How long each is held back, in milliseconds; 0 unless told. */
  delay?: number;
}

/**
 * Passes datagrams on between clients and a server, until the socket is closed; `tell` hears of each when it
 * goes on.
 *
 * @example
 * ```ts
 * import { bind, request, serve } from "./udp.ts";
 * import { tapDatagrams } from "./tap_datagrams.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await serve({ port: 0 }, (datagram) => datagram);
 * const socket = await bind();
 * const told: string[] = [];
 * const tapping = tapDatagrams(socket, server.addr, (_, from) => told.push(from));
 * await request(new Uint8Array([1, 2]), socket.addr as Deno.NetAddr);
 * assertEquals(told, ["client", "server"]);
 * socket.close();
 * await tapping;
 * ```
 */
export async function tapDatagrams(
  socket: Deno.DatagramConn,
  server: NetEndpoint,
  tell: (conversation: TapConversation, from: Side, datagram: Uint8Array) => void,
  options: TapDatagramOptions = {},
): Promise<void> {
  using later = new Later();
  let full = false;
  const conversations = new Map<UdpSession, TapConversation>();
  const pass = (session: UdpSession, from: Side, datagram: Uint8Array) => {
    const conversation = conversations.get(session)!;
    const waits = later.add(performance.now() + (options.delay ?? 0), () => {
      tell(conversation, from, datagram);
      if (from === "client") session.toServer(datagram);
      else session.toClient(datagram);
    });
    if (!waits && !full) {
      console.error(`${later.most} datagrams wait: some of what comes is dropped`);
    }
    full ||= !waits;
  };
  await relayDatagrams(socket, { transport: "udp", ...server }, {
    opened(session) {
      const { number, client } = session;
      const ends = { client: clientEnd(client, number), server: serverEnd(server) };
      conversations.set(session, { number, transport: "udp", ...ends });
    },
    fromClient: (session, datagram) => pass(session, "client", datagram),
    fromServer: (session, datagram) => pass(session, "server", datagram),
    closed: (session) => conversations.delete(session),
  }, { sessions: 500, idle: 10_000 });
}
