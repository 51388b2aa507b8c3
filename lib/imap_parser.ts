/**
 * The values that lines of IMAP are made of: atoms, strings in quotes or as literals, and lists.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc3501#section-9 RFC 3501, 9}: the grammar
 * @module
 */

import { type ImapLine, ImapSyntaxError } from "./imap_line.ts";

/** An atom or number is a text, a string is bytes, a list an array. `NIL` is an atom: {@linkcode isNil}. */
export type ImapValue = string | Uint8Array | ImapValue[];

/** How deep lists may stand in each other. */
const DEEPEST = 50;

/** What FETCH names with a section; BINARY is of RFC 3516. */
const WITH_SECTION = /^(?:BODY|BODY\.PEEK|BINARY|BINARY\.PEEK|BINARY\.SIZE)$/i;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

const SPACE = 0x20, QUOTE = 0x22, BACKSLASH = 0x5c, OPEN = 0x28, CLOSE = 0x29;
const OPEN_SQUARE = 0x5b, CLOSE_SQUARE = 0x5d, BRACE = 0x7b, DELETE = 0x7f;

/**
 * Reads a line value by value.
 *
 * @example
 * ```ts
 * import { ImapParser } from "./imap_parser.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const encode = (text: string) => new TextEncoder().encode(text);
 * const parser = new ImapParser([encode('* LIST (\\Noselect) "/" '), encode("a b"), encode("")]);
 * assertEquals(parser.atom(), "*");
 * assertEquals(parser.values(), ["LIST", ["\\Noselect"], encode("/"), encode("a b")]);
 * ```
 */
export class ImapParser {
  readonly #line: ImapLine;
  readonly #strict: boolean;
  /** Which part of the line, and where in it. Parts with odd numbers are literals. */
  #part = 0;
  #at = 0;

  /**
   * @param options.strict refuses a backslash in quotes before anything but a quote or another backslash: not all
   *   servers double those that stand in a mail, but who writes a client is to hear of it
   */
  constructor(line: ImapLine, { strict = false }: { strict?: boolean } = {}) {
    this.#line = line;
    this.#strict = strict;
  }

  /** Whether nothing is left. */
  get ended(): boolean {
    return this.#part === this.#line.length - 1 && this.#at >= this.#text.length;
  }

  /**
   * An atom, as a tag or a command's name is one, and the spaces behind it.
   *
   * @throws {ImapSyntaxError} when something else stands there
   */
  atom(): string {
    const value = this.value();
    if (typeof value !== "string") throw new ImapSyntaxError("a word is missing");
    this.#skipSpaces();
    return value;
  }

  /** All values that are left. */
  values(): ImapValue[] {
    const values: ImapValue[] = [];
    this.#skipSpaces();
    while (!this.ended) {
      values.push(this.value());
      if (!this.ended && !this.#skipSpaces()) throw new ImapSyntaxError("a space is missing");
    }
    return values;
  }

  /** What is left of the text, as it is; for what a person is to read. */
  rest(): string {
    const text = decode(this.#text.subarray(this.#at));
    this.#at = this.#text.length;
    return text;
  }

  /** The next value. */
  value(depth = 0): ImapValue {
    if (this.#atLiteral) {
      this.#part += 2;
      this.#at = 0;
      return this.#line[this.#part - 1]!;
    }
    const byte = this.#text[this.#at];
    if (byte === QUOTE) return this.#quoted();
    if (byte === OPEN) return this.#list(depth);
    return this.#atom(depth);
  }

  get #text(): Uint8Array {
    return this.#line[this.#part]!;
  }

  get #atLiteral(): boolean {
    return this.#at === this.#text.length && this.#part + 1 < this.#line.length;
  }

  #skipSpaces(): boolean {
    const from = this.#at;
    while (this.#text[this.#at] === SPACE) this.#at++;
    return this.#at > from;
  }

