#!/usr/bin/env -S deno run --allow-net=127.0.0.1:9999,127.0.0.1:10000 --allow-write=/tmp/tap.pcapng,/tmp/tap.svg
/**
 * A tap: see what client and server say to each other
 *
 * The lectures watch conversations with tcpdump and Wireshark, which read packets from the network card and want
 * root for that. This stands in the middle as a program like any other: the client connects to the tap, the tap
 * to the server, and what comes from one goes on to the other and is shown on its way.
 *
 *     client → LISTEN (tap) → SERVER
 *
 * --pcap writes a file for Wireshark and tshark. A program sees bytes and no packets, so the headers in it are
 * made again, as a network with packets of 1,500 bytes would have them; bytes, order and times are real. --svg
 * draws the exchange when the tap is stopped. Both hold all that was said, passwords too, and only you may read them.
 *
 * --chunk and --delay bring out mistakes that a fast network hides: who takes one read for one message fails with
 * --chunk 1. A reset cannot be passed on by Deno: the other side then sees an end.
 *
 * With --udp each client gets a socket of its own towards the server, and the grant is a host without a port. For
 * Unix sockets write unix:/PATH. `summary FILE` answers exercise 9-2 for any capture: how often does each message
 * appear, and in which packets?
 *
 * @lecture 003 protocol/packet analyzer, Exercise 9-2 · 001 OSI model, Data Flow
 * @python  socket.recv → connection.read, socket.sendall → connection.write
 * @partner scripts/tcp/echo_server.ts
 * @run     deno run --allow-net=127.0.0.1:9999,127.0.0.1:10000 --allow-write=/tmp/tap.pcapng,/tmp/tap.svg scripts/analyzer/tap.ts 127.0.0.1:9999 127.0.0.1:10000 --pcap /tmp/tap.pcapng --svg /tmp/tap.svg
 * @client  deno run --allow-net=127.0.0.1:9999 scripts/tcp/echo_client.ts --port 9999 "this is my message"
 * @expect  listening on 127.0.0.1:9999
 * @expect  *  1  127.0.0.1:* connects to 127.0.0.1:10000
 * @expect  *  1  connected
 * @expect  *  1  client → server  18 bytes  "this is my message"
 * @expect  *  1  server → client  * bytes  "this is my messa*"
 * @expect  *  1  client ends its side
 * @log     wrote * packets to /tmp/tap.pcapng: tshark -r /tmp/tap.pcapng
 * @log     wrote /tmp/tap.svg
 * @run     deno run --allow-net=127.0.0.1:9999,127.0.0.1:10000 scripts/analyzer/tap.ts 127.0.0.1:9999 127.0.0.1:10000 --show hex --chunk 8
 * @client  deno run --allow-net=127.0.0.1:9999 scripts/tcp/echo_client.ts --port 9999 "this is my message"
 * @expect  *  1  client → server  8 bytes
 * @expect  00000000  74 68 69 73 20 69 73 20                           |this is |
 * @run     deno run --allow-read=scripts/analyzer/echo.pcapng scripts/analyzer/tap.ts summary scripts/analyzer/echo.pcapng
 * @expect  "this is my message"  2 times, in the packets 4, 6
 * @argument LISTEN               where the tap listens, or the word summary
 * @argument SERVER               where the server is, or the file with the capture
 * @option  --udp                 datagrams in place of connections
 * @option  --show HOW            text, hex or none (default: text)
 * @option  --most BYTES          show at most so many of one piece (default: 512)
 * @option  --pcap FILE           write a capture for Wireshark and tshark
 * @option  --svg FILE            draw the exchange as a sequence diagram
 * @option  --delay MILLISECONDS  hold each piece back so long (default: 0)
 * @option  --chunk BYTES         pass on in pieces of at most so many, 0 as it comes (default: 0)
 * @option  --close-after BYTES   cut a connection when so many have passed, 0 never (default: 0)
 * @option  --message TEXT        with summary: count this, not what the clients said
 * @see     https://www.wireshark.org/docs/man-pages/tshark.html
 * @module
 */

