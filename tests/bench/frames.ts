/** Length-prefixed frames that the caller may keep, in memory: `frames.ts lib | copy BYTES`. */

import { readPrefixed, tryPrefixed } from "../../lib/framing.ts";
import { SocketReader, type Source } from "../../lib/reader.ts";
import { COUNT, frames, measure, source } from "./sample.ts";

const size = Number(Deno.args[1]);
const stream = frames(size);
/** Frames are kept a while, as a program would that does something with them. */
const kept: Uint8Array[] = new Array(64).fill(new Uint8Array());

const ways: Record<string, (from: Source) => Promise<number>> = {
  async lib(from) {
    const reader = new SocketReader(from);
    let count = 0;
    for (let frame; (frame = tryPrefixed(reader) ?? await readPrefixed(reader)) !== null;) {
      kept[count++ % kept.length] = frame;
    }
    return count;
  },

  /** How it is written most often: a call for each part, and a copy, since the buffer is used again. */
  async copy(from) {
    const buffer = new Uint8Array(64 * 1024);
    const view = new DataView(buffer.buffer);
    let start = 0, end = 0, count = 0;

    const exactly = async (wanted: number): Promise<boolean> => {
      while (end - start < wanted) {
        buffer.copyWithin(0, start, end);
        end -= start;
        start = 0;
        const read = await from.read(buffer.subarray(end));
        if (read === null) return false;
        end += read;
      }
      return true;
    };
    while (await exactly(4)) {
      const length = view.getUint32(start);
      start += 4;
      if (!await exactly(length)) throw new Error("the stream ended early");
      kept[count++ % kept.length] = buffer.slice(start, start + length);
      start += length;
    }
    return count;
  },
};

await measure(() => ways[Deno.args[0]!]!(source(stream, COUNT * (4 + size))));
