/**
 * What a server of posts sends back, looked at before it is used: of what comes over a network TypeScript's
 * types know nothing.
 *
 * @module
 */

import type { Fault } from "./http_problem.ts";
import type { Post } from "./post_file.ts";

/**
 * The post that a value is.
 *
 * @param value as `readJson` gives it
 * @throws {Error} when it is none
 *
 * @example
 * ```ts
 * import { postIn } from "./post_reply.ts";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * assertEquals(postIn({ id: 1, post_text: "hello" }).post_text, "hello");
 * assertThrows(() => postIn(null), Error, "the server's JSON is no post");
 * ```
 */
export function postIn(value: unknown): Pick<Post, "id" | "post_text"> {
  const { id, post_text } = fieldsOf(value);
  if (typeof id === "number" && typeof post_text === "string") return { id, post_text };
  throw new Error("the server's JSON is no post, with the number id and the text post_text");
}

/**
 * The posts that a value is a list of.
 *
 * @throws {Error} when it is no list, or has something else in it
 *
 * @example
 * ```ts
 * import { postsIn } from "./post_reply.ts";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(() => postsIn({}), Error, "the server's JSON is no list of posts");
 * ```
 */
export function postsIn(value: unknown): Pick<Post, "id" | "post_text">[] {
  if (Array.isArray(value)) return value.map(postIn);
  throw new Error("the server's JSON is no list of posts");
}

/**
 * What the details of a problem say is wrong with a body; none when they do not tell.
 *
 * @example
 * ```ts
 * import { faultsIn } from "./post_reply.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const fault = { pointer: "#/post_text", detail: "is missing" };
 * assertEquals(faultsIn({ errors: [fault, null] }), [fault]);
 * ```
 */
export function faultsIn(value: unknown): Fault[] {
  const { errors } = fieldsOf(value);
  return (Array.isArray(errors) ? errors : []).flatMap((error: unknown) => {
    const { pointer, detail } = fieldsOf(error);
    return typeof pointer === "string" && typeof detail === "string" ? [{ pointer, detail }] : [];
  });
}

/** The fields of an object; what is none has none. */
function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
