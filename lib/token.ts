/**
 * A token from the environment, kept so that it cannot be printed by accident.
 *
 * @module
 */

import { UsageError } from "./usage.ts";

/**
 * A secret that shows itself to nobody: `console.log`, `JSON.stringify` and templates give nothing of it.
 *
 * @example
 * ```ts
 * import { Token } from "./token.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const token = new Token("xoxb-example");
 * assertEquals(`${token} ${JSON.stringify({ token })}`, '[token] {"token":"[token]"}');
 * assertEquals(token.hide("Bearer xoxb-example is not valid"), "Bearer [token] is not valid");
 * assertEquals(await token.equals("xoxb-guess"), false);
 * ```
 */
export class Token {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The secret itself, for the request that needs it and for nothing else. */
  reveal(): string {
    return this.#value;
  }

  /** A text of somebody else's, without the token: an error page may repeat the request. */
  hide(text: string): string {
    return text.replaceAll(this.#value, "[token]");
  }

  /** Compares in constant time: how long it takes tells nothing of how much of a guess was right. */
  async equals(guess: string): Promise<boolean> {
    const [mine, its] = await Promise.all([this.#value, guess].map(digest));
    let difference = 0;
    for (let at = 0; at < mine!.length; at++) difference |= mine![at]! ^ its![at]!;
    return difference === 0;
  }

  toString(): string {
    return "[token]";
  }

  toJSON(): string {
    return "[token]";
  }
}

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

/**
 * The token that a variable of the environment holds, or `undefined` when it is not set.
 *
 * @throws {Deno.errors.NotCapable} when Deno was not given `--allow-env` for it
 * @throws {UsageError} when it holds what no token has: spaces, line ends, more than 1,024 characters
 */
export function readToken(variable: string): Token | undefined {
  // with --ignore-env a variable that may not be read looks like one that is not set
  if (Deno.permissions.querySync({ name: "env", variable }).state === "denied") {
    throw new Deno.errors.NotCapable(`Requires env access to "${variable}"`);
  }
  const value = Deno.env.get(variable);
  if (value === undefined || value === "") return undefined;
  // it becomes part of a header, where a line end would begin another one
  if (!/^[\x21-\x7e]{1,1024}$/.test(value)) {
    throw new UsageError(
      `${variable} does not hold a token: it has spaces or other odd characters`,
    );
  }
  return new Token(value);
}

/**
 * The token that must be there.
 *
 * @throws {UsageError} when the variable is not set; otherwise as {@linkcode readToken}
 */
export function requireToken(variable: string): Token {
  const token = readToken(variable);
  if (token) return token;
  throw new UsageError(
    `${variable} is not set: type "read -rs ${variable}; export ${variable}", paste the token, and run it again (for the stand-in any will do)`,
  );
}
