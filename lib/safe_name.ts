/**
 * A file name out of a URL that a stranger chose: no path, no device, nothing hidden, nothing invisible.
 *
 * @module
 */

const DEVICES = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/** The usual ending for a type of content. */
const ENDINGS: Record<string, string> = {
  "text/plain": ".txt",
  "text/html": ".html",
  "text/css": ".css",
  "text/csv": ".csv",
  "text/markdown": ".md",
  "image/png": ".png",
  "image/jpeg": ".jpg",
  "image/gif": ".gif",
  "image/webp": ".webp",
  "image/svg+xml": ".svg",
};

/**
 * The last part of a URL's path as a file name, with an ending that suits the content.
 *
 * @param contentType as in the header, parameters and all
 *
 * @example
 * ```ts
 * import { safeName } from "./safe_name.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(safeName(new URL("http://a/b/..%2f..%2fetc%2Fpasswd"), "text/plain"), "passwd.txt");
 * assertEquals(safeName(new URL("http://a/"), "image/png"), "download.png");
 * ```
 */
export function safeName(url: URL, contentType: string): string {
  const last = url.pathname.split("/").at(-1) ?? "";
  const plain = decoded(last).split(/[/\\]/).at(-1)!
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}<>:"|?*]/gu, "_")
    .replace(/^[.\s]+|[.\s]+$/g, "");
  const safe = DEVICES.test(plain) ? `_${plain}` : plain || "download";
  const type = contentType.split(";")[0]!.trim().toLowerCase();
  const ending = ENDINGS[type] ?? "";
  const dot = safe.lastIndexOf(".");
  const stem = dot > 0 && safe.length - dot <= 6 ? safe.slice(0, dot) : safe;
  const own = safe.slice(stem.length);
  return shortened(stem, 100) + (own || ending);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Cuts between characters, so that no half of one stays. */
function shortened(text: string, most: number): string {
  return [...text].slice(0, most).join("");
}
