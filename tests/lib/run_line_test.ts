import { assertEquals, assertThrows } from "@std/assert";
import { parseRun } from "../../lib/run_line.ts";

Deno.test("parseRun takes a line apart", () => {
  const line = "TOKEN=a=b LANG_2= deno run --allow-env=TOKEN --unstable-net scripts/a/b.ts -x y.ts";
  assertEquals(parseRun(line, true), {
    line,
    env: { TOKEN: "a=b", LANG_2: "" },
    flags: ["--allow-env=TOKEN", "--unstable-net"],
    script: "scripts/a/b.ts",
    words: ["-x", "y.ts"],
    online: true,
    stdin: [],
    expect: [],
    log: [],
  });
  assertEquals(parseRun("deno run a.ts").online, false);
});

Deno.test("parseRun cuts a line into words as a shell does", () => {
  const cases: [typed: string, words: string[]][] = [
    ["a  b", ["a", "b"]],
    [`"a b" 'c d'`, ["a b", "c d"]],
    [`a"b c"d'e f'g`, ["ab cde fg"]],
    [`"" ''`, ["", ""]],
    [String.raw`a\ b \"x\" \\`, ["a b", '"x"', "\\"]],
    [String.raw`"a\"b\\c\n"`, [String.raw`a"b\c\n`]],
    [String.raw`'a\b"$c'`, [String.raw`a\b"$c`]],
    [`"it's"`, ["it's"]],
    [`--x="a b"`, ["--x=a b"]],
    ["é€😀", ["é€😀"]],
  ];
  for (const [typed, words] of cases) {
    assertEquals(parseRun(`deno run a.ts ${typed}  `).words, words, typed);
    const shell = new Deno.Command("sh", { args: ["-c", `printf '%s\\0' ${typed}`] }).outputSync();
    assertEquals(new TextDecoder().decode(shell.stdout).split("\0").slice(0, -1), words, typed);
  }
});

Deno.test("parseRun refuses what only a shell could run", () => {
  const typed = ["a; b", "a && b", "a | b", "a > b", "$HOME", "$(id)", "`id`", "(a)", "a &"]
    .concat([`"$HOME"`, `"open`, "'open", "a\\", '"`id`"']);
  for (const words of typed) {
    assertThrows(() => parseRun(`deno run a.ts ${words}`), SyntaxError, "only words and quotes");
  }
});

Deno.test("parseRun refuses a line that does not run a script", () => {
  for (const line of ["", "deno", "deno run", "deno test a.ts", "node run a.ts", "deno run a.js"]) {
    assertThrows(() => parseRun(line), SyntaxError, `cannot read "${line}": write deno run`);
  }
  assertThrows(() => parseRun("deno run x a.ts"), SyntaxError, '"x" is not a flag');
});

Deno.test("parseRun refuses flags that grant too much", () => {
  const wide = ["-A", "--allow-all", "--allow-net", "--allow-read", "--allow-write", "--allow-run"]
    .concat(["--allow-env", "--allow-sys", "--allow-ffi", "-N", "-R", "-W", "-E", "-S", "-RN"]);
  for (const flag of wide) {
    assertThrows(() => parseRun(`deno run ${flag} a.ts`), SyntaxError, `${flag} grants too much`);
  }
  for (const flag of ["--allow-net=a:1", "--allow-read=.", "--quiet", "-q", "--ignore-env"]) {
    assertEquals(parseRun(`deno run ${flag} a.ts`).flags, [flag]);
  }
});

Deno.test("parseRun refuses short flags, which the stage cannot move to other ports", () => {
  const flag = "-N=127.0.0.1:80";
  assertThrows(() => parseRun(`deno run ${flag} a.ts`), SyntaxError, flag);
});
