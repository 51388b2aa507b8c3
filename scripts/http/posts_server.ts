#!/usr/bin/env -S deno run --allow-net=127.0.0.1:8000 --allow-read=/tmp/lecture-posts --allow-write=/tmp/lecture-posts
/**
 * A blog as a web service
 *
 * The posts are resources, each with a URL of its own, and the methods of HTTP are what can be done with them:
 * GET and POST on /posts, GET, PUT and DELETE on /posts/1. The status says how it went, a program decides by it:
 * 201 made, 204 done and nothing to say, 4xx the client's mistake, 5xx the server's. What a mistake was, the body
 * says, as JSON (RFC 9457).
 *
 * An entity tag names what a post looks like. A client that has that already asks with If-None-Match, and gets
 * 304 without a body. One that changes a post says with If-Match which one it has seen: if somebody else has
 * changed it meanwhile, it gets 412, and nobody's work is lost.
 *
 * Deno.serve accepts, reads the requests and sends the responses; each request is a call of the handler. It sets
 * no time limit for headers: on the internet such a server stands behind one that does, nginx for example.
 *
 * @lecture 001 Http requests · 001 Advanced topics: web frameworks
 * @python  http.server → Deno.serve, json.dumps → Response.json
 * @run     deno run --allow-net=127.0.0.1:8000 --allow-read=/tmp/lecture-posts --allow-write=/tmp/lecture-posts scripts/http/posts_server.ts
 * @client  deno run --allow-net=127.0.0.1:8000 scripts/http/requests.ts
 * @expect  listening on 127.0.0.1:8000
 * @log     POST /posts: 201
 * @log     GET /posts/*: 304
 * @log     DELETE /posts/*: 204
 * @option  --host HOST     the address to listen on (default: 127.0.0.1)
 * @option  --port PORT     the port to listen on, 0 for a free one (default: 8000)
 * @option  --name NAME...  a name that it is asked by, besides localhost and its addresses; repeat it for more
 * @option  --folder FOLDER where the posts are kept (default: /tmp/lecture-posts)
 * @see     https://docs.deno.com/api/deno/~/Deno.serve
 * @see     https://www.rfc-editor.org/rfc/rfc9110
 * @see     https://www.rfc-editor.org/rfc/rfc9457
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { etagOf, judge } from "../../lib/etag.ts";
import { answering } from "../../lib/http_answer.ts";
import { readFields } from "../../lib/http_fields.ts";
import { checkName, NO_HOST, urlOf } from "../../lib/http_host.ts";
import { Problem } from "../../lib/http_problem.ts";
import { keepServing } from "../../lib/keep_serving.ts";
import { pause } from "../../lib/pause.ts";
import { postPage } from "../../lib/post_page.ts";
import { checkPost, checkQuery, refuseOtherSites } from "../../lib/post_rules.ts";
import { type Post, PostStore } from "../../lib/post_store.ts";
import { onInterrupt } from "../../lib/shutdown.ts";

/** Which resource it is about decides; then the method. */
async function answer(request: Request, posts: PostStore, names: string[]): Promise<Response> {
  const url = urlOf(request);
  if (!url) throw new Problem(400, NO_HOST);
  checkName(url.host, names);
  refuseOtherSites(request, url);
  if (url.pathname === "/") return frontPage(request, posts);
  const [, resource, name] = /^\/(posts|delay)(?:\/(\d{1,9}))?$/.exec(url.pathname) ?? [];
  if (resource === "posts" && name === undefined) return await collection(request, url, posts);
  if (resource === "posts") return await member(request, Number(name), posts);
  // for those who want to see a timeout
  if (resource === "delay" && Number(name) <= 10) return await delayed(request, Number(name));
  throw new Problem(404, "here are /posts and /posts/NUMBER");
}

