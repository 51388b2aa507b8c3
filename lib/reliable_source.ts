/**
 * What `reliable_sender.ts` sends, cut into segments, and how a transfer fails.
 *
 * @module
 */

import type { Explanation } from "./errors.ts";
import { Kind, MOST_NUMBER, packSegment } from "./reliable_segment.ts";

/** A file as a row of segments: the start, the data, the end. */
export interface Segments {
  /** The file's size. */
  bytes: number;
  /** The number of the end. */
  last: number;
  /** Makes the segment of a number, from 0 to `last`. */
  pack(transfer: bigint, number: number): Uint8Array;
}

/**
 * Cuts an open file into segments, each read when it is asked for.
 *
 * @param name of the file, for messages
 * @param size data in a segment, in bytes, 1 to 8,192
 * @throws {RangeError} for a folder or a device, for a file that has more than its size tells, as those in /proc
 * have, and when there would be too many segments
 */
export function segmentsOf(name: string, file: Deno.FsFile, size: number): Segments {
  const info = file.statSync();
  if (!info.isFile) throw new RangeError(`cannot send ${name}: it is not a regular file`);
  const bytes = info.size;
  file.seekSync(bytes, Deno.SeekMode.Start);
  if (file.readSync(new Uint8Array(1)) !== null) {
    throw new RangeError(
      `cannot send ${name}: it has more than its ${bytes} bytes: send a copy of it`,
    );
  }
  const last = Math.ceil(bytes / size) + 1;
  if (last > MOST_NUMBER) throw new RangeError(`cannot send ${name}: take larger segments for it`);
  return {
    bytes,
    last,
    pack(transfer, number) {
      if (number === 0) return packSegment({ transfer, kind: Kind.Start, number });
      if (number === last) return packSegment({ transfer, kind: Kind.End, number });
      const from = (number - 1) * size;
      const payload = new Uint8Array(Math.min(size, bytes - from));
      file.seekSync(from, Deno.SeekMode.Start);
      for (let at = 0; at < payload.length;) {
        const count = file.readSync(payload.subarray(at));
        if (count === null) {
          throw new RangeError(`cannot send ${name}: it became shorter meanwhile`);
        }
        at += count;
      }
      return packSegment({ transfer, kind: Kind.Data, number, payload });
    },
  };
}

/** Nothing was acknowledged for too long. */
export class SilentError extends Error {
  override name = "SilentError";
  readonly explanation: Explanation;

  /** @param acknowledged how many segments were */
  constructor(to: string, patience: number, acknowledged: number) {
    super(
      acknowledged === 0
        ? `no answer from ${to} in ${
          patience / 1000
        } s: nothing is listening there, or all was lost`
        : `${to} fell silent: nothing more acknowledged in ${patience / 1000} s, ` +
          `${acknowledged} segments were before`,
    );
    this.explanation = { reason: this.message, partner: acknowledged === 0 };
  }
}

/** The receiver said that it has left the transfer. */
export class LeftError extends Error {
  override name = "LeftError";
  readonly explanation: Explanation;

  constructor(from: string) {
    super(`the receiver at ${from} has refused or given up this transfer`);
    const next =
      "It may serve another sender just now, or was started anew: see what it says, and try again.";
    this.explanation = { reason: this.message, next };
  }
}
