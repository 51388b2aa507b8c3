/**
 * A part of a file over HTTP: what a client asks for when it has the beginning already.
 *
 * @module
 */

/**
 * The first and the last byte of a `Range` header over something `length` bytes long. Several ranges at once,
 * and what is no range, are passed over, as a server may.
 *
 * @returns `undefined` when all of it is to be sent, `null` when the range begins behind the end
 * @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-14.2 RFC 9110, section 14.2}
 *
 * @example
 * ```ts
 * import { rangeOf } from "./byte_range.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(rangeOf("bytes=4-", 10), [4, 9]);
 * assertEquals(rangeOf("bytes=-4", 10), [6, 9]);
 * assertEquals(rangeOf("bytes=10-", 10), null);
 * ```
 */
export function rangeOf(
  header: string | null,
  length: number,
): [first: number, last: number] | null | undefined {
  const found = /^bytes=(?:(\d{1,15})-(\d{1,15})?|-(\d{1,15}))$/.exec(header?.trim() ?? "");
  if (!found) return undefined;
  const [, from, to, tail] = found;
  if (tail !== undefined) {
    const count = Math.min(Number(tail), length);
    return count === 0 ? null : [length - count, length - 1];
  }
  const first = Number(from), last = Math.min(Number(to ?? length - 1), length - 1);
  if (to !== undefined && Number(to) < first) return undefined;
  return first >= length ? null : [first, last];
}

/** What part of something a reply holds. */
export interface ContentRange {
  first: number;
  last: number;
  /** How long all of it is; `undefined` when the server does not know. */
  total: number | undefined;
}

/**
 * Reads a `Content-Range` header: `bytes 4-9/10`.
 *
 * @returns `undefined` when it is none, or contradicts itself
 * @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-14.4 RFC 9110, section 14.4}
 *
 * @example
 * ```ts
 * import { parseContentRange } from "./byte_range.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseContentRange("bytes 4-9/10"), { first: 4, last: 9, total: 10 });
 * assertEquals(parseContentRange("bytes 4-9/5"), undefined);
 * ```
 */
export function parseContentRange(header: string | null): ContentRange | undefined {
  const found = /^bytes (\d{1,15})-(\d{1,15})\/(?:(\d{1,15})|\*)$/i.exec(header?.trim() ?? "");
  if (!found) return undefined;
  const first = Number(found[1]), last = Number(found[2]);
  const total = found[3] === undefined ? undefined : Number(found[3]);
  if (last < first || (total !== undefined && last >= total)) return undefined;
  return { first, last, total };
}
