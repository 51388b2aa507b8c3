/**
 * What the tap costs: a stream from a server to a client, with the tap between them and without. All run on all
 * cores, since one more process takes part.
 *
 * @module
 */

import { type Comparison, ratio, type Sample } from "./compare.ts";
import type { Place } from "./place.ts";
import { output, startServer } from "./processes.ts";

const HERE = import.meta.dirname!;
const ROOT = `${HERE}/../..`;
const DENO = ["deno", "run", "--quiet", "--no-prompt"];

/** The comparison of a stream that goes directly, and through the tap. */
export function tapComparison({ network }: Place): Comparison {
  const received = async (port: number): Promise<Sample> => {
    const sink = [...DENO, `--allow-net=127.0.0.1:${port}`, `${HERE}/stream_sink.ts`];
    return JSON.parse(await output([...network, ...sink, String(port), "500"])) as Sample;
  };
  const source = () =>
    startServer([...network, ...DENO, "--allow-net=127.0.0.1", `${HERE}/stream_source.ts`]);
  const tapped = (...words: string[]) => async () => {
    const { server, port } = await source();
    await using _ended = server;
    const ends = ["127.0.0.1:0", `127.0.0.1:${port}`];
    const flags = [`--allow-net=${ends.join(",")}`, "--allow-write=/dev/null"];
    const script = `${ROOT}/scripts/analyzer/tap.ts`;
    const tap = await startServer(
      [...network, ...DENO, ...flags, script, ...ends, ...words],
      "null",
    );
    await using _tapEnded = tap.server;
    return await received(tap.port);
  };
  return {
    name: "tap",
    title: "a stream to one client, directly and through the tap, all cores",
    shown: { rate: "bytes/s" },
    contenders: {
      direct: async () => {
        const { server, port } = await source();
        await using _ended = server;
        return await received(port);
      },
      tap: tapped("--show", "none"),
      capture: tapped("--show", "none", "--pcap", "/dev/null"),
    },
    goals: [{ text: "tap / direct", of: ratio("tap", "direct"), atLeast: 0.5 }],
  };
}
