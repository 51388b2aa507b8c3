/**
 * Waits that end: every one has a deadline, and says what it waited for.
 *
 * @module
 */

/** What a good client gets is there "at once": not a speed, but no queue behind misbehaving clients. */
export const AT_ONCE = 5_000;

/** Waits for a promise, at most so many milliseconds. */
export async function within<T>(
  what: string,
  promise: Promise<T>,
  milliseconds = AT_ONCE,
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const fail = () => late.reject(new Error(`${what}: not within ${milliseconds} ms`));
  const timer = setTimeout(fail, milliseconds);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether a promise settles in time. */
export async function settles(promise: Promise<unknown>, milliseconds: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), milliseconds);
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Looks again and again until something holds, by default as long as it may take on a busy machine. */
export async function until(
  what: () => string,
  holds: () => boolean,
  milliseconds = 6 * AT_ONCE,
): Promise<void> {
  const due = performance.now() + milliseconds;
  while (!holds()) {
    if (performance.now() > due) throw new Error(`${what()}, after ${milliseconds} ms`);
    await pause(20);
  }
}

/** Does nothing for a while; for the pace of a drip, and between two looks of {@linkcode until}. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Does something `count` times, at most `atOnce` at the same time. */
export async function times<T>(
  count: number,
  atOnce: number,
  work: (index: number) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const worker = async () => {
    for (let mine; (mine = next++) < count;) results[mine] = await work(mine);
  };
  await Promise.all(Array.from({ length: Math.min(count, atOnce) }, worker));
  return results;
}
