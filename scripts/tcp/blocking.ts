#!/usr/bin/env -S deno run --allow-net=127.0.0.1:5011
/**
 * Waiting, not waiting, and waiting with a deadline
 *
 * A Python socket blocks: the program stands still in recv until something comes, unless setblocking or
 * settimeout says otherwise. In Deno no call blocks. A read gives a promise at once, and the choice is made
 * with the promise: await it, look whether it has settled, or await it and a clock together.
 *
 * A read cannot be taken back. After a deadline it is still under way, and the next bytes are its own: keep
 * the promise and await it again, and nothing is lost; begin a second read, and the first takes the bytes.
 *
 * @lecture 003 blocking vs non-blocking · 001 Python Socket module
 * @python  socket.setblocking(True) → await, socket.setblocking(False) → Promise.race,
 *          socket.settimeout → AbortSignal.timeout, select.select → Promise.race,
 *          socket.recv → connection.read
 * @run     deno run --allow-net=127.0.0.1:5011 scripts/tcp/blocking.ts
 * @expect  waiting: the read is awaited, and other work goes on meanwhile
 * @expect  waiting: received "one"
 * @expect  not waiting: nothing has come yet
 * @expect  not waiting: received "two"*
 * @expect  with a deadline: TimeoutError*
 * @expect  with a deadline: the same read, awaited again, received "three"
 * @expect  a second read: the read that was given up received "four"
 * @expect  a second read: the second received "five"
 * @expect  for good: Interrupted*
 * @option  --port PORT  a free port for the experiments; 0 for any, with --allow-net=127.0.0.1 (default: 5011)
 * @see     https://docs.deno.com/api/deno/~/Deno.Conn
 * @see     https://developer.mozilla.org/en-US/docs/Web/JavaScript/Reference/Global_Objects/Promise/race
 * @module
 */

import { run } from "../../lib/cli.ts";
import { after } from "../../lib/deadline.ts";
import { quoted } from "../../lib/display.ts";
import { attempt } from "../../lib/errors.ts";
import { requireGivenPort } from "../../lib/require_net.ts";
import { writeAll } from "../../lib/write_all.ts";

/** Begins a read, and gives what it will bring. Nothing here waits. */
async function receive(connection: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(64);
  const count = await connection.read(buffer);
  return count === null ? "the end" : quoted(buffer.subarray(0, count));
}

/** What a promise has brought already, or `undefined`: Python's BlockingIOError. */
export async function settled<T>(promise: Promise<T>): Promise<T | undefined> {
  // of two that have settled, race takes the first: this one is asked before the other, which always has
  return await Promise.race([promise, pause(0)]);
}

/** Fails when the time is up, like recv after settimeout; the promise itself is not touched. */
export function withDeadline<T>(promise: Promise<T>, milliseconds: number): Promise<T> {
  const signal = AbortSignal.timeout(milliseconds);
  const late = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });
  return Promise.race([promise, late]);
}

function pause(milliseconds: number): Promise<undefined> {
  return new Promise((resolve) => after(milliseconds, () => resolve(undefined)));
}

async function experiments(here: Deno.Conn, there: Deno.Conn): Promise<void> {
  // 1. await: this function stands still, the program does not
  const sent = pause(100).then(() => {
    console.log("waiting: the read is awaited, and other work goes on meanwhile");
    return writeAll(there, "one");
  });
  console.log(`waiting: received ${await receive(here)}`);
  await sent;

  // 2. begin the read, and look now and then
  const second = receive(here);
  if (await settled(second) === undefined) console.log("not waiting: nothing has come yet");
  await writeAll(there, "two");
  let looks = 2;
  for (; await settled(second) === undefined; looks++) await pause(1);
  console.log(`not waiting: received ${await second} at look ${looks}`);

  // 3. whichever comes first, the bytes or the deadline
  const third = receive(here);
  await withDeadline(third, 200).catch((error) => console.log(`with a deadline: ${error}`));
  await writeAll(there, "three");
  console.log(`with a deadline: the same read, awaited again, received ${await third}`);

  // 4. the mistake: who begins another read after a deadline gets the bytes that come later
  const givenUp = receive(here);
  await withDeadline(givenUp, 200).catch(() => {});
  const another = receive(here);
  await writeAll(there, "four");
  console.log(`a second read: the read that was given up received ${await givenUp}`);
  await writeAll(there, "five");
  console.log(`a second read: the second received ${await another}`);

  // 5. only closing the connection ends a read for good
  const last = receive(here);
  here.close();
  await last.catch((error) => console.log(`for good: ${error}`));
}

export async function main({ port }: { port: number }): Promise<void> {
  const hostname = "127.0.0.1";
  using listener = await attempt(
    `listen on ${hostname} port ${port}`,
    () => Deno.listen({ hostname, port }),
  );
  const { addr } = listener;
  await requireGivenPort(addr, port);
  using there = await attempt("connect", () => Deno.connect({ hostname, port: addr.port }));
  using here = await listener.accept();
  await attempt("finish the experiments", experiments(here, there));
}

if (import.meta.main) await run(main);
