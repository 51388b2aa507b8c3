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

/** The ends of host names that are in common use and longer than those of countries. */
const DOMAINS = new Set(
  ("com net org info biz edu gov mil int arpa mobi asia aero museum travel xyz top shop online site store club vip " +
    "app dev tech blog cloud news live world example").split(" "),
);

/** Countries whose ends files have as well: `main.rs` is a program, and only seldom a site in Serbia. */
const FILES = new Set("cc cs do md mk ml mm pl pm ps py rs sh so tf".split(" "));

const countries = new Intl.DisplayNames("en", { type: "region", fallback: "none" });

/** Whether host names in general end like that; what does not is a file: `index.html`, `deno.lock`. */
function isDomain(end: string): boolean {
  // letters of other scripts, as they are or written as xn--: no file of a site ends so
  if (!/^[a-z]+$/.test(end)) return true;
  if (end.length > 2) return DOMAINS.has(end);
  return countries.of(end.toUpperCase()) !== undefined && !FILES.has(end);
}

/**
 * Gives the site of a link: its host name in lower case, without user name, port and path; `undefined` for a
 * relative link, and for one that leads to no site at all (`mailto:`, `javascript:`).
 *
 * The homework also wants what is written without a scheme, as in `ya.ru`. For a browser that is a file beside the
 * page; here it is a site if it ends like one, begins with `www.`, or tells a port. In doubt it is a file.
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
  return /^www\./i.test(link) || found.port !== undefined || isDomain(found.last!.toLowerCase());
}
