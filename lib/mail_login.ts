/**
 * Who may read a mailbox, and over which connections a password may go.
 *
 * @module
 */

import { parseAddress } from "./ip_address.ts";
import { kindOf } from "./subnet.ts";
import { Token } from "./token.ts";

/** How many wrong passwords an address may send before it has to wait, and how long, in milliseconds. */
const MOST_FAILURES = 10;
const PENALTY = 60_000;
const MOST_ADDRESSES = 1_000;

/**
 * Lets in one user, and does not let anybody guess for long: after ten wrong passwords an address has to wait
 * for a minute, whichever connections they came over.
 *
 * @example
 * ```ts
 * import { MailLogin } from "./mail_login.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const login = new MailLogin("student", "example");
 * assertEquals(await login.judge("student", "example", "127.0.0.1"), "right");
 * assertEquals(await login.judge("student", "guess", "127.0.0.1"), "wrong");
 * for (let guess = 1; guess < 10; guess++) await login.judge("student", "guess", "127.0.0.1");
 * assertEquals(await login.judge("student", "example", "127.0.0.1"), "wait");
 * assertEquals(await login.judge("student", "example", "127.0.0.2"), "right");
 * ```
 */
export class MailLogin {
  readonly #login: Token;
  readonly #failures = new Map<string, { count: number; until: number }>();
  /** One after the other: else a hundred guesses could be compared before the first is counted. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(user: string, password: string) {
    this.#login = new Token(`${user}\0${password}`);
  }

  /**
   * Compares in constant time. A wrong name takes the same way as a wrong password, and `wait` tells nothing
   * of whether this one was right.
   *
   * @param from the client's IP address: guesses are counted for each
   */
  judge(user: string, password: string, from: string): Promise<"right" | "wrong" | "wait"> {
    const verdict = this.#turn.then(() => this.#judge(`${user}\0${password}`, from));
    this.#turn = verdict;
    return verdict;
  }

  async #judge(login: string, from: string): Promise<"right" | "wrong" | "wait"> {
    const now = performance.now();
    const failed = this.#failures.get(from);
    if (failed && failed.count >= MOST_FAILURES) {
      if (now < failed.until) return "wait";
      this.#failures.delete(from);
    }
    if (await this.#login.equals(login)) {
      this.#failures.delete(from);
      return "right";
    }
    this.#count(from, now);
    return "wrong";
  }

  #count(from: string, now: number): void {
    const count = (this.#failures.get(from)?.count ?? 0) + 1;
    // the oldest makes room
    if (!this.#failures.has(from) && this.#failures.size >= MOST_ADDRESSES) {
      this.#failures.delete(this.#failures.keys().next().value!);
    }
    this.#failures.set(from, { count, until: now + PENALTY });
  }
}

/**
 * Whether what is said to this address stays on this machine: a password may then go unencrypted.
 *
 * @param address that of an open connection, never a name: a name can lead anywhere
 *
 * @example
 * ```ts
 * import { staysHere } from "./mail_login.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(["127.0.0.1", "::1", "192.168.1.8"].map(staysHere), [true, true, false]);
 * ```
 */
export function staysHere(address: string): boolean {
  return kindOf(parseAddress(address)) === "loopback";
}
