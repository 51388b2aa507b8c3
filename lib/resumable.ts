/**
 * A file that comes over HTTP in as many attempts as it takes: what to ask for, and what the answer is good
 * for. Parts of two versions are never put together.
 *
 * @module
 */

import { parseContentRange } from "./byte_range.ts";
import { visible } from "./display.ts";
import { PartFile } from "./part_file.ts";
import { readVersion, strongValidator, versionPath, writeVersion } from "./part_version.ts";
import { LimitError } from "./reader.ts";

/** The server said something else than was asked for; asking again may help. */
export class AnswerError extends Error {
  override name = "AnswerError";
}

/** A download that has begun: there is a `.part`, and perhaps something in it. */
export class Resumable implements Disposable {
  readonly #url: string;
  readonly #limit: number;
  readonly part: PartFile;
  /** Which version of the file it is; `undefined` when the server does not tell. */
  #validator: string | undefined;
  /** How many bytes there will be; `undefined` when the server does not tell. */
  total: number | undefined;

  private constructor(url: string, limit: number, part: PartFile, validator: string | undefined) {
    this.#url = url;
    this.#limit = limit;
    this.part = part;
    this.#validator = validator;
  }

  /**
   * Begins with a first answer. When an earlier attempt left a part of the same version, that is there again,
   * and the answer is to be cancelled for one to {@linkcode headers}.
   *
   * @param target where the finished file is to stand
   * @param options.url what was asked for, before any redirect
   * @param options.limit the most bytes
   * @throws {AnswerError} for a status other than 200
   * @throws {LimitError} for more bytes than the limit
   */
  static async begin(
    response: Response,
    target: string,
    options: { url: string; limit: number },
  ): Promise<Resumable> {
    const { url, limit } = options;
    const { total, validator } = whole(response, limit);
    const known = await readVersion(target);
    const resume = validator !== undefined && known?.validator === validator && known.url === url;
    const part = await PartFile.open(target, { resume });
    const download = new Resumable(url, limit, part, validator);
    try {
      download.total = total;
      // what is longer than all of it is no part of it
      if (part.size > (total ?? limit)) await part.clear();
      if (!resume) await download.#note();
      return download;
    } catch (error) {
      download[Symbol.dispose]();
      throw error;
    }
  }

  /** What asks for the rest, of this version only. Empty when all has to come again. */
  get headers(): Record<string, string> {
    if (this.#validator === undefined || this.part.size === 0) return {};
    return { range: `bytes=${this.part.size}-`, "if-range": this.#validator };
  }

  /** Whether a later attempt can go on with what is there. */
  get resumable(): boolean {
    return this.#validator !== undefined && this.part.size > 0;
  }

  /**
   * Takes the answer to a further request: the rest, or all of another version, for which the part is
   * cleared.
   *
   * @returns whether there is something to read; else all of it was there already
   * @throws {AnswerError} for an answer that is neither
   */
  async accept(response: Response): Promise<boolean> {
    const { status, headers } = response;
    const { part } = this;
    if (status === 206) {
      const text = headers.get("content-range");
      const range = parseContentRange(text);
      const validator = strongValidator(headers) ?? this.#validator;
      const same = validator === this.#validator && agree(range?.total, this.total);
      if (same && range?.first === part.size && this.headers.range) {
        this.total ??= range.total;
        return true;
      }
      throw new AnswerError(
        `the server sent another part: ${visible(text ?? "it does not say which")}`,
      );
    }
    if (status === 416) {
      // the rest of what has exactly so many bytes cannot be had
      const complete = headers.get("content-range") === `bytes */${part.size}`;
      if (complete && agree(part.size, this.total)) return false;
      const kept = part.size;
      await part.clear();
      throw new AnswerError(`the server has nothing behind the first ${kept} bytes any more`);
    }
    const { total, validator } = whole(response, this.#limit);
    this.total = total;
    this.#validator = validator;
    await part.clear();
    await this.#note();
    return true;
  }

  /** All of it is there: it gets its name. */
  async finish(): Promise<void> {
    // while the part is still locked: afterwards the note may be that of another program
    await writeVersion(this.part.target);
    await this.part.finish();
  }

  /** Closes the part. What cannot be gone on with is removed. */
  [Symbol.dispose](): void {
    const { part } = this;
    if (part.closed) return;
    if (this.resumable) return part[Symbol.dispose]();
    try {
      Deno.removeSync(versionPath(part.target));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    part.discard();
  }

  #note(): Promise<void> {
    const validator = this.#validator;
    const version = validator === undefined ? undefined : { url: this.#url, validator };
    return writeVersion(this.part.target, version);
  }
}

/** Whether two lengths may be the same: one that is not known contradicts nothing. */
function agree(one: number | undefined, other: number | undefined): boolean {
  return one === undefined || other === undefined || one === other;
}

/** What an answer says that holds all of a file. */
function whole({ status, statusText, headers }: Response, limit: number) {
  if (status !== 200) {
    throw new AnswerError(`the server answered ${`${status} ${visible(statusText)}`.trim()}`);
  }
  const length = headers.get("content-length");
  const total = length === null ? undefined : Number(length);
  if (total !== undefined && total > limit) throw new LimitError("the file", limit);
  return { total, validator: strongValidator(headers) };
}
