/**
 * SEARCH: which mails fit.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc3501#section-6.4.4 RFC 3501, 6.4.4}
 * @module
 */

import { decodeWords } from "./encoded_word.ts";
import { parseImapDate } from "./imap_fetch.ts";
import { ImapSyntaxError } from "./imap_line.ts";
import type { ImapMessage, Mailbox } from "./imap_mailbox.ts";
import { type ImapValue, numberOf, textOf } from "./imap_parser.ts";
import { inSequence, parseNumbers, parseSequence } from "./imap_sequence.ts";
import { type HeaderField, headerFields, headerLength } from "./mail_header.ts";

/** A mail that is looked at. What is read of it is read once, and only when a condition needs it. */
export interface Candidate {
  number: number;
  message: ImapMessage;
  mailbox: Mailbox;
  content: () => Promise<Uint8Array>;
}

/** A condition. */
export type Fits = (candidate: Candidate) => boolean | Promise<boolean>;

/** What `*` stands for in sets of numbers, of which none is higher, and of UIDs. */
export interface Last {
  number: number;
  uid: number;
}

const DAY = 86_400_000;
const DEEPEST = 50;

/** Every mail here is unseen, and none has any other mark. */
const MARKED = ["ANSWERED", "DELETED", "DRAFT", "FLAGGED", "NEW", "RECENT", "SEEN"];
const UNMARKED = ["ALL", "OLD", "UNANSWERED", "UNDELETED", "UNDRAFT", "UNFLAGGED", "UNSEEN"];

/**
 * Reads conditions, all of which have to hold.
 *
 * @throws {ImapSyntaxError} when one is not understood
 *
 * @example
 * ```ts
 * import { parseSearch } from "./imap_search.ts";
 *
 * const text = (text: string) => new TextEncoder().encode(text);
 * parseSearch(["UNSEEN", "SUBJECT", text("hello"), "NOT", "1:3"], { number: 9, uid: 12 });
 * ```
 */
export function parseSearch(values: ImapValue[], last: Last, depth = 0): Fits {
  if (values.length === 0) throw new ImapSyntaxError("SEARCH has no condition");
  const words = new Words(values, last, depth);
  const conditions: Fits[] = [];
  while (!words.ended) conditions.push(words.condition());
  return all(conditions);
}

function all(conditions: Fits[]): Fits {
  return async (candidate) => {
    for (const condition of conditions) if (!await condition(candidate)) return false;
    return true;
  };
}

class Words {
  #at = 0;

  constructor(
    readonly values: ImapValue[],
    readonly last: Last,
    readonly depth: number,
  ) {}

  get ended(): boolean {
    return this.#at === this.values.length;
  }

  condition(depth = this.depth): Fits {
    if (depth > DEEPEST) throw new ImapSyntaxError("SEARCH has too many conditions in each other");
    const value = this.values[this.#at++];
    if (Array.isArray(value)) return parseSearch(value, this.last, depth + 1);
    if (typeof value !== "string") throw new ImapSyntaxError("SEARCH lacks a condition");
    const key = value.toUpperCase();
    if (/^[\d*]/.test(key)) {
      const ranges = parseNumbers(key, this.last.number);
      return ({ number }) => inSequence(ranges, number);
    }
    if (UNMARKED.includes(key)) return () => true;
    if (MARKED.includes(key)) return () => false;
    const make = Object.hasOwn(CONDITIONS, key) ? CONDITIONS[key] : undefined;
    if (!make) throw new ImapSyntaxError(`SEARCH does not know ${key.slice(0, 40)}`);
    return make(this, depth);
  }

  text(): string {
    return textOf(this.values[this.#at++]);
  }

  number(): number {
    const number = numberOf(this.values[this.#at++]);
    if (number === undefined) throw new ImapSyntaxError("SEARCH lacks a number");
    return number;
  }
}

const CONDITIONS: Record<string, (words: Words, depth: number) => Fits> = {
  UID(words) {
    const ranges = parseSequence(words.text(), words.last.uid);
    return ({ message }) => inSequence(ranges, message.uid);
  },
  NOT(words, depth) {
    const condition = words.condition(depth + 1);
    return async (candidate) => !await condition(candidate);
  },
  OR(words, depth) {
    const [one, other] = [words.condition(depth + 1), words.condition(depth + 1)];
    return async (candidate) => await one(candidate) || await other(candidate);
  },
  KEYWORD: (words) => (words.text(), () => false),
  UNKEYWORD: (words) => (words.text(), () => true),
  LARGER: (words) => bySize(words.number(), (size, limit) => size > limit),
  SMALLER: (words) => bySize(words.number(), (size, limit) => size < limit),
  BEFORE: (words) => byArrival(words, (time, day) => time < day),
  ON: (words) => byArrival(words, (time, day) => time >= day && time < day + DAY),
  SINCE: (words) => byArrival(words, (time, day) => time >= day),
  SENTBEFORE: (words) => byDate(words, (time, day) => time < day),
  SENTON: (words) => byDate(words, (time, day) => time >= day && time < day + DAY),
  SENTSINCE: (words) => byDate(words, (time, day) => time >= day),
  HEADER: (words) => byField(words.text(), words.text()),
  TEXT(words) {
    const wanted = folded(words.text());
    return async ({ content }) => {
      const mail = await content();
      return inHeader(headerFields(mail), wanted) || inBody(mail, wanted);
    };
  },
  BODY(words) {
    const wanted = folded(words.text());
    return async ({ content }) => inBody(await content(), wanted);
  },
};
for (const name of ["BCC", "CC", "FROM", "SUBJECT", "TO"]) {
  CONDITIONS[name] = (words) => byField(name, words.text());
}

function bySize(limit: number, fits: (size: number, limit: number) => boolean): Fits {
  return async ({ mailbox, message }) => fits(await mailbox.size(message), limit);
}

function byArrival(words: Words, fits: (time: number, day: number) => boolean): Fits {
  const day = parseImapDate(words.text());
  return ({ message }) => fits(message.modified.getTime(), day);
}

/** By the day that the header names, whatever its time zone. */
function byDate(words: Words, fits: (time: number, day: number) => boolean): Fits {
  const day = parseImapDate(words.text());
  return async ({ content }) => {
    const date = headerFields(await content()).find(({ name }) => /^date$/i.test(name))?.value;
    const [, of, month, year] = /(\d{1,2}) ([A-Z][a-z]{2}) (\d{4})/.exec(date ?? "") ?? [];
    try {
      return year !== undefined && fits(parseImapDate(`${of}-${month}-${year}`), day);
    } catch {
      return false; // the mail's own date is none
    }
  };
}

function byField(name: string, text: string): Fits {
  const [wantedName, wanted] = [name.toLowerCase(), folded(text)];
  return async ({ content }) =>
    headerFields(await content()).some((field) =>
      field.name.toLowerCase() === wantedName && folded(decodeWords(field.value)).includes(wanted)
    );
}

function inHeader(fields: HeaderField[], wanted: string): boolean {
  return fields.some(({ name, value }) =>
    folded(`${name}: ${decodeWords(value)}`).includes(wanted)
  );
}

function inBody(mail: Uint8Array, wanted: string): boolean {
  return folded(new TextDecoder().decode(mail.subarray(headerLength(mail)))).includes(wanted);
}

/** Upper and lower case are the same. */
function folded(text: string): string {
  return text.toLowerCase();
}
