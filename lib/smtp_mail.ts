/**
 * What a mail asks of a server before it is sent.
 *
 * @module
 */

import { UsageError } from "./usage.ts";

const LONGEST_LINE = 998; // without its CR LF
const MOST_RECIPIENTS = 100; // as many a server must take (RFC 5321, 4.5.3.1.8)

/**
 * Looks whether a mail can go over SMTP at all.
 *
 * @param mail with CR LF at the end of each line
 * @param recipients how many there are
 * @throws {UsageError} for a NUL in it, a line of more than 998 bytes, no recipient or more than 100
 */
export function checkMail(mail: Uint8Array, recipients: number): void {
  if (recipients < 1 || recipients > MOST_RECIPIENTS) {
    throw new UsageError(`a mail has 1 to ${MOST_RECIPIENTS} recipients, not ${recipients}`);
  }
  let line = 0;
  for (const byte of mail) {
    if (byte === 0) throw new UsageError("a mail has no NUL in it: encode it as base64");
    line = byte === 10 ? 0 : line + 1;
    // the CR is counted here
    if (line > LONGEST_LINE + 1) {
      throw new UsageError(
        `a line of a mail has at most ${LONGEST_LINE} bytes: encode it as base64`,
      );
    }
  }
}

/**
 * The parameters of MAIL FROM that this mail needs, and that this server offers.
 *
 * @param extensions what EHLO told
 * @throws {Error} when it needs what is not offered: more room, bytes over 127, addresses in UTF-8
 *
 * @example
 * ```ts
 * import { parametersFor } from "./smtp_mail.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const offers = new Map([["SIZE", "1000"], ["8BITMIME", ""]]);
 * const mail = new TextEncoder().encode("Grüße\r\n");
 * const envelope = { from: "a@example.org", to: ["b@example.org"], mail };
 * assertEquals(parametersFor(offers, envelope), " SIZE=9 BODY=8BITMIME");
 * ```
 */
export function parametersFor(
  extensions: ReadonlyMap<string, string>,
  envelope: { from: string; to: string[]; mail: Uint8Array },
): string {
  const { from, to, mail } = envelope;
  const size = extensions.get("SIZE");
  const most = size !== undefined && /^\d{1,15}$/.test(size) ? Number(size) : 0;
  // 0 stands for no limit that is told
  if (most > 0 && mail.length > most) {
    throw new Error(
      `the server takes mails of at most ${most} bytes, and this one has ${mail.length}`,
    );
  }
  const utf8 = [from, ...to].some((address) => /[^\0-\x7f]/.test(address));
  const eight = mail.some((byte) => byte > 127);
  if (utf8 && !extensions.has("SMTPUTF8")) {
    throw new Error(
      "an address has other letters than ASCII before its @: the server does not offer SMTPUTF8",
    );
  }
  if (eight && !extensions.has("8BITMIME")) {
    throw new Error(
      "the mail has bytes over 127, and the server does not offer 8BITMIME: encode it as base64",
    );
  }
  return (size === undefined ? "" : ` SIZE=${mail.length}`) +
    (eight ? " BODY=8BITMIME" : "") + (utf8 ? " SMTPUTF8" : "");
}
