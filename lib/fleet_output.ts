/**
 * What a command on a machine of a fleet gave: the beginning of it is kept.
 *
 * @module
 */

/** What a command gave. */
export interface Output {
  code: number;
  stdout: string;
  stderr: string;
  /** Whether there was more of it than {@linkcode MOST_OUTPUT}. */
  stdoutCut?: boolean;
  stderrCut?: boolean;
}

/** More of one output than a person reads and memory should hold, in bytes; what comes beyond is dropped. */
export const MOST_OUTPUT = 1024 * 1024;

/** Keeps the beginning of an output. */
export class Kept {
  #pieces: Uint8Array<ArrayBuffer>[] = [];
  #left = MOST_OUTPUT;
  #cut = false;

  write(bytes: Uint8Array): Promise<number> {
    const mine = bytes.slice(0, this.#left);
    this.#pieces.push(mine);
    this.#left -= mine.length;
    this.#cut ||= mine.length < bytes.length;
    return Promise.resolve(bytes.length);
  }

  /** Whether something was dropped. */
  get cut(): boolean {
    return this.#cut;
  }

  async text(): Promise<string> {
    const bytes = await new Blob(this.#pieces).bytes();
    // half a character at the cut is left out
    return new TextDecoder().decode(bytes, { stream: this.#cut });
  }
}

/** What a command gave, from what was kept of it. */
export async function outputOf(code: number, stdout: Kept, stderr: Kept): Promise<Output> {
  return {
    ...{ code, stdout: await stdout.text(), stderr: await stderr.text() },
    ...(stdout.cut && { stdoutCut: true }),
    ...(stderr.cut && { stderrCut: true }),
  };
}
