import { assert, assertEquals } from "@std/assert";
import { safeName } from "../../lib/safe_name.ts";
import { chance } from "./helpers.ts";

Deno.test("safeName gives a plain name with a fitting ending when", async (t) => {
  const cases: [path: string, type: string, name: string][] = [
    ["/notes.txt", "text/plain", "notes.txt"],
    ["/a/b/notes.txt?x=/y/z.png#c", "text/plain; charset=utf-8", "notes.txt"],
    ["/NOTES.TXT", "Text/Plain", "NOTES.TXT"],
    ["/photo.jpeg", "image/jpeg", "photo.jpeg"],
    ["/photo", "image/jpeg", "photo.jpg"],
    ["/photo.png", "image/jpeg", "photo.png.jpg"],
    ["/data.csv", "text/plain", "data.csv"],
    ["/", "text/html", "download.html"],
    ["", "image/png", "download.png"],
    ["/x", "text/x-strange", "x.txt"],
    ["/x.exe", "text/plain", "x.exe.txt"],
    ["/x.sh", "image/strange", "x.sh.image"],
    ["/..", "text/plain", "download.txt"],
    ["/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "text/plain", "passwd.txt"],
    ["/..%5c..%5cwindows%5cwin.ini", "text/plain", "win.ini.txt"],
    ["/a%00b.txt", "text/plain", "a_b.txt"],
    ["/a%0d%0ab%1b[2J.txt", "text/plain", "a__b_[2J.txt"],
    ["/a%E2%80%AEtxt.png", "image/png", "a_txt.png"],
    ["/.bashrc", "text/plain", "bashrc.txt"],
    ["/...hidden. . ", "text/plain", "hidden.txt"],
    ["/-rf", "text/plain", "rf.txt"],
    ["/con", "text/plain", "_con.txt"],
    ["/LPT1.txt", "text/plain", "_LPT1.txt"],
    ["/console.txt", "text/plain", "console.txt"],
    ["/a:b|c%3Fd*e<f>g%22.txt", "text/plain", "a_b_c_d_e_f_g_.txt"],
    ["/%E0%A4%A.txt", "text/plain", "%E0%A4%A.txt"],
    ["/100%25%20sure.txt", "text/plain", "100% sure.txt"],
    ["/%F0%9F%98%80.gif", "image/gif", "😀.gif"],
  ];
  for (const [path, type, name] of cases) {
    await t.step(`${path} is ${type}`, () => {
      assertEquals(safeName(new URL(`http://host${path}`), type), name);
    });
  }
});

const bytes = (text: string) => new TextEncoder().encode(text).length;

Deno.test("safeName leaves room for a number in 255 bytes when the name is long", () => {
  for (const letter of ["x", "é", "日", "😀", "👩‍👩‍👧"]) {
    const name = safeName(new URL(`http://host/${letter.repeat(300)}.png`), "image/png");
    assert(bytes(name) <= 245, `${bytes(name)} bytes`);
    assert(name.endsWith(".png") && name.isWellFormed() && bytes(name) > 190, name);
  }
});

Deno.test("safeName gives a name that leads nowhere else when the URL is random", () => {
  const next = chance(911);
  const pieces = [
    "..",
    "/",
    "%2f",
    "%5c",
    "%00",
    ".",
    "con",
    "%0a",
    "a",
    "%",
    "%ff",
    " ",
    "%F0%9F",
  ];
  for (let round = 0; round < 4_000; round++) {
    const path = Array.from({ length: next(8) }, () => pieces[next(pieces.length)]).join("");
    const name = safeName(new URL(`http://host/${path}`), ["text/plain", "image/x"][next(2)]!);
    assert(/^[^./\\\p{Cc}\s-][^/\\\p{Cc}]*\.(txt|image)$/u.test(name), `${path} gives ${name}`);
  }
});
