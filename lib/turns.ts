/**
 * Turns for many busy connections: first come, first served.
 *
 * In one turn of its event loop Deno does 128 operations, the budget that Tokio, the runtime below it, gives a
 * task. What is left over comes after what gets ready meanwhile: of 256 busy clients half can wait for 50 ms
 * while the others are served again and again. So no more reads are begun at once than one turn has room for,
 * and the others queue here.
 *
 * @module
 */

/** How many reads may be under way: half of what a turn does, since what is read is mostly answered. */
const AT_ONCE = 64;
/** A read that has been under way longer, in milliseconds, waits for an idle client: it counts no more. */
const IDLE = 5;

/** Reads that were begun at about the same time, and how many of them are under way. */
interface Batch {
  reads: number;
}

let members = 0;
let batch: Batch = { reads: 0 };
let batchBefore: Batch = { reads: 0 };
let batchSince = 0;
let begun = 0;
/** Who waits for a turn; the first of them, as many as `called`, had theirs. */
let queue: ((batch: Batch) => void)[] = [];
let called = 0;
let watched = false;

/** Counts a connection in, until what this gives is disposed. */
export function takePart(): Disposable {
  members++;
  return { [Symbol.dispose]: () => members-- };
}

/** Whether there are enough connections for turns to matter. A few do without, which costs nothing. */
export function crowded(): boolean {
  return members > AT_ONCE;
}

/** Waits for a turn, and reads. */
export async function readInTurn(
  inner: Pick<Deno.Conn, "read">,
  into: Uint8Array,
): Promise<number | null> {
  const mine = hasRoom() ? begin() : await new Promise<Batch>((resolve) => {
    queue.push(resolve);
    if (!watched) watchQueue();
  });
  try {
    return await inner.read(into);
  } finally {
    mine.reads--;
    callNext();
  }
}

function hasRoom(): boolean {
  return batch.reads + batchBefore.reads < AT_ONCE;
}

function begin(): Batch {
  // to look at the clock costs more than all else here
  if (++begun % 32 === 0) forgetTheIdle();
  batch.reads++;
  return batch;
}

function callNext(): void {
  while (called < queue.length && hasRoom()) queue[called++]!(begin());
  if (called === queue.length) queue.length = called = 0;
  // taking each away by itself would move all the others
  if (called >= 1024) {
    queue = queue.slice(called);
    called = 0;
  }
}

/** What is still under way of an old batch waits for idle clients, and need not hold up others. */
function forgetTheIdle(): void {
  const now = performance.now();
  if (now - batchSince < IDLE) return;
  batchBefore = batch;
  batch = { reads: 0 };
  batchSince = now;
}

/** Moves the queue on when all reads under way wait for idle clients, and none of them ends. */
function watchQueue(): void {
  watched = true;
  AbortSignal.timeout(IDLE).addEventListener("abort", () => {
    forgetTheIdle();
    callNext();
    if (queue.length > 0) watchQueue();
    else watched = false;
  });
}
