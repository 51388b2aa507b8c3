/** Links of pages, and the sites that they lead to. */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { siteOf } from "../../lib/link_site.ts";
import { decodePage, linksOf, PageError } from "../../lib/page_links.ts";
import { postPage } from "../../lib/post_page.ts";
import { chance, encode } from "./helpers.ts";

const SITES: Record<string, string | undefined> = {
  // the homework's own
  "http://stepic.org/courses": "stepic.org",
  "https://stepic.org": "stepic.org",
  "http://neerc.ifmo.ru:1345": "neerc.ifmo.ru",
  "ftp://mail.ru/distib": "mail.ru",
  "ya.ru": "ya.ru",
  "www.ya.ru": "www.ya.ru",
  "../skip_relative_links": undefined,
  // schemes
  "HTTP://EXAMPLE.ORG/": "example.org",
  "http:example.org": "example.org",
  "https:\\\\example.org\\x": "example.org",
  " \n https://exam\nple.org \t": "example.org",
  "mailto:ada@example.org": undefined,
  "javascript:location='http://example.org'": undefined,
  "tel:+1.234": undefined,
  "data:text/html,<a href=http://example.org>": undefined,
  "file:///etc/passwd": undefined,
  "view-source:http://example.org": undefined,
  "http://": undefined,
  "http:///": undefined,
  "http://exa mple.org": undefined,
  // no scheme
  "//example.org/path": "example.org",
  "//user:pass@example.org:81?q": "example.org",
  "\\\\example.org": "example.org",
  "example.org/index.html": "example.org",
  "example.org:8080/x": "example.org",
  "example.org?q=1": "example.org",
  "example.org#top": "example.org",
  "EXAMPLE.ORG": "example.org",
  "192.168.0.1/x": "192.168.0.1",
  "192.168.0.999/x": undefined,
  "1.2/x": undefined,
  "index.html": undefined,
  "Photo.JPG": undefined,
  "style.css?v=1.2": undefined,
  "page.php?next=http://example.org": undefined,
  "www.zip": "www.zip",
  "bbc.co.uk/news": "bbc.co.uk",
  "пример.рф": "xn--e1afmkfd.xn--p1ai",
  "dir/example.org": undefined,
  "/example.org": undefined,
  "./example.org": undefined,
  "#example.org": undefined,
  "?example.org": undefined,
  "": undefined,
  "example": undefined,
  ".org": undefined,
  "example..org": undefined,
  "ada@example.org": undefined,
  "v1.2": undefined,
  // hosts
  "http://user:secret@example.org:8080/": "example.org",
  "http://example.org@evil.example/": "evil.example",
  "http://example.org./": "example.org",
  "http://127.0.0.1:8000/": "127.0.0.1",
  "http://0x7f.1/": "127.0.0.1",
  "http://[::1]:80/": "[::1]",
  "http://bücher.example/": "xn--bcher-kva.example",
  "bücher.example": "xn--bcher-kva.example",
  "http://localhost/": "localhost",
};

Deno.test("siteOf gives the host, or none, when a link is written in any of many ways", () => {
  for (const [link, site] of Object.entries(SITES)) assertEquals(siteOf(link), site, link);
});

Deno.test("siteOf gives none when a file stands beside the page, whatever it ends with", () => {
  const files =
    "data.yaml book.epub movie.webm deno.lock app.wasm dump.sql archive.tar.xz archive.tar.gz main.go " +
    "setup.cfg main.rs README.md notes.txt Main.java page.htm tool.py a.js a.ts run.sh b.kt c.hs index.do x.7z " +
    "Cargo.toml a.b.min.js photo.heic backup.old photo.jpeg?size=2 doc.odt#end";
  for (const file of files.split(" ")) assertEquals(siteOf(file), undefined, file);
});

const PAGES: [page: string, links: string[]][] = [
  [`<a href="one">`, ["one"]],
  [`<a href='one'>`, ["one"]],
  [`<a href=one>`, ["one"]],
  [`<A HREF="one">`, ["one"]],
  [`<a\nhref\n=\n"one"\n>`, ["one"]],
  [`<a class="x" title='>' data-href="no" href="one">`, ["one"]],
  [`<a title="href='no'" href="one">`, ["one"]],
  [`<a href="one" href="two">`, ["one"]],
  [`<a href="/?a&amp;b&#x3d;c&#61;d&lt">`, ["/?a&b=c=d<"]],
  [`<a href="http&colon;//example.org">`, ["http://example.org"]],
  [`<a href="one">x</a><a href="two"/><area href="three">`, ["one", "two", "three"]],
  [`<!-- <a href="no"> --><a href="one"><!--><a href="two">`, ["one", "two"]],
  [`<script>document.write('<a href="no">')</script><a href="one">`, ["one"]],
  [`<style>a::after { content: "<a href='no'>" }</style>`, []],
  [`<title><a href="no"></title><textarea><a href="no"></textarea>`, []],
  [`<noscript><a href="one"></noscript>`, ["one"]],
  [`<abbr href="no"><link href="no"><base href="no"><a name="x">`, []],
  [`< a href="no"><\u0430 href="no"><a>href="no"</a>`, []],
  [`<a href="one`, []],
  [`<a href="one"`, []],
  [`<a href="one"><a href="two">`, ["one", "two"]],
  [``, []],
];

