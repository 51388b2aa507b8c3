import { assertEquals } from "@std/assert";
import { LineEditor, type Typed } from "../../lib/line_editor.ts";
import { encode, everyCut } from "./helpers.ts";

/** All that comes of some keys, cut anywhere. */
function type(keys: string, wanted: { echo?: string; typed: (string | Typed)[] }): void {
  for (const parts of everyCut(encode(keys))) {
    const editor = new LineEditor({ limit: 10 });
    const edits = parts.map((part) => editor.feed(part));
    const typed = edits.flatMap((edit) => edit.typed)
      .map((each) => each.type === "line" && !each.tooLong ? each.text : each);
    assertEquals(typed, wanted.typed);
    if (wanted.echo !== undefined) {
      assertEquals(edits.map(({ echo }) => echo).join(""), wanted.echo);
    }
  }
}

Deno.test("LineEditor takes CR, LF and CR LF for Enter, once each", () => {
  type("a\rb\nc\r\nd\r\re\n\n", { typed: ["a", "b", "c", "d", "", "e", ""] });
});

Deno.test("LineEditor takes back a character, a word, a line, and shows it", () => {
  type("abc\x7f\b\r", { typed: ["a"], echo: "abc\b \b\b \b\r\n" });
  type("\x7f\x15\x17a\r", { typed: ["a"], echo: "a\r\n" });
  type("one two \x17x\r", { typed: ["one x"] });
  type("one two\x15x\r", { typed: ["x"] });
});

Deno.test("LineEditor takes back as many columns as a character has", () => {
  type("é\x7f\r", { typed: [""], echo: "é\b \b\r\n" });
  type("日\x7f\r", { typed: [""], echo: "日\b \b\b \b\r\n" });
  type("\x1b\x7f\r", { typed: [""], echo: "^[\b \b\b \b\r\n" });
});

Deno.test("LineEditor tells Ctrl-C, which takes the line with it, and Ctrl-D on an empty line", () => {
  type("abc\x03d\r", { typed: [{ type: "interrupt" }, "d"], echo: "abc^C\r\nd\r\n" });
  type("\x04a\x04\r", { typed: [{ type: "end" }, "a"] });
});

Deno.test("LineEditor echoes no control character but to move the cursor", () => {
  type("\x1b[A\x07\t\r", { typed: ["\x1b[A\x07\t"], echo: "^[[A^G^I\r\n" });
  type("\u009b1m\r", { typed: ["\u009b1m"], echo: "?1m\r\n" });
});

Deno.test("LineEditor takes no more than its limit, and tells that a line was too long", () => {
  type("0123456789\r", { typed: ["0123456789"] });
  type("0123456789abc\r0\r", {
    typed: [{ type: "line", text: "0123456789", tooLong: true }, "0"],
    echo: "0123456789\x07\r\n0\r\n",
  });
});

Deno.test("LineEditor.rest gives a line without an end, once", () => {
  const editor = new LineEditor();
  editor.feed(encode("abc"));
  assertEquals([editor.rest(), editor.rest()], ["abc", ""]);
});
