/**
 * Which version of a file on the web a `.part` holds the beginning of: without that nobody could tell whether
 * the rest belongs to it. It stands in a small file beside, `NAME.part.version`.
 *
 * @module
 */

/** Where a file comes from, and which version of it. */
export interface PartVersion {
  url: string;
  /** What `If-Range` asks for: a strong ETag, or the date of the last change. */
  validator: string;
}

/** The file beside the part of `target`. */
export function versionPath(target: string): string {
  return `${target}.part.version`;
}

/** What the part of `target` holds; `undefined` when nothing tells, or what does is no good. */
export async function readVersion(target: string): Promise<PartVersion | undefined> {
  try {
    const { url, validator } = JSON.parse(await Deno.readTextFile(versionPath(target)));
    const good = typeof url === "string" && typeof validator === "string" &&
      /^[\x21-\x7e\x80-\xff ]{1,1000}$/.test(validator);
    return good ? { url, validator } : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
    if (error instanceof TypeError) return undefined; // null in place of an object
    throw error;
  }
}

/** Notes what the part of `target` holds, or that this is not known. */
export async function writeVersion(target: string, version?: PartVersion): Promise<void> {
  const path = versionPath(target);
  await Deno.remove(path).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  // not through a link that somebody has put there meanwhile
  if (version) await Deno.writeTextFile(path, JSON.stringify(version), { createNew: true });
}

/**
 * The validator of a response that is good enough to put parts together: a strong ETag, or a date of change
 * that is so old that no second change can have the same.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-13.1.5 RFC 9110, section 13.1.5}: If-Range
 *
 * @example
 * ```ts
 * import { strongValidator } from "./part_version.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(strongValidator(new Headers({ etag: '"v1"' })), '"v1"');
 * assertEquals(strongValidator(new Headers({ etag: 'W/"v1"' })), undefined);
 * ```
 */
export function strongValidator(headers: Headers): string | undefined {
  const tag = headers.get("etag");
  // where there is a tag, be it a weak one, the date may not take its place
  if (tag !== null) return /^"[\x21\x23-\x7e\x80-\xff]{1,900}"$/.test(tag) ? tag : undefined;
  const changed = headers.get("last-modified"), date = headers.get("date");
  if (changed === null || date === null) return undefined;
  return Date.parse(date) - Date.parse(changed) >= 60_000 ? changed : undefined;
}
