import { assertEquals, assertThrows } from "@std/assert";
import fc from "npm:fast-check@^4.3.0";
import { errorText, powershellLine, scriptOf } from "../../lib/powershell.ts";

Deno.test("powershellLine encodes as UTF-16, low byte first", () => {
  const encoded = powershellLine("é€😀").split(" ").at(-1)!;
  assertEquals([...Uint8Array.fromBase64(encoded)], [0xe9, 0, 0xac, 0x20, 0x3d, 0xd8, 0, 0xde]);
});

Deno.test("scriptOf gives back any script that powershellLine encoded", () => {
  const unit = fc.integer({ min: 0, max: 0xd7ff }).map((code) => String.fromCharCode(code));
  fc.assert(fc.property(fc.string({ unit, minLength: 1 }), (script) => {
    assertEquals(scriptOf(powershellLine(script)), script);
  }));
});

Deno.test("scriptOf knows how other clients write it, and nothing else", () => {
  for (
    const line of [
      "powershell -encodedcommand ZABpAHIA",
      "PowerShell.exe -NoProfile -enc ZABpAHIA",
      " powershell -e ZABpAHIA ",
    ]
  ) {
    assertEquals(scriptOf(line), "dir", line);
  }
  for (
    const line of [
      "dir",
      "powershell dir",
      "powershell -enc ***",
      "powershell -enc ZABp",
      "echo powershell -enc ZABpAHIA",
      "powershell -enc ANgA2A==",
    ]
  ) {
    assertEquals(scriptOf(line), undefined, line);
  }
});

Deno.test("powershellLine refuses a script that cmd.exe would cut off", () => {
  powershellLine("x".repeat(3_000));
  assertThrows(() => powershellLine("x".repeat(3_100)), RangeError, "the script is too long");
});

const objects = (content: string) =>
  `#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">${content}</Objs>`;

for (
  const [what, xml, text] of [
    [
      "errors, joined",
      objects('<S S="Error">one_x000D__x000A_</S><S S="Error">two &lt;_x000D__x000A_</S>'),
      "one\r\ntwo <\r\n",
    ],
    [
      "no progress",
      objects(
        '<Obj S="progress" RefId="0"><TN RefId="0"><T>PSCustomObject</T></TN><MS><S N="x">y</S></MS></Obj>',
      ),
      "",
    ],
    ["an underscore that was escaped", objects('<S S="Error">a_x005F_x000A_</S>'), "a_x000A_"],
    [
      "two documents",
      `${objects('<S S="Error">1</S>')}\r\n${objects('<S S="Warning">2</S>')}`,
      "12",
    ],
    ["other text as it is", 'plain <S S="Error">', 'plain <S S="Error">'],
    ["broken XML as it is", "#< CLIXML\r\n<Objs><S", "<Objs><S\n"],
    ["an entity bomb as it is", "#< CLIXML\r\n<!DOCTYPE a><a/>", "#< CLIXML\r\n<!DOCTYPE a><a/>\n"],
  ] as const
) {
  Deno.test(`errorText gives ${what}`, () => assertEquals(errorText(xml), text));
}
