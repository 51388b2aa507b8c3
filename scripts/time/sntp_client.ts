#!/usr/bin/env -S deno run --allow-net=127.0.0.1:0,127.0.0.1:10123
/**
 * An SNTP client
 *
 * Asks a server for the time in the 48 bytes of the Network Time Protocol, which sets the clock of nearly every
 * machine. Four times make a sample: when the question left and the answer came by the own clock, when the
 * question came and the answer left by the server's. They give the offset, how far the server's clock is
 * ahead, and the delay. The offset is wrong by half of the delay at most, so the sample with the least delay is
 * the best of several.
 *
 * Anybody can forge a datagram. So the question carries a random number where its time would stand: the server
 * repeats it without looking at it, and an answer with another is passed over.
 *
 * Before an answer is believed, it is judged: a leap indicator of 3 or a stratum over 15 says that the server's own
 * clock is not set, and stratum 0 is a kiss-o'-death, by which a server sends clients away. Who is told
 * RATE stops asking. And who asks a server of others never asks more often than every 15 s (RFC 4330, section 10);
 * only one at a loopback address may be asked faster, as here.
 *
 * --svg draws the samples: each with a bar, within which the true offset lies. See how they scatter when one way
 * takes longer than the other, and how the bars still meet, by asking through a bad network (--port 10013):
 *
 *     deno run --allow-net=127.0.0.1 scripts/udp/lossy_link.ts --to 127.0.0.1:10123 --delay 5 --reorder 40 --hold 20
 *
 * @lecture 003 Exercise 9-1, beyond it
 * @python  struct.pack → DataView.setUint32, socket.sendto → socket.send, time.time →
 *          performance.timeOrigin + performance.now
 * @partner scripts/time/sntp_server.ts
 * @run     deno run --allow-net=127.0.0.1:0,127.0.0.1:10123 scripts/time/sntp_client.ts --interval 20
 * @expect  NTP version 4, stratum 10, reference LOCL, no leap second announced
 * @expect  sample 1: 20*-*-*T*:*:*.*Z, offset *.* ms, delay *.* ms
 * @expect  sample 4: 20*-*-*T*:*:*.*Z, offset *.* ms, delay *.* ms
 * @expect  best: offset *.* ms, right to within *.* ms, if the server is; it vouches for 100.0* ms
 * @run     deno run --allow-net=127.0.0.1:0,127.0.0.1:10123 --allow-write=/tmp/samples.svg scripts/time/sntp_client.ts --interval 0 --samples 100 --svg /tmp/samples.svg
 * @expect  sample 16: *
 * @expect  best: *
 * @log     127.0.0.1:* answers RATE: it is asked too often: wait longer between questions
 * @log     stopped after * samples
 * @log     wrote /tmp/samples.svg
 * @option  --host HOST  where the server is, as an IP address (default: 127.0.0.1)
 * @option  --port PORT  the server's port; that of others is 123 (default: 10123)
 * @option  --samples COUNT  how often to ask, 1 to 100 (default: 4)
 * @option  --interval MILLISECONDS  from an answer to the next question; for a loopback address 2000 unless told,
 *          for others 15000, and no less
 * @option  --svg FILE  a picture of offset and delay
 * @see     https://www.rfc-editor.org/rfc/rfc4330#section-5
 * @see     https://www.rfc-editor.org/rfc/rfc5905#section-8
 * @module
 */

