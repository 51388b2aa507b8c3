#!/usr/bin/env -S deno run --allow-read=/etc/services --allow-net=127.0.0.1:0,127.0.0.1:10014
/**
 * A file over UDP that arrives whole: the sender
 *
 * What TCP adds to a network that loses, repeats and overtakes, in one screen. Every segment has a number;
 * the receiver tells the next one that it awaits, which acknowledges all below, and which later ones it has
 * already (TCP: SACK). At most a window of segments is under way at once. What is not acknowledged in time is
 * sent again, and "in time" is learnt from the round trips. Start and end are numbered segments too, so that
 * they cannot be lost either.
 *
 * Left out, against TCP: only one direction carries data, and the window stays as it is told. TCP makes it
 * smaller when segments are lost, since that mostly means that the network is full (congestion control).
 *
 * @lecture 001 Transport layer: TCP and UDP · 004 TCP
 * @python  socket.sendto → socket.send, socket.recvfrom → socket.receive, socket.settimeout → protocol.due
 * @partner scripts/udp/reliable_receiver.ts
 * @partner scripts/udp/lossy_link.ts
 * @run     deno run --allow-read=/etc/services --allow-net=127.0.0.1:0,127.0.0.1:10014 \
 *          scripts/udp/reliable_sender.ts /etc/services
 * @log     sending /etc/services to 127.0.0.1:10014: * bytes in * segments
 * @expect  window 32: * segments, * resent, *
 * @run     deno run --allow-read=/etc/services --allow-net=127.0.0.1:0,127.0.0.1:10013 \
 *          --allow-write=/tmp/windows.svg scripts/udp/reliable_sender.ts /etc/services --port 10013 \
 *          --segment 600 --window 1 --window 4 --window 16 --svg /tmp/windows.svg
 * @log     resent *: nothing came in * ms
 * @expect  window 1: * segments, * resent, * KB/s *
 * @expect  window 16: * segments, * resent, * KB/s *
 * @log     wrote /tmp/windows.svg
 * @argument FILE                the file to send
 * @option  --host HOST          where the receiver is, as an IP address (default: 127.0.0.1)
 * @option  --port PORT          the receiver's port, or that of lossy_link.ts (default: 10014)
 * @option  --window COUNT...    how many segments are under way at most, 1 to 1024, 32 unless told; for each
 *          one that is given the file is sent once
 * @option  --segment BYTES      data in a segment, 1 to 8192; 1200 fit in a packet everywhere (default: 1200)
 * @option  --patience SECONDS   give up when nothing is acknowledged for so long (default: 10)
 * @option  --svg FILE           draw throughput against window there
 * @see     https://www.rfc-editor.org/rfc/rfc9293
 * @see     https://www.rfc-editor.org/rfc/rfc6298
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { datagramLoop, type Protocol } from "../../lib/datagram_loop.ts";
import { attempt } from "../../lib/errors.ts";
import { lineChart } from "../../lib/line_chart.ts";
import {
  hasBit,
  Kind,
  packSegment,
  parseSegment,
  type Segment,
} from "../../lib/reliable_segment.ts";
import { LeftError, segmentsOf, SilentError } from "../../lib/reliable_source.ts";
import { RoundTrip } from "../../lib/round_trip.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { bind, localFor, senderAddress, senderOf } from "../../lib/udp_socket.ts";
import { UsageError } from "../../lib/usage.ts";

/** What a transfer needs to know. */
export interface SenderOptions {
  to: Deno.NetAddr;
  /** Gives the segment of each number, from the start, 0, to the end, `last`. */
  segments: { last: number; pack(transfer: bigint, number: number): Uint8Array };
  send(datagram: Uint8Array): void;
  window?: number;
  /** In milliseconds. */
  patience?: number;
  onResend?: (number: number, why: string) => void;
  transfer?: bigint;
  now?: number;
}

/** A segment that is under way: sent, and not known to have arrived. */
interface Flight {
  datagram: Uint8Array;
  sent: number;
  times: number;
  /** How many sendings came before the last of this. */
  order: number;
}

/** One transfer as its sender sees it. */
export class Sender implements Protocol {
  due = Infinity;
  resent = 0;
  /** When the start was acknowledged. */
  opened = 0;
  readonly trip = new RoundTrip();
  readonly #options: Required<SenderOptions>;
  // all numbers below base have arrived, those from next on were never sent
  #base = 0;
  #next = 0;
  readonly #underWay = new Map<number, Flight>();
  #sendings = 0;
  #newest = 0;
  readonly #receiver: string;
  #heard: number;

  constructor(options: SenderOptions) {
    const [transfer] = crypto.getRandomValues(new BigUint64Array(1));
    const defaults = { window: 32, patience: 10_000, now: performance.now(), onResend() {} };
    this.#options = { ...defaults, transfer: transfer!, ...options };
    this.#receiver = senderOf(this.#options.to);
    this.#heard = this.#options.now;
    this.#fill(this.#heard);
  }

  get done(): boolean {
    return this.#base > this.#options.segments.last;
  }

  /** Sends what the window has room for. The start goes alone: first there must be somebody. */
  #fill(now: number): void {
    const { segments, transfer, window } = this.#options;
    const edge = this.#base === 0 ? 1 : this.#base + window;
    while (this.#next < edge && this.#next <= segments.last) {
      const datagram = segments.pack(transfer, this.#next);
      const flight = { datagram, sent: now, times: 0, order: 0 };
      this.#underWay.set(this.#next++, flight);
      this.#send(flight, now);
    }
    this.#wind();
  }

