#!/usr/bin/env -S deno run --allow-net=127.0.0.1
/**
 * A time server, over TCP and UDP
 *
 * Tells its time to whoever sends "reqtime": first for people, then, in seconds since 1970, when the question
 * came and when the answer goes. From these two times a client computes how far its clock is off and how
 * long the answer was on its way. One answer, and the connection is closed, so that a client which reads to the
 * end gets it as well.
 *
 * TCP and UDP have ports of their own, so the same number serves both. Over UDP nobody knows who really asks: a
 * forged sender would get the answers. So no answer is larger than its question. A bare "reqtime" gets 16
 * bytes, one size with it on Ethernet; a question padded with spaces to 96 bytes gets the whole line.
 *
 * The grant names the host without a port, since datagrams go to ports that the clients choose.
 *
 * @lecture 003 Exercises 9-1, 9-2, ex91S, ex92S
 * @python  time.strftime("%c") → Date.toISOString, time.time → performance.timeOrigin + performance.now,
 *          socket.accept → listener.accept, socket.recvfrom → socket.receive
 * @run     deno run --allow-net=127.0.0.1 scripts/time/time_server.ts
 * @expect  listening on 127.0.0.1:10037
 * @log     127.0.0.1:* asks over UDP: "reqtime *"
 * @client  deno run --allow-net=127.0.0.1:0,127.0.0.1:10037 scripts/time/time_client.ts --udp
 * @option  --host HOST  the address to listen on (default: 127.0.0.1)
 * @option  --port PORT  the port to listen on, 0 for a free one (default: 10037)
 * @see     https://docs.python.org/3/library/time.html#time.strftime
 * @see     https://www.rfc-editor.org/rfc/rfc867
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { quoted } from "../../lib/display.ts";
import { nextMessage } from "../../lib/messages.ts";
import { SocketReader } from "../../lib/reader.ts";
import {
  formatAnswer,
  formatShort,
  parseAnswer,
  questionId,
  SMALL_ANSWER_BYTES,
} from "../../lib/reqtime.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { type Connection, serve as serveTcp, type Server } from "../../lib/tcp.ts";
import { TimedSource } from "../../lib/timed_source.ts";
import { serve as serveUdp, type UdpServer } from "../../lib/udp.ts";
import { wallClock } from "../../lib/wall_clock.ts";

const LONGEST_QUESTION = 256;
const HELP = 'send "reqtime"';

const now = wallClock();
const show = (text: string) => quoted(text.trimEnd(), { limit: 40 });

/** One question over TCP. */
async function converse(connection: Connection): Promise<void> {
  const source = new TimedSource(connection, now);
  const reader = new SocketReader(source, { limit: LONGEST_QUESTION });
  const answer = (text: string) => connection.write(new TextEncoder().encode(`${text}\n`));
  // the lecture's client sends no line's end: half a second of silence ends its question as well
  const question = await nextMessage(reader).catch(async (error) => {
    if (reader.buffered > 0) await answer(HELP); // too long
    throw error;
  });
  if (question === null) return;
  const id = questionId(question);
  await answer(
    id === undefined
      ? `${HELP}, not ${show(question)}`
      : formatAnswer({ received: source.arrived, answered: now(), id }),
  );
  console.error(`${connection.remote} asks over TCP: ${show(question)}`);
}

/** The answer to a datagram, if it gets one. */
export function answerTo(datagram: Uint8Array, received: number): string | undefined {
  const question = new TextDecoder().decode(datagram.subarray(0, LONGEST_QUESTION));
  // to answer an answer would keep two servers busy with each other for ever
  if (question.startsWith(HELP) || parseAnswer(question)) return undefined;
  const id = questionId(question);
  if (id === undefined) return HELP;
  const line = formatAnswer({ received, answered: now(), id });
  return line.length <= Math.max(datagram.length, SMALL_ANSWER_BYTES) ? line : formatShort(now());
}

/** Both at one port. Port 0 is one that is free for TCP; for UDP somebody else may have it. */
async function listen(hostname: string, port: number): Promise<[Server, UdpServer]> {
  for (let tries = 1;; tries++) {
    const tcp = await serveTcp({ hostname, port, idleTimeout: 20_000 }, converse);
    const addr = tcp.addr as Deno.NetAddr;
    try {
      const udp = await serveUdp({ hostname, port: addr.port }, (datagram, from) => {
        const answer = answerTo(datagram, now());
        const asks = `${formatEndpoint(from)} asks over UDP`;
        console.error(`${asks}: ${show(new TextDecoder().decode(datagram.subarray(0, 96)))}`);
        return answer === undefined ? answer : new TextEncoder().encode(answer);
      });
      return [tcp, udp];
    } catch (error) {
      await tcp.shutdown();
      if (port !== 0 || tries === 10) throw error;
    }
  }
}

export async function main({ host, port }: { host: string; port: number }): Promise<void> {
  const [tcp, udp] = await listen(host, port);
  using _stopping = onInterrupt(() => Promise.all([tcp.shutdown(), udp.shutdown()]));
  console.log(`listening on ${formatEndpoint(tcp.addr)}`);
  await Promise.all([tcp.finished, udp.finished]);
}

if (import.meta.main) await run(main);
