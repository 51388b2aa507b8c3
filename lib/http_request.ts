/**
 * A request read, and a response written, on a connection that is to become something else than HTTP. For HTTP
 * alone there is Deno.serve.
 *
 * @module
 */

import { HttpError, parseHeaders, readHeadLines } from "./http_head.ts";
import { Problem } from "./http_problem.ts";
import { LimitError } from "./lines.ts";
import type { SocketReader } from "./reader.ts";
import { writeAll } from "./write_all.ts";

/** The head of a request. */
export interface RequestHead {
  method: string;
  /** What follows the method: a path and a query. `http://HOST` before it is taken off, and HOST is in `headers`. */
  target: string;
  headers: Headers;
}

/**
 * Reads the head of a request, at most 16 KiB, in at most 10 seconds. Its body, if there is one, stays where it is.
 *
 * @returns `null` when the client ended before it said anything
 * @throws {Problem} 400 what is no HTTP/1.1 request, 431 what is too long
 *
 * @example
 * ```ts
 * import { readRequestHead } from "./http_request.ts";
 * import { SocketReader } from "./reader.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = new TextEncoder().encode("GET /chat HTTP/1.1\r\nHost: example.org\r\n\r\n");
 * const request = await readRequestHead(SocketReader.from(bytes));
 * assertEquals([request?.target, request?.headers.get("host")], ["/chat", "example.org"]);
 * ```
 */
export async function readRequestHead(reader: SocketReader): Promise<RequestHead | null> {
  try {
    const lines = await readHeadLines(reader, { headLimit: 16 * 1024, lineLimit: 100 });
    if (lines === null) return null;
    const first = /^([A-Z]{1,20}) ([\x21-\x7e]+) HTTP\/1\.1$/.exec(lines[0] ?? "");
    const [, method, written = ""] = first ?? [];
    const [, authority, path = ""] = /^http:\/\/([^/?#@]+)([/?].*)?$/i.exec(written) ?? [];
    const target = authority === undefined ? written : path.replace(/^(?!\/)/, "/");
    if (!method || !target.startsWith("/")) {
      throw new Problem(400, "the first line is to be METHOD /PATH HTTP/1.1");
    }
    if (lines.some((line) => /^[ \t]/.test(line))) throw new Problem(400, "a header is folded");
    const headers = parseHeaders(lines.slice(1));
    if (!/^[^\s,]+$/.test(headers.get("host") ?? "")) {
      throw new Problem(400, "there is to be one Host");
    }
    // as proxies are asked: Host is then of no importance
    if (authority !== undefined) headers.set("host", authority);
    return { method, target, headers };
  } catch (error) {
    if (error instanceof LimitError) throw new Problem(431, error.message);
    // a value that Headers does not take
    if (error instanceof HttpError || error instanceof TypeError) {
      throw new Problem(400, error.message);
    }
    throw error;
  }
}

/**
 * Writes a response, and says that the connection ends with it.
 *
 * @param method of the request: HEAD is answered without a body
 *
 * @example
 * ```ts
 * import { writeResponse } from "./http_request.ts";
 *
 * using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
 * using client = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
 * using connection = await listener.accept();
 * await writeResponse(connection, new Response("hello\n"));
 * ```
 */
export async function writeResponse(
  to: Pick<Deno.Conn, "write">,
  response: Response,
  method = "GET",
): Promise<void> {
  const body = await response.bytes();
  const { status, statusText, headers } = response;
  // what Upgrade offers is for the next one on the line only
  const connection = headers.has("upgrade") ? "close, upgrade" : "close";
  const lines = [`HTTP/1.1 ${status} ${statusText}`, `connection: ${connection}`];
  for (const [name, value] of headers) lines.push(`${name}: ${value}`);
  lines.push(`content-length: ${body.length}`, "", "");
  const head = new TextEncoder().encode(lines.join("\r\n"));
  await writeAll(to, method === "HEAD" ? head : new Uint8Array([...head, ...body]));
}
