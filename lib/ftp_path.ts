/**
 * Paths of an FTP server. What a client calls `/` is one folder of the server, and there is no way out of it.
 *
 * @module
 */

/** A path that is not served. The reason names nothing that lies outside. */
export class PathRefused extends Error {
  override name = "PathRefused";
}

/**
 * Where a client's path leads, seen from the root: absolute, with no `.` and no `..` left. Above the root
 * there is nothing: `/..` is `/`, as in every Unix file system.
 *
 * @param current the working directory, itself such a path
 * @throws {PathRefused} for characters that no line and no file name can carry, and for more than 4,096 of them
 *
 * @example
 * ```ts
 * import { virtualPath } from "./ftp_path.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(virtualPath("/music", "../notes.txt"), "/notes.txt");
 * assertEquals(virtualPath("/", "../../etc/passwd"), "/etc/passwd");
 * ```
 */
export function virtualPath(current: string, path: string): string {
  if (/[\r\n\0]/.test(path)) throw new PathRefused("a path has no line end and no NUL");
  if (path.length > 4_096) throw new PathRefused("a path has at most 4096 characters");
  // Windows takes \ for / and C: for another root
  if (Deno.build.os === "windows" && /[\\:]/.test(path)) {
    throw new PathRefused("a path has no backslash and no colon");
  }
  const parts: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${current}/${path}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/**
 * The real place of a path: every symbolic link on the way is followed, and the end must lie inside the
 * root. Deno's `--allow-read=ROOT` alone does not see to that: it follows a link out of the folder.
 *
 * What is checked is what must be opened: the result, never the path that was asked for.
 *
 * @param root as `Deno.realPath` gives it
 * @param path as {@linkcode virtualPath} gives it
 * @throws {PathRefused} when it leads out of the root, is not there, or may not be read: a stranger is not
 *   told which
 *
 * @example
 * ```ts ignore
 * const root = await Deno.realPath("/srv/ftp");
 * await Deno.readTextFile(await realPathInside(root, virtualPath("/", "notes.txt")));
 * ```
 */
export async function realPathInside(root: string, path: string): Promise<string> {
  let real: string;
  try {
    real = await Deno.realPath(root + path);
  } catch {
    throw new PathRefused("there is no such file or folder");
  }
  const separator = Deno.build.os === "windows" ? "\\" : "/";
  const prefix = root.endsWith(separator) ? root : root + separator;
  if (real === root || real.startsWith(prefix)) return real;
  throw new PathRefused("there is no such file or folder");
}
