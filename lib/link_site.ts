/**
 * Which site a link leads to.
 *
 * @module
 */

/** What the links of a page that follow http: lead to: other pages, and not a mail program. */
const SCHEMES = ["http:", "https:", "ftp:"];

/** `word.word`, as hosts are named, at the start of a link without a scheme; then a port, a path or the end. */
const HOST =
  /^(?:[\p{L}\p{N}_-]+\.)+(?<last>\p{L}{2,}|xn--[a-z0-9-]+)(?<port>:\d+)?(?=[/?#\\]|$)/iu;
const ADDRESS = /^\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?=[/?#\\]|$)/;

/** How files of a web site end: `index.html` is no host, though it looks like one. */
const FILES = new Set(
  ("html htm xhtml shtml php asp aspx jsp cgi js mjs css json xml rss txt md pdf ps doc docx xls xlsx ppt pptx " +
    "odt ods csv png jpg jpeg gif svg webp ico bmp mp3 mp4 ogg wav avi mov zip gz tgz tar bz2 rar exe iso " +
    "py ipynb rb ts java class cpp bin dat log swf").split(" "),
);

/**
 * Gives the site of a link: its host name in lower case, without user name, port and path; `undefined` for a
 * relative link, and for one that leads to no site at all (`mailto:`, `javascript:`).
 *
 * The homework also wants what is written without a scheme, as in `ya.ru`. For a browser that is a file beside the
 * page; here it is a site if it looks like a host name and does not end like a file.
 *
 * @param href as it stands in the page, entities decoded
 * @see {@link https://url.spec.whatwg.org/ the URL standard}, by whose rules the rest is read
 *
 * @example
 * ```ts
 * import { siteOf } from "./link_site.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(siteOf("https://user@Example.org:8080/path"), "example.org");
 * assertEquals(siteOf("//example.org"), "example.org");
 * assertEquals(siteOf("www.ya.ru"), "www.ya.ru");
 * assertEquals(siteOf("../skip_relative_links"), undefined);
 * ```
 */
export function siteOf(href: string): string | undefined {
  // as browsers do: spaces around it do not count, and line ends nowhere
  const link = href.replace(/^[\0-\x20]+|[\0-\x20]+$|[\t\n\r]/g, "");
  const url = URL.parse(
    isBare(link) ? `http://${link}` : /^[/\\]{2}/.test(link) ? `http:${link}` : link,
  );
  if (!url || !SCHEMES.includes(url.protocol)) return undefined;
  return url.hostname.replace(/\.$/, "") || undefined;
}

/** Whether a link begins with a host name, and not with a scheme or a path. */
function isBare(link: string): boolean {
  if (ADDRESS.test(link)) return true;
  const found = HOST.exec(link)?.groups;
  if (!found) return false;
  return /^www\./i.test(link) || found.port !== undefined || !FILES.has(found.last!.toLowerCase());
}
