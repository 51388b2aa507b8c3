/**
 * What POP3 servers refuse, and why.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc2449#section-8 RFC 2449, 8}: response codes in brackets
 * @see {@link https://www.rfc-editor.org/rfc/rfc3206 RFC 3206}: AUTH and SYS
 * @module
 */

import { visible } from "./display.ts";
import type { Explanation } from "./errors.ts";

/** What came is not POP3. */
export class Pop3Error extends Error {
  override name = "Pop3Error";
}

const BY_CODE: Record<string, string> = {
  "AUTH": "The user name or the password is wrong (--user).",
  "IN-USE": "Another program reads this mailbox: try again when it has ended.",
  "LOGIN-DELAY": "The last login was too short a time ago: wait a little.",
  "SYS/TEMP": "Something broke inside the server, or it is busy: try again later.",
  "SYS/PERM": "Something broke inside the server that does not mend itself: tell who runs it.",
};

const BY_COMMAND: Record<string, string> = {
  USER:
    "The server may not want to have passwords unencrypted: it may offer STLS, or TLS on port 995.",
  PASS: "Compare the user name (--user) and the password.",
  RETR: "Without a number, the mails that are there are listed.",
  TOP: "Without a number, the mails that are there are listed; not all servers know TOP.",
  QUIT: "Some of the mails may not have been deleted.",
};

/** The server said `-ERR`. */
export class RefusedError extends Error {
  override name = "RefusedError";
  readonly explanation: Explanation;

  /**
   * @param command what was refused, one word of it
   * @param text what stands behind `-ERR`
   */
  constructor(readonly command: string, readonly text: string) {
    const reason = `the server refused ${command}: ${visible(text) || "it did not say why"}`;
    super(reason);
    const code = /^\[([A-Z/-]+)\]/i.exec(text)?.[1]?.toUpperCase();
    const next = BY_CODE[code ?? ""] ?? BY_COMMAND[command];
    this.explanation = { reason, ...(next !== undefined && { next }) };
  }
}
