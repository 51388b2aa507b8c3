/**
 * What a post and a question for posts must be like, and who may ask.
 *
 * @module
 */

import { type Fault, pointerTo, Problem } from "./http_problem.ts";
import type { Post } from "./post_store.ts";

/** The most characters of a post; a character beyond U+FFFF counts twice. */
export const LONGEST_POST = 2_000;

/**
 * Looks at the fields of a post that a client sends, and gives its text.
 *
 * @throws {Problem} 422 that tells all that is wrong
 *
 * @example
 * ```ts
 * import { checkPost } from "./post_rules.ts";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * assertEquals(checkPost(new Map([["post_text", "hello"]])), "hello");
 * assertThrows(() => checkPost(new Map([["text", "hello"]])), Error, "not as it should be");
 * ```
 */
export function checkPost(fields: ReadonlyMap<string, unknown>): string {
  const errors: Fault[] = [];
  for (const name of fields.keys()) {
    if (name !== "post_text" && errors.length < 10) {
      errors.push({
        detail: "is not known here: there is only post_text",
        pointer: pointerTo(name),
      });
    }
  }
  const text = fields.get("post_text");
  const detail = faultOf(text);
  if (detail) errors.push({ detail, pointer: "#/post_text" });
  if (errors.length > 0) throw new Problem(422, "the post is not as it should be", { errors });
  return text as string;
}

function faultOf(text: unknown): string | undefined {
  if (text === undefined) return "is missing";
  if (typeof text !== "string") return "is to be a text";
  if (text.trim() === "") return "is empty";
  if (text.length > LONGEST_POST) return `has more than ${LONGEST_POST} characters`;
  if (!text.isWellFormed()) return "has half a character (a lone surrogate)";
}

/**
 * Reads a query: `q`, a text that the posts are to hold, in upper or lower case.
 *
 * @returns whether a post is asked for
 * @throws {Problem} 400 for another parameter, or `q` twice
 *
 * @example
 * ```ts
 * import { checkQuery } from "./post_rules.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const asked = checkQuery(new URLSearchParams("q=python"));
 * assertEquals(asked({ id: 1, post_text: "I learn Python", created: "", updated: "" }), true);
 * ```
 */
export function checkQuery(parameters: URLSearchParams): (post: Post) => boolean {
  for (const name of parameters.keys()) {
    if (name !== "q") throw new Problem(400, "the only parameter of a query is q");
  }
  if (parameters.getAll("q").length > 1) throw new Problem(400, "there is more than one q");
  const wanted = parameters.get("q")?.toLowerCase();
  return (post) => wanted === undefined || post.post_text.toLowerCase().includes(wanted);
}

/**
 * Refuses what a page of another site makes a browser do: whoever visits that page would write posts without
 * knowing it. A browser says where a page comes from; other clients do not. This is of use only where the name
 * of the site is checked as well (checkName in http_host.ts).
 *
 * @throws {Problem} 403
 */
export function refuseOtherSites(request: Request, url: URL): void {
  const origin = request.headers.get("origin");
  if (origin !== null && origin !== url.origin) {
    throw new Problem(403, "a page of another site may not use this one");
  }
}
