/**
 * The body of a response, read with a limit: who sends it may be anybody.
 *
 * @module
 */

import { visible } from "./display.ts";

/** Limits of {@linkcode readJson} and {@linkcode readBytes}. */
export interface ReplyOptions {
  /** The most bytes, after decompression; 1 MiB unless told. */
  limit?: number;
}

/**
 * Reads a body, but not more of it than the limit. How long it may take is up to the signal that `fetch` got.
 *
 * @throws {Error} when it is longer, or breaks off
 */
export async function readBytes(
  response: Response,
  { limit = 1024 * 1024 }: ReplyOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for await (const piece of response.body ?? []) {
    length += piece.length;
    if (length > limit) throw new Error(`the body has more than ${limit} bytes`);
    pieces.push(piece);
  }
  return await new Blob(pieces).bytes();
}

/**
 * Python's `r.json()`: the value that the body stands for. What it is like is for the caller to look at.
 *
 * @throws {Error} when it is not JSON, with what it is; when it is longer than the limit
 *
 * @example
 * ```ts
 * import { readJson } from "./json_reply.ts";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * assertEquals(await readJson(Response.json({ ok: true })), { ok: true });
 * const page = new Response("<h1>busy</h1>", { status: 503, headers: { "content-type": "text/html" } });
 * await assertRejects(() => readJson(page), Error, "the server answered 503 with text/html, not JSON");
 * ```
 */
export async function readJson(response: Response, options: ReplyOptions = {}): Promise<unknown> {
  const text = new TextDecoder().decode(await readBytes(response, options));
  try {
    return JSON.parse(text);
  } catch {
    const type = response.headers.get("content-type") ?? "no type";
    throw new Error(`the server answered ${response.status} with ${visible(type)}, not JSON`);
  }
}
