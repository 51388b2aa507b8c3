/**
 * Where Slack's Web API is.
 *
 * @module
 */

import { UsageError } from "./usage.ts";

/**
 * Checks the address of an API, and gives it without a slash at its end. The token goes there with each
 * call: over plain http anybody on the way could read it, so that is for this machine only.
 *
 * @throws {UsageError} that tells how it is written
 *
 * @example
 * ```ts
 * import { apiUrl } from "./slack_url.ts";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * assertEquals(apiUrl("https://slack.com/api/"), "https://slack.com/api");
 * assertThrows(() => apiUrl("http://slack.com/api"), Error, "https://");
 * ```
 */
export function apiUrl(api: string): string {
  const url = URL.parse(api);
  const local = ["127.0.0.1", "[::1]", "localhost"].includes(url?.hostname ?? "");
  if (url?.protocol !== "https:" && !(url?.protocol === "http:" && local)) {
    throw new UsageError(
      `--api is https://HOST/api, or http:// on this machine, so that nobody can read the token: not "${api}"`,
    );
  }
  return url.href.replace(/\/+$/, "");
}
