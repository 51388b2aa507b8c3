/**
 * A sender and a receiver on a network that is bad by a seed, in a time of its own: a transfer of minutes takes
 * as long as its computations, and goes the same way each time.
 *
 * @module
 */

import { type LinkFaults, LossyLink } from "../../lib/lossy.ts";
import { Kind, packSegment } from "../../lib/reliable_segment.ts";
import { ReliableService, type ServiceOptions } from "../../lib/reliable_service.ts";
import { Incoming } from "../../scripts/udp/reliable_receiver.ts";
import { Sender, type SenderOptions } from "../../scripts/udp/reliable_sender.ts";

export const RECEIVER: Deno.NetAddr = { transport: "udp", hostname: "192.0.2.2", port: 10014 };
export const SENDER: Deno.NetAddr = { transport: "udp", hostname: "192.0.2.1", port: 40000 };
export const STRANGER: Deno.NetAddr = { transport: "udp", hostname: "192.0.2.66", port: 666 };

/** Bytes as segments. */
export function segmentsOfBytes(bytes: Uint8Array, size = 1_200): SenderOptions["segments"] {
  const last = Math.ceil(bytes.length / size) + 1;
  return {
    last,
    pack(transfer, number) {
      if (number === 0) return packSegment({ transfer, kind: Kind.Start, number });
      if (number === last) return packSegment({ transfer, kind: Kind.End, number });
      const payload = bytes.subarray((number - 1) * size, number * size);
      return packSegment({ transfer, kind: Kind.Data, number, payload });
    },
  };
}

/** A sink that keeps what it gets. */
export class Memory {
  readonly parts: Uint8Array[] = [];
  finished = 0;
  thrownAway = 0;

  write(bytes: Uint8Array): void {
    this.parts.push(bytes);
  }

  finish(): void {
    this.finished++;
  }

  [Symbol.dispose](): void {
    if (this.finished === 0) this.thrownAway++;
  }
}

/** Datagrams on their way, the earliest first. */
class Underway {
  readonly #heap: { at: number; order: number; work: () => void }[] = [];
  #order = 0;

  add(at: number, work: () => void): void {
    const heap = this.#heap;
    let here = heap.push({ at, order: this.#order++, work }) - 1;
    for (let up; here > 0 && this.#before(here, up = here - 1 >> 1); here = up) {
      this.#swap(here, up);
    }
  }

  get next(): number {
    return this.#heap[0]?.at ?? Infinity;
  }

  run(): void {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop()!;
    if (heap.length > 0) {
      heap[0] = last;
      for (let here = 0;;) {
        let least = here;
        for (const down of [2 * here + 1, 2 * here + 2]) {
          if (down < heap.length && this.#before(down, least)) least = down;
        }
        if (least === here) break;
        this.#swap(here, least);
        here = least;
      }
    }
    first!.work();
  }

  #before(one: number, other: number): boolean {
    const [a, b] = [this.#heap[one]!, this.#heap[other]!];
    return a.at < b.at || a.at === b.at && a.order < b.order;
  }

  #swap(one: number, other: number): void {
    [this.#heap[one], this.#heap[other]] = [this.#heap[other]!, this.#heap[one]!];
  }
}

export interface SimulationOptions {
  faults?: LinkFaults;
  seed?: number;
  sender?: Partial<SenderOptions>;
  service?: Partial<ServiceOptions>;
  /** Sees every datagram before the link does; what it gives goes on, `false` is lost. */
  tamper?: (datagram: Uint8Array, from: Deno.NetAddr, now: number) => Uint8Array | false;
  segment?: number;
  limit?: number;
}

/** How a transfer went. */
export interface Simulation {
  memory: Memory;
  sender: Sender;
  service: ReliableService;
  /** When both had ended, in milliseconds from the start. */
  milliseconds: number;
  resent: [number: number, why: string][];
}

const MOST_STEPS = 1_000_000;

/** Plays a transfer until both sides have ended; throws what ends one of them otherwise, or that neither does. */
export function simulate(bytes: Uint8Array, options: SimulationOptions = {}): Simulation {
  const { faults = {}, seed = 1, tamper = (datagram) => datagram } = options;
  const there = new LossyLink(faults, 2 * seed);
  const back = new LossyLink(faults, 2 * seed + 1);
  const underway = new Underway();
  const memory = new Memory();
  const resent: [number, string][] = [];
  let now = 0;
  const through = (
    link: LossyLink,
    from: Deno.NetAddr,
    datagram: Uint8Array,
    to: () => unknown,
  ) => {
    const tampered = tamper(datagram, from, now);
    if (tampered === false) return;
    for (const { datagram: out, at } of link.pass(tampered, now)) {
      underway.add(at + 0.05, () => {
        if (to() === "sender") sender.arrived(out, RECEIVER, now);
        else if (!service.done) service.arrived(out, SENDER, now);
      });
    }
  };
  const service: ReliableService = new ReliableService({
    begin: () => new Incoming(memory, options.limit),
    send: (datagram) => through(back, RECEIVER, datagram, () => "sender"),
    transfers: 1,
    onError() {},
    ...options.service,
  });
  const sender: Sender = new Sender({
    to: RECEIVER,
    segments: segmentsOfBytes(bytes, options.segment),
    send: (datagram) => through(there, SENDER, datagram, () => "service"),
    onResend: (number, why) => resent.push([number, why]),
    transfer: BigInt(seed),
    now,
    ...options.sender,
  });
  for (let steps = 0; !(sender.done && service.done); steps++) {
    if (steps === MOST_STEPS) throw new Error(`no end after ${MOST_STEPS} steps, ${now} ms`);
    const due = Math.min(
      sender.done ? Infinity : sender.due,
      service.done ? Infinity : service.due,
    );
    const next = underway.next;
    if (due === Infinity && next === Infinity) throw new Error("nothing will ever happen");
    now = Math.min(due, next);
    if (next <= due) underway.run();
    else {
      if (!sender.done && sender.due <= now) sender.late(now);
      if (!service.done && service.due <= now) service.late();
    }
  }
  return { memory, sender, service, milliseconds: now, resent };
}
