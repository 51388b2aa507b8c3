/**
 * The name that a server suggests for a file that is to be saved.
 *
 * @module
 */

const TOKEN = "[!#$%&'*+.^`|~\\w-]+";
const QUOTED = '"(?:[^"\\\\]|\\\\[^])*"';
const PARAMETER = new RegExp(`;\\s*(${TOKEN})\\s*=\\s*(${QUOTED}|[^\\s;"]+)`, "gy");

/**
 * The file name in a `Content-Disposition` header, as the server wrote it: nothing of it is safe to use as it
 * is, see `safe_name.ts`. Of two, that in UTF-8 (`filename*`) counts.
 *
 * @param header each character one byte, as `Headers` has it; bytes that are UTF-8 are taken for that
 * @returns `undefined` when it names none, or cannot be read
 * @see {@link https://www.rfc-editor.org/rfc/rfc6266 RFC 6266}
 *
 * @example
 * ```ts
 * import { suggestedName } from "./content_disposition.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(suggestedName('attachment; filename="day 4.txt"'), "day 4.txt");
 * assertEquals(suggestedName("attachment; filename=a; filename*=UTF-8''%e2%82%ac.txt"), "€.txt");
 * assertEquals(suggestedName("inline"), undefined);
 * ```
 */
export function suggestedName(header: string | null): string | undefined {
  const kind = new RegExp(`^\\s*${TOKEN}\\s*`).exec(header ?? "")?.[0];
  if (header === null || kind === undefined) return undefined;
  const found = new Map<string, string>();
  PARAMETER.lastIndex = kind.length;
  for (let one; (one = PARAMETER.exec(header));) {
    const [, name, value] = one as unknown as [string, string, string];
    const key = name.toLowerCase();
    if (!found.has(key)) found.set(key, value);
    PARAMETER.lastIndex += /^\s*/.exec(header.slice(PARAMETER.lastIndex))![0].length;
  }
  const extended = found.get("filename*");
  const plain = found.get("filename");
  return (extended && decodedExtended(extended)) || (plain && unquoted(plain)) || undefined;
}

function unquoted(value: string): string {
  return fromBytes(value.startsWith('"') ? value.slice(1, -1).replace(/\\([^])/g, "$1") : value);
}

/** `UTF-8''%e2%82%ac`, RFC 8187. */
function decodedExtended(value: string): string | undefined {
  const found = /^utf-8'[\w-]*'((?:%[\da-f]{2}|[!#$&+.^`|~\w-])*)$/i.exec(value);
  try {
    return found ? decodeURIComponent(found[1]!) : undefined;
  } catch {
    return undefined;
  }
}

/** What many servers do although no standard lets them: UTF-8 as it is. */
function fromBytes(text: string): string {
  try {
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return text;
  }
}
