/**
 * What the codes of FTP mean for the person who reads them.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc959#section-4.2.2 RFC 959, 4.2.2}
 * @module
 */

import { visible } from "./display.ts";
import type { Explanation } from "./errors.ts";
import type { Reply } from "./ftp_reply.ts";

/** The server said no: 4xx or 5xx, or anything but what the command needs. */
export class RefusedError extends Error {
  override name = "RefusedError";
  readonly explanation: Explanation;

  /** @param command as it was sent, without secrets */
  constructor(command: string, readonly reply: Reply) {
    const { code, text } = reply;
    const reason = `the server refuses ${visible(command)}: ${code} ${visible(text)}`.trimEnd();
    super(reason);
    this.explanation = { reason, next: meaning(code) };
  }
}

/** The codes that a person who fetches files meets. */
const MEANINGS: Record<number, string> = {
  331: "The server wants a password.",
  332: "The server wants an account besides the user name: this client has none to give.",
  421:
    "The server ends the connection: it is shutting down, has too many clients, or waited too long.",
  425: "The data connection could not be opened: a firewall may keep the data ports closed.",
  426: "The data connection broke in the middle.",
  430: "User name or password are not right.",
  434: "The host is not there.",
  450: "The file is in use: try again later.",
  451: "Something broke inside the server: try again later.",
  452: "The server has no room left.",
  500: "The server does not know this command.",
  501: "The server does not accept the argument.",
  502: "The server does not have this command.",
  503: "The commands came in the wrong order.",
  504: "The server does not have this command with that argument.",
  522: "The server does not speak that address family: try the other of IPv4 and IPv6.",
  530: "Log in first, with a user name and password that the server accepts (--user).",
  532: "The server wants an account before files are stored.",
  550: "There is no such file or folder, or this user may not read it: ls shows what is there.",
  551: "The server does not know the type of the page.",
  552: "There is no more room for this user.",
  553: "The server does not accept the file's name.",
};

const FAMILIES: Record<string, string> = {
  "1": "The server wants to go on, and says more later.",
  "2": "The command was done, and should not have been.",
  "3": "The server wants to hear more first.",
  "4": "It may work later: try again.",
  "5": "It will not work this way: do not repeat it unchanged.",
};

/**
 * What a code means; of one that is not listed, what its first digit says.
 *
 * @example
 * ```ts
 * import { meaning } from "./ftp_codes.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(meaning(426), "The data connection broke in the middle.");
 * assertEquals(meaning(499), "It may work later: try again.");
 * ```
 */
export function meaning(code: number): string {
  return MEANINGS[code] ?? FAMILIES[String(code)[0]!] ?? "The code is none of FTP's.";
}
