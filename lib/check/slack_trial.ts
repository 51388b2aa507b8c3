/**
 * What a check of a server that forwards to Slack works with: connections to the server, and a stand-in for
 * Slack's API that keeps what is posted and answers as the check wants.
 *
 * @module
 */

import { formatEndpoint, type NetEndpoint } from "../address.ts";
import { after, within } from "../deadline.ts";
import { attempt } from "../errors.ts";
import { BadCallError, readCall } from "../slack_request.ts";
import { ServerTrial, type TrialOptions } from "./server_trial.ts";

/** A call to chat.postMessage, or what was meant to be one. */
export interface Post {
  method: string;
  path: string;
  values: Record<string, string>;
  /** From the header or the form. */
  token?: string;
  /** Whether a token stood in the URL, where every log on the way keeps it. */
  tokenInUrl: boolean;
}

const MOST_POSTS = 1_000;

/** Slack's API, as far as a check needs it. */
export class SlackStandIn implements AsyncDisposable {
  readonly #posts: Post[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #stop = new AbortController();
  #wake = () => {};
  /** How many posts are refused with 429 from now on. */
  busy = 0;

  constructor(where: NetEndpoint) {
    const { signal } = this.#stop;
    const options = { ...where, signal, onListen() {} };
    this.#server = Deno.serve(options, (request) => this.#answer(request));
  }

  /**
   * Listens.
   *
   * @throws {ActionError} when it cannot
   */
  static async listen(where: NetEndpoint): Promise<SlackStandIn> {
    const action = `listen on ${formatEndpoint(where)}, as Slack`;
    return await attempt(action, () => new SlackStandIn(where));
  }

  get addr(): Deno.NetAddr {
    return this.#server.addr;
  }

  /** The next post that nobody has taken yet; `undefined` when none comes in time. */
  async next(timeout: number): Promise<Post | undefined> {
    let late = false;
    using _deadline = after(timeout, () => {
      late = true;
      this.#wake();
    });
    while (this.#posts.length === 0 && !late) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    return this.#posts.shift();
  }

  /** Forgets what has come. */
  clear(): void {
    this.#posts.length = 0;
  }

  async #answer(request: Request): Promise<Response> {
    const url = URL.parse(request.url);
    if (!url) return new Response("the host in it is none\n", { status: 400 });
    const { pathname, searchParams } = url;
    if (/\/(auth|api)\.test$/.test(pathname)) return Response.json({ ok: true, user: "bot" });
    let call;
    try {
      call = await readCall(request);
    } catch (error) {
      if (!(error instanceof BadCallError)) throw error;
      return Response.json({ ok: false, error: error.code });
    }
    const { values, token } = call;
    const tokenInUrl = searchParams.has("token");
    if (this.busy > 0) {
      this.busy--;
      const headers = { "retry-after": "1" };
      return Response.json({ ok: false, error: "ratelimited" }, { status: 429, headers });
    }
    if (this.#posts.length < MOST_POSTS) {
      this.#posts.push({ method: request.method, path: pathname, values, token, tokenInUrl });
    }
    this.#wake();
    if (!token) return Response.json({ ok: false, error: "not_authed" });
    const { channel = "", text = "" } = values;
    return Response.json({ ok: true, channel, ts: `${Date.now() / 1000}`, message: { text } });
  }

  /** Closes; whoever is in the middle of a call is cut off. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    return within(2_000, this.#server.finished).catch(() => {});
  }
}

/** One try of a server that forwards to Slack. */
export class SlackTrial extends ServerTrial {
  readonly slack: SlackStandIn;

  constructor(where: NetEndpoint, options: TrialOptions, known: Set<string>, slack: SlackStandIn) {
    super(where, options, known);
    this.slack = slack;
  }
}
