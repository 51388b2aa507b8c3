/**
 * How far a download is, on one line of the terminal that is written over again and again.
 *
 * @module
 */

/** What is told, and where. */
export interface ProgressOptions {
  /** How many bytes there will be in all, where that is known. */
  total?: number;
  /** How many bytes were there before; they count as done, but not for the rate. 0 unless told. */
  start?: number;
  /** Where it is shown: stderr unless told. */
  output?: { isTerminal(): boolean; writeSync(bytes: Uint8Array): number };
  /** Whether nothing may be shown; as NO_COLOR says unless told. */
  silent?: boolean;
  /** How wide the terminal is; asked of the system unless told. */
  columns?: number;
  /** Whether a bar is drawn where the total is known. */
  bar?: boolean;
  /** The time in milliseconds; `performance.now` unless told. */
  now?: () => number;
}

/** The line is written anew at most so often, in milliseconds. */
const PACE = 200;

/**
 * A progress line: percent where the total is known, bytes, and bytes per second since the start. It is
 * silent when the output is no terminal, and when `NO_COLOR` is set, since it moves the cursor. Dispose it
 * before anything else is printed: the line is then gone.
 *
 * @example
 * ```ts
 * import { Progress } from "./progress.ts";
 *
 * {
 *   using progress = new Progress({ total: 3_000_000 });
 *   for (let chunk = 0; chunk < 3; chunk++) progress.add(1_000_000);
 * }
 * console.error("done");
 * ```
 */
export class Progress implements Disposable {
  readonly #options: ProgressOptions;
  readonly #output: NonNullable<ProgressOptions["output"]>;
  readonly #now: () => number;
  readonly #began: number;
  readonly #shown: boolean;
  #done: number;
  #last = -Infinity;
  #written = false;

  constructor(options: ProgressOptions = {}) {
    this.#options = options;
    this.#output = options.output ?? Deno.stderr;
    this.#now = options.now ?? (() => performance.now());
    this.#began = this.#now();
    this.#done = options.start ?? 0;
    this.#shown = !(options.silent ?? Deno.noColor) && this.#output.isTerminal();
  }

  /** So many bytes more are done. */
  add(bytes: number): void {
    this.#done += bytes;
    if (!this.#shown) return;
    const now = this.#now();
    if (now - this.#last < PACE) return;
    this.#last = now;
    const { total, start = 0, bar } = this.#options;
    const text = progressText(this.#done, total, this.#done - start, now - this.#began);
    const line = bar && total ? `${progressBar(this.#done / total)} ${text}` : text;
    this.#write(`\r${line.slice(0, this.#columns() - 1)}\x1b[K`);
    this.#written = true;
  }

  /** Removes the line. */
  [Symbol.dispose](): void {
    if (this.#written) this.#write("\r\x1b[K");
    this.#written = false;
  }

  #columns(): number {
    if (this.#options.columns) return this.#options.columns;
    try {
      return Deno.consoleSize().columns || 80;
    } catch {
      return 80; // a terminal that does not tell
    }
  }

  #write(text: string): void {
    const bytes = new TextEncoder().encode(text);
    for (let sent = 0; sent < bytes.length;) sent += this.#output.writeSync(bytes.subarray(sent));
  }
}

/**
 * What a progress line says.
 *
 * @param moved how many of the bytes came in these `milliseconds`
 *
 * @example
 * ```ts
 * import { progressText } from "./progress.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(progressText(500_000, 2_000_000, 500_000, 250), " 25%  500.0 kB of 2.0 MB  2.0 MB/s");
 * assertEquals(progressText(999, undefined, 999, 0), "999 B");
 * ```
 */
export function progressText(
  done: number,
  total: number | undefined,
  moved: number,
  milliseconds: number,
): string {
  // more than there should be is no percentage
  const known = total !== undefined && done <= total;
  const percent = known ? `${total > 0 ? Math.floor(done / total * 100) : 100}%`.padStart(4) : "";
  const bytes = known ? `${byteText(done)} of ${byteText(total)}` : byteText(done);
  const rate = milliseconds > 0 ? `${byteText(moved / milliseconds * 1000)}/s` : "";
  return [percent, bytes, rate].filter((part) => part !== "").join("  ");
}

/**
 * A bar that fills up.
 *
 * @param share from 0 to 1
 *
 * @example
 * ```ts
 * import { progressBar } from "./progress.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(progressBar(0.25), "[#####               ]");
 * ```
 */
export function progressBar(share: number): string {
  const full = Math.floor(20 * Math.min(1, Math.max(0, share)));
  return `[${"#".repeat(full).padEnd(20)}]`;
}

/** A number of bytes in the unit that suits it, by powers of 1,000. */
export function byteText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  // 999.95 kB would be written 1000.0 kB
  while (unit < units.length - 1 && bytes >= (unit === 0 ? 999.5 : 999.95)) {
    bytes /= 1000;
    unit++;
  }
  return `${unit === 0 ? Math.round(bytes) : bytes.toFixed(1)} ${units[unit]}`;
}
