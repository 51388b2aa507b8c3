/**
 * What an IMAP server's refusals mean.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc5530 RFC 5530}: the codes in square brackets
 * @module
 */

import { visible } from "./display.ts";
import type { Explanation } from "./errors.ts";
import type { StatusReply } from "./imap_reply.ts";

const CODES: Record<string, string> = {
  AUTHENTICATIONFAILED: "The name or the password is not right.",
  AUTHORIZATIONFAILED: "The password is right, but this user may not do that.",
  CONTACTADMIN: "Only who runs the server can help.",
  EXPIRED: "The password is right, but too old: get a new one.",
  INUSE: "Something else is using it: try again later.",
  LIMIT: "That is more than the server allows.",
  NONEXISTENT: "There is no such mailbox: compare with the LIST lines.",
  NOPERM: "This user may not do that.",
  OVERQUOTA: "The mailbox is full.",
  PRIVACYREQUIRED: "The server wants encryption first: --starttls or --tls.",
  SERVERBUG: "The server has a bug, as it says itself.",
  TOOBIG: "That is longer than the server takes.",
  TRYCREATE: "There is no such mailbox.",
  UNAVAILABLE: "Something behind the server does not work: try again later.",
};

/** The server has answered with `NO`, `BAD` or `BYE`. */
export class ImapRefused extends Error {
  override name = "ImapRefused";
  readonly explanation: Explanation;

  /**
   * @param what the command, without its secrets
   * @param secrets what the server may repeat, and nobody is to see
   */
  constructor(what: string, readonly reply: StatusReply, secrets: readonly string[] = []) {
    const { status, code, text } = reply;
    const whole = visible([status, code && `[${code}]`, text].filter(Boolean).join(" "));
    const said = secrets.filter((secret) => secret !== "")
      .reduce((text, secret) => text.replaceAll(visible(secret), "***"), whole);
    const reason = status === "BYE"
      ? `the server ends the conversation: ${said}`
      : `the server refuses ${what}: ${said}`;
    super(reason);
    this.explanation = { reason, next: meaning(reply, what) };
  }
}

function meaning({ status, code }: StatusReply, what: string): string {
  const told = CODES[code ?? ""];
  if (told) return told;
  if (status === "BAD") return "BAD: the server does not understand the command, or not now.";
  if (status === "BYE") return "BYE: it closes the connection, too busy perhaps. Try again later.";
  if (/^LOGIN/.test(what)) return "NO: the name or the password is not right, most often.";
  if (/^(EXAMINE|SELECT)/.test(what)) {
    return "NO: there is no such mailbox, most often: compare with the LIST lines.";
  }
  return "NO: the command was understood, but cannot be done.";
}
