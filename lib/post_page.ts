/**
 * The blog for people: a page.
 *
 * @module
 */

import type { Post } from "./post_store.ts";

/** Characters that mean something in HTML are written in another way: a post stays a text. */
function escapeHtml(text: string): string {
  const names: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replace(/[&<>"]/g, (character) => names[character]!);
}

/**
 * The front page, with the posts, the last first. It may load nothing and run nothing, whatever is in the posts.
 *
 * @example
 * ```ts
 * import { postPage } from "./post_page.ts";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const post = { id: 1, post_text: "<b>", created: "2026-11-25T10:00:00Z", updated: "" };
 * assertStringIncludes(await postPage([post]).text(), "<p>&lt;b&gt;</p>");
 * ```
 */
export function postPage(posts: readonly Post[]): Response {
  const entries = posts.toReversed().map(({ id, post_text, created }) =>
    `<article><h2><a href="/posts/${id}">${escapeHtml(created.slice(0, 10))}</a></h2>` +
    `<p>${escapeHtml(post_text)}</p></article>\n`
  );
  const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>A blog</title>
<h1>A blog</h1>
<p>Programs find the posts at <a href="/posts">/posts</a>. How they talk to it is told in
<a href="https://www.rfc-editor.org/rfc/rfc9110">RFC 9110</a> and
<a href='https://www.rfc-editor.org/rfc/rfc9457'>RFC 9457</a>; how in Python, by
<A title="requests > urllib" HREF=https://requests.readthedocs.io:443/en/latest/>requests</A>.
<!-- <a href="https://example.org/">a link in a comment is none</a> -->
${entries.join("")}`;
  return new Response(page, {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": "default-src 'none'",
      "x-content-type-options": "nosniff",
    },
  });
}
