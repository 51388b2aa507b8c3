/** The homework with links, with Python's html.parser and urllib beside it. */
import { assertEquals } from "@std/assert";
import { siteOf } from "../../lib/link_site.ts";
import { linksOf } from "../../lib/page_links.ts";
import { chance } from "../lib/helpers.ts";
import { peerTest, python, temporaryFolder } from "./peers.ts";
import { Process } from "./process.ts";
import { pathOf } from "./scripts.ts";

const random = chance(2_026);
const any = <T>(list: readonly T[]): T => list[random(list.length)]!;

function link(): string {
  const host = any([
    "example.org",
    "WWW.Example.COM",
    "a.b-c.example",
    "ya.ru",
    "127.0.0.1",
    "[::1]",
  ]);
  const user = any(["", "", "ada@", "ada:secret@"]);
  const port = any(["", "", ":8080", ":80"]);
  const path = any([
    "",
    "/",
    "/index.html",
    "/?q=a&amp;b=c",
    "?x",
    "#top",
    "/a%20b",
    "/~ada/x.png",
  ]);
  switch (random(6)) {
    case 0:
      return any([
        "../up",
        "/rooted.example/x",
        "#here",
        "page.html",
        "./a.org",
        "img/a.png",
        "?q=a.org",
        "",
      ]);
    case 1:
      return any(["ya.ru", "www.ya.ru", "Example.org", "a.b-c.example"]) + port + path;
    case 2:
      return `//${user}${host}${port}${path}`;
    default:
      return `${any(["http", "https", "ftp", "HTTP", "hTTps"])}://${user}${host}${port}${path}`;
  }
}

function piece(): string {
  const spaces = () => any([" ", "\n", "\t ", "  "]);
  const other = () =>
    any([
      "",
      `class=big${spaces()}`,
      `title="a > b"${spaces()}`,
      `data-href='no.example'${spaces()}`,
    ]);
  const quoted = () => {
    const quote = any(['"', "'"]);
    return quote + link() + quote;
  };
  switch (random(8)) {
    case 0:
      return `<!-- <a href=${quoted()}> -->`;
    case 1:
      return `<script>document.write('<a href=${link()}>')</script>`;
    case 2:
      return `<style>/* <a href=${link()}> */</style>`;
    case 3:
      return any(["text", "&lt;a href='no.example'&gt;", "<p>", "</p>", "<b>bold</b>", "<br/>"]);
    case 4:
      return `<link rel=stylesheet href=${quoted()}>`;
    default:
      return `<${any(["a", "A"])}${spaces()}${other()}${any(["href", "HREF", "Href"])}${
        any(["=", " = "])
      }` +
        `${quoted()}${spaces()}${other()}>there</${any(["a", "A"])}>`;
  }
}

const sitesOf = (page: string) =>
  [...new Set(linksOf(page).map(siteOf).filter((site) => site !== undefined))].sort();

peerTest(
  "links finds the sites that Python's html.parser finds in 2,000 pages",
  ["python3"],
  async () => {
    const pages = Array.from(
      { length: 2_000 },
      () => Array.from({ length: 1 + random(12) }, piece).join(any(["", "\n"])),
    );
    await using process = new Process(python("links.py"));
    await process.send(new TextEncoder().encode(JSON.stringify(pages)));
    await process.send();
    assertEquals(await process.end(), 0, process.stderr.text);
    const theirs = JSON.parse(process.stdout.text) as string[][];
    for (const [index, page] of pages.entries()) {
      // in a URL an IPv6 address stands in brackets
      const expected = theirs[index]!.map((site) => site === "::1" ? "[::1]" : site).sort();
      assertEquals(sitesOf(page), expected, page);
    }
  },
);

peerTest("links reads a page from Python's web server, from a file, and as it is typed", [
  "python3",
], async () => {
  using folder = temporaryFolder();
  const page = `<a href="http://two.example/">2</a><a href='//one.example'>1</a><a href=page.html>`;
  await Deno.writeTextFile(`${folder.path}/page.html`, page);
  await Deno.writeTextFile(`${folder.path}/page.txt`, page);
  const words = ["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", folder.path];
  await using server = new Process(["/usr/bin/python3", ...words]);
  const [, port] = await server.stdout.line(/^Serving HTTP on 127\.0\.0\.1 port (\d+)/);
  const run = async (flags: string[], page: string, typed?: string) => {
    await using process = new Process([
      ...[Deno.execPath(), "run", "--no-prompt", ...flags, pathOf("http/links"), page],
    ]);
    if (typed) await process.send(new TextEncoder().encode(typed));
    await process.send();
    return { code: await process.end(), out: process.stdout.text, said: process.stderr.text };
  };
  const sites = { code: 0, out: "one.example\ntwo.example\n", said: "" };
  const net = [`--allow-net=127.0.0.1:${port}`];
  const site = `http://127.0.0.1:${port}`;
  assertEquals(await run(net, `${site}/page.html`), sites);
  assertEquals(await run([`--allow-read=${folder.path}`], `${folder.path}/page.html`), sites);
  assertEquals(await run([], "-", page), sites);
  const fails = async (flags: string[], page: string, reason: string) => {
    const { code, out, said } = await run(flags, page);
    assertEquals([code, out, said.split("\n")[0]], [1, "", `links.ts: ${reason}`]);
  };
  await fails(net, `${site}/none.html`, "the server answered 404, and no page");
  await fails(net, `${site}/page.txt`, 'what is there is "text/plain", and no HTML');
  await fails(
    [`--allow-read=${folder.path}`],
    `${folder.path}/none.html`,
    `cannot open ${folder.path}/none.html: there is no such file`,
  );
  await server.stop("SIGTERM");
});
