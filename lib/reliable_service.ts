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
  #starts: string[] = [];
  #current?: { id: string; from: Deno.NetAddr; number: bigint; transfer: Transfer };
  #previous?: { id: string; awaited: number };
  #left: number;
  #failure: unknown;

  constructor(options: ServiceOptions) {
    const onError = (error: unknown) => console.error(explain(error).reason);
    this.#options = { onError, transfers: 0, patience: 10_000, linger: 5_000, ...options };
    this.#left = this.#options.transfers || Infinity;
  }

  arrived(datagram: Uint8Array, from: Deno.NetAddr, now: number): void {
    const segment = parseSegment(datagram);
    if (!segment || segment.kind === Kind.Acknowledgement) return; // damaged is as good as lost
    const id = `${formatEndpoint(from)} ${segment.transfer}`;
    const answer = this.#answer(segment, id, from, now);
    if (answer) this.#options.send(packSegment({ transfer: segment.transfer, ...answer }), from);
    if (this.#failure) throw this.#failure;
  }

  #answer(
    segment: Segment,
    id: string,
    from: Deno.NetAddr,
    now: number,
  ): Omit<Segment, "transfer" | "payload"> & Partial<Segment> | undefined {
    const leaving = segment.kind === Kind.Leave;
    if (id === this.#previous?.id) {
      // the end once more: its acknowledgement was lost. Or the word that it was not
      if (!leaving) return acknowledgement(this.#previous.awaited);
      if (this.#left === 0) this.done = true;
      return;
    }
    if (leaving) {
      this.#starts = this.#starts.filter((start) => start !== id);
      if (id === this.#current?.id) this.#fail(this.#thrownAway("has given up"));
      return;
    }
    if (!this.#current && this.#left > 0) {
      if (segment.kind === Kind.Start) {
        if (!this.#starts.includes(id)) this.#starts.push(id);
        if (this.#starts.length > MOST_STARTS) this.#starts.shift();
        return acknowledgement(1);
      }
      if (this.#starts.includes(id)) this.#begin(id, from, segment.transfer);
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

  #begin(id: string, from: Deno.NetAddr, number: bigint): void {
    this.#starts = [];
    try {
      const transfer = this.#options.begin(formatEndpoint(from));
      this.#current = { id, from, number, transfer };
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Ends the transfer, and the service too, once the sender has its answer, if its transfers are counted. */
  #fail(error: unknown): void {
    this[Symbol.dispose]();
    this.due = Infinity;
    if (this.#options.transfers > 0) this.#failure = error;
    else this.#options.onError(error);
  }

  #thrownAway(why: string): Error {
    const { from, transfer } = this.#current!;
    return new Error(
      `${formatEndpoint(from)} ${why} after ${transfer.awaited} segments: ` +
        "what has come of its file is thrown away",
    );
  }

  /** Tells the sender that nobody takes its segments any more. */
  #dismiss(): void {
    const { from, number } = this.#current!;
    this.#options.send(packSegment({ transfer: number, ...LEAVE }), from);
  }

  late(): void {
    if (this.#left === 0) {
      this.done = true;
      return;
    }
    const error = this.#thrownAway(`fell silent for ${this.#options.patience / 1000} s`);
    this.#dismiss();
    this.#fail(error);
    if (this.#failure) throw this.#failure;
  }

  /** Ends in the middle of a transfer, if there is one: its sender need not wait in vain. */
  leave(): void {
    if (!this.#current) return;
    this.#options.onError(this.#thrownAway("is told to stop"));
    this.#dismiss();
    this[Symbol.dispose]();
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
