/**
 * Basic authentication as a server checks it: one user, and not many guesses.
 *
 * @module
 */

import { Token } from "./token.ts";

/** How many wrong passwords an address may send before it has to wait, and how long, in milliseconds. */
const MOST_FAILURES = 10;
const PENALTY = 60_000;
const MOST_ADDRESSES = 1_000;

/**
 * Lets in one user.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7617 RFC 7617}
 *
 * @example
 * ```ts
 * import { BasicLogin } from "./basic_login.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const login = new BasicLogin("student", "example");
 * const request = new Request("http://127.0.0.1/", {
 *   headers: { authorization: `Basic ${btoa("student:example")}` },
 * });
 * assertEquals(await login.refusal(request, "127.0.0.1"), undefined);
 * assertEquals((await login.refusal(new Request("http://127.0.0.1/"), "127.0.0.1"))?.status, 401);
 * ```
 */
export class BasicLogin {
  readonly #login: Token;
  readonly #failures = new Map<string, { count: number; until: number }>();

  constructor(user: string, password: string) {
    this.#login = new Token(`${user}:${password}`);
  }

  /**
   * The answer to a request that is not let in; `undefined` for one that is.
   *
   * @param from the client's address: guesses are counted for each
   */
  async refusal(request: Request, from: string): Promise<Response | undefined> {
    const failed = this.#failures.get(from);
    if (failed && failed.until <= performance.now()) this.#failures.delete(from);
    else if (failed && failed.count >= MOST_FAILURES) {
      const seconds = Math.ceil((failed.until - performance.now()) / 1_000);
      return new Response(null, { status: 429, headers: { "retry-after": `${seconds}` } });
    }
    const given = /^Basic +([A-Za-z0-9+/=]{1,1024})$/i
      .exec(request.headers.get("authorization") ?? "")?.[1];
    if (given !== undefined && await this.#login.equals(decoded(given))) {
      this.#failures.delete(from);
      return undefined;
    }
    // clients ask without a login first: that is no guess
    if (given !== undefined) this.#count(from);
    const headers = { "www-authenticate": 'Basic realm="WSMAN", charset="UTF-8"' };
    return new Response(null, { status: 401, headers });
  }

  #count(from: string): void {
    const count = (this.#failures.get(from)?.count ?? 0) + 1;
    // the oldest makes room
    if (this.#failures.size >= MOST_ADDRESSES) {
      this.#failures.delete(this.#failures.keys().next().value!);
    }
    this.#failures.set(from, { count, until: performance.now() + PENALTY });
  }
}

/** Clients write names in UTF-8, as they are asked to, or as Latin-1, as Python's requests does. */
function decoded(base64: string): string {
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.fromBase64(base64);
  } catch {
    return "";
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return String.fromCharCode(...bytes);
  }
}
