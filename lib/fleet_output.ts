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
}

/** More of one output than a person reads and memory should hold, in bytes; what comes beyond is dropped. */
export const MOST_OUTPUT = 1024 * 1024;
const CUT = "\n… cut here: more than 1 MiB";

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

  async text(): Promise<string> {
    return await new Blob(this.#pieces).text() + (this.#cut ? CUT : "");
  }
}
