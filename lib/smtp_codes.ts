/**
 * What the codes of SMTP mean for the person who sends a mail, at the step at which they come.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc5321#section-4.2.3 RFC 5321, 4.2.3}
 * @see {@link https://www.rfc-editor.org/rfc/rfc3463 RFC 3463} for codes such as 5.1.1
 * @module
 */

import { visible } from "./display.ts";
import type { Explanation } from "./errors.ts";
import type { SmtpReply } from "./smtp_reply.ts";

/** The server said no: 4xx or 5xx, or anything but what the step needs. */
export class SmtpRefusal extends Error {
  override name = "SmtpRefusal";
  readonly explanation: Explanation;

  /** @param step the command as it was sent, without secrets, or what else is refused */
  constructor(readonly step: string, readonly reply: SmtpReply) {
    const reason = `the server refuses ${visible(step)}: ${visible(reply.text).slice(0, 500)}`;
    super(reason);
    this.explanation = { reason, next: smtpMeaning(step, reply) };
  }
}

const LATER = "try again later.";

/** The codes that a person who sends mail meets, where no step gives them a meaning of its own. */
const MEANINGS: Record<number, string> = {
  421:
    `The server ends the conversation: it is shutting down, too busy, or was made to wait too long; ${LATER}`,
  450:
    `The mailbox cannot be used now, or the server first wants to see whether you come back; ${LATER}`,
  451: `Something broke inside the server; ${LATER}`,
  452: `The server has no room left, or takes fewer recipients at once; ${LATER}`,
  454: `What was asked for does not work now (TLS, or the login); ${LATER}`,
  455: `The server cannot do this with that parameter now; ${LATER}`,
  500: "The server does not know this command, or it is too long.",
  501: "The server does not accept the argument.",
  502: "The server does not have this command.",
  503: "The commands came in the wrong order.",
  504: "The server does not have this command with that argument.",
  521: "This host takes no mail at all.",
  530: "The server wants a login or TLS first: --starttls and --user.",
  534: "The server wants another way to log in.",
  535: "User name or password are not right.",
  538: "The server wants TLS before the login: --starttls.",
  550: "There is no such mailbox here, or the server does not want mail from you for it.",
  551: "The mailbox is elsewhere: the server's text may say where.",
  552: "The mail is too large, or the mailbox is full.",
  553: "The server does not accept the mailbox's name.",
  554: "The server does not want this.",
  555: "The server does not know a parameter of the command.",
  556: "The recipient's domain takes no mail.",
};

/** Where a code says more at one step than at others. */
const AT_STEP: [step: RegExp, code: number, meaning: string][] = [
  [/^the connection/, 554, "This server takes no mail from you at all."],
  [
    /^RCPT/,
    550,
    "There is no such mailbox here, or the server does not pass mail on for strangers (relay).",
  ],
  [/^RCPT/, 554, "The server does not pass mail on for strangers (relay)."],
  [/^MAIL/, 550, "The server does not take mail from this sender."],
  [/^the mail/, 550, "The server has read the mail and does not want it: it may look like spam."],
  [/^the mail/, 554, "The server has read the mail and does not want it: it may look like spam."],
  [/^DATA/, 554, "The server has no recipient that it accepts."],
];

/** Enhanced codes, which tell more exactly; their first digit says whether it is for good. */
const ENHANCED: Record<string, string> = {
  "1.1": "There is no such mailbox at that domain.",
  "1.2": "There is no such domain.",
  "1.3": "The address is written wrongly.",
  "1.8": "The sender's domain does not exist.",
  "2.1": "The mailbox is closed.",
  "2.2": "The mailbox is full.",
  "2.3": "The mail is larger than this mailbox takes.",
  "3.4": "The mail is larger than this server takes.",
  "5.3": "There are too many recipients: send to some of them later.",
  "6.7": "The address needs SMTPUTF8, which the server does not do here.",
  "7.8": "User name or password are not right.",
};

const FAMILIES: Record<string, string> = {
  "2": "The command was done, and should not have been.",
  "3": "The server wants to hear more first.",
  "4": `It may work later: ${LATER}`,
  "5": "It will not work this way: do not repeat it unchanged.",
};

/**
 * What a reply means at a step; of a code that is not listed, what its first digit says.
 *
 * @param step the command, `the connection`, or `the mail`
 *
 * @example
 * ```ts
 * import { smtpMeaning } from "./smtp_codes.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const reply = { code: 550, lines: ["no"], text: "550 no" };
 * assertEquals(smtpMeaning("MAIL FROM:<>", reply), "The server does not take mail from this sender.");
 * assertEquals(
 *   smtpMeaning("RCPT TO:<a@b.example>", { code: 450, lines: ["4.2.2 full"], text: "450 4.2.2 full" }),
 *   "The mailbox is full. It may work later: try again later.",
 * );
 * ```
 */
export function smtpMeaning(step: string, { code, lines }: SmtpReply): string {
  const family = FAMILIES[String(code)[0]!]!;
  const enhanced = /^([45])\.(\d{1,3}\.\d{1,3})(?: |$)/.exec(lines[0] ?? "");
  const exact = enhanced && ENHANCED[enhanced[2]!];
  if (exact) return enhanced[1] === "4" ? `${exact} ${family}` : exact;
  const atStep = AT_STEP.find(([where, which]) => which === code && where.test(step));
  return atStep?.[2] ?? MEANINGS[code] ?? family;
}