import { type Endpoint, formatEndpoint, parseEndpoint } from "../../lib/address.ts";
import { summarize } from "../../lib/capture_summary.ts";
import { run } from "../../lib/cli.ts";
import { attempt, explain } from "../../lib/errors.ts";
import { pause } from "../../lib/pause.ts";
import { writePrivate } from "../../lib/private_file.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { TapCapture } from "../../lib/tap_capture.ts";
import { tapDatagrams } from "../../lib/tap_datagrams.ts";
import { TapDiagram } from "../../lib/tap_diagram.ts";
import { clientEnd, namesOf, serverEnd } from "../../lib/tap_ends.ts";
import {
  otherSide,
  type Side,
  type TapConversation,
  type TapEvent,
  type TapRecorder,
} from "../../lib/tap_event.ts";
import { type ShowAs, TapTerminal } from "../../lib/tap_terminal.ts";
import { connect, type Connection, serve } from "../../lib/tcp.ts";
import { bind } from "../../lib/udp.ts";
import { UsageError } from "../../lib/usage.ts";
import { wallClock } from "../../lib/wall_clock.ts";

interface Options {
  listen: string;
  server: string;
  udp: boolean;
  show: string;
  most: number;
  pcap?: string;
  svg?: string;
  delay: number;
  chunk: number;
  closeAfter: number;
  message?: string;
}

/** Tells all recorders what happened just now. */
type Note = (kind: TapEvent["kind"], from: Side, bytes?: Uint8Array) => void;

/** One client's conversation: both directions at the same time, until both have ended. */
async function converse(client: Connection, server: Connection, note: Note, options: Options) {
  const ends = { client, server };
  const sides: Side[] = ["client", "server"];
  const open = new Set(sides);
  let left = options.closeAfter || Infinity;
  let over = false;

  async function pass(from: Side): Promise<void> {
    const to = otherSide(from);
    const buffer = new Uint8Array(128 * 1024);
    for (let count; (count = await ends[from].read(buffer).catch(brokenBy(from))) !== null;) {
      const size = options.chunk || count;
      for (let at = 0; at < count; at += size) {
        if (options.delay > 0) await pause(options.delay);
        // meanwhile the other direction may have brought the end
        if (over || left <= 0) return;
        const piece = buffer.subarray(at, Math.min(at + size, count, at + left));
        note("data", from, piece);
        left -= piece.length;
        // waits for a slow reader, and so lets the sender wait
        await ends[to].write(piece).catch(brokenBy(to));
        note("delivered", from);
        if (left <= 0) throw new Error(`cut after ${options.closeAfter} bytes`);
      }
    }
    // no more from here: the other direction may go on (half-close)
    open.delete(from);
    note("end", from);
    await ends[to].closeWrite().catch(brokenBy(to));
    note("delivered", from);
  }

  // the system tells of a reset once, to whatever is asked next: a read, a write or a half-close
  const brokenBy = (side: Side) => (error: unknown): never => {
    if (isReset(error) && open.size > 0) {
      note("reset", side);
      open.clear();
    }
    throw error;
  };
  try {
    await Promise.all(sides.map((side) =>
      pass(side).catch((error) => {
        // ends the other direction as well
        over = true;
        client.close();
        server.close();
        throw error;
      })
    ));
  } finally {
    // the tap closes what is open: each side sees the end of the other
    for (const side of open) {
      note("end", side);
      note("delivered", side);
    }
  }
}

function isReset(error: unknown): boolean {
  const { BrokenPipe, ConnectionReset, NotConnected } = Deno.errors;
  return [BrokenPipe, ConnectionReset, NotConnected].some((kind) => error instanceof kind);
}