  #list(depth: number): ImapValue[] {
    if (depth === DEEPEST) throw new ImapSyntaxError(`more than ${DEEPEST} lists in each other`);
    this.#at++;
    const values: ImapValue[] = [];
    for (;;) {
      this.#skipSpaces();
      if (this.#text[this.#at] === CLOSE) {
        this.#at++;
        return values;
      }
      if (this.ended) throw new ImapSyntaxError("a list has no end");
      // lists of addresses follow each other without a space
      values.push(this.value(depth + 1));
    }
  }

  #quoted(): Uint8Array {
    const text = this.#text;
    const bytes: number[] = [];
    for (let at = this.#at + 1; at < text.length; at++) {
      if (text[at] === QUOTE) {
        this.#at = at + 1;
        return Uint8Array.from(bytes);
      }
      if (text[at] === BACKSLASH && at + 1 < text.length) {
        at++;
        if (this.#strict && text[at] !== QUOTE && text[at] !== BACKSLASH) {
          throw new ImapSyntaxError("only a quote or a backslash may stand behind a backslash");
        }
      }
      bytes.push(text[at]!);
    }
    throw new ImapSyntaxError("a quoted string has no end");
  }

  /**
   * A section, as in `BODY[HEADER.FIELDS (FROM "To")]<0>`, belongs to the atom. Anywhere else, as in the name of a
   * mailbox, a bracket is a character like others.
   */
  #atom(depth: number): string {
    const start = this.#at;
    const text = this.#text;
    for (; this.#at < text.length; this.#at++) {
      const byte = text[this.#at]!;
      if (byte === OPEN_SQUARE) {
        const name = decode(text.subarray(start, this.#at));
        if (WITH_SECTION.test(name)) return this.#section(name, depth);
      }
      if (byte <= SPACE || byte === DELETE) break;
      if (byte === QUOTE || byte === OPEN || byte === CLOSE || byte === BRACE) break;
    }
    if (this.#at === start) throw new ImapSyntaxError("a value is missing");
    return decode(text.subarray(start, this.#at));
  }

  #section(name: string, depth: number): string {
    this.#at++;
    const words: string[] = [];
    for (;;) {
      this.#skipSpaces();
      if (this.#text[this.#at] === CLOSE_SQUARE) break;
      if (this.ended) throw new ImapSyntaxError("a section has no end");
      words.push(this.#sectionWord(depth));
    }
    this.#at++;
    const section = `${name}[${words.join(" ")}]`;
    const partial = /^<[\d.]{1,40}>/.exec(decode(this.#text.subarray(this.#at, this.#at + 42)));
    if (!partial) return section;
    this.#at += partial[0].length;
    return section + partial[0];
  }

  /** Its lists count among those that it stands in: a section may hold a list that holds a section. */
  #sectionWord(depth: number): string {
    const byte = this.#text[this.#at];
    if (byte === OPEN || byte === QUOTE || this.#atLiteral) return written(this.value(depth));
    const start = this.#at;
    while (this.#at < this.#text.length && ![SPACE, CLOSE_SQUARE].includes(this.#text[this.#at]!)) {
      this.#at++;
    }
    return decode(this.#text.subarray(start, this.#at));
  }
}

/** Names of fields in a section: the same whether they came as atoms or as strings. */
function written(value: ImapValue): string {
  return Array.isArray(value) ? `(${value.map(written).join(" ")})` : textOf(value);
}

/** Whether a value is `NIL`: there is none. */
export function isNil(value: ImapValue | undefined): boolean {
  return typeof value === "string" && /^NIL$/i.test(value);
}

/**
 * An atom or string as text, UTF-8; bytes that are not become U+FFFD.
 *
 * @throws {ImapSyntaxError} for a list, or when there is none
 */
export function textOf(value: ImapValue | undefined): string {
  if (value === undefined || Array.isArray(value)) throw new ImapSyntaxError("a text is missing");
  return typeof value === "string" ? value : decode(value);
}

/** A whole number from 0 to 2⁵³, or `undefined` when it is none. */
export function numberOf(value: ImapValue | undefined): number | undefined {
  const number = typeof value === "string" && /^\d{1,16}$/.test(value) ? Number(value) : NaN;
  return Number.isSafeInteger(number) ? number : undefined;
}

function decode(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
