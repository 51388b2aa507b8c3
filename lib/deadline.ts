/**
 * Deadlines that cost next to nothing: thousands of waits share one timer that ticks five times a second.
 *
 * `setTimeout` would do the same more exactly, but loads Node's timers when first called, which costs a
 * short script a third of its start-up; `AbortSignal.timeout` does not.
 *
 * @module
 */

const TICK = 200;

interface Wait {
  due: number;
  late: () => void;
}

const waits = new Set<Wait>();
let tick: AbortSignal | undefined;

/**
 * Calls `late` when `milliseconds` have passed, unless what it returns is disposed before. A wait of more
 * than 200 ms may end up to 200 ms late: it is there for peers that never answer. `Infinity` never comes.
 *
 * @example
 * ```ts
 * import { after } from "./deadline.ts";
 *
 * {
 *   using _deadline = after(1_000, () => console.error("too slow"));
 *   await Promise.resolve("quick");
 * } // nothing is printed
 * await new Promise<void>((resolve) => after(10, resolve));
 * ```
 */
export function after(milliseconds: number, late: () => void): Disposable {
  if (milliseconds <= TICK) {
    const signal = AbortSignal.timeout(Math.max(0, milliseconds));
    signal.addEventListener("abort", late, { once: true });
    return { [Symbol.dispose]: () => signal.removeEventListener("abort", late) };
  }
  if (milliseconds === Infinity) return { [Symbol.dispose]() {} };
  const wait = { due: performance.now() + milliseconds, late };
  if (waits.size === 0) startTicking();
  waits.add(wait);
  return {
    [Symbol.dispose]() {
      // a listener would keep the process alive until the next tick
      if (waits.delete(wait) && waits.size === 0) tick?.removeEventListener("abort", onTick);
    },
  };
}

function startTicking(): void {
  if (!tick || tick.aborted) tick = AbortSignal.timeout(TICK);
  tick.addEventListener("abort", onTick);
}

function onTick(): void {
  tick = undefined;
  const now = performance.now();
  for (const wait of waits) {
    if (wait.due > now) continue;
    waits.delete(wait);
    wait.late();
  }
  if (waits.size > 0) startTicking();
}

/** A wait that reached its deadline. */
export class DeadlineError extends Error {
  override name = "DeadlineError";

  /** @param milliseconds how long was waited */
  constructor(milliseconds: number) {
    super(`nothing came within ${milliseconds / 1000} s`);
  }
}

/**
 * Waits for a promise, but not for ever.
 *
 * @param milliseconds how long at most; `Infinity` for no limit
 * @throws {DeadlineError} when the time is up; what the promise then still brings is disposed of
 *
 * @example
 * ```ts
 * import { DeadlineError, within } from "./deadline.ts";
 * import { assertRejects } from "@std/assert";
 *
 * await assertRejects(() => within(5, new Promise(() => {})), DeadlineError);
 * ```
 */
export function within<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let late = false;
    const deadline = after(milliseconds, () => {
      late = true;
      reject(new DeadlineError(milliseconds));
    });
    promise.then((value) => {
      deadline[Symbol.dispose]();
      if (late) (value as Partial<Disposable> | null)?.[Symbol.dispose]?.();
      else resolve(value);
    }, (error) => {
      deadline[Symbol.dispose]();
      reject(error);
    });
  });
}
