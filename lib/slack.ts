/**
 * Calls to Slack's Web API: one POST each, with the token in a header and the answer as JSON.
 *
 * @module
 */

import { visible } from "./display.ts";
import { ActionError } from "./errors.ts";
import { SlackError, slackError } from "./slack_error.ts";
import { apiUrl } from "./slack_url.ts";
import type { Token } from "./token.ts";

export { SlackError };

/** How a call is made. */
export interface CallOptions {
  token: Token;
  /** How long to wait for the whole answer, in milliseconds; 10,000 unless told. */
  timeout?: number;
  /** Gives up when aborted, and throws the signal's reason. */
  signal?: AbortSignal;
}

/** What Slack answers when it has done what was asked. */
export interface SlackAnswer {
  ok: true;
  /** The channel's id. */
  channel?: string;
  /** The message's time, which is its name within the channel. */
  ts?: string;
}

const LONGEST_ANSWER = 1024 * 1024;
/** In seconds: what is longer cannot be meant. */
const LONGEST_WAIT = 3_600;

/**
 * Calls a method such as `chat.postMessage`.
 *
 * @param api where the API is: `https://slack.com/api`; plain http only on this machine
 * @param values the method's arguments
 * @throws {SlackError} that tells by its `fault` whether to try again: for `"ok": false`, 429 and 5xx,
 *   an answer that is not JSON, no answer in time, no connection
 * @throws {ActionError} when Deno was not given `--allow-net` for it
 * @throws {UsageError} when the token would go over the network in the clear
 *
 * @example
 * ```ts
 * import { callSlack } from "./slack.ts";
 * import { Token } from "./token.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () =>
 *   Response.json({ ok: true, ts: "1503435956.000247" }));
 * const api = `http://127.0.0.1:${server.addr.port}/api`;
 * const token = new Token("xoxb-example");
 * const answer = await callSlack(api, "chat.postMessage", { channel: "#bot", text: "hi" }, { token });
 * assertEquals(answer.ts, "1503435956.000247");
 * ```
 */
export async function callSlack(
  api: string,
  method: string,
  values: Record<string, unknown>,
  options: CallOptions,
): Promise<SlackAnswer> {
  const { token, timeout = 10_000, signal } = options;
  const base = apiUrl(api);
  const late = AbortSignal.timeout(timeout);
  try {
    using client = directly(base);
    const response = await fetch(`${base}/${method}`, {
      client,
      method: "POST",
      headers: {
        "authorization": `Bearer ${token.reveal()}`,
        "content-type": "application/json; charset=utf-8",
      },
      body: JSON.stringify(values),
      // the token goes to the address that was named and to no other
      redirect: "manual",
      signal: signal ? AbortSignal.any([signal, late]) : late,
    });
    return understand(response, token.hide(await bodyOf(response)));
  } catch (error) {
    if (error instanceof SlackError) throw error;
    signal?.throwIfAborted();
    if (late.aborted) {
      const reason = `no answer came from Slack within ${timeout / 1000} s`;
      throw new SlackError("timeout", "again", { reason });
    }
    if (error instanceof Deno.errors.NotCapable) throw new ActionError(`call ${base}`, error);
    throw notReached(base, error);
  }
}

/**
 * The way to a stand-in on this machine. `fetch` would go through the proxy that HTTP_PROXY names, and hand
 * it the token; over https a proxy sees nothing.
 */
function directly(base: string): Deno.HttpClient | undefined {
  const { protocol, hostname, port } = new URL(base);
  if (protocol === "https:") return undefined;
  const here = { hostname: hostname.replace(/[[\]]/g, ""), port: Number(port || 80) };
  return Deno.createHttpClient({ proxy: { transport: "tcp", ...here } });
}

/** Tells an answer that says yes from all that say no. */
function understand(response: Response, body: string): SlackAnswer {
  const { status, headers } = response;
  const seconds = headers.get("retry-after") ?? "";
  const retryAfter = /^\d{1,9}$/.test(seconds)
    ? Math.min(Number(seconds), LONGEST_WAIT) * 1_000
    : undefined;
  if (status === 429) throw slackError("ratelimited", { retryAfter });
  // a page of a proxy that stands before Slack, most often
  const page = `HTTP ${status}` + (/^\s*</.test(body) ? " with an HTML page" : "");
  if (status >= 500) {
    throw new SlackError(page, "again", { reason: `Slack answers ${page}`, retryAfter });
  }
  const answer = parsed(body);
  if (answer?.ok === true) return answer as unknown as SlackAnswer;
  if (answer?.ok === false) {
    throw slackError(visible(String(answer.error)).slice(0, 100), { retryAfter });
  }
  const reason = `Slack answers ${page} where JSON should be`;
  if (status === 200 || status === 408) throw new SlackError(page, "again", { reason });
  throw new SlackError(page, "setup", { reason, next: "Check --api." });
}

function parsed(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

async function bodyOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of response.body ?? []) {
    text += decoder.decode(piece, { stream: true });
    // what is cut off is no JSON any more, and is told as such
    if (text.length > LONGEST_ANSWER) break;
  }
  return text;
}

function notReached(base: string, error: unknown): SlackError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const why = String((cause as Error).message).split("): ").at(-1)!.replace(
    / \(os error \d+\)/,
    "",
  );
  const refused = why.includes("Connection refused");
  return new SlackError("not_reached", "again", {
    reason: `cannot reach Slack at ${base}: ` +
      (refused ? "connection refused, nothing is listening there" : visible(why)),
    partner: refused,
  });
}
