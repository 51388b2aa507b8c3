/**
 * The posts of a blog, in a file of JSON lines that is there whole whenever the process dies.
 *
 * @module
 */

import { Problem } from "./http_problem.ts";
import { type KeptPosts, type Post, readPosts, writePosts } from "./post_file.ts";
import { lockFolder } from "./spool_folder.ts";

export type { Post };

/** Limits of {@linkcode PostStore.open}. */
export interface PostStoreOptions {
  /** The most posts; 1,000 unless told. */
  limit?: number;
}

/** Decides what becomes of a post, when it is its turn; what it throws leaves the post as it is. */
type Decision = (
  post: Post | undefined,
  posts: Post[],
) => Promise<Post | undefined> | Post | undefined;

interface Job {
  id: number | undefined;
  decide: Decision;
  resolve: (post: Post | undefined) => void;
  reject: (error: unknown) => void;
}

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
  readonly #folder: string;
  readonly #lock: Disposable;
  readonly #limit: number;
  #posts: ReadonlyMap<number, Post>;
  /** A number is never given twice: an old link must not lead to another post. */
  #next: number;
  #jobs: Job[] = [];
  #writing = false;

  private constructor(folder: string, lock: Disposable, limit: number, kept: KeptPosts) {
    this.#folder = folder;
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
      return new PostStore(folder, lock, options.limit ?? 1_000, await readPosts(folder));
    } catch (error) {
      lock[Symbol.dispose]();
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

  /**
   * Adds a post. No change comes in between that and `check`, which gets all posts; when it throws, none is
   * added.
   *
   * @throws {Problem} 507 when there are as many posts as there may be
   */
  async add(text: string, check: (posts: Post[]) => unknown = () => {}): Promise<Post> {
    const now = new Date().toISOString();
    const post = { id: 0, post_text: text, created: now, updated: now };
    const decide: Decision = async (_, posts) => {
      await check(posts);
      return post;
    };
    return (await this.#do(undefined, decide))!;
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
          const post = await job.decide(draft.get(id), [...draft.values()]);
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
        await writePosts(this.#folder, { posts: draft, next });
        [this.#posts, this.#next] = [draft, next];
        for (const [job, post] of decided) job.resolve(post);
      } catch (error) {
        for (const [job] of decided) job.reject(error);
      }
    }
    this.#writing = false;
  }
}
