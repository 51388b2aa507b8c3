/**
 * A folder as a tree of mailboxes for IMAP: its own mails are INBOX, each folder in it is a mailbox of its name.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc3501#section-6.3.8 RFC 3501, 6.3.8}: LIST
 * @module
 */

import { attempt } from "./errors.ts";
import { Mailbox } from "./imap_mailbox.ts";

const MOST = 1_000;

/**
 * The mailboxes of a folder. No name of a client's becomes a path: only what the folder lists is opened.
 *
 * @example
 * ```ts
 * import { Mailboxes } from "./imap_mailboxes.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = Deno.makeTempDirSync();
 * Deno.mkdirSync(`${folder}/Entwürfe`);
 * const mailboxes = new Mailboxes(folder);
 * assertEquals(await mailboxes.list("*"), ["INBOX", "Entwürfe"]);
 * assertEquals(await mailboxes.list("E%"), ["Entwürfe"]);
 * assertEquals(await mailboxes.open("../etc"), undefined);
 * Deno.removeSync(folder, { recursive: true });
 * ```
 */
export class Mailboxes {
  readonly #folder: string;
  /** Kept, since who opens a mailbox again is to find the same UIDs. */
  readonly #open = new Map<string, Promise<Mailbox>>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The names that fit a pattern: `*` stands for anything, and so does `%`, since none has another below it. */
  async list(pattern: string): Promise<string[]> {
    const names = await attempt(`list the folders in ${this.#folder}`, async () => {
      const names: string[] = [];
      for await (const { name, isDirectory } of Deno.readDir(this.#folder)) {
        const usable = isDirectory && !name.startsWith(".") && name.isWellFormed();
        if (usable && name.toUpperCase() !== "INBOX" && names.length < MOST) names.push(name);
      }
      return names.sort();
    });
    return ["INBOX", ...names].filter((name) =>
      fits(name === "INBOX" ? pattern.toUpperCase() : pattern, name)
    );
  }

  /** The mailbox of a name, `INBOX` in whichever case, with what is new in it; `undefined` when there is none. */
  async open(name: string): Promise<Mailbox | undefined> {
    const inbox = name.toUpperCase() === "INBOX";
    if (!inbox && !(await this.list("*")).includes(name)) return undefined;
    const key = inbox ? "INBOX" : name;
    let opening = this.#open.get(key);
    if (!opening) {
      opening = Mailbox.open(inbox ? this.#folder : `${this.#folder}/${name}`);
      this.#open.set(key, opening);
      // what did not work once may work later
      opening.catch(() => this.#open.delete(key));
    }
    const mailbox = await opening;
    await mailbox.refresh();
    return mailbox;
  }
}

/** Without a regular expression: one made of a client's pattern could be made to take for ever. */
function fits(pattern: string, name: string): boolean {
  const parts = pattern.split(/[*%]+/);
  if (parts.length === 1) return pattern === name;
  const [first, last] = [parts[0]!, parts.at(-1)!];
  if (name.length < first.length + last.length) return false;
  if (!name.startsWith(first) || !name.endsWith(last)) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= name.length - last.length;
}
