/**
 * A folder of mails as an IMAP mailbox, for reading.
 *
 * Each mail has a number that never becomes another's, its UID, as long as UIDVALIDITY stays the same. A plain
 * folder has no place for such numbers. So they are given anew at each start, 1, 2, 3 … in the order of the
 * files' names, and UIDVALIDITY is the time when the folder was last changed, in quarters of a second since 2020.
 * When nothing has come or gone between two starts, all UIDs are as before; when something has, clients are told
 * that none is. While the server runs, what comes gets the next number, and what goes leaves a gap.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc3501#section-2.3.1.1 RFC 3501, 2.3.1.1}
 * @module
 */

import { attempt } from "./errors.ts";
import { listMails, readMail, type StoredMail } from "./mail_folder.ts";
import { withLineEnds } from "./mail_lines.ts";

/** A mail with its number. */
export interface ImapMessage extends StoredMail {
  uid: number;
}

const SINCE = Date.UTC(2020);
const QUARTER = 250;

/**
 * The mails of a folder, with UIDs.
 *
 * @example
 * ```ts
 * import { Mailbox } from "./imap_mailbox.ts";
 * import { saveMail } from "./mail_folder.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = Deno.makeTempDirSync();
 * await saveMail(folder, new TextEncoder().encode("Subject: one\n\n"));
 * const mailbox = await Mailbox.open(folder);
 * assertEquals(mailbox.messages.map(({ uid }) => uid), [1]);
 * assertEquals(await mailbox.content(mailbox.messages[0]!), new TextEncoder().encode("Subject: one\r\n\r\n"));
 * Deno.removeSync(folder, { recursive: true });
 * ```
 */
export class Mailbox {
  /** In the order of their UIDs. */
  messages: readonly ImapMessage[] = [];
  uidValidity = 0;
  uidNext = 1;
  readonly #folder: string;
  readonly #sizes = new WeakMap<ImapMessage, number>();
  #looking: Promise<void> | undefined;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws {ActionError} when the folder cannot be read */
  static async open(folder: string): Promise<Mailbox> {
    const mailbox = new Mailbox(folder);
    await mailbox.refresh();
    return mailbox;
  }

  /** Looks what has come and gone; clients that ask at the same time share the answer. */
  async refresh(): Promise<void> {
    // one that has begun may have missed what came since
    await this.#looking?.catch(() => {});
    await (this.#looking ??= this.#look().finally(() => this.#looking = undefined));
  }

  async #look(): Promise<void> {
    const { mtime } = await attempt(`look at ${this.#folder}`, () => Deno.stat(this.#folder));
    const changed = mtime?.getTime() ?? 0;
    // whatever the folder's own time says: a file that is changed in place leaves it as it was
    const stored = await listMails(this.#folder);
    if (this.uidValidity === 0) {
      const times = stored.map(({ modified }) => modified.getTime());
      const last = times.reduce((one, other) => Math.max(one, other), changed);
      this.uidValidity = Math.max(1, Math.floor((last - SINCE) / QUARTER)) % 2 ** 32;
    }
    const known = new Map(this.messages.map((message) => [message.name, message]));
    const kept: ImapMessage[] = [], added: ImapMessage[] = [];
    for (const mail of stored) {
      const message = known.get(mail.name);
      if (message && same(message, mail)) kept.push(message);
      else added.push({ ...mail, uid: this.uidNext++ });
    }
    kept.sort((one, other) => one.uid - other.uid);
    this.messages = [...kept, ...added];
  }

  /**
   * The bytes of a mail as they go over the wire: each line ends in CR LF, whatever the file has, and in place of a
   * NUL, which no literal may hold (RFC 3501, 9: CHAR8), 0x80 stands, as with Dovecot. It is no character of UTF-8,
   * either, and sizes stay as they are.
   *
   * @throws {ActionError} when it cannot be read; the cause is a `NotFound` when it has gone, or was changed
   */
  async content(message: ImapMessage): Promise<Uint8Array> {
    const bytes = await readMail(message);
    await attempt(`read ${message.path}`, async () => {
      const { size, mtime } = await Deno.lstat(message.path);
      if (same(message, { size, modified: mtime ?? new Date(0) })) return;
      throw new Deno.errors.NotFound("it was changed: that mail has gone");
    });
    const content = hasBareLf(bytes) ? withLineEnds(bytes) : bytes;
    for (let at = content.indexOf(0); at >= 0; at = content.indexOf(0, at)) content[at] = 0x80;
    this.#sizes.set(message, content.length);
    return content;
  }

  /** How many bytes {@linkcode Mailbox.content} has. */
  async size(message: ImapMessage): Promise<number> {
    return this.#sizes.get(message) ?? (await this.content(message)).length;
  }
}

/** Another text under an old name is another mail. */
function same(one: Facts, other: Facts): boolean {
  return one.size === other.size && one.modified.getTime() === other.modified.getTime();
}

type Facts = Pick<StoredMail, "size" | "modified">;

function hasBareLf(bytes: Uint8Array): boolean {
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) {
    if (bytes[at - 1] !== 13) return true;
  }
  return false;
}
