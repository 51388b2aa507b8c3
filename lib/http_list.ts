/**
 * Headers that hold a list.
 *
 * @module
 */

/**
 * The elements of a header that holds a list, without spaces and tabs around them. Empty elements mean nothing.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-5.6.1 RFC 9110, section 5.6.1}
 *
 * @example
 * ```ts
 * import { elementsOf } from "./http_list.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(elementsOf(" gzip,,chunked "), ["gzip", "chunked"]);
 * assertEquals(elementsOf(null), []);
 * ```
 */
export function elementsOf(header: string | null): string[] {
  // a pattern for both ends at once would take its time where there are many spaces
  return (header ?? "").split(",").flatMap((one) => one.match(/[^ \t](.*[^ \t])?/s)?.[0] ?? []);
}
