#!/usr/bin/env -S deno run --allow-net=127.0.0.1:8000 --allow-read=downloads --allow-write=downloads
/**
 * Downloads a file from a URL
 *
 * The lecture's five lines keep all of the file in memory, write what they have when the connection breaks,
 * and take any name. Here the bytes go to the disk as they come, into NAME.part, and the file gets its name
 * at once and only when all of it is there. When the connection breaks, the rest is asked for (Range), but
 * only of the same version (If-Range): else the server sends all of the new one.
 *
 * The name comes from the server or the URL, so it is reduced to one that leads nowhere else. In the folder
 * downloads no file is written over; --output names any other place. What Ctrl-C leaves, the same command
 * goes on with.
 *
 * @lecture 000 Download a file from a URL
 * @python  requests.get → fetch, response.status_code → response.status,
 *          response.content → response.body, open → Deno.open, file.write → file.write
 * @partner scripts/http/sample_server.ts
 * @run     deno run --allow-net=127.0.0.1:8000 --allow-read=downloads --allow-write=downloads scripts/http/download.ts http://127.0.0.1:8000/dropping.bin
 * @log     the connection broke after 100000 of 262144 bytes: going on in 0.1 s
 * @log     the connection broke after 200000 of 262144 bytes: going on in 0.2 s
 * @expect  saved downloads/dropping.bin (262144 bytes)
 * @argument [URL]           what to fetch, http or https (default: http://127.0.0.1:8000/dropping.bin)
 * @option  --output FILE    where to put it, in place of what is there
 * @option  --sha256 HEX     what its checksum must be
 * @option  --limit BYTES    the largest file (default: 10737418240)
 * @option  --redirects COUNT how many redirects are followed (default: 5)
 * @option  --retries COUNT  how often a broken connection is made again (default: 8)
 * @see     https://www.rfc-editor.org/rfc/rfc9110#section-14
 * @module
 */

import { run } from "../../lib/cli.ts";
import { suggestedName } from "../../lib/content_disposition.ts";
import { DeadlineError, within } from "../../lib/deadline.ts";
import { quoted, visible } from "../../lib/display.ts";
import { attempt, explain } from "../../lib/errors.ts";
import { checkNew, checkOutput } from "../../lib/output_path.ts";
import { pause } from "../../lib/pause.ts";
import { Progress } from "../../lib/progress.ts";
import { LimitError } from "../../lib/reader.ts";
import { fetchFollowing, parsedUrl } from "../../lib/redirects.ts";
import { AnswerError, Resumable } from "../../lib/resumable.ts";
import { nameOfFile } from "../../lib/safe_name.ts";
import { sha256OfFile } from "../../lib/sha256_file.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { UsageError } from "../../lib/usage.ts";

const FOLDER = "downloads";
const PIECE = 1024 * 1024; // bytes
const LEAST = 16 * 1024; // bytes of an answer with a part
const STALL = 10_000; // milliseconds in which nothing comes

interface Options {
  url: string;
  output?: string;
  sha256?: string;
  limit: number;
  redirects: number;
  retries: number;
}

/** The connection broke after the server had answered: it is worth another try. */
class Broken extends Error {
  override name = "Broken";
}

/** Asks for a file, or for the rest of it. */
async function ask(options: Options, begun: Resumable | undefined, stop: AbortSignal) {
  const { url, redirects } = options;
  // the bytes as they are: a part of something that was packed on the way is of no use
  const headers = { "accept-encoding": "identity", ...begun?.headers };
  const late = new AbortController();
  const signal = AbortSignal.any([stop, late.signal]);
  try {
    const asking = fetchFollowing(url, { redirects, headers, signal });
    return await attempt(`fetch ${visible(url)}`, asking, { timeout: STALL });
  } catch (error) {
    late.abort();
    stop.throwIfAborted();
    throw begun ? new Broken(explain(error).reason) : error;
  }
}

/** Where a file is to stand: in the folder, under a name that is not taken, unless it is told. */
async function targetOf(response: Response, url: URL, output?: string): Promise<string> {
  if (output !== undefined) return output;
  const name = nameOfFile(suggestedName(response.headers.get("content-disposition")) ?? url);
  // those endings are of files that are not finished
  const target = `${FOLDER}/${name.replace(/\.(part|version)$/i, "_$1")}`;
  await checkNew(target);
  return target;
}

/**
 * Writes to the part what comes, piece by piece: no more than one piece is in memory. True when all of the file
 * is there; a server may also answer with less than was asked for.
 */
