/**
 * Many clients as a process of their own: connects, says so, and holds the connections until it is ended.
 *
 *     deno run --allow-net=127.0.0.1:PORT tests/hostile/crowd.ts PORT COUNT
 *
 * @module
 */

import { times } from "./waits.ts";

const [port, count] = Deno.args.map(Number);
const crowd = await times(
  count!,
  50,
  () => Deno.connect({ hostname: "127.0.0.1", port: port! }),
);
console.log(`holding ${crowd.length}`);
await crowd[0]!.read(new Uint8Array(1));
