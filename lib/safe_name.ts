/**
 * A file name out of what a stranger chose, a URL or a name: no path, no device, nothing hidden, nothing invisible.
 *
 * @module
 */

const DEVICES = /^(con|prn|aux|nul|(com|lpt)[\d¹²³]|conin\$|conout\$|clock\$) *(\.|$)/i;

/** The endings that suit a type of content; the first is put behind a name that has none of them. */
const ENDINGS: Record<string, string[]> = {
  "text/plain": [".txt", ".md", ".csv", ".log"],
  "text/html": [".html", ".htm"],
  "text/css": [".css"],
  "text/csv": [".csv"],
  "text/markdown": [".md"],
  "image/png": [".png"],
  "image/jpeg": [".jpg", ".jpeg"],
  "image/gif": [".gif"],
  "image/webp": [".webp"],
  "image/svg+xml": [".svg"],
};

/**
 * The last part of a URL's path as a file name, with an ending that suits the content: what is called
 * `setup.exe` and comes as a text is a text.
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
  const safe = plainName(lastPart(url));
  const type = contentType.split(";")[0]!.trim().toLowerCase();
  const endings = ENDINGS[type] ?? [type.startsWith("image/") ? ".image" : ".txt"];
  const own = endings.find((ending) => safe.toLowerCase().endsWith(ending));
  const stem = own ? safe.slice(0, -own.length) : safe;
  return shortened(stem, 200) + (own ? safe.slice(stem.length) : endings[0]);
}

/**
 * The name that a file had elsewhere, with the ending it had there: as a URL's last part, or as a server says.
 * It has at most 200 bytes.
 *
 * @example
 * ```ts
 * import { nameOfFile } from "./safe_name.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(nameOfFile(new URL("http://a/b/slides%20day%204.pdf?x=1")), "slides day 4.pdf");
 * assertEquals(nameOfFile("C:\\temp\\..\\NUL.tar.gz"), "_NUL.tar.gz");
 * ```
 */
export function nameOfFile(from: URL | string): string {
  const name = plainName(typeof from === "string" ? from : lastPart(from));
  const ending = /(\.tar)?\.[^.\s]{1,16}$/.exec(name)?.[0] ?? "";
  const stem = name.slice(0, name.length - ending.length);
  return shortened(stem, 200 - new TextEncoder().encode(ending).length) + ending;
}

/** What a name may be on every system: no path, no device, nothing hidden, nothing invisible. */
function plainName(text: string): string {
  const plain = text.toWellFormed().split(/[/\\]/).at(-1)!
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}<>:"|?*]/gu, "_")
    .replace(/^[.\s-]+/, "");
  let end = plain.length;
  // no /[.\s]+$/: it would try each of a hundred thousand points as the first of the last ones
  while (end > 0 && /[.\s]/.test(plain[end - 1]!)) end--;
  const name = plain.slice(0, end);
  return DEVICES.test(name) ? `_${name}` : name || "download";
}

function lastPart(url: URL): string {
  return decoded(url.pathname.split("/").at(-1) ?? "");
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Cuts between characters to what file systems take: 255 bytes, in which something behind it has room, too. */
function shortened(text: string, most: number): string {
  let bytes = 0;
  const fits = (character: string) => (bytes += new TextEncoder().encode(character).length) <= most;
  const characters = [...text];
  const end = characters.findIndex((character) => !fits(character));
  return end < 0 ? text : characters.slice(0, end).join("");
}