async function receive(response: Response, { part, total }: Resumable, limit: number) {
  const before = part.size;
  using progress = new Progress({ total, start: part.size, bar: true });
  const of = total === undefined ? "" : ` of ${total}`;
  // the buffer is lent to each read, and comes back with the bytes: what has come meanwhile, up to all of it
  const reader = response.body!.getReader({ mode: "byob" });
  try {
    for (let buffer = new Uint8Array(PIECE);;) {
      const { done, value } = await within(STALL, reader.read(buffer)).catch((error) => {
        const why = error instanceof DeadlineError ? error.message : "the connection broke";
        throw new Broken(`${why} after ${part.size}${of} bytes`);
      });
      if (done) break;
      if (part.size + value.length > limit) throw new LimitError("the file", limit);
      await attempt(`write to ${part.path}`, part.write(value), { timeout: Infinity });
      progress.add(value.length);
      buffer = new Uint8Array(value.buffer);
    }
  } finally {
    reader.releaseLock();
  }
  if (total === undefined || part.size === total) return true;
  // less is gone on with, but not crumbs without end
  if (response.status === 206 && part.size - before >= LEAST && part.size < total) return false;
  throw new Broken(`the answer ended after ${part.size}${of} bytes`);
}

/** Fetches a file and gives it its name; says where it is. */
export async function download(options: Options, stop: AbortSignal): Promise<Resumable> {
  const { output, limit, retries, sha256 } = options;
  let begun: Resumable | undefined;

  /** One request; true when all of the file is there. */
  const fetchOnce = async () => {
    const { response, url } = await ask(options, begun, stop);
    try {
      if (begun) {
        if (!await begun.accept(response)) return true;
      } else {
        const target = await targetOf(response, url, output);
        const beginning = Resumable.begin(response, target, options);
        begun = await attempt(`download ${visible(url.href)}`, beginning, { timeout: Infinity });
        const coding = response.headers.get("content-encoding") ?? "identity";
        if (coding !== "identity") {
          console.error(
            `the server packed it unasked (${visible(coding)}): it is kept as it comes`,
          );
        }
        // this answer begins at the beginning: the next will be asked for the rest
        if (begun.part.size > 0) return begun.part.size === begun.total;
      }
      return await receive(response, begun, limit);
    } finally {
      await response.body?.cancel().catch(() => {}); // what is left of it has no reader
    }
  };

  try {
    for (let broken = 0;;) {
      try {
        if (await fetchOnce()) break;
        console.error(`going on after ${begun!.part.size} bytes`);
      } catch (error) {
        stop.throwIfAborted();
        const again = error instanceof Broken || (begun && error instanceof AnswerError);
        if (!again || broken === retries) throw error;
        const seconds = Math.min(10, 0.1 * 2 ** broken++);
        console.error(`${error.message}: going on in ${seconds} s`);
        await pause(seconds * 1_000, stop);
        stop.throwIfAborted();
      }
    }
    const { part } = begun!;
    const found = sha256 === undefined ? undefined : await sha256OfFile(part.path);
    if (found !== sha256?.toLowerCase()) {
      await part.clear();
      throw new Error(`its SHA-256 is ${found}: this is not what was wanted, and is removed`);
    }
    await begun!.finish();
    return begun!;
  } catch (error) {
    if (error instanceof LimitError) await begun?.part.clear();
    if (begun?.resumable) {
      const { size, path } = begun.part;
      console.error(`${size} bytes are kept in ${path}: the same command goes on with them`);
    }
    throw error;
  } finally {
    begun?.[Symbol.dispose]();
  }
}

export async function main(options: Options): Promise<void> {
  const { sha256, output } = options;
  if (sha256 !== undefined && !/^[\da-f]{64}$/i.test(sha256)) {
    throw new UsageError("--sha256 is 64 hexadecimal digits");
  }
  try {
    parsedUrl(options.url);
  } catch (error) {
    throw new UsageError(`${quoted(options.url)} is not fetched: ${(error as Error).message}`);
  }
  if (output !== undefined) {
    await checkOutput(output);
  } else {
    await attempt(`make the folder ${FOLDER}`, Deno.mkdir(FOLDER, { recursive: true }));
    await attempt(`look into the folder ${FOLDER}`, Deno.stat(FOLDER));
  }
  const stop = new AbortController();
  using _stopping = onInterrupt(() => stop.abort(new Error("stopped")), { grace: 5_000, code: 1 });
  const { part } = await download(options, stop.signal);
  console.log(`saved ${visible(part.target)} (${part.size} bytes)`);
}

if (import.meta.main) await run(main);
