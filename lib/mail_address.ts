/**
 * Mail addresses: `alice@example.org`, and with a name `Alice Liddell <alice@example.org>`.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc5321#section-4.1.2 RFC 5321, 4.1.2}
 * @see {@link https://www.rfc-editor.org/rfc/rfc6531#section-3.3 RFC 6531, 3.3} for other characters than ASCII
 * @module
 */

import { canonicalAddress } from "./hosts_file.ts";
import { UsageError } from "./usage.ts";

/** An address in its parts. */
export interface MailAddress {
  /** All of it as it goes over the wire: the domain in ASCII, the part before it as it was written. */
  address: string;
  local: string;
  /** In small letters, other ones than ASCII as `xn--…`; or an IP address in brackets. */
  domain: string;
  /** Whether the part before the `@` holds more than ASCII: a server must offer SMTPUTF8 for it. */
  utf8: boolean;
}

/** An address, and the name of its owner, which may be empty. */
export interface Mailbox extends MailAddress {
  name: string;
}

// what RFC 5322 calls atext; of other scripts, letters, marks, numbers and symbols
const ATOM = /^(?:[\w!#$%&'*+\-/=?^`{|}~]|(?![\0-\x7f])[\p{L}\p{M}\p{N}\p{S}])+$/u;
const QUOTED = /^"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e])*"$/;
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * Takes an address apart; `undefined` for what is none. The domain may be a name or an IP address in brackets.
 *
 * Its lengths are those of RFC 5321, 4.5.3.1: 64 bytes before the `@`, 254 in all.
 *
 * @example
 * ```ts
 * import { parseAddress } from "./mail_address.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseAddress("Bob@Example.ORG")?.address, "Bob@example.org");
 * assertEquals(parseAddress("bob@bücher.example")?.domain, "xn--bcher-kva.example");
 * assertEquals(parseAddress("bob@example.org\r\nDATA"), undefined);
 * ```
 */
export function parseAddress(text: string): MailAddress | undefined {
  const at = text.lastIndexOf("@");
  const local = text.slice(0, Math.max(0, at));
  const domain = domainOf(text.slice(at + 1));
  if (at < 1 || domain === undefined) return undefined;
  const whole = local.split(".").every((atom) => ATOM.test(atom)) || QUOTED.test(local);
  const address = `${local}@${domain}`;
  if (!whole || bytes(local) > 64 || bytes(address) > 254) return undefined;
  return { address, local, domain, utf8: bytes(local) > local.length };
}

function domainOf(text: string): string | undefined {
  if (text.length > 255) return undefined;
  const literal = /^\[(IPv6:)?([\da-f:.]+)\]$/i.exec(text);
  if (literal) {
    const address = canonicalAddress(literal[2]!);
    const right = address !== undefined && address.includes(":") === (literal[1] !== undefined);
    return right ? `[${address.includes(":") ? "IPv6:" : ""}${address}]` : undefined;
  }
  const name = /^[\x21-\x7e]*$/.test(text) ? text.toLowerCase() : international(text);
  return name?.split(".").every((label) => LABEL.test(label)) ? name : undefined;
}

/** A name in other letters as DNS has it; URL does what RFC 5891 says. */
function international(text: string): string | undefined {
  if (!/^[\p{L}\p{M}\p{N}.\-]+$/u.test(text)) return undefined;
  return URL.parse(`http://${text}/`)?.hostname;
}

const bytes = (text: string) => new TextEncoder().encode(text).length;

/**
 * Reads what a person writes: an address, or a name and an address in angle brackets.
 *
 * @throws {UsageError} when it is none: a line end in it would be a command of somebody's own
 *
 * @example
 * ```ts
 * import { parseMailbox } from "./mail_address.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const { name, address } = parseMailbox("Alice Liddell <alice@example.org>");
 * assertEquals([name, address], ["Alice Liddell", "alice@example.org"]);
 * ```
 */
export function parseMailbox(text: string): Mailbox {
  const found = /^(?:([^<>]*?)\s*<([^<>]*)>|([^<>]*))$/.exec(text);
  const name = unquoted(found?.[1] ?? "");
  const address = parseAddress(found?.[2] ?? found?.[3] ?? "");
  if (!address || /\p{Cc}/u.test(name) || name.length > 200) {
    throw new UsageError(
      `${
        JSON.stringify(text)
      } is no mail address: write name@example.org, or Name <name@example.org>`,
    );
  }
  return { name, ...address };
}

/** What is quoted as a whole without its quotes, and without the backslashes before characters (RFC 5322, 3.2.4). */
function unquoted(text: string): string {
  const found = /^"((?:[^"\\]|\\.)*)"$/.exec(text);
  return found ? found[1]!.replace(/\\(.)/g, "$1") : text;
}
