#!/usr/bin/env -S deno run
/**
 * Memory that two threads share: the lost update, and how Atomics prevents it
 *
 * Two workers add to the same number, each a million times. `counter[0]++` is three steps: read, add, write.
 * When both read the same value, both write the same sum, and one of the two additions is lost. Nothing
 * fails, the result is just too small, and by a different amount each time; it may even be right by luck,
 * so the race is run until it is lost. Atomics.add does the three steps as one: nobody comes between.
 *
 * Workers share nothing else. A message between them is a copy; a SharedArrayBuffer is the one thing that
 * both see. Python's threads share everything, and multiprocessing.Value is what comes closest to this.
 *
 * @lecture 001 Advanced topics (shared memory, multiprocessing)
 * @python  multiprocessing.Value → SharedArrayBuffer, multiprocessing.Process → Worker,
 *          Value.get_lock → Atomics.add
 * @run     deno run scripts/ipc/shared_memory.ts
 * @expect  without Atomics: * of 2000000 additions arrived, * were lost
 * @expect  with Atomics: 2000000 of 2000000 additions arrived, 0 were lost
 * @run     deno run scripts/ipc/shared_memory.ts --times 1000 --workers 4 --rounds 1
 * @expect  with Atomics: 4000 of 4000 additions arrived, 0 were lost
 * @option  --times COUNT    how often each worker adds (default: 1000000)
 * @option  --workers COUNT  how many workers add, up to 64 (default: 2)
 * @option  --rounds COUNT   how often to try, at most, until an update is lost (default: 100)
 * @see     https://developer.mozilla.org/docs/Web/JavaScript/Reference/Global_Objects/Atomics
 * @module
 */

import { run } from "../../lib/cli.ts";
import { UsageError } from "../../lib/usage.ts";

/** What a worker is told to do. */
interface Task {
  memory: SharedArrayBuffer;
  times: number;
  atomic: boolean;
}

/** This function runs in each worker: nothing outside of it exists there. */
function work(): void {
  const parent = self as unknown as Worker; // what a worker sees of the one that made it
  parent.onmessage = ({ data: { memory, times, atomic } }: MessageEvent<Task>) => {
    const [counter, start] = [new Int32Array(memory, 0, 1), new Int32Array(memory, 4, 1)];
    // all wait for one signal: those that begin at different times may never meet
    Atomics.wait(start, 0, 0);
    if (atomic) { for (let time = 0; time < times; time++) Atomics.add(counter, 0, 1); }
    else for (let time = 0; time < times; time++) counter[0]!++;
    parent.postMessage("done");
  };
  parent.postMessage("ready");
}

/** The next message of a worker. */
function message(worker: Worker): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = (event) => {
    event.preventDefault(); // or it ends this thread as well
    reject(new Error(event.message));
  };
  return promise;
}

/** Has the workers count together; says what the counter shows in the end. */
export async function count(workers: Worker[], times: number, atomic: boolean): Promise<number> {
  // zero in the beginning: four bytes for the counter, and four for the signal to start
  const memory = new SharedArrayBuffer(8);
  const finished = workers.map(message);
  for (const worker of workers) worker.postMessage({ memory, times, atomic } satisfies Task);
  const start = new Int32Array(memory, 4, 1);
  Atomics.store(start, 0, 1);
  Atomics.notify(start, 0);
  await Promise.all(finished);
  return new Int32Array(memory)[0]!;
}

export interface Options {
  times: number;
  workers: number;
  rounds: number;
}

export async function main(options: Options): Promise<void> {
  const { times, rounds } = options;
  if (rounds < 1) throw new UsageError("--rounds is at least 1");
  if (options.workers < 1 || options.workers > 64) throw new UsageError("--workers is 1 to 64");
  const all = times * options.workers;
  if (all > 2 ** 31 - 1) throw new UsageError("the counter holds 31 bits: fewer --times");
  // a worker from a file would need a read permission, one from a text does not
  const code = URL.createObjectURL(new Blob([`(${work})()`], { type: "text/javascript" }));
  const workers = Array.from(
    { length: options.workers },
    () => new Worker(code, { type: "module" }),
  );
  try {
    await Promise.all(workers.map(message));
    let [round, counted] = [0, all];
    const race = options.workers > 1 && times > 0;
    while (round < (race ? rounds : 1) && counted === all) {
      counted = await count(workers, times, false);
      round++;
    }
    const say = (how: string, arrived: number) =>
      console.log(`${how}: ${arrived} of ${all} additions arrived, ${all - arrived} were lost`);
    say("without Atomics", counted);
    if (counted < all) console.log(`(in round ${round})`);
    else if (race) console.log("(by luck: try again, or with more --times)");
    else console.log("(of necessity: an update is lost only when two workers add)");
    say("with Atomics", await count(workers, times, true));
  } finally {
    for (const worker of workers) worker.terminate();
  }
}

if (import.meta.main) await run(main);
