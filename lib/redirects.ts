/**
 * Fetches what a URL leads to, by http or https, with each redirect looked at before it is followed.
 *
 * @module
 */

/** How {@linkcode fetchFollowing} goes about it. */
export interface FollowOptions {
  /** How many redirects are followed; 5 unless told. */
  redirects?: number;
  headers?: HeadersInit;
  signal?: AbortSignal;
  /** Told of each URL before it is asked for; throws to refuse it. */
  check?: (url: URL) => unknown;
}

/** Why a URL is not fetched, or not kept. */
export class RefusedUrl extends Error {
  override name = "RefusedUrl";
}

/**
 * Asks for a URL, and for where it is redirected to. From https nothing leads back to http, where others could
 * change what comes.
 *
 * @returns the response, whose body has to be read or cancelled, and the URL that it came from
 * @throws {RefusedUrl} for no URL, another scheme, a user name or password in it, too many redirects
 *
 * @example
 * ```ts
 * import { fetchFollowing } from "./redirects.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const options = { hostname: "127.0.0.1", port: 0, onListen() {} };
 * await using server = Deno.serve(options, ({ url }) =>
 *   url.endsWith("/new") ? new Response("here") : Response.redirect(new URL("/new", url)));
 * const { response, url } = await fetchFollowing(`http://127.0.0.1:${server.addr.port}/old`);
 * assertEquals([url.pathname, await response.text()], ["/new", "here"]);
 * ```
 */
export async function fetchFollowing(
  text: string | URL,
  options: FollowOptions = {},
): Promise<{ response: Response; url: URL }> {
  const { redirects = 5, headers, signal, check } = options;
  let url = parsedUrl(text);
  for (let hops = 0; hops <= redirects; hops++) {
    await check?.(url);
    const response = await fetch(url, { redirect: "manual", headers, signal });
    const location = response.headers.get("location");
    if (![301, 302, 303, 307, 308].includes(response.status) || location === null) {
      return { response, url };
    }
    await response.body?.cancel();
    const next = parsedUrl(location, url);
    if (url.protocol === "https:" && next.protocol === "http:") {
      throw new RefusedUrl("it was redirected from https to http, where anybody could change it");
    }
    url = next;
  }
  throw new RefusedUrl(`it was redirected more than ${redirects} times`);
}

/**
 * Reads a URL that can be fetched.
 *
 * @throws {RefusedUrl} for no URL, another scheme than http and https, a user name or password in it
 */
export function parsedUrl(text: string | URL, base?: URL): URL {
  const url = URL.parse(text, base);
  if (!url) throw new RefusedUrl("it is no URL");
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new RefusedUrl(`${url.protocol} is neither http: nor https:`);
  }
  if (url.username || url.password) throw new RefusedUrl("it carries a user name or password");
  return url;
}
