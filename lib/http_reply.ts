/**
 * The reply of a web server, read by hand from a connection: HTTP/1.1 and 1.0.
 *
 * @module
 */

import { quoted } from "./display.ts";
import { type BodyOptions, type Framing, framingOf, readBody } from "./http_body.ts";
import { type HeadOptions, HttpError, parseHeaders, readHeadLines } from "./http_head.ts";
import type { SocketReader } from "./reader.ts";

export { HttpError };

/** Limits of {@linkcode readReply}. */
export type ReplyOptions = HeadOptions & Pick<BodyOptions, "stall" | "pieceSize"> & {
  /** Of the request: HEAD is answered without a body. GET unless told. */
  method?: string;
  /** Told of the head of what comes before the reply: 100 Continue, 103 Early Hints. */
  onInterim?: (lines: string[]) => void;
};

/** A reply whose head has come; its body comes when it is asked for. */
export interface HttpReply {
  /** `1.1`, or `1.0`. */
  version: string;
  status: number;
  reason: string;
  headers: Headers;
  /** The head as it came, the status line first. */
  lines: string[];
  /** How the end of the body is known. */
  framing: Framing;
  /** The body, piece by piece; a piece is only good until the next. Can be read once. */
  body: AsyncIterable<Uint8Array<ArrayBuffer>>;
  /** What stood behind a chunked body, once that was read. */
  trailers: Headers;
}

/** A server may say so often that it goes on working before it replies. */
const MOST_INTERIM = 16;

/**
 * Reads a reply. What servers send before it (100 Continue, 103 Early Hints) is passed over.
 *
 * @throws {HttpError} when it is not HTTP, contradicts itself, or ends early, here or in the body
 * @throws {LimitError} when its head is longer than the limit
 * @see {@link https://www.rfc-editor.org/rfc/rfc9112 RFC 9112}
 *
 * @example
 * ```ts
 * import { readReply } from "./http_reply.ts";
 * import { SocketReader } from "./reader.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
 * const reply = await readReply(SocketReader.from(new TextEncoder().encode(text)));
 * let body = "";
 * for await (const piece of reply.body) body += new TextDecoder().decode(piece);
 * assertEquals([reply.status, reply.reason, body], [200, "OK", "hello"]);
 * ```
 */
export async function readReply(
  reader: SocketReader,
  options: ReplyOptions = {},
): Promise<HttpReply> {
  const { method = "GET", timeout = 10_000 } = options;
  const due = performance.now() + timeout;
  for (let interim = 0; interim <= MOST_INTERIM; interim++) {
    const left = Math.max(0, due - performance.now());
    const lines = await readHeadLines(reader, { ...options, timeout: left });
    if (lines === null) {
      throw new HttpError("the server closed the connection without a reply");
    }
    const head = { ...parseStatusLine(lines[0] ?? ""), headers: parseHeaders(lines.slice(1)) };
    if (head.status === 101) throw new HttpError("it changes the protocol, which nobody asked for");
    if (head.status < 200) {
      options.onInterim?.(lines);
      continue;
    }
    const framing = framingOf(method, head);
    const reply: HttpReply = {
      ...head,
      lines,
      framing,
      trailers: new Headers(),
      body: readBody(reader, framing, {
        ...options,
        onTrailers: (trailers) => reply.trailers = trailers,
      }),
    };
    return reply;
  }
  throw new HttpError(`more than ${MOST_INTERIM} interim replies came, and none to the request`);
}

/**
 * Reads a status line. Servers that leave out the space before a missing reason are understood.
 *
 * @throws {HttpError} when it is none, or of another version than HTTP/1
 * @see {@link https://www.rfc-editor.org/rfc/rfc9112#section-4 RFC 9112, section 4}
 */
export function parseStatusLine(line: string): { version: string; status: number; reason: string } {
  const found = /^HTTP\/(1\.\d) ([1-9]\d\d)(?: (.*))?$/.exec(line);
  if (!found) throw new HttpError(`${quoted(line, { limit: 100 })} is no status line of HTTP/1`);
  return { version: found[1]!, status: Number(found[2]), reason: found[3] ?? "" };
}
