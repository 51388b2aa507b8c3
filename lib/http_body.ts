/**
 * Where the body of an HTTP/1.1 reply ends, and the body itself. TCP gives a stream of bytes; how much of it
 * belongs to this reply is told in three ways, and only one of them is the end of the connection.
 *
 * @module
 */

import { quoted } from "./display.ts";
import { HttpError, parseHeaders, readHeadLines } from "./http_head.ts";
import { elementsOf } from "./http_list.ts";
import { LimitError, type SocketReader, UnexpectedEof } from "./reader.ts";

/** How the end of a body is known: by its length, by a last chunk, or by the end of the connection. */
export type Framing =
  | { by: "length"; length: number }
  | { by: "chunks" }
  | { by: "close" }
  /** There is no body, whatever the headers say. */
  | { by: "none" };

/**
 * Decides by the rules of RFC 9112, section 6.3, how long the body of a reply is. Headers that contradict
 * each other are refused: whoever is between this client and the server may have read them otherwise.
 *
 * @param method of the request: HEAD is answered with the headers of a body that does not come
 * @throws {HttpError} for lengths that differ or are none, both kinds of framing, an unknown coding
 * @see {@link https://www.rfc-editor.org/rfc/rfc9112#section-6.3 RFC 9112, section 6.3}
 *
 * @example
 * ```ts
 * import { framingOf } from "./http_body.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const headers = new Headers({ "content-length": "5" });
 * assertEquals(framingOf("GET", { version: "1.1", status: 200, headers }), { by: "length", length: 5 });
 * assertEquals(framingOf("HEAD", { version: "1.1", status: 200, headers }), { by: "none" });
 * ```
 */
export function framingOf(
  method: string,
  { version, status, headers }: { version: string; status: number; headers: Headers },
): Framing {
  const none = method === "HEAD" || status < 200 || status === 204 || status === 304;
  if (none) return { by: "none" };
  const coding = headers.get("transfer-encoding");
  const length = headers.get("content-length");
  if (coding !== null) {
    if (length !== null) throw new HttpError("it has both Content-Length and Transfer-Encoding");
    if (version === "1.0") throw new HttpError("it is HTTP/1.0, which has no Transfer-Encoding");
    // other codings would have to be asked for by TE
    const codings = elementsOf(coding);
    if (codings.length !== 1 || codings[0]!.toLowerCase() !== "chunked") {
      throw new HttpError(
        `its Transfer-Encoding is ${quoted(coding, { limit: 100 })}, not chunked`,
      );
    }
    return { by: "chunks" };
  }
  if (length === null) return { by: "close" };
  const lengths = length.split(",").map((one) => one.trim());
  // the same length twice, as some gateways make it, is no contradiction
  if (lengths.some((one) => !/^\d{1,15}$/.test(one) || Number(one) !== Number(lengths[0]))) {
    throw new HttpError(
      `its Content-Length is ${quoted(length, { limit: 100 })}, no single number`,
    );
  }
  return { by: "length", length: Number(lengths[0]) };
}

/** How a body is read. */
export interface BodyOptions {
  /** Milliseconds in which something more must come; 10,000 unless told. */
  stall?: number;
  /** The most bytes that are handed out at once; 65,536 unless told. */
  pieceSize?: number;
  signal?: AbortSignal;
  /** Told of the headers that stand behind a chunked body. */
  onTrailers?: (trailers: Headers) => void;
}

/**
 * Reads a body, piece by piece. A piece is only good until the next is asked for.
 *
 * @throws {HttpError} when the body ends early, or its chunks are not as they should be
 * @see {@link https://www.rfc-editor.org/rfc/rfc9112#section-7.1 RFC 9112, section 7.1}: chunks
 */
export async function* readBody(
  reader: SocketReader,
  framing: Framing,
  options: BodyOptions = {},
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
  const { stall = 10_000, pieceSize = 65_536, signal, onTrailers } = options;
  const wait = { timeout: stall, signal };
  const buffer = new Uint8Array(pieceSize);
  const part = async function* (length: number, of: string) {
    for (let left = length; left > 0;) {
      const count = await reader.read(buffer.subarray(0, Math.min(left, buffer.length)), wait);
      if (count === null && length === Infinity) return;
      if (count === null) throw new HttpError(`it ended after ${length - left} of ${length} ${of}`);
      left -= count;
      yield buffer.subarray(0, count);
    }
  };
  if (framing.by === "none") return;
  if (framing.by !== "chunks") {
    return yield* part(framing.by === "length" ? framing.length : Infinity, "bytes of its body");
  }
  for (;;) {
    const size = await readChunkSize(reader, wait);
    if (size === 0) break;
    yield* part(size, "bytes of a chunk");
    const end = await reader.readExactly(2, wait).catch(endedEarly);
    if (end?.[0] !== 0x0d || end[1] !== 0x0a) {
      throw new HttpError(`a chunk of ${size} bytes does not end where it should`);
    }
  }
  const lines = await readHeadLines(reader, { timeout: stall, signal });
  if (lines === null) throw new HttpError("it ended before its last chunk did");
  onTrailers?.(parseHeaders(lines));
}

const LONGEST_SIZE_LINE = 4_096;

async function readChunkSize(
  reader: SocketReader,
  wait: { timeout: number; signal?: AbortSignal },
): Promise<number> {
  const line = await reader.readUntil("\r\n", { ...wait, limit: LONGEST_SIZE_LINE })
    .catch(endedEarly);
  if (line === null) throw new HttpError("it ended before its last chunk");
  const text = String.fromCharCode(...line);
  // behind a semicolon there may be extensions, which nobody uses; a lone CR or LF hides another line
  const digits = /^0*([\da-f]{1,12})(?:[ \t]*;[^\r\n\0]*)?$/i.exec(text)?.[1];
  if (digits === undefined) {
    throw new HttpError(`${quoted(text, { limit: 100 })} is no size of a chunk`);
  }
  return parseInt(digits, 16);
}

function endedEarly(error: Error): never {
  if (error instanceof UnexpectedEof) throw new HttpError("it ended in the middle of a chunk");
  if (error instanceof LimitError) throw new LimitError("the line before a chunk", error.limit);
  throw error;
}