Deno.test("linksOf finds what a browser would when a page is written in any of many ways", () => {
  for (const [page, links] of PAGES) assertEquals(linksOf(page), links, page);
});

Deno.test("linksOf gives up when a page is made to keep it busy", () => {
  const many = (text: string, count: number) => text.repeat(count);
  assertThrows(() => linksOf(many("<div>", 600)), PageError, "512 deep");
  assertThrows(() => linksOf(many("<br>", 2_000), { elements: 1_000 }), PageError, "1000 elements");
  // each paragraph opens again all that was not closed before
  const reopened = Array.from({ length: 400 }, (_, index) => `<p><b a=${index}></p>`).join("");
  assertThrows(() => linksOf(reopened + many("<p>x</p>", 2_000)), PageError);
  assertEquals(linksOf(many("<p><a href=x>y</a></p>", 1_000)).length, 1_000);
  assertEquals(linksOf(many("</p></b></a>", 100)).length, 0);
});

Deno.test("decodePage reads the encoding that a page or its header tells", () => {
  const latin = Uint8Array.of(0x62, 0xfc, 0x63, 0x68);
  assertEquals(decodePage(encode("bü")), "bü");
  assertEquals(decodePage(latin, "text/html; charset=ISO-8859-1"), "büch");
  const meta = encode('<meta charset="windows-1252">');
  assertMatch(decodePage(Uint8Array.of(...meta, ...latin)), /büch$/);
  assertEquals(decodePage(Uint8Array.of(0xff, 0xfe, 0x61, 0x00)), "a");
  assertEquals(decodePage(encode("bü"), "text/html; charset=nobody-knows"), "bü");
  assertEquals(decodePage(new Uint8Array()), "");
});

Deno.test("decodePage reads what <meta> tells as browsers do", () => {
  const read = (head: string, type = "") =>
    decodePage(Uint8Array.of(...encode(head), 0xc3, 0xbc), type).slice(head.length);
  for (const name of ["utf-16", "UTF-16BE", "unicode", "utf-8", "nobody-knows"]) {
    assertEquals(read(`<meta charset="${name}">`), "ü", name);
  }
  const latin = '<meta http-equiv="Content-Type" content="text/html; charset=iso-8859-1">';
  assertEquals(read(latin), "Ã¼");
  assertEquals(read("<meta name=author content=me><META CHARSET=' latin1 '>"), "Ã¼");
  assertEquals(read('<meta charset="nobody-knows"><meta charset="latin1">'), "Ã¼");
  assertEquals(read(latin, "text/html; charset=utf-8"), "ü");
  assertEquals(read(latin, "text/html; charset=nobody-knows"), "Ã¼");
  assertEquals(read(`<!-- ${latin} -->`), "ü");
  assertEquals(read("<meta name=description content=charset=latin1>"), "ü");
  assertEquals(read("<title><meta charset=latin1></title>"), "ü");
  assertEquals(read(`<p>${"x".repeat(1_024)}</p>${latin}`), "ü");
});

Deno.test("linksOf and siteOf give texts and end when they get 30,000 pages of parts in any order", () => {
  const random = chance(11);
  const parts = [
    ...[
      "<a href=",
      "<A ",
      "href",
      "=",
      '"',
      "'",
      ">",
      "</a>",
      "<!--",
      "-->",
      "<script>",
      "</script>",
    ],
    ...[
      "http://",
      "//",
      "example.org",
      ":80",
      "@",
      "/",
      "..",
      "&amp;",
      "&#",
      "&#0;",
      "<svg>",
      "<table>",
    ],
    ...[
      "<template>",
      "<p>",
      "</p>",
      "<select>",
      " ",
      "\n",
      "\0",
      "\ud800",
      "ä",
      "[::1]",
      "%",
      "<![CDATA[",
    ],
  ];
  for (let round = 0; round < 30_000; round++) {
    const length = random(30);
    const page = Array.from({ length }, () => parts[random(parts.length)]).join("");
    for (const link of linksOf(page)) {
      const site = siteOf(link);
      if (site === undefined) continue;
      assertMatch(site, /^[^\s/@?#]+$/, page);
      assertEquals(siteOf(`http://${site}/`), site, page);
    }
  }
});

Deno.test("postPage shows a post as text when it has markup in it", async () => {
  const evil = `<script>alert(1)</script><a href="http://evil.example">"'&amp;`;
  const post = { id: 1, post_text: evil, created: '2026"><a href=x>', updated: "" };
  const response = postPage([post]);
  assert(response.headers.get("content-security-policy")?.includes("default-src 'none'"));
  const links = linksOf(await response.text());
  assertEquals(links.filter((link) => link.includes("evil") || link === "x"), []);
  assertEquals(links.at(-1), "/posts/1");
});
