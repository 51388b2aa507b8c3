#!/usr/bin/env -S deno run --allow-net=127.0.0.1:8000
/**
 * Requests to a web service
 *
 * What the lecture does with Python's requests, here with fetch, which Deno and all browsers have: ask with
 * parameters, look at status and headers, send forms and JSON, change, delete, and give up after a while.
 *
 * Two things are easily forgotten. A status like 404 is no error for fetch, nor for requests: look at it. And
 * there is no deadline unless one is set; a server that never answers is waited for for ever.
 *
 * @lecture 001 Http requests
 * @python  requests.get → fetch, requests.post → fetch, requests.put → fetch, requests.delete → fetch,
 *          r.status_code → response.status, bool(r) → response.ok, r.headers → response.headers,
 *          r.text → response.text(), r.json() → response.json()
 * @partner scripts/http/posts_server.ts
 * @run     deno run --allow-net=127.0.0.1:8000 scripts/http/requests.ts
 * @expect  POST a form: 201 Created, it is at /posts/*
 * @expect  POST JSON: 201 Created, it is at /posts/*
 * @expect  GET http://127.0.0.1:8000/posts?q=Exciting%21: 200 OK
 * @expect  Success!
 * @expect  Content-Type: application/json
 * @expect  content-type: application/json
 * @expect  * Today, I started learning Python. Exciting!
 * @expect  PUT: 200 OK, now "some_updated_text"
 * @expect  GET, if it is not what I have: 304 Not Modified
 * @expect  PUT, if it is what I saw first: 412 Precondition Failed
 * @expect  POST without a text: 422 Unprocessable Entity: #/post_text is missing
 * @expect  DELETE: 204 No Content
 * @expect  GET what is no more: 404 Not Found
 * @expect  Fail
 * @expect  GET with a deadline: cannot GET *: no answer came in time
 * @option  --host HOST  where the server is (default: 127.0.0.1)
 * @option  --port PORT  the server's port (default: 8000)
 * @see     https://docs.deno.com/api/web/~/fetch
 * @see     https://requests.readthedocs.io/en/latest/
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { quoted, visible } from "../../lib/display.ts";
import { attempt, explain } from "../../lib/errors.ts";
import { readJson } from "../../lib/json_reply.ts";
import { faultsIn, postIn, postsIn } from "../../lib/post_reply.ts";

/** One request, and at most so many milliseconds for the answer: fetch itself would wait for ever. */
async function ask(url: URL | string, options: RequestInit = {}, patience = 10_000) {
  const signal = AbortSignal.timeout(patience);
  const action = `${options.method ?? "GET"} ${url}`;
  return await attempt(action, fetch(url, { ...options, signal }), { timeout: Infinity });
}

/** The post that a server sends back, its place and its tag. */
async function postOf(response: Response) {
  // response.json() would read a body of any length
  const json = await readJson(response);
  const { ok, url, headers } = response;
  if (!ok) throw new Error(`the server answered ${said(response)}`); // r.raise_for_status()
  const location = headers.get("location") ?? url;
  const place = URL.parse(location, url);
  if (!place) throw new Error(`the server says that the post is at ${quoted(location)}, no URL`);
  return { text: postIn(json).post_text, place, etag: headers.get("etag") ?? "" };
}

const said = ({ status, statusText }: Response) => visible(`${status} ${statusText}`);

export async function main({ host, port }: { host: string; port: number }): Promise<void> {
  const posts = `http://${formatEndpoint({ hostname: host, port })}/posts`;

  // requests.post(url, data=data): fetch tells by the kind of body that it is a form
  const data = { post_text: "Today, I started learning Python. Exciting!" };
  const made = await ask(posts, { method: "POST", body: new URLSearchParams(data) });
  const post = await postOf(made);
  console.log(`POST a form: ${said(made)}, it is at ${visible(post.place.pathname)}`);

  // requests.post(url, json=data): here we have to tell
  const json = { "Content-Type": "application/json" };
  const body = JSON.stringify({ post_text: "JSON knows numbers, lists and more" });
  const second = await ask(posts, { method: "POST", headers: json, body });
  const other = await postOf(second);
  console.log(`POST JSON: ${said(second)}, it is at ${visible(other.place.pathname)}`);

  // requests.get(url, params=params): the characters that a URL cannot have are escaped
  const found = await ask(`${posts}?${new URLSearchParams({ q: "Exciting!" })}`);
  console.log(`GET ${found.url}: ${said(found)}`);
  console.log(found.ok ? "Success!" : "Fail");
  // in any case, in both senses
  console.log(`Content-Type: ${visible(found.headers.get("Content-Type") ?? "")}`);
  console.log(`content-type: ${visible(found.headers.get("content-type") ?? "")}`);
  for (const { id, post_text } of postsIn(await readJson(found))) {
    console.log(visible(`${id} ${post_text}`));
  }

  const change = { method: "PUT", body: new URLSearchParams({ post_text: "some_updated_text" }) };
  const updated = await ask(post.place, change);
  const { text, etag } = await postOf(updated);
  console.log(`PUT: ${said(updated)}, now ${quoted(text)}`);
  const again = await ask(post.place, { headers: { "If-None-Match": etag } });
  console.log(`GET, if it is not what I have: ${said(again)}`);
  // it was changed since, by us, a moment ago
  const late = await ask(post.place, { ...change, headers: { "If-Match": post.etag } });
  await late.body?.cancel();
  console.log(`PUT, if it is what I saw first: ${said(late)}`);

  const bad = await ask(posts, { method: "POST", headers: json, body: "{}" });
  const faults = faultsIn(await readJson(bad))
    .map(({ pointer, detail }) => visible(`${pointer} ${detail}`));
  console.log(`POST without a text: ${said(bad)}: ${faults.join(", ")}`);

  for (const { place } of [post, other]) {
    console.log(`DELETE: ${said(await ask(place, { method: "DELETE" }))}`);
  }
  const gone = await ask(post.place);
  await gone.body?.cancel();
  console.log(`GET what is no more: ${said(gone)}`);
  console.log(gone.ok ? "Success!" : "Fail"); // Python: if r: …

  // requests.get(url, timeout=0.2)
  const slow = ask(posts.replace(/posts$/, "delay/5"), {}, 200);
  const outcome = await slow.then(said, (error) => explain(error).reason);
  console.log(`GET with a deadline: ${outcome}`);
}

if (import.meta.main) await run(main);
