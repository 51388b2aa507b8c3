/**
 * Whom `reliable_receiver.ts` serves: one sender at a time, from a start that commits to nothing to an end
 * that is remembered for a while.
 *
 * @module
 */

import { formatEndpoint } from "./address.ts";
import type { Protocol } from "./datagram_loop.ts";
import { explain } from "./errors.ts";
import { bitsOf, Kind, packSegment, parseSegment, type Segment } from "./reliable_segment.ts";

/** How many senders are remembered that have said no more than that they want to start. */
const MOST_STARTS = 16;

/** One transfer from its first data to its end. */
export interface Transfer extends Disposable {
  /** The number of the next segment that is awaited. */
  readonly awaited: number;
  readonly ended: boolean;
  /** Which have come early, counted from the one behind the awaited. */
  early(): Iterable<number>;
  /** Takes what has come, in whatever order; throws when the transfer cannot go on. */
  take(segment: Segment): void;
}

/** What a service needs. */
export interface ServiceOptions {
  /** Makes room for a transfer that begins. */
  begin(from: string): Transfer;
  send(datagram: Uint8Array, to: Deno.NetAddr): void;
  /** Told why a transfer failed; prints one line on stderr unless told. */
  onError?: (error: unknown) => void;
  /** End after so many transfers, and with the first that fails; 0, no limit, unless told. */
  transfers?: number;
  /** How long a sender may be silent, in milliseconds; 10,000 unless told. */
  patience?: number;
  /** How long to stay after the last transfer, in milliseconds; 5,000 unless told. */
  linger?: number;
}

/** Serves one sender after another; {@linkcode Protocol} tells how it is run. */
export class ReliableService implements Protocol, Disposable {
  due = Infinity;
  done = false;
  readonly #options: Required<ServiceOptions>;
  readonly #starts: string[] = [];
  #current?: { id: string; from: string; transfer: Transfer };
  #previous?: { id: string; awaited: number };
  #left: number;

  constructor(options: ServiceOptions) {
    const onError = (error: unknown) => console.error(explain(error).reason);
    this.#options = { onError, transfers: 0, patience: 10_000, linger: 5_000, ...options };
    this.#left = this.#options.transfers || Infinity;
  }

  arrived(datagram: Uint8Array, from: Deno.NetAddr, now: number): void {
    const segment = parseSegment(datagram);
    if (!segment || segment.kind === Kind.Acknowledgement) return; // damaged is as good as lost
    const id = `${formatEndpoint(from)} ${segment.transfer}`;
    const answer = this.#answer(segment, id, formatEndpoint(from), now);
    if (!answer) return;
    this.#options.send(packSegment({ transfer: segment.transfer, ...answer }), from);
  }

  #answer(
    segment: Segment,
    id: string,
    from: string,
    now: number,
  ): Omit<Segment, "transfer" | "payload"> & Partial<Segment> | undefined {
    const leaving = segment.kind === Kind.Leave;
    if (id === this.#previous?.id) {
      // the end once more: its acknowledgement was lost. Or the word that it was not
      if (!leaving) return acknowledgement(this.#previous.awaited);
      if (this.#left === 0) this.done = true;
      return;
    }
    if (leaving) return;
    if (!this.#current && this.#left > 0) {
      if (segment.kind === Kind.Start) {
        if (!this.#starts.includes(id)) this.#starts.push(id);
        if (this.#starts.length > MOST_STARTS) this.#starts.shift();
        return acknowledgement(1);
      }
      if (this.#starts.includes(id)) this.#begin(id, from);
    }
    if (id !== this.#current?.id) return LEAVE;

    const { transfer } = this.#current;
    this.due = now + this.#options.patience;
    try {
      transfer.take(segment);
    } catch (error) {
      this.#fail(error);
      return LEAVE;
    }
    if (transfer.ended) {
      this.#previous = { id, awaited: transfer.awaited };
      this.#current = undefined;
      this.#left--;
      this.due = this.#left === 0 ? now + this.#options.linger : Infinity;
    }
    return acknowledgement(transfer.awaited, transfer.early());
  }

  #begin(id: string, from: string): void {
    this.#starts.length = 0;
    try {
      this.#current = { id, from, transfer: this.#options.begin(from) };
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this[Symbol.dispose]();
    this.due = Infinity;
    if (this.#options.transfers > 0) throw error;
    this.#options.onError(error);
  }

  late(): void {
    if (this.#left === 0) {
      this.done = true;
      return;
    }
    const { from, transfer } = this.#current!;
    const seconds = this.#options.patience / 1000;
    this.#fail(
      new Error(
        `${from} fell silent for ${seconds} s after ${transfer.awaited} segments: ` +
          "what has come of its file is thrown away",
      ),
    );
  }

  /** Throws away what has come of a transfer that has not ended. */
  [Symbol.dispose](): void {
    this.#current?.transfer[Symbol.dispose]();
    this.#current = undefined;
  }
}

const LEAVE = { kind: Kind.Leave, number: 0 };

function acknowledgement(awaited: number, early: Iterable<number> = []) {
  return { kind: Kind.Acknowledgement, number: awaited, payload: bitsOf(early) };
}
