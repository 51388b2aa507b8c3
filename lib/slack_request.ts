/**
 * A call to Slack's Web API as the server sees it: the arguments, as JSON or as a form, and the token.
 *
 * @module
 */

import { within } from "./deadline.ts";

/** A call. */
export interface SlackCall {
  values: Record<string, string>;
  /** From the Authorization header, or from the form, as old clients send it. */
  token?: string;
}

/** The call cannot be read; the code is Slack's word for it. */
export class BadCallError extends Error {
  override name = "BadCallError";

  constructor(readonly code: string) {
    super(`the call cannot be read: ${code}`);
  }
}

/**
 * Reads a call: arguments come in the query, and in the body as JSON or as a form. A value that is no
 * string, such as `blocks`, is kept as JSON text, as forms have it.
 *
 * @param options.limit the most bytes of the body; 1 MiB unless told
 * @param options.timeout how long the body may take, in milliseconds; 10,000 unless told
 * @throws {BadCallError} when it cannot be read
 *
 * @example
 * ```ts
 * import { readCall } from "./slack_request.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const body = new URLSearchParams({ token: "xoxb-example", channel: "#bot", text: "hello" });
 * const call = await readCall(new Request("http://127.0.0.1/api", { method: "POST", body }));
 * assertEquals(call, { values: { channel: "#bot", text: "hello" }, token: "xoxb-example" });
 * ```
 */
export async function readCall(
  request: Request,
  options: { limit?: number; timeout?: number } = {},
): Promise<SlackCall> {
  const { limit = 1024 * 1024, timeout = 10_000 } = options;
  const bearer = /^Bearer (\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  const query = Object.fromEntries(URL.parse(request.url)?.searchParams ?? []);
  const bytes = await within(timeout, bodyOf(request, limit)).catch((error) => {
    throw error instanceof BadCallError ? error : new BadCallError("request_timeout");
  });
  const type = request.headers.get("content-type") ?? "";
  if (/^application\/json\b/i.test(type)) {
    return { values: { ...query, ...fromJson(bytes) }, token: bearer };
  }
  const { token, ...values } = await fromForm(bytes, type);
  return { values: { ...query, ...values }, token: bearer ?? token };
}

async function bodyOf(request: Request, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for await (const piece of request.body ?? []) {
    pieces.push(piece);
    length += piece.length;
    if (length > limit) throw new BadCallError("request_too_large");
  }
  return await new Blob(pieces).bytes();
}

function fromJson(bytes: Uint8Array): Record<string, string> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new BadCallError("invalid_json");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new BadCallError("json_not_object");
  }
  const texts = Object.entries(value).map(([name, one]) =>
    [name, typeof one === "string" ? one : JSON.stringify(one)] as const
  );
  return Object.fromEntries(texts);
}

async function fromForm(
  bytes: Uint8Array<ArrayBuffer>,
  type: string,
): Promise<Record<string, string>> {
  if (bytes.length === 0) return {};
  try {
    const form = await new Response(bytes, { headers: { "content-type": type } }).formData();
    const texts = [...form].filter((entry): entry is [string, string] =>
      typeof entry[1] === "string"
    );
    return Object.fromEntries(texts);
  } catch {
    throw new BadCallError("invalid_form_data");
  }
}