  #send(flight: Flight, now: number): void {
    flight.sent = now;
    flight.times++;
    flight.order = this.#sendings++;
    this.#options.send(flight.datagram);
  }

  /** Winds the clock: it rings when the first of those under way has waited too long. */
  #wind(): void {
    this.due = Infinity;
    for (const { sent } of this.#underWay.values()) {
      this.due = Math.min(this.due, sent + this.trip.timeout);
    }
  }

  arrived(datagram: Uint8Array, from: Deno.NetAddr, now: number): void {
    const segment = parseSegment(datagram);
    // anybody can send to an open port: only the receiver's word about this transfer counts
    if (segment?.transfer !== this.#options.transfer) return;
    if (formatEndpoint(from) !== this.#receiver) return;
    if (segment.kind === Kind.Leave) throw new LeftError(formatEndpoint(from));
    if (segment.kind === Kind.Acknowledgement) this.#acknowledged(segment, now);
  }

  #acknowledged({ number: awaited, payload: early }: Segment, now: number): void {
    // about what was never sent, or overtaken by a later one
    if (awaited > this.#next || awaited < this.#base) return;
    const { length } = [...this.#arrivals(awaited, early, now)];
    if (this.#base === 0) this.opened = now;
    this.#base = awaited;
    if (length === 0) return;
    this.#heard = now;
    this.trip.progress();
    // TCP's fast retransmit: three that were sent later have come, so this one is not just overtaken
    for (const [number, flight] of this.#underWay) {
      if (flight.order + 3 <= this.#newest) {
        this.#resend(number, flight, now, "3 later ones have come");
      }
    }
    this.#fill(now);
    // the last acknowledgement is acknowledged once, and that may be lost: the receiver need not wait in vain
    if (this.done) this.leave();
  }

  /** Says that nothing more will come: the receiver is then free for another. */
  leave(): void {
    const { transfer } = this.#options;
    this.#options.send(packSegment({ transfer, kind: Kind.Leave, number: 0 }));
  }

  /** What an acknowledgement says has come: all below the awaited, and early ones behind it. */
  *#arrivals(awaited: number, early: Uint8Array, now: number): Generator<number> {
    for (const [number, flight] of this.#underWay) {
      if (number >= awaited && !hasBit(early, number - awaited - 1)) continue;
      this.#underWay.delete(number);
      yield number;
      // Karn: of a segment that was sent twice nobody knows which of the two has come
      if (flight.times > 1) continue;
      this.trip.measured(now - flight.sent);
      this.#newest = Math.max(this.#newest, flight.order);
    }
  }

  late(now: number): void {
    const { to, patience } = this.#options;
    if (now - this.#heard > patience) {
      throw new SilentError(formatEndpoint(to), patience, this.#base);
    }
    const why = `nothing came in ${this.trip.timeout.toFixed(0)} ms`;
    for (const [number, flight] of this.#underWay) {
      if (flight.sent + this.trip.timeout <= now) this.#resend(number, flight, now, why);
    }
    this.trip.backOff();
    this.#wind();
  }

  #resend(number: number, flight: Flight, now: number, why: string): void {
    this.resent++;
    this.#options.onResend(number, why);
    this.#send(flight, now);
  }
}

interface Options {
  file: string;
  host: string;
  port: number;
  window: number[];
  segment: number;
  patience: number;
  svg?: string;
}

export async function main(options: Options): Promise<void> {
  const { file, host, port, segment, patience, svg } = options;
  const windows = options.window.length > 0 ? options.window : [32];
  if (windows.some((window) => window < 1 || window > 1024)) {
    throw new UsageError(`--window is from 1 to 1024, not ${windows}`);
  }
  if (segment < 1 || segment > 8192) throw new UsageError(`--segment is 1 to 8192, not ${segment}`);
  if (!/^[\d.]+$|:/.test(host)) throw new UsageError(`--host must be an IP address, not "${host}"`);
  const to = { transport: "udp", hostname: senderAddress(host), port } as const;
  using opened = await attempt(`read ${file}`, () => Deno.open(file));
  const segments = segmentsOf(file, opened, segment);
  // whether it can be written shows better now than after the last transfer
  if (svg !== undefined) {
    await attempt(`write ${svg}`, Deno.writeTextFile(svg, "", { append: true }));
  }
  const size = `${segments.bytes} bytes in ${segments.last + 1} segments`;
  console.error(`sending ${file} to ${formatEndpoint(to)}: ${size}`);

  const points: [number, number][] = [];
  for (const window of windows) {
    const loop = datagramLoop(await bind({ hostname: localFor(to.hostname) }));
    const sender = new Sender({
      to,
      segments,
      window,
      patience: patience * 1000,
      send: (datagram) => loop.send(datagram, to),
      onResend: (number, why) => console.error(`resent ${number}: ${why}`),
    });
    using _stopping = onInterrupt(() => loop.close(), { code: 1 });
    await loop.run(sender);
    if (!sender.done) throw new Error(`stopped before all of ${file} had arrived`);
    // without the start: what the window makes is to be seen
    const seconds = (performance.now() - sender.opened) / 1000;
    const rate = segments.bytes / 1000 / seconds;
    points.push([window, rate]);
    console.log(
      `window ${window}: ${segments.last + 1} segments, ${sender.resent} resent, ${
        rate.toFixed(0)
      } KB/s in ${seconds.toFixed(2)} s, round trip ${sender.trip.smoothed.toFixed(1)} ms`,
    );
  }
  if (svg === undefined) return;
  const picture = lineChart(points, { title: "Throughput by window", x: "segments", y: "KB/s" });
  await attempt(`write ${svg}`, Deno.writeTextFile(svg, picture));
  console.error(`wrote ${svg}`);
}

if (import.meta.main) await run(main);
