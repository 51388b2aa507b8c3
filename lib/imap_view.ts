/**
 * A mailbox as one client sees it. The client counts mails from 1; a number changes its mail only when the client
 * is told, however many have come and gone meanwhile.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc3501#section-2.3.1.2 RFC 3501, 2.3.1.2}
 * @module
 */

import { fetchReply, parseFetchItems } from "./imap_fetch.ts";
import { ImapSyntaxError } from "./imap_line.ts";
import type { ImapMessage, Mailbox } from "./imap_mailbox.ts";
import { type ImapValue, textOf } from "./imap_parser.ts";
import { parseSearch } from "./imap_search.ts";
import { inSequence, parseNumbers, parseSequence } from "./imap_sequence.ts";
import type { Pieces } from "./imap_string.ts";

/**
 * What a client that has opened a mailbox can do with it.
 *
 * @example
 * ```ts
 * import { Mailbox } from "./imap_mailbox.ts";
 * import { View } from "./imap_view.ts";
 * import { saveMail } from "./mail_folder.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = Deno.makeTempDirSync();
 * const view = new View(await Mailbox.open(folder));
 * await saveMail(folder, new TextEncoder().encode("Subject: one\r\n\r\n"));
 * assertEquals([view.length, await view.news(), view.length], [0, ["1 EXISTS"], 1]);
 * assertEquals(await view.search(["SUBJECT", "one"], false), [1]);
 * Deno.removeSync(folder, { recursive: true });
 * ```
 */
export class View {
  readonly mailbox: Mailbox;
  #messages: readonly ImapMessage[];

  constructor(mailbox: Mailbox) {
    this.mailbox = mailbox;
    this.#messages = mailbox.messages;
  }

  /** How many mails there are, as far as the client knows. */
  get length(): number {
    return this.#messages.length;
  }

  /** What has come and gone since, to be told to the client; from then on the numbers are new. */
  async news(): Promise<string[]> {
    await this.mailbox.refresh();
    const there = new Set(this.mailbox.messages);
    // the last goes first: so the numbers before it stay
    const gone = this.#messages.map((message, index) => there.has(message) ? 0 : index + 1)
      .filter((number) => number > 0).reverse();
    const left = this.#messages.length - gone.length;
    this.#messages = this.mailbox.messages;
    const news = gone.map((number) => `${number} EXPUNGE`);
    return this.length > left ? [...news, `${this.length} EXISTS`] : news;
  }

  /**
   * The replies to FETCH one after another; `undefined` for a mail whose file has gone.
   *
   * @param args the numbers, and what is asked of these mails
   * @param byUid whether the numbers are UIDs, and UIDs are to be told
   * @throws {ImapSyntaxError} when they cannot be understood
   */
  async *fetch(args: ImapValue[], byUid: boolean): AsyncGenerator<Pieces | undefined> {
    const [set, what, ...more] = args;
    if (more.length > 0) throw new ImapSyntaxError("several items stand in parentheses");
    const items = parseFetchItems(what);
    if (byUid && !items.some(({ name }) => name === "UID")) {
      items.unshift(...parseFetchItems("UID"));
    }
    for (const { message, number } of this.#chosen(set, byUid)) {
      yield await unlessGone(() => fetchReply(number, message, this.mailbox, items));
    }
  }

  /** The numbers, or UIDs, of the mails that fit; throws as {@linkcode View.fetch}. */
  async search(keys: ImapValue[], byUid: boolean): Promise<number[]> {
    const fits = parseSearch(keys, { number: this.length, uid: this.#lastUid });
    const found: number[] = [];
    for (const [index, message] of this.#messages.entries()) {
      let reading: Promise<Uint8Array> | undefined;
      const content = () => reading ??= this.mailbox.content(message);
      const candidate = { number: index + 1, message, mailbox: this.mailbox, content };
      if (await unlessGone(async () => await fits(candidate))) {
        found.push(byUid ? message.uid : index + 1);
      }
    }
    return found;
  }

  get #lastUid(): number {
    return this.#messages.at(-1)?.uid ?? 0;
  }

  #chosen(set: ImapValue | undefined, byUid: boolean) {
    const text = textOf(set);
    const ranges = byUid ? parseSequence(text, this.#lastUid) : parseNumbers(text, this.length);
    return this.#messages.map((message, index) => ({ message, number: index + 1 }))
      .filter(({ message, number }) => inSequence(ranges, byUid ? message.uid : number));
  }
}

async function unlessGone<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if ((error as Error).cause instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
