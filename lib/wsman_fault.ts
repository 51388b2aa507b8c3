/**
 * Why a WinRM server does not do what it was asked: its code, and what that means.
 *
 * @module
 */

import { visible } from "./display.ts";
import type { Explanation } from "./errors.ts";

/** The number that says: nothing has happened yet, ask again. */
export const OPERATION_TIMEOUT = "2150858793";

/** A fault that a server answered. */
export class WsmanFault extends Error {
  override name = "WsmanFault";
  readonly explanation: Explanation;

  /**
   * @param subcode SOAP's word, such as `w:TimedOut`
   * @param code Windows' number, in decimal, where there is one
   * @param text what the server says
   */
  constructor(readonly subcode: string, readonly code: string | undefined, text: string) {
    const number = code && /^\d{1,10}$/.test(code) ? Number(code) : undefined;
    const hex = number !== undefined && number > 0xffff
      ? ` (0x${number.toString(16).toUpperCase()})`
      : "";
    const what = [visible(subcode), code && `code ${visible(code)}${hex}`].filter(Boolean).join(
      ", ",
    );
    const [meaning, next] = MEANINGS[code ?? ""] ?? BY_WORD[subcode.replace(/^.*:/, "")] ?? [];
    const said = visible(text.replace(/\s+/g, " ")).slice(0, 500);
    const reason = `the server answers a fault: ${what || "without a code"}` +
      (meaning ? `: ${meaning}` : "") + (said ? `; it says "${said}"` : "");
    super(reason);
    this.explanation = { reason, next };
  }

  /** Whether it only means that there is no output yet. */
  get timedOut(): boolean {
    return this.code === OPERATION_TIMEOUT || /(^|:)TimedOut$/.test(this.subcode);
  }
}

type Meaning = [meaning: string, next?: string];

const RIGHTS = "Ask for the right to use WinRM: the group Remote Management Users has it.";
const QUOTA = "Try again later; a server closes shells that nobody uses.";

/** Numbers of the Windows API (winerror.h, wsmerror.h). */
const MEANINGS: Record<string, Meaning> = {
  "2": ["there is no such program or file", "Check the command."],
  "5": ["access denied", RIGHTS],
  "1326": ["wrong user name or password"],
  "2147942405": ["access denied", RIGHTS],
  "2150858752": ["there is no such thing on the server", "Check that it offers shells."],
  [OPERATION_TIMEOUT]: ["nothing happened in the time given"],
  "2150858843": [
    "there is no such shell: it was closed, or was idle for too long",
    "Run it again.",
  ],
  "2150859173": ["this user has too many shells open", QUOTA],
  "2150859174": ["this user has too many operations open", QUOTA],
};

/** SOAP's and WS-Management's words. */
const BY_WORD: Record<string, Meaning> = {
  AccessDenied: ["access denied", RIGHTS],
  ActionNotSupported: ["the server does not know the action"],
  DestinationUnreachable: ["the server has no such thing"],
  EncodingLimit: ["the message is larger than the server takes", "Send less at once."],
  InternalError: ["the server failed"],
  InvalidParameter: ["the server does not take a value"],
  InvalidSelectors: [
    "there is no such shell: it was closed, or was idle for too long",
    "Run it again.",
  ],
  MustUnderstand: ["the server does not know a part that it must know"],
  QuotaLimit: ["the server has too much to do for this user", QUOTA],
  SchemaValidationError: ["the server cannot read the message"],
  TimedOut: ["nothing happened in the time given"],
  UnsupportedFeature: ["the server does not do that"],
};
