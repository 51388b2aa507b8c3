/**
 * What a POP3 server shows of a folder of mails: numbers that hold for one session, marks for deletion that
 * count only when it ends well, and a lock, so that one session at a time has all that to itself.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc1939#section-4 RFC 1939, 4}: the lock, 6: deletion
 * @module
 */

import { attempt } from "./errors.ts";
import { closeLocked } from "./file_lock.ts";
import { listMails, readMail, type StoredMail } from "./mail_folder.ts";
import { withLineEnds } from "./mail_lines.ts";

/** A mail of one session. */
export interface DroppedMail {
  /** 1 for the first; the others keep theirs when one is deleted. */
  number: number;
  /** Its size in bytes as it goes over the wire, but for added dots. */
  size: number;
  /** Its name for all sessions: printable, at most 70 characters. */
  unique: string;
  /** Whether it is to be deleted in the end. */
  marked: boolean;
}

/** A folder that is served. */
export class Mailbox {
  readonly #sizes = new Map<string, { facts: string; size: number }>();

  constructor(readonly folder: string) {}

  /**
   * Opens it for one session; the folder is made when it is missing.
   *
   * Other programs are kept out, too, if they take the same lock; programs that only add mails need none.
   *
   * @returns `undefined` when another session has it
   * @throws {ActionError} when the folder cannot be used
   *
   * @example
   * ```ts
   * import { Mailbox } from "./pop3_maildrop.ts";
   * import { saveMail } from "./mail_folder.ts";
   * import { assertEquals } from "@std/assert";
   *
   * const folder = Deno.makeTempDirSync();
   * await saveMail(folder, new TextEncoder().encode("Subject: hello\r\n\r\nhello\r\n"));
   * const mailbox = new Mailbox(folder);
   * {
   *   using drop = (await mailbox.open())!;
   *   assertEquals(await mailbox.open(), undefined);
   *   drop.mark(1);
   *   assertEquals([drop.there.length, await drop.update()], [0, 0]);
   * }
   * using next = (await mailbox.open())!;
   * assertEquals(next.find(1), undefined);
   * next[Symbol.dispose]();
   * Deno.removeSync(folder, { recursive: true });
   * ```
   */
  async open(): Promise<Maildrop | undefined> {
    const { folder } = this;
    await attempt(
      `make the folder ${folder}`,
      () => Deno.mkdir(folder, { recursive: true, mode: 0o700 }),
    );
    const path = `${folder}/.pop3.lock`;
    const lock = await attempt(
      `open ${path}`,
      () => Deno.open(path, { read: true, write: true, create: true, mode: 0o600 }),
    );
    try {
      // the system gives it back when the process ends, however it ends
      if (!await lock.tryLock(true)) {
        lock.close();
        return undefined;
      }
      const stored = await listMails(folder);
      const mails: DroppedMail[] = [];
      for (const each of stored) {
        mails.push({
          number: mails.length + 1,
          size: await this.#sizeOf(each),
          unique: await uniqueName(each.name),
          marked: false,
        });
      }
      this.#forgetAllBut(stored);
      return new Maildrop(lock, stored, mails);
    } catch (error) {
      closeLocked(lock);
      throw error;
    }
  }

  /** A file is counted once: line ends of LF alone are sent as CR LF, and nobody sees that from outside. */
  async #sizeOf(mail: StoredMail): Promise<number> {
    const facts = `${mail.size} ${mail.modified.getTime()}`;
    const known = this.#sizes.get(mail.name);
    if (known?.facts === facts) return known.size;
    const size = withLineEnds(await readMail(mail)).length;
    this.#sizes.set(mail.name, { facts, size });
    return size;
  }

  #forgetAllBut(mails: StoredMail[]): void {
    const names = new Set(mails.map(({ name }) => name));
    for (const name of this.#sizes.keys()) if (!names.has(name)) this.#sizes.delete(name);
  }
}

/** The mails that were there when a session began; what comes later is for the next one. */
export class Maildrop implements Disposable {
  readonly #lock: Deno.FsFile;
  readonly #stored: StoredMail[];
  readonly #mails: DroppedMail[];
  #open = true;

  constructor(lock: Deno.FsFile, stored: StoredMail[], mails: DroppedMail[]) {
    this.#lock = lock;
    this.#stored = stored;
    this.#mails = mails;
  }

  /** Those that are not marked. */
  get there(): DroppedMail[] {
    return this.#mails.filter(({ marked }) => !marked);
  }

  /** The mail with a number, unless it is marked. */
  find(number: number): DroppedMail | undefined {
    const mail = this.#mails[number - 1];
    return mail?.marked ? undefined : mail;
  }

  /** Its bytes, with CR LF at the end of each line. */
  async read(number: number): Promise<Uint8Array<ArrayBuffer>> {
    return withLineEnds(await readMail(this.#stored[number - 1]!));
  }

  /** To be deleted in the end. */
  mark(number: number): void {
    this.#mails[number - 1]!.marked = true;
  }

  /** Nothing is to be deleted. */
  unmark(): void {
    for (const mail of this.#mails) mail.marked = false;
  }

  /** The session ends well: deletes what is marked. Gives how many of these could not be deleted. */
  async update(): Promise<number> {
    let failed = 0;
    for (const { number } of this.#mails.filter(({ marked }) => marked)) {
      await Deno.remove(this.#stored[number - 1]!.path).catch((error) => {
        if (!(error instanceof Deno.errors.NotFound)) failed++;
      });
    }
    return failed;
  }

  /** Gives the lock back. Nothing is deleted. */
  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    closeLocked(this.#lock);
  }
}

/** The name of the file says it all, unless somebody has put one there with a name that cannot be said. */
async function uniqueName(name: string): Promise<string> {
  const stem = name.replace(/\.eml$/, "");
  if (/^[\x21-\x7e]{1,63}$/.test(stem)) return stem;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(name));
  return new Uint8Array(digest).toHex();
}
