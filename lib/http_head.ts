/**
 * The head of an HTTP/1.1 message: its lines read with limits, and checked, since what one program takes for
 * a header and another does not is how requests and replies are smuggled past the first one.
 *
 * @module
 */

import { DeadlineError } from "./deadline.ts";
import { quoted } from "./display.ts";
import { LimitError } from "./lines.ts";
import { type SocketReader, UnexpectedEof } from "./reader.ts";

/** What came is not HTTP as RFC 9112 has it. */
export class HttpError extends Error {
  override name = "HttpError";
}

/** Limits of {@linkcode readHeadLines}. */
export interface HeadOptions {
  /** The most bytes of all lines together; 65,536 unless told. */
  headLimit?: number;
  /** The most lines; 200 unless told. */
  lineLimit?: number;
  /** Milliseconds until all lines must have come, however slowly they drip; 10,000 unless told. */
  timeout?: number;
  /** Gives up when aborted. */
  signal?: AbortSignal;
}

/**
 * Reads lines until the empty one, which is taken and not given back: the head of a message, or the trailers
 * behind a chunked body. Each byte becomes one character, U+0000 to U+00FF. A line may end in LF alone.
 *
 * @returns `null` when the stream ended before the first byte
 * @throws {LimitError} for too many bytes
 * @throws {HttpError} for too many lines, an end in the middle, a CR or NUL inside a line, or when it is late
 * @see {@link https://www.rfc-editor.org/rfc/rfc9112#section-2.2 RFC 9112, section 2.2}
 */
export async function readHeadLines(
  reader: SocketReader,
  options: HeadOptions = {},
): Promise<string[] | null> {
  const { headLimit = 65_536, lineLimit = 200, timeout = 10_000, signal } = options;
  const due = performance.now() + timeout;
  const lines: string[] = [];
  for (let left = headLimit;;) {
    const bytes = await reader.readUntil("\n", {
      limit: left,
      timeout: Math.max(0, due - performance.now()),
      signal,
    }).catch((error) => {
      if (error instanceof LimitError) throw new LimitError("the head", headLimit);
      if (error instanceof UnexpectedEof) throw new HttpError("it ended in the middle of its head");
      if (error instanceof DeadlineError) throw new HttpError("its head was not complete in time");
      throw error;
    });
    if (bytes === null && lines.length === 0) return null;
    if (bytes === null) throw new HttpError("it ended in the middle of its head");
    left -= bytes.length + 1;
    if (left < 0) throw new LimitError("the head", headLimit);
    const line = latin1(bytes).replace(/\r$/, "");
    if (line === "") return lines;
    if (/[\0\r]/.test(line)) throw new HttpError("a line of its head holds a bare CR or a NUL");
    if (lines.push(line) > lineLimit) {
      throw new HttpError(`its head has more than ${lineLimit} lines`);
    }
  }
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  // as many arguments as a call surely takes
  for (let at = 0; at < bytes.length; at += 8_192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8_192));
  }
  return text;
}

/**
 * Makes headers of header lines: names in any case, values without the spaces around them. A line that
 * begins with a space goes on with the one before (obs-fold, deprecated, but a client has to take it).
 *
 * @throws {HttpError} for a line without a colon, a space before it, or a name that is none
 * @see {@link https://www.rfc-editor.org/rfc/rfc9112#section-5 RFC 9112, section 5}
 *
 * @example
 * ```ts
 * import { parseHeaders } from "./http_head.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const headers = parseHeaders(["Content-Length:  5 ", "X-Long: one", "  two"]);
 * assertEquals(headers.get("content-length"), "5");
 * assertEquals(headers.get("x-long"), "one two");
 * ```
 */
export function parseHeaders(lines: string[]): Headers {
  const unfolded: string[] = [];
  for (const line of lines) {
    if (!/^[ \t]/.test(line)) unfolded.push(line);
    else if (unfolded.length === 0) {
      throw new HttpError("its first header line begins with a space");
    } else unfolded.push(`${unfolded.pop()!.trimEnd()} ${line.trimStart()}`);
  }
  const headers = new Headers();
  for (const line of unfolded) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon));
    if (!/^[!#$%&'*+.^`|~\w-]+$/.test(name)) {
      throw new HttpError(`${quoted(line, { limit: 100 })} is no header: there is no NAME: VALUE`);
    }
    headers.append(name, line.slice(colon + 1)); // spaces and tabs around it do not count there
  }
  return headers;
}
