/**
 * A folder of mails: one file each, named so that the order of the names is the order of arrival.
 *
 * @module
 */

import { attempt } from "./errors.ts";

/** A mail in a folder. */
export interface StoredMail {
  /** The file's name: `20261122T013000.123Z-000001-1f0c9a3e.eml`. */
  name: string;
  path: string;
  /** Bytes. */
  size: number;
  modified: Date;
}

/** Limits of {@linkcode listMails}. */
export interface ListOptions {
  /** The most mails; the first of them are given. 10,000 unless told. */
  count?: number;
  /** Files with more bytes are left out; 64 MiB unless told. */
  size?: number;
}

const MiB = 1024 * 1024;
let arrived = 0;
/** The latest time in a name: a clock that is set back does not change the order. */
let latest = 0;

/**
 * Puts a mail into a folder, which is made when it is missing. When this returns, the mail is on the disk
 * (fsync): who says so to the sender, takes the responsibility for it. It is there whole or not at all:
 * it is written under a hidden name that ends in `.part`, and renamed.
 *
 * Needs leave to read and write the folder.
 *
 * @param mail its bytes, or pieces of them in their order
 * @throws {ActionError} when it cannot be written: no room left, no permission
 *
 * @example
 * ```ts
 * import { listMails, readMail, saveMail } from "./mail_folder.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = Deno.makeTempDirSync();
 * const mail = new TextEncoder().encode("Subject: hello\r\n\r\nhello\r\n");
 * const { name } = await saveMail(folder, mail);
 * const [stored] = await listMails(folder);
 * assertEquals([stored!.name, stored!.size], [name, mail.length]);
 * assertEquals(await readMail(stored!), mail);
 * Deno.removeSync(folder, { recursive: true });
 * ```
 */
export async function saveMail(
  folder: string,
  mail: Uint8Array | readonly Uint8Array[],
): Promise<StoredMail> {
  const pieces = Array.isArray(mail) ? mail : [mail as Uint8Array];
  return await attempt(`store a mail in ${folder}`, async () => {
    await makeFolder(folder);
    const name = newName();
    const path = `${folder}/${name}`;
    const part = `${folder}/.${name}.part`;
    try {
      const size = await writeSafely(part, pieces);
      await Deno.rename(part, path);
      await syncFolder(folder);
      return { name, path, size, modified: new Date() };
    } catch (error) {
      await Deno.remove(part).catch(() => {});
      throw error;
    }
  }, { timeout: 60_000 });
}

/**
 * Makes the folder when it is missing, and looks whether it may be written to, so that this is known before the
 * first mail comes.
 *
 * @throws {ActionError} when there can be no such folder, or it must not be used
 */
export async function prepareMailFolder(folder: string): Promise<void> {
  await attempt(`use the mail folder ${folder}`, async () => {
    await makeFolder(folder);
    await syncFolder(folder);
  });
}

const makeFolder = (folder: string) => Deno.mkdir(folder, { recursive: true, mode: 0o700 });

function newName(): string {
  latest = Math.max(latest, Date.now());
  const time = new Date(latest).toISOString().replace(/[-:]/g, "");
  const number = String(++arrived).padStart(6, "0");
  // two servers may share a folder
  return `${time}-${number}-${crypto.randomUUID().slice(0, 8)}.eml`;
}

async function writeSafely(path: string, pieces: readonly Uint8Array[]): Promise<number> {
  // mail is private, and a link that somebody else has put there is not followed
  using file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  let size = 0;
  for (const piece of pieces) {
    for (let sent = 0; sent < piece.length;) sent += await file.write(piece.subarray(sent));
    size += piece.length;
  }
  await file.sync();
  return size;
}

/** The new name is safe, too, once the folder itself is on the disk; Windows does that by itself. */
async function syncFolder(folder: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  using opened = await Deno.open(folder);
  await opened.sync();
}

/**
 * The mails of a folder in the order of their names. Only files count: no links, nothing hidden, and names
 * that end in `.eml`.
 *
 * @throws {ActionError} when the folder is not there, or must not be read
 */
export async function listMails(folder: string, options: ListOptions = {}): Promise<StoredMail[]> {
  const { count = 10_000, size: most = 64 * MiB } = options;
  return await attempt(`list the mails in ${folder}`, async () => {
    const names: string[] = [];
    for await (const { name, isFile } of Deno.readDir(folder)) {
      if (isFile && name.endsWith(".eml") && !name.startsWith(".")) names.push(name);
    }
    const mails: StoredMail[] = [];
    for (const name of names.sort()) {
      if (mails.length === count) break;
      const path = `${folder}/${name}`;
      // it may have been deleted meanwhile
      const facts = await Deno.lstat(path).catch(goneIsUndefined);
      if (!facts?.isFile || facts.size > most) continue;
      mails.push({ name, path, size: facts.size, modified: facts.mtime ?? new Date(0) });
    }
    return mails;
  }, { timeout: 60_000 });
}

function goneIsUndefined(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

/** The bytes of a mail, at most as many as it had when it was listed. */
export async function readMail({ path, size }: StoredMail): Promise<Uint8Array<ArrayBuffer>> {
  return await attempt(`read ${path}`, async () => {
    using file = await Deno.open(path);
    const bytes = new Uint8Array(size);
    let length = 0;
    while (length < size) {
      const count = await file.read(bytes.subarray(length));
      if (count === null) break;
      length += count;
    }
    return bytes.subarray(0, length);
  }, { timeout: 60_000 });
}
