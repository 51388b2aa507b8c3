import { assert, assertEquals } from "@std/assert";
import fc from "npm:fast-check@^4.3.0";
import { suggestedName } from "../../lib/content_disposition.ts";
import { nameOfFile } from "../../lib/safe_name.ts";
import { chance } from "./helpers.ts";

Deno.test("suggestedName reads", async (t) => {
  const cases: [header: string | null, name: string | undefined][] = [
    [null, undefined],
    ["", undefined],
    ["attachment", undefined],
    ["attachment; filename=a.txt", "a.txt"],
    ['ATTACHMENT ;  FileName = "a b.txt" ; x=y', "a b.txt"],
    ['attachment; filename="a\\"b\\\\c"', 'a"b\\c'],
    ['attachment; filename="a;b=c.txt"', "a;b=c.txt"],
    ['attachment; filename=""', undefined],
    ['attachment; filename="open', undefined],
    ["attachment; filename=a.txt; filename=b.txt", "a.txt"],
    ["attachment; xfilename=a.txt", undefined],
    ["attachment; filename=../../etc/passwd", "../../etc/passwd"],
    ["attachment; filename*=UTF-8''na%C3%AFve.txt; filename=x", "naïve.txt"],
    ["attachment; filename*=utf-8'de'a%20b", "a b"],
    ["attachment; filename*=UTF-8''%FF; filename=plain", "plain"],
    ["attachment; filename*=ISO-8859-1''%E4; filename=plain", "plain"],
    ["attachment; filename*=UTF-8''a%; filename=plain", "plain"],
    ["attachment; filename=na\xc3\xafve.txt", "naïve.txt"],
    ['attachment; filename="na\xefve.txt"', "na\xefve.txt"],
    ["filename=a.txt", undefined],
  ];
  for (const [header, name] of cases) {
    await t.step(String(header), () => assertEquals(suggestedName(header), name));
  }
});

Deno.test("nameOfFile keeps the ending, and nothing that leads elsewhere", async (t) => {
  const cases: [from: string | URL, name: string][] = [
    ["a.tar.gz", "a.tar.gz"],
    ["../../etc/passwd", "passwd"],
    ["..\\..\\boot.ini", "boot.ini"],
    ["/", "download"],
    ["..", "download"],
    ["COM¹.txt", "_COM¹.txt"],
    ["nul .txt", "_nul .txt"],
    ["conout$", "_conout$"],
    ["\u202egnp.exe", "_gnp.exe"],
    ["a\ud800b", "a\ufffdb"],
    [new URL("http://host/a%2fb.bin?c=/d"), "b.bin"],
    [new URL("http://host/"), "download"],
    [`${"é".repeat(300)}.tar.gz`, `${"é".repeat(96)}.tar.gz`],
    [`a.${"b".repeat(300)}`, `a.${"b".repeat(198)}`],
  ];
  for (const [from, name] of cases) {
    await t.step(String(from).slice(0, 40), () => assertEquals(nameOfFile(from), name));
  }
});

Deno.test("names that servers suggest are safe after nameOfFile, at 100,000 generated headers", () => {
  const next = chance(6_266);
  const pieces = ["filename", "*", "=", ";", '"', "\\", "/", "..", "UTF-8''", "%2f", "%00", "nul"];
  pieces.push(" ", "a", ".txt", "\x7f", "\xe2\x80\xae", "%F0%9F", "%", "'", "attachment; ");
  for (let round = 0; round < 100_000; round++) {
    const text = Array.from({ length: next(9) }, () => pieces[next(pieces.length)]).join("");
    const name = suggestedName(`attachment; filename${next(2) ? "*=UTF-8''" : "="}${text}`);
    if (name === undefined) continue;
    const safe = nameOfFile(name);
    assert(/^[^./\\\p{C}\s-][^/\\\p{C}]*$/u.test(safe) && !/^nul *(\.|$)/i.test(safe), text);
    assert(!/[.\s]$/.test(safe), text);
  }
});

Deno.test("suggestedName needs time in proportion to the header's length", () => {
  for (const text of ['"', '\\"', ";a=b", ";  ", "filename*=UTF-8''", "%41"]) {
    const header = "attachment; filename=" + text.repeat(100_000);
    assert((suggestedName(header)?.length ?? 0) <= header.length);
  }
});

Deno.test("nameOfFile makes one plain file name of whatever a server calls a file", () => {
  assertEquals(nameOfFile("/pub/größe 1.txt"), "größe 1.txt");
  assertEquals(nameOfFile("../../.bashrc"), "bashrc");
  assertEquals(nameOfFile("a/.."), "download");
  assertEquals(nameOfFile(""), "download");
  assertEquals(nameOfFile("C:\\autoexec.bat"), "autoexec.bat");
  assertEquals(nameOfFile("nul.txt"), "_nul.txt");
  assertEquals(nameOfFile("-rf"), "rf");
  assertEquals(nameOfFile("a\x1b[2J\u202eb"), "a_[2J_b");
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
    const name = nameOfFile(text);
    assert(name !== "" && !/[/\\\p{Cc}]/u.test(name) && !/^[.-]/.test(name));
    assert(new TextEncoder().encode(`${name}.part`).length <= 210);
  }));
});

Deno.test("nameOfFile looks at a long run of points once, not once from each of them", () => {
  assertEquals(nameOfFile(`slides${".".repeat(400_000)}\u00a0.pdf`).slice(0, 8), "slides..");
});
