/**
 * Entity tags: a name for what a resource looks like just now, so that a client need not get again what it
 * has, and does not overwrite what it has not seen.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-13 RFC 9110, section 13}
 * @module
 */

/**
 * A strong entity tag, made from the bytes themselves: the same after a restart, another for any change.
 *
 * @example
 * ```ts
 * import { etagOf } from "./etag.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await etagOf("hello\n"), '"WJG1tSLV3whtD_Cx"');
 * ```
 */
export async function etagOf(content: string | Uint8Array<ArrayBuffer>): Promise<string> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return `"${digest.subarray(0, 12).toBase64({ alphabet: "base64url" })}"`;
}

/** What the conditions of a request come to. */
export type Verdict = "go on" | "not modified" | "no match" | "match";

/**
 * Looks at `If-Match` and `If-None-Match`. "not modified" is answered with 304; "no match", where there was to
 * be one, and "match", where there was to be none, with 412.
 *
 * @param request only its method and these two headers count
 * @param etag the tag of what is there now
 * @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-13.2.2 RFC 9110, section 13.2.2}
 *
 * @example
 * ```ts
 * import { judge } from "./etag.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const headers = { "if-none-match": 'W/"1", "2"' };
 * const request = new Request("http://127.0.0.1/", { headers });
 * assertEquals(judge(request, '"2"'), "not modified");
 * assertEquals(judge(request, '"3"'), "go on");
 * ```
 */
export function judge(request: Request, etag: string): Verdict {
  const match = request.headers.get("if-match");
  if (match !== null) {
    // strong: what is only about the same may not be overwritten
    const holds = match.trim() === "*" || tagsOf(match).includes(etag);
    if (!holds || etag.startsWith("W/")) return "no match";
  }
  const none = request.headers.get("if-none-match");
  if (none !== null) {
    const known = none.trim() === "*" || tagsOf(none).map(weak).includes(weak(etag));
    if (known) return ["GET", "HEAD"].includes(request.method) ? "not modified" : "match";
  }
  return "go on";
}

/** The tags of a list. A comma may stand in a tag. */
function tagsOf(list: string): string[] {
  return list.match(/(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g) ?? [];
}

const weak = (etag: string) => etag.replace(/^W\//, "");
