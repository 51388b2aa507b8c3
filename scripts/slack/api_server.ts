#!/usr/bin/env -S deno run --allow-env=SLACK_TOKEN --allow-net=127.0.0.1:5010
/**
 * A stand-in for Slack's Web API
 *
 * It gives the answers that Slack gives, and shows each message as a reader in Slack would see it. Slack's
 * own client libraries take it for the real one. It knows chat.postMessage, auth.test and api.test.
 *
 * It says no as Slack does: in the JSON, with the status 200, for a wrong token or channel; with 429 and
 * Retry-After for a second message in one second. With --fail it is out of order first, with the kind of
 * HTML page that a proxy shows. When SLACK_TOKEN is set, that is the only token it takes.
 *
 * @lecture 000 Verify that message which appears in your Slack channel
 * @python  slackclient.SlackClient → fetch
 * @run     SLACK_TOKEN=xoxb-example deno run --allow-env=SLACK_TOKEN --allow-net=127.0.0.1:5010 \
 *          scripts/slack/api_server.ts
 * @client  SLACK_TOKEN=xoxb-example deno run --allow-env=SLACK_TOKEN --allow-net=127.0.0.1:5010 \
 *          scripts/slack/send.ts "Hello world! 1 < 2"
 * @expect  listening on 127.0.0.1:5010
 * @expect  #bot: Hello world! 1 < 2
 * @run     SLACK_TOKEN=xoxb-example deno run --allow-env=SLACK_TOKEN --allow-net=127.0.0.1:5010 \
 *          scripts/slack/api_server.ts --fail 1
 * @client  SLACK_TOKEN=xoxb-example deno run --allow-env=SLACK_TOKEN --allow-net=127.0.0.1:5010 \
 *          scripts/slack/send.ts "Hello world! 1 < 2"
 * @log     answered 503
 * @expect  #bot: Hello world! 1 < 2
 * @option  --host HOST          the address to listen on (default: 127.0.0.1)
 * @option  --port PORT          the port to listen on, 0 for a free one (default: 5010)
 * @option  --channels LIST      the channels that exist, with commas between (default: #bot,#general)
 * @option  --pace MILLISECONDS  between two messages to one channel (default: 1000)
 * @option  --fail COUNT         answer so many messages with 503 first (default: 0)
 * @see     https://docs.slack.dev/apis/web-api
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { visible } from "../../lib/display.ts";
import { keepServing } from "../../lib/keep_serving.ts";
import { Pace } from "../../lib/pace.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { BadCallError, readCall, type SlackCall } from "../../lib/slack_request.ts";
import { LONGEST_TEXT, unescapeText } from "../../lib/slack_text.ts";
import { readToken, type Token } from "../../lib/token.ts";

/** What the command line says. */
export interface Options {
  host: string;
  port: number;
  channels: string;
  pace: number;
  fail: number;
}

const no = (error: string, more: object = {}) => Response.json({ ok: false, error, ...more });

/** The methods by name, and what they need of the server. */
class SlackApi {
  readonly #token: Token | undefined;
  readonly #channels: string[];
  readonly #pace: Pace;
  #failures: number;
  #lastTime = 0;

  constructor(token: Token | undefined, { channels, pace, fail }: Options) {
    this.#token = token;
    this.#channels = channels.split(",").map((name) => name.replace("#", ""));
    this.#pace = new Pace(pace);
    this.#failures = fail;
  }

  async handle(request: Request): Promise<Response> {
    try {
      const method = /^\/api\/([\w.]+)$/.exec(URL.parse(request.url)?.pathname ?? "")?.[1];
      if (!method) return new Response("<h1>Not Found</h1>\n", { status: 404 });
      const call = await readCall(request);
      if (method === "api.test") return this.#apiTest(call);
      if (method !== "auth.test" && method !== "chat.postMessage") {
        return no("unknown_method", { req_method: method });
      }
      if (!call.token) return no("not_authed");
      if (this.#token && !await this.#token.equals(call.token)) return no("invalid_auth");
      return method === "auth.test" ? this.#authTest() : this.#postMessage(call);
    } catch (error) {
      if (error instanceof BadCallError) return no(error.code);
      throw error;
    }
  }

  #apiTest({ values }: SlackCall): Response {
    const { error } = values;
    return error ? no(error, { args: values }) : Response.json({ ok: true, args: values });
  }

  #authTest(): Response {
    const [team_id, user_id, bot_id] = ["T00000001", "U00000001", "B00000001"];
    const url = "https://class.slack.com/";
    return Response.json({ ok: true, url, team: "class", user: "bot", team_id, user_id, bot_id });
  }

  #postMessage({ values: { channel, text } }: SlackCall): Response {
    if (this.#failures > 0) {
      this.#failures--;
      console.error("answered 503");
      const headers = { "content-type": "text/html" };
      return new Response("<html><h1>503 Service Unavailable</h1>\n", { status: 503, headers });
    }
    if (!channel) return no("invalid_arguments");
    const index = this.#channels.findIndex((name, at) =>
      [name, `#${name}`, idOf(at)].includes(channel)
    );
    if (index < 0) return no("channel_not_found");
    if (!text) return no("no_text");
    const wait = this.#pace.due(`${index}`);
    if (wait > 0) {
      console.error(`answered 429 for #${this.#channels[index]}`);
      const headers = { "retry-after": String(Math.ceil(wait / 1_000)) };
      return Response.json({ ok: false, error: "ratelimited" }, { status: 429, headers });
    }
    this.#pace.mark(`${index}`);
    const kept = text.slice(0, LONGEST_TEXT);
    console.log(`#${this.#channels[index]}: ${visible(unescapeText(kept))}`);
    // a message's time is its name in the channel: no two are the same
    this.#lastTime = Math.max(this.#lastTime + 1, Date.now() * 1_000);
    const ts = (this.#lastTime / 1e6).toFixed(6);
    const message = { type: "message", subtype: "bot_message", text: kept, ts };
    return Response.json({ ok: true, channel: idOf(index), ts, message });
  }
}

const idOf = (index: number) => `C${String(index + 1).padStart(8, "0")}`;

export async function main(options: Options): Promise<void> {
  const { host, port } = options;
  const api = new SlackApi(readToken("SLACK_TOKEN"), options);
  const server = await keepServing(
    { hostname: host, port },
    (place) => Deno.serve(place, (request) => api.handle(request)),
  );
  using _stopping = onInterrupt(() => server.shutdown());
  console.log(`listening on ${formatEndpoint(server.addr)}`);
  await server.finished;
}

if (import.meta.main) await run(main);
