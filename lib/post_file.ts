/**
 * The file of a blog's posts, `posts.jsonl`: JSON lines, the first with the next number, each further one a post.
 *
 * @module
 */

import { ActionError, attempt } from "./errors.ts";
import { PartFile } from "./part_file.ts";
import { syncFolder } from "./spool_folder.ts";

/** A post. */
export interface Post {
  id: number;
  post_text: string;
  /** When it was written, and when last changed: ISO 8601, UTC. */
  created: string;
  updated: string;
}

/** What a file of posts has in it. */
export interface KeptPosts {
  posts: ReadonlyMap<number, Post>;
  /** The number for the next post. */
  next: number;
}

const LONGEST_FILE = 256 * 1024 * 1024;

const pathOf = (folder: string) => `${folder}/posts.jsonl`;

/**
 * Writes the file anew: beside the old one, synced and renamed, so there is always one or the other.
 *
 * @throws {ActionError} when it cannot be written; the old one is there then
 *
 * @example
 * ```ts
 * import { readPosts, writePosts } from "./post_file.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * const post = { id: 1, post_text: "hello", created: "2026-11-25", updated: "2026-11-25" };
 * await writePosts(folder, { posts: new Map([[1, post]]), next: 2 });
 * assertEquals((await readPosts(folder)).posts.get(1), post);
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function writePosts(folder: string, { posts, next }: KeptPosts): Promise<void> {
  const path = pathOf(folder);
  const lines = [{ next }, ...posts.values()].map((each) => `${JSON.stringify(each)}\n`);
  await attempt(`write ${path}`, async () => {
    using part = await PartFile.open(path);
    await part.write(new TextEncoder().encode(lines.join("")));
    await part.finish();
    await syncFolder(folder);
  }, { timeout: 60_000 });
}

/**
 * Reads the file of a folder; nothing is kept where there is none.
 *
 * @throws {ActionError} that names the line which is no post
 */
export async function readPosts(folder: string): Promise<KeptPosts> {
  const path = pathOf(folder);
  const posts = new Map<number, Post>();
  try {
    if ((await Deno.stat(path)).size > LONGEST_FILE) throw new Error("it is too long");
    const [first = "", ...lines] = (await Deno.readTextFile(path)).trimEnd().split("\n");
    const { next } = parsed(first, 1) as { next: unknown };
    if (!Number.isSafeInteger(next)) throw new Error("line 1 does not have the next number");
    for (const [index, line] of lines.entries()) {
      const post = parsed(line, index + 2);
      if (!isPost(post)) throw new Error(`line ${index + 2} is no post`);
      posts.set(post.id, post);
    }
    return { posts, next: Math.max(next as number, ...[...posts.keys()].map((id) => id + 1)) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { posts, next: 1 };
    throw new ActionError(`read ${path}`, error);
  }
}

function parsed(line: string, number: number): object {
  try {
    const value = JSON.parse(line);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // said below
  }
  throw new Error(`line ${number} is no JSON object`);
}

function isPost(value: object): value is Post {
  const { id, post_text, created, updated } = value as Record<string, unknown>;
  const texts = [post_text, created, updated].every((text) => typeof text === "string");
  return texts && Number.isSafeInteger(id) && (id as number) > 0;
}
