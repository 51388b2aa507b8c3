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
  /** When Slack has time again, in milliseconds of `performance.now()`. */
  #due = 0;
  /** How many posts are refused with 429 from now on. */
  busy = 0;
  /** How long before the time that a 429 had told the first post came that did not wait for it, in milliseconds. */
  early = 0;

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

  /** The texts of the posts that were taken, as a reader in Slack sees them. */
  readonly taken = new Set<string>();

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
    if (this.#isBusy()) {
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

  #isBusy(): boolean {
    const now = performance.now();
    if (this.busy > 0) {
      this.busy--;
      this.#due = now + 1_000;
      return true;
    }
    // clocks are not all alike
    if (now >= this.#due - 100) return false;
    this.early ||= this.#due - now;
    return true;
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

  /** @param ready a connection that is there already, for whoever connects first */
  constructor(
    where: NetEndpoint,
    options: TrialOptions,
    known: Set<string>,
    slack: SlackStandIn,
    ready?: Deno.TcpConn,
  ) {
    super(where, options, known, ready);
    this.slack = slack;
  }
}

/**
 * Gives one try after another of the same server, for `runChecks`.
 *
 * @param first a connection that is there already, for the first of them
 *
 * @example
 * ```ts
 * import { SlackStandIn, slackTrials } from "./slack_trial.ts";
 *
 * await using slack = await SlackStandIn.listen({ hostname: "127.0.0.1", port: 0 });
 * using server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
 * const begin = slackTrials(server.addr, { timeout: 1_000, silence: 0 }, slack);
 * using trial = begin();
 * await trial.connect();
 * ```
 */
export function slackTrials(
  where: NetEndpoint,
  options: TrialOptions,
  slack: SlackStandIn,
  first?: Deno.TcpConn,
): () => SlackTrial {
  const known = new Set<string>();
  const ready = [first];
  return () => new SlackTrial(where, options, known, slack, ready.pop());
}
