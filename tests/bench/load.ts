/**
 * The load without a C compiler: what `load.c` does, in the same words, by three Deno workers, since one
 * alone cannot keep a Deno server busy.
 *
 * @module
 */

import type { Result } from "./load_worker.ts";

const WORKERS = 3;
const [kind, port, connections, bytes, milliseconds] = Deno.args;

const workers = Array.from({ length: WORKERS }, (_, number) => {
  const worker = new Worker(new URL("./load_worker.ts", import.meta.url), { type: "module" });
  const share = Math.floor((Number(connections) + number) / WORKERS);
  const task = {
    kind,
    share,
    port: Number(port),
    bytes: Number(bytes),
    time: Number(milliseconds),
  };
  return new Promise<Result>((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(task);
  });
});

const results = await Promise.all(workers);
const latencies = Uint32Array.from(results.flatMap((one) => one.latencies)).sort();
const messages = results.flatMap((one) => one.messages);
console.log(JSON.stringify({
  rate: Math.round(results.reduce((sum, one) => sum + one.rate, 0)),
  p50: latencies[Math.floor(latencies.length / 2)] ?? 0,
  p99: latencies[Math.floor(latencies.length * 0.99)] ?? 0,
  least: messages.reduce((a, b) => Math.min(a, b), Infinity),
  most: messages.reduce((a, b) => Math.max(a, b), 0),
}));
if (kind === "hold") { while (await Deno.stdin.read(new Uint8Array(1)) !== null); }
Deno.exit(0);
