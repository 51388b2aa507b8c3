/**
 * The links of a page, found by npm:parse5, which reads HTML as browsers do, with limits for pages that are made
 * to keep it busy.
 *
 * @module
 */

import { defaultTreeAdapter, parse } from "parse5";

/** Limits of {@linkcode linksOf}. */
export interface PageOptions {
  /** The most elements; 200,000 unless told. */
  elements?: number;
  /** How deep elements may stand in each other; 512 unless told, as in browsers. */
  depth?: number;
}

/** A page that is not read to its end. */
export class PageError extends Error {
  override name = "PageError";
}

/**
 * Gives what `<a>` and `<area>` elements have as `href`, in the order in which they come; entities are decoded.
 * Comments, scripts and styles are no elements, whatever they look like.
 *
 * @throws {PageError} when there are too many elements, or too deep ones
 *
 * @example
 * ```ts
 * import { linksOf } from "./page_links.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const page = `<!-- <a href=a> --><A title='">' HREF='/?b&amp;c'>b</A><script>"<a href=d>"</script>`;
 * assertEquals(linksOf(page), ["/?b&c"]);
 * ```
 */
export function linksOf(page: string, options: PageOptions = {}): string[] {
  const { elements: most = 200_000, depth: deepest = 512 } = options;
  const links: string[] = [];
  let elements = 0, depth = 0;
  parse(page, {
    // nothing runs scripts here: what is for that case counts
    scriptingEnabled: false,
    treeAdapter: {
      ...defaultTreeAdapter,
      createElement(name, namespace, attributes) {
        if (++elements > most) throw new PageError(`the page has more than ${most} elements`);
        if (name === "a" || name === "area") {
          const link = attributes.find((attribute) => attribute.name === "href");
          if (link) links.push(link.value);
        }
        return defaultTreeAdapter.createElement(name, namespace, attributes);
      },
      // the parser looks through all that is open, again and again
      onItemPush() {
        if (++depth > deepest) throw new PageError(`elements stand more than ${deepest} deep`);
      },
      onItemPop() {
        depth--;
      },
    },
  });
  return links;
}

const ENCODINGS: [mark: number[], encoding: string][] = [
  [[0xef, 0xbb, 0xbf], "utf-8"],
  [[0xfe, 0xff], "utf-16be"],
  [[0xff, 0xfe], "utf-16le"],
];

/**
 * Makes a text of a page's bytes, in the encoding that a byte order mark, the header or the page itself tells, as
 * UTF-8 otherwise.
 *
 * @param type the Content-Type that came with it
 * @see {@link https://html.spec.whatwg.org/multipage/parsing.html#determining-the-character-encoding HTML}
 *
 * @example
 * ```ts
 * import { decodePage } from "./page_links.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(decodePage(Uint8Array.of(0xfc), "text/html; charset=iso-8859-1"), "ü");
 * ```
 */
export function decodePage(bytes: Uint8Array, type = ""): string {
  const marked = ENCODINGS.find(([mark]) => mark.every((byte, at) => bytes[at] === byte));
  const encoding = marked?.[1] ?? encodingIn(type) ?? metaEncoding(bytes) ?? "utf-8";
  return new TextDecoder(encoding).decode(bytes);
}

/** The encoding that a Content-Type names, unless nobody knows it. */
function encodingIn(type: string): string | undefined {
  const [, name] = /charset\s*=\s*["']?([^\s"';,]+)/i.exec(type) ?? [];
  try {
    return name && new TextDecoder(name).encoding;
  } catch {
    return undefined;
  }
}

/** The encoding that a page tells by `<meta>`, which is to stand in its first 1,024 bytes. */
function metaEncoding(bytes: Uint8Array): string | undefined {
  const told: string[] = [];
  parse(String.fromCharCode(...bytes.subarray(0, 1_024)), {
    treeAdapter: {
      ...defaultTreeAdapter,
      createElement(name, namespace, attributes) {
        const { charset, content = "", "http-equiv": header } = Object.fromEntries(
          attributes.map(({ name, value }) => [name, value.trim()]),
        );
        const isType = header?.toLowerCase() === "content-type";
        const type = charset !== undefined ? `charset=${charset}` : isType ? content : "";
        const encoding = encodingIn(type);
        if (name === "meta" && encoding) told.push(encoding);
        return defaultTreeAdapter.createElement(name, namespace, attributes);
      },
    },
  });
  // in that encoding nobody could have read this: HTML says what is meant
  return told[0]?.startsWith("utf-16") ? "utf-8" : told[0];
}