import { formatEndpoint, type NetEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { bestOf, ImpossibleTimesError, type Sample, sampleOf } from "../../lib/clock_offset.ts";
import { attempt, explain } from "../../lib/errors.ts";
import { fromTimestamp, millisecondsBetween, toTimestamp } from "../../lib/ntp_timestamp.ts";
import { pause } from "../../lib/pause.ts";
import { sampleChart } from "../../lib/sample_chart.ts";
import { Mode, packSntp, parseSntp, SNTP_BYTES, type SntpMessage } from "../../lib/sntp.ts";
import { checkReply, faultOf, referenceName } from "../../lib/sntp_reply.ts";
import { timedRequest } from "../../lib/timed_request.ts";
import { isLoopback } from "../../lib/udp_socket.ts";
import { UsageError } from "../../lib/usage.ts";
import { wallClock } from "../../lib/wall_clock.ts";

const now = wallClock();

/** How long servers elsewhere are left alone between two questions, in milliseconds. */
const LEAST_INTERVAL = 15_000;

const LEAPS = [
  "no leap second announced",
  "the day's last minute will have 61 seconds",
  "the day's last minute will have 59 seconds",
];

/** An answer that may be believed, when its question was sent, and when it came. */
export interface Heard {
  answer: SntpMessage;
  sent: number;
  arrived: number;
}

/** One question and its answer. */
async function ask(server: NetEndpoint): Promise<Heard> {
  let asked = 0n;
  const heard = await timedRequest(server, {
    now,
    // asking again is asking, too
    ...(!isLoopback(server.hostname) && { patience: [LEAST_INTERVAL, LEAST_INTERVAL, 2_000] }),
    question() {
      asked = crypto.getRandomValues(new BigUint64Array(1))[0]!;
      return packSntp({ version: 4, mode: Mode.client, transmit: asked });
    },
    fault: (datagram) =>
      datagram.length < SNTP_BYTES
        ? `${datagram.length} bytes are too few`
        : faultOf(parseSntp(datagram), asked),
    answer: parseSntp,
    onNote: (note) => console.error(note),
  });
  checkReply(heard.answer, formatEndpoint(server));
  return heard;
}

/** Offset and delay; all times are told from when the question was sent, as NTP's timestamps have no year. */
export function sampleFrom({ answer, sent, arrived }: Heard): Sample {
  const origin = toTimestamp(sent);
  return sampleOf({
    sent: 0, // T1
    received: millisecondsBetween(origin, answer.receive), // T2
    answered: millisecondsBetween(origin, answer.transmit), // T3
    arrived: arrived - sent, // T4
  });
}

interface Options extends NetEndpoint {
  samples: number;
  interval: number;
}

/** Asks again and again. What ends it early is told, when there are samples already. */
async function* sampling({ samples, interval, ...server }: Options): AsyncGenerator<Heard> {
  for (let number = 1; number <= samples; number++) {
    if (number > 1) await pause(interval);
    try {
      yield await ask(server);
    } catch (error) {
      if (number === 1) throw error;
      console.error(explain(error).reason);
      return console.error(`stopped after ${number === 2 ? "1 sample" : `${number - 1} samples`}`);
    }
  }
}

export async function main(
  { host, port, samples, interval = isLoopback(host) ? 2_000 : LEAST_INTERVAL, svg }: {
    host: string;
    port: number;
    samples: number;
    interval?: number;
    svg?: string;
  },
): Promise<void> {
  if (samples < 1 || samples > 100) throw new UsageError(`--samples is 1 to 100, not ${samples}`);
  if (!/^[\d.]+$|:/.test(host)) throw new UsageError(`--host must be an IP address, not "${host}"`);
  if (!isLoopback(host) && interval < LEAST_INTERVAL) {
    throw new UsageError(
      `--interval is at least ${LEAST_INTERVAL} for a server elsewhere, not ${interval}`,
    );
  }
  // whether it can be written shows better now than after the last sample
  if (svg !== undefined) {
    await attempt(`write ${svg}`, Deno.writeTextFile(svg, "", { append: true }));
  }
  const server = { hostname: host, port };
  const good: Sample[] = [];
  let number = 0, vouched = 0;
  for await (const heard of sampling({ ...server, samples, interval })) {
    const { answer } = heard;
    if (++number === 1) {
      console.log(
        `NTP version ${answer.version}, stratum ${answer.stratum}, ` +
          `reference ${referenceName(answer)}, ${LEAPS[answer.leap]}`,
      );
    }
    try {
      const sample = sampleFrom(heard);
      good.push(sample);
      vouched = answer.rootDelay / 2 + answer.rootDispersion;
      const time = new Date(fromTimestamp(answer.transmit, heard.arrived)).toISOString();
      console.log(
        `sample ${number}: ${time}, offset ${sample.offset.toFixed(3)} ms, ` +
          `delay ${sample.delay.toFixed(3)} ms`,
      );
    } catch (error) {
      if (!(error instanceof ImpossibleTimesError)) throw error;
      console.error(`sample ${number} is of no use: ${error.message}`);
    }
  }
  if (good.length === 0) throw new Error("no answer is of use: do not trust this server");
  const { offset, delay } = bestOf(good);
  console.log(
    `best: offset ${offset.toFixed(3)} ms, right to within ${(delay / 2).toFixed(3)} ms, ` +
      `if the server is; it vouches for ${vouched.toFixed(3)} ms`,
  );
  if (svg === undefined) return;
  const chart = sampleChart(good, `The clock of ${formatEndpoint(server)}`);
  await attempt(`write ${svg}`, () => Deno.writeTextFile(svg, chart));
  console.error(`wrote ${svg}`);
}

if (import.meta.main) await run(main);
