/**
 * How mail carries more than short lines of ASCII: encoded words in header fields, and quoted-printable or
 * base64 in the body.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc2045#section-6 RFC 2045, 6}
 * @see {@link https://www.rfc-editor.org/rfc/rfc2047 RFC 2047}
 * @module
 */

const encoder = new TextEncoder();

/** `=C3` for a byte. */
const escaped = (byte: number) => `=${byte.toString(16).toUpperCase().padStart(2, "0")}`;

/**
 * Writes a text as encoded words, `=?utf-8?Q?Gr=C3=BC=C3=9Fe?=`, folded so that no line has more than 76
 * characters. Each word holds whole characters, as the standard wants.
 *
 * @param used how many characters stand before it on its first line: the field's name
 *
 * @example
 * ```ts
 * import { encodeWords } from "./mail_encoding.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(encodeWords("Grüße"), "=?utf-8?Q?Gr=C3=BC=C3=9Fe?=");
 * ```
 */
export function encodeWords(text: string, used = 0): string {
  const characters = Array.from(text.toWellFormed());
  const bytes = encoder.encode(text);
  const plain = bytes.filter((byte) => isPlain(byte)).length;
  // Q takes three characters for what is not plain, B four for every three bytes; Q can be read
  const quoted = plain + 3 * (bytes.length - plain);
  const encode = quoted <= 2 * bytes.length + 4 ? wordQ : wordB;
  const words: string[] = [];
  let held = "";
  for (const character of characters) {
    const room = words.length === 0 ? 76 - used : 75;
    if (held !== "" && encode(held + character).length > room) {
      words.push(encode(held));
      held = "";
    }
    held += character;
  }
  words.push(encode(held));
  return words.join("\r\n ");
}

/** The strictest set, which is right in names, too (RFC 2047, 5.3). */
const isPlain = (byte: number) => /[A-Za-z0-9!*+\-/ ]/.test(String.fromCharCode(byte));

function wordQ(text: string): string {
  let word = "";
  for (const byte of encoder.encode(text)) {
    word += byte === 0x20 ? "_" : isPlain(byte) ? String.fromCharCode(byte) : escaped(byte);
  }
  return `=?utf-8?Q?${word}?=`;
}

const wordB = (text: string) => `=?utf-8?B?${encoder.encode(text).toBase64()}?=`;

/** A body that can travel: ASCII, in lines of at most 998 characters, each ended by CR LF. */
export interface EncodedText {
  encoding: "7bit" | "quoted-printable" | "base64";
  body: string;
}

/**
 * Makes a text travel: as it is when it is ASCII in lines that are short enough, else quoted-printable, which
 * can be read, unless it would be twice as long: then base64. All line ends become CR LF; a last line without one gets one.
 *
 * @example
 * ```ts
 * import { encodeText } from "./mail_encoding.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(encodeText("hello\n"), { encoding: "7bit", body: "hello\r\n" });
 * assertEquals(encodeText("Grüße an alle"), {
 *   encoding: "quoted-printable",
 *   body: "Gr=C3=BC=C3=9Fe an alle\r\n",
 * });
 * ```
 */
export function encodeText(text: string): EncodedText {
  const lines = text.split(/\r\n|\r|\n/);
  if (lines.at(-1) === "") lines.pop();
  const plain = lines.every((line) => /^[\t\x20-\x7e]{0,998}$/.test(line));
  const whole = lines.map((line) => `${line}\r\n`).join("");
  if (plain) return { encoding: "7bit", body: whole };
  const quoted = lines.map(quotedPrintable).join("");
  const bytes = encoder.encode(whole);
  if (quoted.length <= 2 * bytes.length) return { encoding: "quoted-printable", body: quoted };
  const body = bytes.toBase64().replace(/.{1,76}/g, "$&\r\n");
  return { encoding: "base64", body };
}

/** One line; it is broken with `=` at its end where it would be longer than 76 characters. */
function quotedPrintable(line: string): string {
  const bytes = encoder.encode(line);
  let result = "", room = 75;
  bytes.forEach((byte, at) => {
    const last = at === bytes.length - 1;
    // a space at the end of a line may get lost on the way
    const space = byte === 0x20 || byte === 0x09;
    const plain = byte > 0x20 && byte < 0x7f && byte !== 0x3d || space && !last;
    const piece = plain ? String.fromCharCode(byte) : escaped(byte);
    if (piece.length > room) {
      result += "=\r\n";
      room = 75;
    }
    result += piece;
    room -= piece.length;
  });
  return `${result}\r\n`;
}
