import { assertEquals, assertThrows } from "@std/assert";
import { parseHeader } from "../../lib/header.ts";
import { parametersOf, UsageError, valueOf } from "../../lib/usage.ts";

/** The parameters of a header with these lines. */
function read(...lines: string[]) {
  const block = lines.map((line) => ` * ${line}\n`).join("");
  return parametersOf(parseHeader(`/**\n * Title\n${block} */`));
}

Deno.test("parametersOf reads every form of argument and option", () => {
  const plain = { text: "", fallback: undefined, option: false, optional: false, repeated: false };
  const argument = { ...plain, key: "file", name: "FILE", value: "FILE" };
  const option = { ...plain, option: true, optional: true };
  const cases: [line: string, parameter: ReturnType<typeof read>[number]][] = [
    ["@argument FILE", argument],
    ["@argument FILE  the text", { ...argument, text: "the text" }],
    ["@argument [FILE]", { ...argument, optional: true }],
    ["@argument FILE...  more", { ...argument, repeated: true, text: "more" }],
    ["@argument [FILE...]", { ...argument, optional: true, repeated: true }],
    [
      "@argument [FILE]  it (default: a.txt)",
      { ...argument, optional: true, text: "it (default: a.txt)", fallback: "a.txt" },
    ],
    ["@argument HOST:PORT", {
      ...argument,
      key: "host:port",
      name: "HOST:PORT",
      value: "HOST:PORT",
    }],
    ["@option --json", { ...option, key: "json", name: "--json", value: "" }],
    ["@option --json  as JSON", {
      ...option,
      key: "json",
      name: "--json",
      value: "",
      text: "as JSON",
    }],
    [
      "@option --set-clock TIME  sets it",
      { ...option, key: "setClock", name: "--set-clock", value: "TIME", text: "sets it" },
    ],
    [
      "@option --port PORT  where (default: 10000)",
      {
        ...option,
        key: "port",
        name: "--port",
        value: "PORT",
        text: "where (default: 10000)",
        fallback: "10000",
      },
    ],
    [
      "@option --to NAME...  whom",
      { ...option, key: "to", name: "--to", value: "NAME", text: "whom", repeated: true },
    ],
  ];
  for (const [line, parameter] of cases) assertEquals(read(line), [parameter], line);
});

Deno.test("parametersOf keeps the order of the lines", () => {
  const names = read("@option --b", "@argument A", "@see x", "@option --c").map(({ name }) => name);
  assertEquals(names, ["--b", "A", "--c"]);
});

Deno.test("parametersOf names the line that it cannot read", () => {
  const wrong = ["@option port", "@option -p", "@option --Port", "@argument file", "@argument --x"];
  for (const line of [...wrong, "@argument", "@option", "@argument [FILE", "@argument FILE]"]) {
    assertThrows(() => read(line), SyntaxError, `line 3: cannot read "${line}`);
  }
});

Deno.test("valueOf gives each kind of value, or tells what it should be", () => {
  const cases: [word: string, written: string, result: string | number][] = [
    ["PORT", "0", 0],
    ["PORT", "65535", 65_535],
    ["PORT", "65536", '--x is a port from 0 to 65535, not "65536"'],
    ["PORT", "http", '--x is a port from 0 to 65535, not "http"'],
    ["PORT", "", '--x is a port from 0 to 65535, not ""'],
    ["PORT", "-1", '--x is a port from 0 to 65535, not "-1"'],
    ["PORT", "1e3", '--x is a port from 0 to 65535, not "1e3"'],
    ["PORT", " 80", '--x is a port from 0 to 65535, not " 80"'],
    ["COUNT", "12", 12],
    ["BYTES", "999999999999999", 999_999_999_999_999],
    ["SECONDS", "1.5", '--x is a whole number of at least 0, not "1.5"'],
    ["MILLISECONDS", "soon", '--x is a whole number of at least 0, not "soon"'],
    ["COUNT", "9999999999999999", '--x is a whole number of at least 0, not "9999999999999999"'],
    ["NAME", "12", "12"],
    ["NAME", "", ""],
  ];
  for (const [word, written, result] of cases) {
    const [parameter] = read(`@option --x ${word}`);
    const call = () => valueOf(parameter!, written);
    if (typeof result === "string" && result.startsWith("--x")) {
      assertThrows(call, UsageError, result);
    } else assertEquals(call(), result);
  }
});

Deno.test("valueOf refuses a timeout of 0, unless the header tells what it means", () => {
  const lines: [line: string, taken: boolean][] = [
    ["@option --timeout SECONDS how long it may take", false],
    ["@option --idle-timeout SECONDS how long (default: 0)", false],
    ["@option --idle-timeout SECONDS how long; 0 for ever (default: 0)", true],
    ["@option --seconds SECONDS how long", true],
  ];
  for (const [line, taken] of lines) {
    const [parameter] = read(line);
    if (taken) assertEquals(valueOf(parameter!, "0"), 0);
    else assertThrows(() => valueOf(parameter!, "0"), UsageError, "must be more than 0");
    assertEquals(valueOf(parameter!, "1"), 1);
  }
});
