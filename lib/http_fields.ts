/**
 * What a client sends to a web service, read with limits: fields as JSON or as a form.
 *
 * @module
 */

import { DeadlineError, within } from "./deadline.ts";
import { elementsOf } from "./http_list.ts";
import { pointerTo, Problem } from "./http_problem.ts";

/** Limits of {@linkcode readFields}. */
export interface BodyOptions {
  /** The most bytes; 16 KiB unless told. */
  limit?: number;
  /** How long all of the body may take, in milliseconds; 10,000 unless told. */
  timeout?: number;
}

const JSON_TYPE = "application/json";
const FORM_TYPE = "application/x-www-form-urlencoded";

/**
 * Reads the fields of a body, whichever way they are written. A form has texts only, JSON any values; which
 * fields there must be, the caller says. A form may not have a field twice; of two in JSON the last one counts,
 * as for JSON.parse.
 *
 * @throws {Problem} 400 what is no JSON object or is cut short, 408 too slow, 413 too long, 415 another type
 * or a compressed body, 422 a field twice in a form
 * @see {@link https://url.spec.whatwg.org/#urlencoded-parsing forms}
 *
 * @example
 * ```ts
 * import { readFields } from "./http_fields.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const form = new Request("http://127.0.0.1/", {
 *   method: "POST",
 *   body: new URLSearchParams({ post_text: "two words & more" }),
 * });
 * assertEquals(await readFields(form), new Map([["post_text", "two words & more"]]));
 * ```
 */
export async function readFields(
  request: Request,
  options: BodyOptions = {},
): Promise<Map<string, unknown>> {
  const [type = ""] = (request.headers.get("content-type") ?? "").split(";");
  const kind = type.trim().toLowerCase();
  if (kind !== JSON_TYPE && kind !== FORM_TYPE) {
    throw new Problem(415, `the body is to be ${JSON_TYPE} or ${FORM_TYPE}`, {
      headers: { accept: `${JSON_TYPE}, ${FORM_TYPE}` },
    });
  }
  const codings = elementsOf(request.headers.get("content-encoding"));
  if (codings.some((coding) => coding.toLowerCase() !== "identity")) {
    throw new Problem(415, "the body is not to be compressed", {
      headers: { "accept-encoding": "identity" },
    });
  }
  const text = await readText(request, options);
  return kind === JSON_TYPE ? fromJson(text) : fromForm(text);
}

async function readText(request: Request, options: BodyOptions): Promise<string> {
  const { limit = 16 * 1024, timeout = 10_000 } = options;
  const tooLong = new Problem(413, `the body is to have at most ${limit} bytes`);
  // a client that says so beforehand need not send it all
  if (Number(request.headers.get("content-length") ?? 0) > limit) throw tooLong;
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  const reader = request.body?.getReader();
  const collect = async () => {
    let length = 0;
    for (let got; reader && !(got = await reader.read()).done;) {
      pieces.push(got.value);
      length += got.value.length;
      if (length > limit) throw tooLong;
    }
  };
  try {
    await within(timeout, collect());
    return new TextDecoder("utf-8", { fatal: true }).decode(await new Blob(pieces).bytes());
  } catch (error) {
    reader?.cancel().catch(() => {}); // the client has gone, or will be told
    if (error instanceof Problem) throw error;
    if (error instanceof DeadlineError) {
      throw new Problem(408, `the body did not come within ${timeout / 1000} s`);
    }
    if (error instanceof TypeError) throw new Problem(400, "the body is not UTF-8");
    throw new Problem(400, "the body broke off");
  }
}

function fromJson(text: string): Map<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Problem(400, "the body is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Problem(400, "the body is not a JSON object");
  }
  return new Map(Object.entries(value));
}

function fromForm(text: string): Map<string, unknown> {
  const fields = new Map<string, unknown>();
  try {
    // where bytes are not UTF-8 URLSearchParams would put another character in their place
    decodeURIComponent(text.match(/(?:%[\da-f]{2})+/gi)?.join(" ") ?? "");
  } catch {
    throw new Problem(400, "what the form escapes with % is not UTF-8");
  }
  for (const [name, value] of new URLSearchParams(text)) {
    if (fields.has(name)) {
      const errors = [{ detail: "is there twice", pointer: pointerTo(name) }];
      throw new Problem(422, "a field is there twice", { errors });
    }
    fields.set(name, value);
  }
  return fields;
}
