/**
 * The parts of a mail: a text, a picture, a mail in a mail; those that hold others, and where each stands.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc2046#section-5.1 RFC 2046, 5.1}
 * @module
 */

import { fieldValue, type HeaderField, headerFields, headerLength } from "./mail_header.ts";

/** A part. Places are offsets in the mail. */
export interface MimePart {
  /** Where its header begins, its body begins, and its body ends. */
  start: number;
  bodyStart: number;
  end: number;
  fields: HeaderField[];
  /** In small letters: `text`, `plain`. */
  type: string;
  subtype: string;
  /** Of Content-Type, names in small letters. */
  parameters: Map<string, string>;
  /** What a multipart holds. */
  parts: MimePart[];
  /** The mail that a message/rfc822 holds. */
  message?: MimePart;
}

const DEEPEST = 20;
const MOST_PARTS = 500;
const decoder = new TextDecoder();

/**
 * Takes a mail apart. One that is nested too deep, or has too many parts, is taken apart up to there.
 *
 * @example
 * ```ts
 * import { mimeParts } from "./mime_parts.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const mail = "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\na text\r\n--x--\r\n";
 * const whole = mimeParts(new TextEncoder().encode(mail));
 * const [{ type, bodyStart, end }] = whole.parts as [typeof whole];
 * assertEquals([type, mail.slice(bodyStart, end)], ["text", "a text"]);
 * ```
 */
export function mimeParts(mail: Uint8Array): MimePart {
  const budget = { parts: MOST_PARTS };
  return parse(mail, 0, mail.length, "text/plain", 0, budget);
}

function parse(
  mail: Uint8Array,
  start: number,
  end: number,
  usual: string,
  depth: number,
  budget: { parts: number },
): MimePart {
  budget.parts--;
  const bytes = mail.subarray(start, end);
  const fields = headerFields(bytes);
  const bodyStart = start + headerLength(bytes);
  const content = parseParameters(fieldValue(fields, "content-type") ?? usual);
  const [, type, subtype] = /^([\w!#$&^.+-]+)\/([\w!#$&^.+-]+)$/.exec(content.value) ??
    ["", ...usual.split("/")] as [string, string, string];
  const { parameters } = content;
  const part: MimePart = {
    ...{ start, bodyStart, end, fields, parameters, parts: [] },
    ...{ type: type!.toLowerCase(), subtype: subtype!.toLowerCase() },
  };
  if (depth === DEEPEST || budget.parts <= 0) return part;
  const boundary = parameters.get("boundary");
  if (part.type === "multipart" && boundary) {
    const inside = part.subtype === "digest" ? "message/rfc822" : "text/plain";
    for (const [from, to] of between(mail, bodyStart, end, boundary)) {
      if (budget.parts <= 0) break;
      part.parts.push(parse(mail, from, to, inside, depth + 1, budget));
    }
  } else if (part.type === "message" && part.subtype === "rfc822") {
    part.message = parse(mail, bodyStart, end, "text/plain", depth + 1, budget);
  }
  return part;
}

/** Where the parts stand between the lines `--boundary`; the line end before such a line belongs to it. */
function* between(mail: Uint8Array, start: number, end: number, boundary: string) {
  const mark = new TextEncoder().encode(`--${boundary}`);
  let from: number | undefined;
  for (let line = start; line < end;) {
    const next = Math.min(end, mail.indexOf(10, line) + 1 || end);
    if (mark.every((byte, at) => mail[line + at] === byte) && line + mark.length <= next) {
      const rest = decoder.decode(
        mail.subarray(line + mark.length, Math.min(next, line + mark.length + 80)),
      );
      if (/^(--)?[ \t]*\r?\n?$/.test(rest)) {
        if (from !== undefined) yield [from, Math.max(from, beforeLineEnd(mail, line))] as const;
        from = rest.startsWith("--") ? undefined : next;
        if (from === undefined) return;
      }
    }
    line = next;
  }
  // the last boundary is missing: what is there is a part all the same
  if (from !== undefined) yield [from, end] as const;
}

function beforeLineEnd(mail: Uint8Array, at: number): number {
  if (mail[at - 1] !== 10) return at;
  return mail[at - 2] === 13 ? at - 2 : at - 1;
}

/** The value of a field and its parameters: `text/plain; charset=utf-8`. */
export function parseParameters(text: string): { value: string; parameters: Map<string, string> } {
  const plain = withoutComments(text.slice(0, 16_384));
  const parameters = new Map<string, string>();
  const pattern = /;\s*([\w!#$&^.+*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))/g;
  for (const [, name, quoted, token] of plain.matchAll(pattern)) {
    const value = quoted?.replace(/\\(.)/g, "$1") ?? token!;
    if (!parameters.has(name!.toLowerCase())) parameters.set(name!.toLowerCase(), value);
  }
  return { value: plain.split(";")[0]!.trim(), parameters };
}

/** Comments may stand in comments, but not in quotes. By hand: a pattern would look for the end of each anew. */
function withoutComments(text: string): string {
  let plain = "", depth = 0, quoted = false;
  for (let at = 0; at < text.length; at++) {
    const each = text[at]!;
    const written = each === "\\" ? text.slice(at, ++at + 1) : each;
    if (each === '"' && depth === 0) quoted = !quoted;
    if (each === "(" && !quoted && depth++ === 0) plain += " ";
    if (depth === 0) plain += written;
    else if (each === ")") depth--;
  }
  return plain;
}

/** The part with these numbers; a mail that is no multipart is its own part 1. */
export function partAt(whole: MimePart, numbers: number[]): MimePart | undefined {
  let part: MimePart | undefined = whole;
  for (const [depth, number] of numbers.entries()) {
    // the parts of a mail in a mail are counted as its own
    const holder: MimePart = depth > 0 && part.message ? part.message : part;
    if (holder.parts.length > 0) part = holder.parts[number - 1];
    else part = number === 1 && (depth === 0 || holder !== part) ? holder : undefined;
    if (!part) return undefined;
  }
  return part;
}
