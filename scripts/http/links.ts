#!/usr/bin/env -S deno run --allow-net=127.0.0.1:8000
/**
 * The sites that a page links to
 *
 * The homework: get a page, find the links in it, and print the sites that they lead to, sorted, each once.
 * Relative links are skipped, as the homework says, even where a <base> element sends them to another site.
 *
 * It looks like a task for a regular expression, but pages are written in many ways: with either quote or none,
 * in upper case, with other attributes before, with &amp; for &, and with links in comments and scripts, which are
 * none. A parser knows all that: here parse5, which reads a page as browsers do, in Python html.parser. What the
 * link means is the next question, with rules of its own: those for URLs.
 *
 * @lecture 001 Http requests (homework)
 * @python  requests.get → fetch, html.parser.HTMLParser → parse5, urllib.parse.urlsplit → URL,
 *          sorted(set(sites)) → Set
 * @partner scripts/http/posts_server.ts
 * @run     deno run --allow-net=127.0.0.1:8000 scripts/http/links.ts http://127.0.0.1:8000/
 * @expect  requests.readthedocs.io
 * @expect  www.rfc-editor.org
 * @run     deno run scripts/http/links.ts -
 * @stdin   <a href="http://stepic.org/courses">
 * @stdin   <A class=big HREF='https://stepic.org'>
 * @stdin   <a href='http://neerc.ifmo.ru:1345'>
 * @stdin   <a href="ftp://mail.ru/distib" >
 * @stdin   <a href="ya.ru">
 * @stdin   <a href="www.ya.ru">
 * @stdin   <a href="../skip_relative_links"> <!-- <a href="http://example.org"> -->
 * @expect  mail.ru
 * @expect  neerc.ifmo.ru
 * @expect  stepic.org
 * @expect  www.ya.ru
 * @expect  ya.ru
 * @online  deno run --allow-net=www.python.org:443 scripts/http/links.ts https://www.python.org/
 * @argument [PAGE]          its URL or file, or - for what is typed (default: http://127.0.0.1:8000/)
 * @option   --limit BYTES   the most bytes of a page (default: 4194304)
 * @see      https://parse5.js.org/
 * @see      https://url.spec.whatwg.org/
 * @module
 */

import { run } from "../../lib/cli.ts";
import { visible } from "../../lib/display.ts";
import { attempt } from "../../lib/errors.ts";
import { readBytes } from "../../lib/json_reply.ts";
import { siteOf } from "../../lib/link_site.ts";
import { decodePage, linksOf } from "../../lib/page_links.ts";

/** Gets a page: from a URL, from a file, or as it is typed. */
async function getPage(page: string, limit: number): Promise<string> {
  if (page === "-") {
    // whoever types may take his time
    return decodePage(await readBytes(new Response(Deno.stdin.readable), { limit }));
  }
  if (!/^https?:\/\//i.test(page)) {
    const file = await attempt(`open ${page}`, Deno.open(page));
    return decodePage(
      await attempt(`read ${page}`, readBytes(new Response(file.readable), { limit })),
    );
  }
  const signal = AbortSignal.timeout(10_000);
  const response = await attempt(`get ${page}`, fetch(page, { signal }), { timeout: Infinity });
  const type = response.headers.get("content-type") ?? "";
  if (!response.ok) throw new Error(`the server answered ${response.status}, and no page`);
  if (!/^(text\/html|application\/xhtml\+xml)\b/i.test(type)) {
    throw new Error(`what is there is "${visible(type)}", and no HTML`);
  }
  const bytes = await attempt(`read ${page}`, readBytes(response, { limit }), {
    timeout: Infinity,
  });
  return decodePage(bytes, type);
}

export async function main({ page, limit }: { page: string; limit: number }): Promise<void> {
  const links = linksOf(await getPage(page, limit));
  // a set has each of them once
  const sites = new Set(links.map(siteOf).filter((site) => site !== undefined));
  for (const site of [...sites].sort()) console.log(visible(site));
}

if (import.meta.main) await run(main);
