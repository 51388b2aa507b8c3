/**
 * Which host a request is for, and whether that is the server that it came to.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9112#section-3.2 RFC 9112, section 3.2}
 * @module
 */

import { canonicalAddress } from "./hosts_file.ts";
import { Problem } from "./http_problem.ts";

/** What to answer where there is none. */
export const NO_HOST =
  "there is to be a Host header that is a host (and with HTTP/2 one other than localhost)";

/**
 * The URL of a request to Deno.serve; `undefined` when there is no Host, or one that is none, which is to be
 * answered with 400. Deno.serve answers so only when there are two.
 *
 * In HTTP/1.0 a Host may be missing, and in HTTP/2 it stands elsewhere; but Deno.serve does not tell which
 * version it is. So HTTP/1.0 needs one here, as everywhere where many sites share a server, and HTTP/2 another
 * host than `localhost`, which Deno puts in when there is none.
 *
 * @example
 * ```ts
 * import { urlOf } from "./http_host.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const request = new Request("http://127.0.0.1:8000/a", { headers: { host: "127.0.0.1:8000" } });
 * assertEquals(urlOf(request)?.pathname, "/a");
 * assertEquals(urlOf(new Request("http://localhost:8000/a")), undefined);
 * ```
 */
export function urlOf(request: Request): URL | undefined {
  const url = URL.parse(request.url);
  if (!url || url.username || url.password) return undefined;
  const host = request.headers.get("host");
  if (host === null) return url.hostname === "localhost" ? undefined : url;
  // Deno puts it before the path, so a slash in it would begin another path
  return /^(?:[^\s/?#@\\:,[\]]+|\[[\da-f:.]+\])(?::\d*)?$/i.test(host) ? url : undefined;
}

/**
 * Refuses a request for a name that is not this server's. Somebody can have a name of their own lead here (DNS
 * rebinding): what a page of theirs asks is then, for the browser, asked of the page's own site. An address is
 * nobody's name.
 *
 * @param host a name or an address, with or without a port
 * @param names the server's, besides `localhost`
 * @throws {Problem} 421
 * @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-15.5.20 RFC 9110, section 15.5.20}
 *
 * @example
 * ```ts
 * import { checkName } from "./http_host.ts";
 * import { assertThrows } from "@std/assert";
 *
 * checkName("127.0.0.1:8000");
 * checkName("blog.example.org", ["blog.example.org"]);
 * assertThrows(() => checkName("evil.example:8000"), Error, "evil.example is not a name of this server");
 * ```
 */
export function checkName(host: string, names: string[] = []): void {
  const own = ["localhost", ...names].map((name) => plain(name) ?? name);
  const name = plain(host);
  if (name === undefined) throw new Problem(400, "the Host is no host");
  if (own.includes(name) || canonicalAddress(name.replace(/^\[|\]$/g, "")) !== undefined) return;
  throw new Problem(421, `${name} is not a name of this server`);
}

/** As URLs have it: small letters, an address in its one form. */
const plain = (host: string) => URL.parse(`http://${host}/`)?.hostname.replace(/\.$/, "");
