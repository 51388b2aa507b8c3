/**
 * Bytes on a terminal. What came over a network may hold control characters that clear the screen, move
 * the cursor or set the window's title: they are shown, never obeyed.
 *
 * @module
 */

// control characters, invisible ones such as those that turn the direction of text, and line separators
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
const SHORT: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0" };

/**
 * Makes the control characters of a text visible, as `\n` or `\x1b`.
 *
 * @example
 * ```ts
 * import { visible } from "./display.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(visible("clear \x1b[2J\r\n"), "clear \\x1b[2J\\r\\n");
 * ```
 */
export function visible(text: string): string {
  return text.replace(UNSAFE, (character) => SHORT[character] ?? escaped(character));
}

function escaped(character: string): string {
  const code = character.codePointAt(0)!;
  if (code > 0xffff) return `\\u{${hex(code, 5)}}`;
  // \x80 and up are lone bytes: no character may look like one
  return code < 128 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}

/**
 * Shows bytes as a quoted text, as Python's `repr` does: UTF-8 as it reads, anything else as `\xff`,
 * quotes and backslashes escaped, so that no two different inputs look alike.
 *
 * @param options.limit how many bytes are shown; 1,024 unless told; what is left out is counted
 *
 * @example
 * ```ts
 * import { quoted } from "./display.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(quoted(new Uint8Array([0x68, 0xc3, 0xa9, 0xff])), '"hé\\xff"');
 * assertEquals(quoted("0123456789", { limit: 4 }), '"0123"… (10 bytes)');
 * ```
 */
export function quoted(data: Uint8Array | string, options: { limit?: number } = {}): string {
  const { limit = 1_024 } = options;
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  const shown = bytes.subarray(0, limit);
  let text = "";
  for (let at = 0; at < shown.length;) {
    const [code, length] = characterAt(shown, at);
    if (length === 0) text += `\\x${hex(shown[at]!, 2)}`;
    else if (code === 0x22 || code === 0x5c) text += "\\" + String.fromCharCode(code);
    else text += visible(String.fromCodePoint(code));
    at += length || 1;
  }
  return `"${text}"` + (bytes.length > limit ? `… (${bytes.length} bytes)` : "");
}

/**
 * The UTF-8 character at `at` and its length in bytes, 0 when there is none: cut off, overlong, a surrogate
 * or beyond U+10FFFF ({@link https://www.rfc-editor.org/rfc/rfc3629#section-4 RFC 3629, 4}).
 */
function characterAt(bytes: Uint8Array, at: number): [code: number, length: number] {
  const first = bytes[at]!;
  if (first < 0x80) return [first, 1];
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  let code = first & (0xff >> (length + 1));
  for (let next = at + 1; next < at + length; next++) {
    const byte = bytes[next];
    if (byte === undefined || byte >> 6 !== 0b10) return [0, 0];
    code = code << 6 | byte & 0x3f;
  }
  const least = [0, 0, 0x80, 0x800, 0x1_0000][length]!;
  const surrogate = code >= 0xd800 && code <= 0xdfff;
  const valid = first >= 0xc2 && first <= 0xf4 && code >= least && code <= 0x10_ffff && !surrogate;
  return valid ? [code, length] : [0, 0];
}

/**
 * Shows bytes as lines of 16: offset, hexadecimal, and the printable ASCII characters.
 *
 * @param options.offset the number of the first byte; 0 unless told
 *
 * @example
 * ```ts
 * import { hexdump } from "./display.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   hexdump(new TextEncoder().encode("hello\n")),
 *   "00000000  68 65 6c 6c 6f 0a                                 |hello.|",
 * );
 * ```
 */
export function hexdump(bytes: Uint8Array, options: { offset?: number } = {}): string {
  const { offset = 0 } = options;
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = Array.from(bytes.subarray(at, at + 16));
    const cells = row.map((byte) => hex(byte, 2));
    const left = cells.slice(0, 8).join(" ").padEnd(23);
    const right = cells.slice(8).join(" ").padEnd(23);
    const text = row.map((byte) => byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".");
    lines.push(`${hex(offset + at, 8)}  ${left}  ${right}  |${text.join("")}|`);
  }
  return lines.join("\n");
}
