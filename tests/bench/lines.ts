/** Lines as strings, in memory: `lines.ts tryLine | readLines | std`. */

import { TextLineStream } from "npm:deno-std@1.4.0/streams/text_line_stream.js";
import { SocketReader } from "../../lib/reader.ts";
import { COUNT, lines, measure, source } from "./sample.ts";

const text = lines();
const open = () => source(text, COUNT * 80);

const ways: Record<string, () => Promise<number>> = {
  async tryLine() {
    const reader = new SocketReader(open());
    let count = 0;
    for (let line; (line = reader.tryLine() ?? await reader.readLine()) !== null;) {
      if (line.length === 79) count++;
    }
    return count;
  },

  async readLines() {
    const reader = new SocketReader(open());
    let count = 0;
    for (let some; (some = await reader.readLines()) !== null;) {
      for (const line of some) if (line.length === 79) count++;
    }
    return count;
  },

  async std() {
    const from = open();
    const bytes = new ReadableStream<Uint8Array<ArrayBuffer>>({
      async pull(controller) {
        const buffer = new Uint8Array(64 * 1024);
        const read = await from.read(buffer);
        if (read === null) controller.close();
        else controller.enqueue(buffer.subarray(0, read));
      },
    });
    const all = bytes.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
    let count = 0;
    for await (const line of all as ReadableStream<string>) if (line.length === 79) count++;
    return count;
  },
};

await measure(ways[Deno.args[0]!]!);
