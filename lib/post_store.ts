/**
 * The posts of a blog, in a file of JSON lines that is there whole whenever the process dies.
 *
 * @module
 */

import { ActionError, attempt } from "./errors.ts";
import { Problem } from "./http_problem.ts";
import { PartFile } from "./part_file.ts";
import { lockFolder, syncFolder } from "./spool_folder.ts";

/** A post. */
export interface Post {
  id: number;
  post_text: string;
  /** When it was written, and when last changed: ISO 8601, UTC. */
  created: string;
  updated: string;
}

/** Limits of {@linkcode PostStore.open}. */
export interface PostStoreOptions {
  /** The most posts; 1,000 unless told. */
  limit?: number;
}

/** Decides what becomes of a post, when it is its turn; what it throws leaves the post as it is. */
type Decision = (post: Post | undefined) => Promise<Post | undefined> | Post | undefined;

interface Job {
  id: number | undefined;
  decide: Decision;
  resolve: (post: Post | undefined) => void;
  reject: (error: unknown) => void;
}

const LONGEST_FILE = 256 * 1024 * 1024;

/**
 * Keeps posts in `posts.jsonl` of a folder that it has for itself. A change is done when the new file is on the
 * disk under its name: it is written beside the old one, synced and renamed, so there is always one or the
 * other. Changes that come meanwhile are written together with the next file.
 *
 * @example
 * ```ts
 * import { PostStore } from "./post_store.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = `${await Deno.makeTempDir()}/posts`;
 * {
 *   using posts = await PostStore.open(folder);
 *   await posts.add("hello");
 *   await posts.change(1, (post) => ({ ...post!, post_text: "good-bye" }));
 * }
 * using again = await PostStore.open(folder);
 * assertEquals(again.get(1)?.post_text, "good-bye");
 * ```
 */
export class PostStore implements Disposable {
  readonly #path: string;
  readonly #folder: string;
  readonly #lock: Disposable;
  readonly #limit: number;
  #posts: ReadonlyMap<number, Post>;
  /** A number is never given twice: an old link must not lead to another post. */
  #next: number;
  #jobs: Job[] = [];
  #writing = false;

  private constructor(folder: string, lock: Disposable, limit: number, kept: Kept) {
    this.#folder = folder;
    this.#path = pathOf(folder);
    this.#lock = lock;
    this.#limit = limit;
    this.#posts = kept.posts;
    this.#next = kept.next;
  }

  /**
   * Opens a folder, makes it when it is not there, and reads what it keeps.
   *
   * @throws {ActionError} when another program uses the folder, or a line of the file is no post
   */
  static async open(folder: string, options: PostStoreOptions = {}): Promise<PostStore> {
    const lock = await lockFolder(folder, { option: "--folder" });
    try {
      return new PostStore(folder, lock, options.limit ?? 1_000, await read(pathOf(folder)));
    } catch (error) {
      lock.close();
      throw error;
    }
  }

  /** All posts, oldest first, as they are on the disk. */
  all(): Post[] {
    return [...this.#posts.values()];
  }

  /** One of them. */
  get(id: number): Post | undefined {
    return this.#posts.get(id);
  }

  /** @throws {Problem} 507 when there are as many posts as there may be */
  async add(text: string): Promise<Post> {
    const now = new Date().toISOString();
    const post = { post_text: text, created: now, updated: now };
    return (await this.#do(undefined, () => ({ id: 0, ...post })))!;
  }

  /**
   * Changes a post, or removes it: what `decide` gives takes its place, nothing removes it. No other change
   * comes in between.
   */
  change(id: number, decide: Decision): Promise<Post | undefined> {
    return this.#do(id, decide);
  }

  /** Gives the folder back. */
  [Symbol.dispose](): void {
    this.#lock[Symbol.dispose]();
  }

  #do(id: number | undefined, decide: Decision): Promise<Post | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<Post | undefined>();
    this.#jobs.push({ id, decide, resolve, reject });
    if (!this.#writing) this.#work();
    return promise;
  }

  async #work(): Promise<void> {
    this.#writing = true;
    while (this.#jobs.length > 0) {
      const jobs = this.#jobs.splice(0);
      const draft = new Map(this.#posts);
      let next = this.#next;
      const decided: [job: Job, post: Post | undefined][] = [];
      for (const job of jobs) {
        try {
          const id = job.id ?? next;
          if (job.id === undefined && draft.size >= this.#limit) {
            throw new Problem(507, "there are as many posts as there may be");
          }
          const post = await job.decide(draft.get(id));
          if (post) draft.set(id, { ...post, id });
          else draft.delete(id);
          if (job.id === undefined) next++;
          decided.push([job, draft.get(id)]);
        } catch (error) {
          job.reject(error);
        }
      }
      if (decided.length === 0) continue;
      try {
        await this.#write(draft, next);
        [this.#posts, this.#next] = [draft, next];
        for (const [job, post] of decided) job.resolve(post);
      } catch (error) {
        for (const [job] of decided) job.reject(error);
      }
    }
    this.#writing = false;
  }

  async #write(posts: ReadonlyMap<number, Post>, next: number): Promise<void> {
    const lines = [{ next }, ...posts.values()].map((each) => `${JSON.stringify(each)}\n`);
    await attempt(`write ${this.#path}`, async () => {
      using part = await PartFile.open(this.#path);
      await part.write(new TextEncoder().encode(lines.join("")));
      await part.finish();
      await syncFolder(this.#folder);
    }, { timeout: 60_000 });
  }
}

interface Kept {
  posts: Map<number, Post>;
  next: number;
}

const pathOf = (folder: string) => `${folder}/posts.jsonl`;

/** The first line has the next number, each further one a post. */
async function read(path: string): Promise<Kept> {
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
