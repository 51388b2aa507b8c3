#!/usr/bin/env -S deno run --allow-net=127.0.0.1
/**
 * An SNTP server
 *
 * Tells its machine's time in the 48 bytes of the Network Time Protocol, so that any client of that protocol
 * can ask it: chrony, ntpdate, or the one beside it. Each answer carries three times. The question's own
 * transmit timestamp goes back as it came: only who got the question knows it. The other two are when
 * the question came and when the answer goes.
 *
 * The server does not know how right its machine's clock is, and says so: LOCL, the local clock, at stratum 10,
 * far from any reference clock. --ahead makes it wrong, to have something to measure.
 *
 * A client that asks too often gets one kiss-o'-death with the code RATE, and then nothing until it has waited:
 * 16 questions at once are answered, and then 4 a second. Questions and answers have one size, so a
 * forged sender cannot make a small flood a large one; and as only questions are answered, two servers can
 * never be set talking to each other. Who asks as a peer (mode 1), as some clients do, or in the first version's
 * way, without a mode, gets an answer as well.
 *
 * The grant names the host without a port, since datagrams go to ports that the clients choose. NTP's own
 * port is 123, for which the system wants root.
 *
 * @lecture 003 Exercise 9-1, beyond it
 * @python  socket.recvfrom → socket.receive, struct.unpack → DataView.getUint32, time.time →
 *          performance.timeOrigin + performance.now
 * @run     deno run --allow-net=127.0.0.1 scripts/time/sntp_server.ts
 * @expect  listening on 127.0.0.1:10123
 * @log     127.0.0.1:* asks (NTP version 4)
 * @client  deno run --allow-net=127.0.0.1:0,127.0.0.1:10123 scripts/time/sntp_client.ts --interval 20
 * @option  --host HOST  the address to listen on (default: 127.0.0.1)
 * @option  --port PORT  the port to listen on, 0 for a free one (default: 10123)
 * @option  --ahead MILLISECONDS  how far its time is ahead of the machine's (default: 0)
 * @see     https://www.rfc-editor.org/rfc/rfc4330#section-6
 * @see     https://www.rfc-editor.org/rfc/rfc5905#section-7.4
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { Allowance } from "../../lib/allowance.ts";
import { run } from "../../lib/cli.ts";
import { toTimestamp } from "../../lib/ntp_timestamp.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { Mode, packSntp, parseSntp, SNTP_BYTES, type SntpMessage } from "../../lib/sntp.ts";
import { serve } from "../../lib/udp.ts";
import { UsageError } from "../../lib/usage.ts";
import { wallClock } from "../../lib/wall_clock.ts";

/** How often one address may ask. */
const ALLOWED = { perSecond: 4, burst: 16 };

/** What a server says about itself that has nothing but its machine's clock. */
const OWN_CLOCK = {
  stratum: 10,
  referenceId: new TextEncoder().encode("LOCL"),
  precision: -20, // 2^-20 s, about a microsecond
  rootDispersion: 100, // milliseconds; a guess, as good as any
};

/** 68 years: clients cannot tell more from as much the other way round. */
const MOST_AHEAD = 2 ** 31 * 1000;

/** Says that it was asked too often, in place of the time. */
const KISS = { leap: 3, stratum: 0, referenceId: new TextEncoder().encode("RATE"), poll: 6 };

/** The question in a datagram from a port; nothing when it is none that is to be answered. */
export function questionIn(datagram: Uint8Array, port: number): SntpMessage | undefined {
  if (datagram.length < SNTP_BYTES) return undefined;
  const question = parseSntp(datagram);
  const { mode, version } = question;
  // version 1 knew no mode, and told a server by its port
  if (version === 1 && mode === 0 && port !== 123) return question;
  const asks = mode === Mode.client || mode === Mode.active;
  return asks && version >= 1 && version <= 4 ? question : undefined;
}

/** The answer to a question that came at a time. */
export function answerTo(
  { version, mode, poll, transmit }: SntpMessage,
  received: bigint,
  { now, kiss }: { now: () => bigint; kiss: boolean },
): Uint8Array {
  return packSntp({
    version, // the client's, even when it is an old one
    mode: mode === Mode.active ? Mode.passive : Mode.server,
    poll,
    ...OWN_CLOCK,
    ...(kiss && KISS),
    reference: received, // its clock is read anew for each question
    originate: transmit,
    receive: received,
    transmit: now(), // last, right before it is sent
  });
}

export async function main(
  { host, port, ahead }: { host: string; port: number; ahead: number },
): Promise<void> {
  if (ahead > MOST_AHEAD) {
    throw new UsageError(`--ahead is at most ${MOST_AHEAD}, half of what NTP can count`);
  }
  const clock = wallClock();
  const now = () => toTimestamp(clock() + ahead);
  const allowance = new Allowance(ALLOWED);
  await using server = await serve({ hostname: host, port }, (datagram, from) => {
    const received = now(); // first of all
    const question = questionIn(datagram, from.port);
    const verdict = question && allowance.take(from.hostname);
    if (!question || verdict === "ignore") return;
    const kiss = verdict === "refuse";
    const asks = `${formatEndpoint(from)} asks (NTP version ${question.version})`;
    console.error(kiss ? `${asks} too often: it is told so` : asks);
    return answerTo(question, received, { now, kiss });
  });
  using _stopping = onInterrupt(() => server.shutdown());
  console.log(`listening on ${formatEndpoint(server.addr)}`);
  await server.finished;
}

if (import.meta.main) await run(main);
