/**
 * What an FTP server tells about its files: `LIST` for people, in the form of `ls -l`, and `MLSD` for
 * programs.
 *
 * @module
 */

import { PathRefused, realPathInside } from "./ftp_path.ts";

/** A file or folder of the server. */
export interface Entry {
  name: string;
  isDirectory: boolean;
  /** In bytes. */
  size: number;
  modified: Date;
}

const MOST = 10_000;
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const HALF_A_YEAR = 182 * 24 * 60 * 60 * 1000;

const two = (number: number) => String(number).padStart(2, "0");

/** One thing inside the root; devices, pipes and sockets are refused: to open one could wait for ever. */
export async function entryOf(root: string, path: string): Promise<Entry & { real: string }> {
  const real = await realPathInside(root, path);
  const { isFile, isDirectory, size, mtime } = await Deno.stat(real).catch(() => {
    throw new PathRefused("there is no such file or folder");
  });
  if (!isFile && !isDirectory) throw new PathRefused("it is no plain file");
  const name = path === "/" ? "/" : path.slice(path.lastIndexOf("/") + 1);
  return { name, isDirectory, size, modified: mtime ?? new Date(0), real };
}

/**
 * What is in a folder, or the file itself, by name; at most 10,000 of them. Left out is what leads out of
 * the root, what is neither file nor folder, and names with a line end, which would forge a line.
 *
 * @throws {PathRefused} as {@linkcode entryOf}
 */
export async function entriesOf(root: string, path: string): Promise<Entry[]> {
  const whole = await entryOf(root, path);
  if (!whole.isDirectory) return [whole];
  const entries: Entry[] = [];
  for await (const { name } of readFolder(whole.real)) {
    if (/[\r\n]/.test(name)) continue;
    if (entries.length === MOST) break;
    try {
      entries.push(await entryOf(root, path === "/" ? `/${name}` : `${path}/${name}`));
    } catch (error) {
      if (!(error instanceof PathRefused)) throw error;
    }
  }
  return entries.sort((one, other) => one.name < other.name ? -1 : 1);
}

async function* readFolder(real: string): AsyncGenerator<Deno.DirEntry> {
  try {
    yield* Deno.readDir(real);
  } catch (error) {
    // a folder that this process may not read
    if (error instanceof Deno.errors.PermissionDenied) throw new PathRefused("it cannot be read");
    throw error;
  }
}

/** A moment as FTP writes it, in UTC ({@link https://www.rfc-editor.org/rfc/rfc3659#section-2.3 RFC 3659, 2.3}). */
export function timestamp(date: Date): string {
  return date.toISOString().replace(/\D/g, "").slice(0, 14);
}

/**
 * A line of `LIST`. No standard says how it looks; clients expect that of `ls -l`, with the year in place of
 * the time when the file is old.
 *
 * @param now today, unless told
 *
 * @example
 * ```ts
 * import { listLine } from "./ftp_list.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const modified = new Date("2024-06-11T08:05:00Z");
 * assertEquals(
 *   listLine({ name: "notes.txt", isDirectory: false, size: 18, modified }, modified),
 *   "-r--r--r--   1 ftp      ftp                18 Jun 11 08:05 notes.txt",
 * );
 * ```
 */
export function listLine(entry: Entry, now: Date = new Date()): string {
  const { name, isDirectory, size, modified } = entry;
  const age = now.getTime() - modified.getTime();
  const recent = age > -24 * 60 * 60 * 1000 && age < HALF_A_YEAR;
  const time = recent
    ? `${two(modified.getUTCHours())}:${two(modified.getUTCMinutes())}`
    : ` ${modified.getUTCFullYear()}`;
  const day = `${MONTHS[modified.getUTCMonth()]} ${two(modified.getUTCDate())} ${time}`;
  const mode = isDirectory ? "dr-xr-xr-x" : "-r--r--r--";
  return `${mode}   1 ftp      ftp      ${String(size).padStart(12)} ${day} ${name}`;
}

/** The facts that {@linkcode factsLine} can tell. */
export const FACTS: readonly string[] = ["type", "size", "modify"];

/**
 * A line of `MLSD` and `MLST`: facts that a program can rely on, then a space and the name
 * ({@link https://www.rfc-editor.org/rfc/rfc3659#section-7 RFC 3659, 7}). A folder has no size.
 *
 * @param facts which the client wants, of {@linkcode FACTS}
 *
 * @example
 * ```ts
 * import { factsLine } from "./ftp_list.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const entry = { name: "notes.txt", isDirectory: false, size: 18, modified: new Date(0) };
 * assertEquals(factsLine(entry), "type=file;size=18;modify=19700101000000; notes.txt");
 * assertEquals(factsLine(entry, ["size"]), "size=18; notes.txt");
 * ```
 */
export function factsLine(entry: Entry, facts: readonly string[] = FACTS): string {
  const values: Record<string, string> = {
    type: entry.isDirectory ? "dir" : "file",
    ...(!entry.isDirectory && { size: String(entry.size) }),
    modify: timestamp(entry.modified),
  };
  const told = facts.filter((fact) => Object.hasOwn(values, fact));
  return `${told.map((fact) => `${fact}=${values[fact]};`).join("")} ${entry.name}`;
}
