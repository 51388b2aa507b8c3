/** What `@std/cli` exports does as its documentation says, stand-in or not. */

import { assertEquals } from "@std/assert";
import { parseArgs as fromRoot, promptSecret as secretFromRoot } from "@std/cli";
import { type Args, parseArgs, type ParseOptions } from "@std/cli/parse-args";
import { promptSecret } from "@std/cli/prompt-secret";

Deno.test("@std/cli exports the same from its root and from its parts", () => {
  assertEquals([fromRoot, secretFromRoot], [parseArgs, promptSecret]);
});

Deno.test("parseArgs reads a command line as its options tell", () => {
  const cases: [args: string, options: ParseOptions | undefined, result: Args][] = [
    ["", undefined, { _: [] }],
    ["--foo --bar=baz ./quux.txt", undefined, { foo: true, bar: "baz", _: ["./quux.txt"] }],
    ["--port 80 a", undefined, { port: 80, _: ["a"] }],
    ["--no-color", undefined, { "no-color": true, _: [] }],
    ["-abc -n5 -x y", undefined, { a: true, b: true, c: true, n: 5, x: "y", _: [] }],
    ["1 0x10 1e3 a1", undefined, { _: [1, 16, 1000, "a1"] }],
    ["--port 80 007", { string: ["port", "_"] }, { port: "80", _: ["007"] }],
    ["--name", { string: "name" }, { name: "", _: [] }],
    ["--json file", { boolean: ["json"] }, { json: true, _: ["file"] }],
    ["file", { boolean: "json" }, { json: false, _: ["file"] }],
    ["--json=false", { boolean: ["json"] }, { json: false, _: [] }],
    ["--a --b x", { boolean: true }, { a: true, b: true, _: ["x"] }],
    ["--to a --to b", { collect: ["to"] }, { to: ["a", "b"], _: [] }],
    ["", { string: "to", collect: "to" }, { to: [], _: [] }],
    ["--to a --to b", { string: ["to"] }, { to: "b", _: [] }],
    ["a -- --b c", undefined, { _: ["a", "--b", "c"] }],
    ["-p 80", { alias: { p: "port" } }, { p: 80, port: 80, _: [] }],
    ["--port 80", { alias: { p: ["port", "q"] } }, { p: 80, port: 80, q: 80, _: [] }],
    ["", { default: { port: 10 } }, { port: 10, _: [] }],
    ["--port 80", { default: { port: 10 } }, { port: 80, _: [] }],
    ["", { default: { json: true }, boolean: ["json"] }, { json: true, _: [] }],
    ["--a b --c", { stopEarly: true, boolean: ["a"] }, { a: true, _: ["b", "--c"] }],
  ];
  for (const [args, options, result] of cases) {
    assertEquals(parseArgs(args.split(" ").filter(Boolean), options), result, args);
  }
});

Deno.test("parseArgs tells unknown what no option defines, and leaves it out when that says false", () => {
  const told: unknown[][] = [];
  const unknown = (...words: unknown[]) => {
    told.push(words);
    return false;
  };
  const words = ["--known", "argument", "--other=3", "-x"];
  assertEquals(parseArgs(words, { boolean: ["known"], unknown }), { known: true, _: [] });
  assertEquals(told.map(([word, key]) => [word, key]), [
    ["argument", undefined],
    ["--other=3", "other"],
    ["-x", "x"],
  ]);
  assertEquals(parseArgs(["--a", "b"], { unknown: () => true }), { a: "b", _: [] });
});

Deno.test("promptSecret gives null when there is no terminal", async () => {
  const script = `
    import { promptSecret } from "@std/cli/prompt-secret";
    console.log(JSON.stringify(promptSecret("Password: ")));`;
  const config = new URL("../../../deno.json", import.meta.url).pathname;
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--config", config, script],
    stdin: "null",
  }).output();
  assertEquals([code, new TextDecoder().decode(stdout)], [0, "null\n"]);
});
