/**
 * Addresses in header fields: `Ada Lovelace <ada@example.org>, "B, C" <b@example.org>`.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc5322#section-3.4 RFC 5322, 3.4}
 * @module
 */

/** One address, or the beginning or end of a group. */
export interface ListedAddress {
  /** As it is written, encoded words and all. */
  name?: string;
  /** What stands before the last @. The name of a group that begins here, when `host` is missing. */
  mailbox?: string;
  host?: string;
}

const MOST_ADDRESSES = 1_000;

/**
 * Reads a list of addresses, however badly it is written. A group is told as an entry with its name as mailbox
 * and no host, its members, and an empty entry.
 *
 * @example
 * ```ts
 * import { parseAddresses } from "./address_list.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseAddresses('"B, C" <b@example.org> (home), ada@example.org (Ada)'), [
 *   { name: "B, C", mailbox: "b", host: "example.org" },
 *   { name: "Ada", mailbox: "ada", host: "example.org" },
 * ]);
 * ```
 */
export function parseAddresses(text: string): ListedAddress[] {
  const addresses: ListedAddress[] = [];
  let words: string[] = [], comment: string | undefined, angle: string | undefined;
  const finish = () => {
    const phrase = words.join(" ").trim();
    if (angle !== undefined) addresses.push({ ...(phrase && { name: phrase }), ...split(angle) });
    else if (phrase) {
      const name = comment && { name: comment };
      addresses.push({ ...name, ...split(phrase.replace(/ ?([@.]) ?/g, "$1")) });
    }
    words = [], comment = angle = undefined;
  };
  for (const { kind, value } of tokensOf(text)) {
    if (addresses.length >= MOST_ADDRESSES) break;
    if (kind === "word") words.push(value);
    else if (kind === "comment") comment = value;
    else if (kind === "angle") angle = value;
    else if (value === ",") finish();
    else if (value === ":") {
      addresses.push({ mailbox: words.join(" ").trim() });
      words = [];
    } else {
      finish();
      addresses.push({});
    }
  }
  finish();
  return addresses;
}

function split(address: string): ListedAddress {
  // the route of old: <@one,@two:ada@example.org>
  const plain = address.replace(/^@[^:]*:/, "").trim();
  const at = plain.lastIndexOf("@");
  return at < 0
    ? { mailbox: plain, host: "" }
    : { mailbox: plain.slice(0, at), host: plain.slice(at + 1) };
}

interface Token {
  kind: "word" | "comment" | "angle" | "mark";
  value: string;
}

function* tokensOf(text: string): Generator<Token> {
  // an IP address in brackets holds colons
  const word = /(?:\[[^\s[\]]*\]|[^\s"(<,:;])+/y;
  for (let at = 0; at < text.length;) {
    const first = text[at]!;
    if (/\s/.test(first)) at++;
    else if (first === '"' || first === "(") {
      const { value, end } = delimited(text, at, first === "(" ? ")" : '"');
      yield { kind: first === "(" ? "comment" : "word", value };
      at = end;
    } else if (first === "<") {
      const close = text.indexOf(">", at);
      const end = close < 0 ? text.length : close;
      yield { kind: "angle", value: text.slice(at + 1, end) };
      at = end + 1;
    } else if (/[,:;]/.test(first)) {
      yield { kind: "mark", value: first };
      at++;
    } else {
      word.lastIndex = at;
      const [value] = word.exec(text)!;
      yield { kind: "word", value };
      at += value.length;
    }
  }
}

/** A quoted string or comment without its ends and backslashes; comments may stand in comments. */
function delimited(text: string, start: number, close: '"' | ")"): { value: string; end: number } {
  let value = "", depth = 1, at = start + 1;
  for (; at < text.length; at++) {
    const each = text[at]!;
    if (each === "\\" && at + 1 < text.length) value += text[++at];
    else if (each === close && --depth === 0) return { value, end: at + 1 };
    else {
      if (close === ")" && each === "(") depth++;
      value += each;
    }
  }
  return { value, end: at };
}