/** /posts: all of them, or those with ?q=TEXT in them. */
async function collection(request: Request, url: URL, posts: PostStore): Promise<Response> {
  switch (request.method) {
    case "GET":
    case "HEAD": {
      const query = checkQuery(url.searchParams);
      return await represent(request, posts.all().filter(query));
    }
    case "POST": {
      const text = checkPost(await readFields(request));
      const post = await posts.add(text, (all) => compare(request, all));
      return await represent(request, post, { status: 201, location: `/posts/${post.id}` });
    }
    default:
      throw notAllowed("GET, HEAD, POST");
  }
}

/** /posts/1: one of them. */
async function member(request: Request, id: number, posts: PostStore): Promise<Response> {
  switch (request.method) {
    case "GET":
    case "HEAD":
      return await represent(request, existing(posts.get(id)));
    case "PUT": {
      const post_text = checkPost(await readFields(request));
      // compared and changed in one go: no other change comes in between
      const changed = await posts.change(id, async (post) => {
        await compare(request, existing(post));
        return { ...existing(post), post_text, updated: new Date().toISOString() };
      });
      return await represent(request, existing(changed));
    }
    case "DELETE":
      await posts.change(id, (post) => compare(request, existing(post)));
      return new Response(null, { status: 204 });
    default:
      throw notAllowed("GET, HEAD, PUT, DELETE");
  }
}

/** The text that stands for a resource, with its tag; only the tag, if the client has it already. */
async function represent(
  request: Request,
  resource: Post | Post[],
  { status = 200, location }: { status?: number; location?: string } = {},
): Promise<Response> {
  const text = textOf(resource);
  const etag = await etagOf(text);
  // a cache may keep it, but has to ask each time whether it is still so
  const headers = new Headers({ etag, "cache-control": "no-cache" });
  if (request.method === "GET" || request.method === "HEAD") {
    const verdict = judge(request, etag);
    if (verdict === "not modified") return new Response(null, { status: 304, headers });
    if (verdict === "no match") throw new Problem(412, `the tag is ${etag} now`);
  }
  headers.set("content-type", "application/json");
  // a browser shall not take it for anything else
  headers.set("x-content-type-options", "nosniff");
  if (location) headers.set("location", location);
  return new Response(text, { status, headers });
}

const textOf = (resource: Post | Post[]) => JSON.stringify(resource) + "\n";

/** Refuses to change what the client has not seen, or did not want to be there. */
async function compare(request: Request, resource: Post | Post[]): Promise<undefined> {
  if (!["if-match", "if-none-match"].some((name) => request.headers.has(name))) return;
  const etag = await etagOf(textOf(resource));
  const verdict = judge(request, etag);
  if (verdict === "go on") return;
  const why = verdict === "match" ? "If-None-Match has it" : "If-Match does not have it";
  throw new Problem(412, `the tag of what is there now is ${etag}, and ${why}`);
}

/** For people. */
function frontPage(request: Request, posts: PostStore): Response {
  if (request.method !== "GET" && request.method !== "HEAD") throw notAllowed("GET, HEAD");
  return postPage(posts.all());
}

async function delayed(request: Request, seconds: number): Promise<Response> {
  if (request.method !== "GET" && request.method !== "HEAD") throw notAllowed("GET, HEAD");
  await pause(seconds * 1_000);
  return new Response(`${seconds} s later\n`);
}

function existing(post: Post | undefined): Post {
  if (!post) throw new Problem(404, "there is no such post");
  return post;
}

function notAllowed(allow: string): Problem {
  return new Problem(405, `here are the methods ${allow}`, { headers: { allow } });
}

export async function main(
  { host, port, folder, name }: { host: string; port: number; folder: string; name: string[] },
): Promise<void> {
  using posts = await PostStore.open(folder);
  const server = await keepServing(
    { hostname: host, port },
    (place) => Deno.serve(place, answering((request) => answer(request, posts, [host, ...name]))),
  );
  using _stopping = onInterrupt(() => server.shutdown());
  console.log(`listening on ${formatEndpoint(server.addr)}`);
  await server.finished;
}

if (import.meta.main) await run(main);
