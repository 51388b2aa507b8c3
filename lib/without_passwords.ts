/**
 * What a server may show of what its clients say: everything but passwords. Who writes a client makes mistakes: the
 * password comes behind a space too many, in a command that is misspelled, or on a line of its own.
 *
 * @module
 */

/** What commands begin with that log in, in one protocol or another. */
const LOGIN = "pass|auth(?:enticate)?|apop|acct|log[io]n";
const HIDDEN = "***";

/** How commands look. */
export interface CommandForm {
  /** Whether a word of the client's choice stands before each command, as in IMAP. */
  tagged?: boolean;
}

/**
 * The lines of one client.
 *
 * @example
 * ```ts
 * import { WithoutPasswords } from "./without_passwords.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const lines = new WithoutPasswords(["USER", "PASS", "STAT"]);
 * const said = ["USER student", "  pass swordfish", "PSAS swordfish", "c3dvcmQ=", "STAT", "HELLO all"];
 * assertEquals(
 *   said.map((line) => lines.shown(line)),
 *   ["USER student", "  pass ***", "***", "***", "STAT", "HELLO all"],
 * );
 * ```
 */
export class WithoutPasswords {
  readonly #known: RegExp;
  readonly #login: RegExp;
  readonly #user: RegExp;
  /** From a user's name, or a login, to the next command that is understood. */
  #loggingIn = false;

  /** @param commands those that the server knows */
  constructor(commands: readonly string[], { tagged = false }: CommandForm = {}) {
    const names = commands.filter((name) => !new RegExp(LOGIN, "i").test(name)).join("|");
    const before = `^(?:[^\\p{L}\\p{N}]*|${tagged ? "\\s*\\S+\\s+" : ""})`;
    this.#known = new RegExp(`^${tagged ? "\\S+ +" : ""}(?:${names})(?: |$)`, "i");
    this.#login = new RegExp(`${before}(?:${LOGIN})`, "iu");
    this.#user = new RegExp(`${before}user\\b(?: +[^\\s\\p{Cc}]*)?`, "iu");
  }

  /** What may be shown of the next line. */
  shown(line: string): string {
    const user = this.#user.exec(line)?.[0];
    if (user !== undefined) {
      this.#loggingIn = true;
      return user === line ? line : `${user} ${HIDDEN}`;
    }
    // behind a control character a second command may stand, which is none here
    if (this.#known.test(line) && !/\p{Cc}/u.test(line)) {
      this.#loggingIn = false;
      return line;
    }
    if (!this.#loggingIn && !new RegExp(LOGIN, "i").test(line)) return line;
    this.#loggingIn = true;
    const login = this.#login.exec(line)?.[0];
    return login === undefined ? HIDDEN : `${login} ${HIDDEN}`;
  }
}
