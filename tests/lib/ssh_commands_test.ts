import { assertEquals, assertThrows } from "@std/assert";
import fc from "npm:fast-check@^4.3.0";
import { CommandError, splitCommand } from "../../lib/ssh_commands.ts";

Deno.test("splitCommand cuts words as a shell does when there are quotes and backslashes", () => {
  for (
    const [line, ...words] of [
      ["  cut\t-d: -f1  /etc/passwd \r\n", "cut", "-d:", "-f1", "/etc/passwd"],
      ["a''b\"\"c", "abc"],
      [`'' ""`, "", ""],
      [`'a"b' "a'b"`, 'a"b', "a'b"],
      [String.raw`"\$\`\"\\\a" \$\a`, String.raw`$${"`"}"\\a`.replace("\\\\", "\\\\"), "$a"],
      [
        String.raw`echo \| \; \& '|;&<>$*?[' "|;&<>*?["`,
        "echo",
        "|",
        ";",
        "&",
        "|;&<>$*?[",
        "|;&<>*?[",
      ],
      ["a\\\nb", "ab"],
      ["echo a#b a~b x=y", "echo", "a#b", "a~b", "x=y"],
    ] as [string, ...string[]][]
  ) assertEquals(splitCommand(line), words, line);
});

Deno.test("splitCommand refuses a line when only a shell could run it", () => {
  const lines = [
    "a|b",
    "a > b",
    "a<b",
    "a;b",
    "a&",
    "a\nb",
    "$a",
    '"$a"',
    "`a`",
    '"`a`"',
    "(a)",
    "a*",
  ];
  for (const line of [...lines, "a ?", "a [b]", "# a", "~", "a ~/b", "A=b c"]) {
    assertThrows(() => splitCommand(line), CommandError, "needs a shell", line);
  }
  for (const line of ["", " ", "'a", '"a', '"a\\"', "a\\", "a\0", "x".repeat(40_000)]) {
    assertThrows(() => splitCommand(line), CommandError, undefined, line.slice(0, 10));
  }
});

Deno.test("splitCommand gives back any words when they are quoted", () => {
  const word = fc.string({ unit: "binary" }).filter((text) => !text.includes("\0"));
  fc.assert(fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), (words) => {
    const line = words.map((each) => `'${each.replaceAll("'", `'\\''`)}'`).join(" ");
    assertEquals(splitCommand(line), words);
  }));
});

Deno.test("splitCommand gives words or a CommandError when the line is anything", () => {
  const part = fc.oneof(fc.constantFrom(..."'\"\\ \t\n|;&$`#~=*"), fc.string({ maxLength: 3 }));
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }).map((all) => all.join("")), (line) => {
      try {
        splitCommand(line);
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
      }
    }),
    { numRuns: 5_000 },
  );
});