/** Listens for connections; gives what stops it. */
async function tapStream(listen: Endpoint, target: Endpoint, tell: Tell, options: Options) {
  let number = 0;
  const server = await serve({ ...listen, idleTimeout: 3_600_000 }, async (client) => {
    const conversation: TapConversation = {
      number: ++number,
      transport: "path" in target ? "unix" : "tcp",
      client: clientEnd(client.remoteAddr, number),
      server: serverEnd(target),
    };
    const note: Note = (kind, from, bytes) => tell(kind, conversation, from, bytes);
    note("asked", "client");
    using upstream = await connect(target).catch((error) => {
      if (isReset(error.cause)) {
        // there was a connection, and its end was faster than we
        note("connected", "server");
        note("reset", "server");
      } else {
        const refused = error.cause instanceof Deno.errors.ConnectionRefused;
        note(refused ? "refused" : "unreachable", "server");
      }
      throw error;
    });
    note("connected", "server");
    await converse(client, upstream, note, options);
  });
  return { addr: server.addr, finished: server.finished, stop: () => void server.shutdown() };
}

/** The same for datagrams. */
async function tapSocket(listen: Endpoint, target: Endpoint, tell: Tell, options: Options) {
  if ("path" in listen || "path" in target) throw new UsageError("--udp goes with HOST:PORT only");
  const socket = await bind(listen);
  const finished = tapDatagrams(
    socket,
    target,
    (conversation, from, datagram) => tell("data", conversation, from, datagram),
    options,
  );
  return { addr: socket.addr, finished, stop: () => socket.close() };
}

/** Tells all recorders what happened in a conversation. */
type Tell = (
  kind: TapEvent["kind"],
  conversation: TapConversation,
  from: Side,
  bytes?: Uint8Array,
) => void;

async function tap(listen: Endpoint, target: Endpoint, options: Options): Promise<void> {
  const { pcap, svg, show, most } = options;
  if (options.udp && (options.chunk || options.closeAfter)) {
    throw new UsageError("--chunk and --close-after are for connections, not for --udp");
  }
  const title = `${formatEndpoint(listen)} → ${formatEndpoint(target)}`;
  using capture = pcap === undefined ? undefined : await attempt(
    `write ${pcap}`,
    () => new TapCapture(pcap, { from: `tap ${title}`, names: namesOf(target) }),
  );
  const diagram = svg === undefined ? undefined : new TapDiagram({ title });
  const recorders: TapRecorder[] = [new TapTerminal({ show: show as ShowAs, most })];
  if (capture) recorders.push(capture);
  if (diagram) recorders.push(diagram);
  // better now than when all is over: a permission that is missing, a folder that is not there
  if (diagram) await attempt(`write ${svg}`, writePrivate(svg!, diagram.svg()));

  const now = wallClock();
  const tell: Tell = (kind, conversation, from, bytes) => {
    const event = { kind, conversation, from, time: now(), bytes };
    for (const recorder of recorders) recorder.record(event);
  };
  const listening = options.udp ? tapSocket : tapStream;
  const { addr, finished, stop } = await listening(listen, target, tell, options);
  using _stopping = onInterrupt(stop, { grace: 3_000 });
  console.log(`listening on ${formatEndpoint(addr)}`);
  await finished;

  if (capture) console.error(`wrote ${capture.packets} packets to ${pcap}: tshark -r ${pcap}`);
  if (diagram) {
    await attempt(`write ${svg}`, writePrivate(svg!, diagram.svg()));
    console.error(`wrote ${svg}`);
  }
}

export async function main(options: Options): Promise<void> {
  const { listen, server, show } = options;
  if (listen === "summary") {
    for (const line of await summarize(server, options)) console.log(line);
    return;
  }
  if (!["text", "hex", "none"].includes(show)) {
    throw new UsageError(`--show is text, hex or none, not "${show}"`);
  }
  let ends: [Endpoint, Endpoint];
  try {
    ends = [parseEndpoint(listen), parseEndpoint(server)];
  } catch (error) {
    throw new UsageError(explain(error).reason);
  }
  if (options.pcap !== undefined && options.pcap === options.svg) {
    throw new UsageError("--pcap and --svg are two files");
  }
  const [from, to] = ends.map((end) => formatEndpoint(end).replace(/^localhost:/, "127.0.0.1:"));
  if (from === to && !from!.endsWith(":0")) {
    throw new UsageError(`${from} would be its own server: the tap listens on another port`);
  }
  await tap(...ends, options);
}

if (import.meta.main) await run(main);
