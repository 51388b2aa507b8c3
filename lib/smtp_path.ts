/**
 * The arguments of MAIL and RCPT: an address in angle brackets, and parameters.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc5321#section-4.1.2 RFC 5321, 4.1.2}
 * @module
 */

import { type MailAddress, parseAddress } from "./mail_address.ts";

/** What stands behind `MAIL FROM:` or `RCPT TO:`. */
export interface SmtpPath {
  /** As it was written between the brackets, without a route; empty for `<>`. */
  text: string;
  /** `undefined` when the text is empty, is no address, or is `Postmaster` alone. */
  address: MailAddress | undefined;
  /** By their names in capitals: `SIZE` → `1000`. */
  parameters: Map<string, string>;
}

/**
 * Reads `FROM:<alice@example.org> SIZE=1000`; `undefined` for what is not of that form. A space behind the colon
 * is none of the standard's, but the lecture's and many programs'. A route (`<@one.example:bob@two.example>`) is
 * read and left out.
 *
 * @example
 * ```ts
 * import { parsePath } from "./smtp_path.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const path = parsePath("FROM", "FROM:<alice@example.org> BODY=8BITMIME")!;
 * assertEquals(path.address?.domain, "example.org");
 * assertEquals(path.parameters.get("BODY"), "8BITMIME");
 * assertEquals(parsePath("TO", "TO:alice@example.org"), undefined);
 * ```
 */
export function parsePath(word: "FROM" | "TO", argument: string): SmtpPath | undefined {
  const found = /^(\w+):\s?<((?:"(?:[^"\\]|\\.)*"|[^"<>])*)>((?:\s+\S+)*)\s*$/.exec(argument);
  if (found?.[1]?.toUpperCase() !== word) return undefined;
  const text = found[2]!.replace(/^@[^":]*:/, "");
  const parameters = new Map<string, string>();
  for (const each of found[3]!.trim().split(/\s+/)) {
    if (each === "") continue;
    const parameter = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:=([\x21-\x3c\x3e-\x7e]+))?$/.exec(each);
    const name = parameter?.[1]?.toUpperCase();
    if (name === undefined || parameters.has(name)) return undefined;
    parameters.set(name, parameter![2] ?? "");
  }
  return { text, address: parseAddress(text), parameters };
}
