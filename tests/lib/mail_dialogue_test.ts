import { assertEquals } from "@std/assert";
import { Dialogue, type DialogueOptions } from "../../lib/mail_dialogue.ts";

function shown(show: (dialogue: Dialogue) => void, options: DialogueOptions = {}): string[] {
  const lines: string[] = [];
  show(new Dialogue({ ...options, print: (line) => lines.push(line) }));
  return lines;
}

Deno.test("dialogue shows control characters when either side sends some", () => {
  const lines = shown((dialogue) => {
    dialogue.client("a\0b\rc");
    dialogue.server("\x1b]0;title\x07 \u202e");
    dialogue.serverText(new Uint8Array([0x61, 0x1b, 13, 10, 0xff]));
  });
  assertEquals(lines, [
    "C: a\\0b\\rc",
    "S: \\x1b]0;title\\x07 \\u202e",
    "S: a\\x1b",
    "S: \ufffd",
  ]);
});

Deno.test("dialogue hides secrets when the server repeats them", () => {
  const lines = shown((dialogue) => {
    dialogue.hide("fish", "swordfish", "");
    dialogue.client("PASS swordfish");
    dialogue.server("-ERR what is swordfish, a fish?");
    dialogue.clientText("one\nfish\n");
  });
  assertEquals(lines, ["C: PASS ***", "S: -ERR what is ***, a ***?", "C: one", "C: ***"]);
});

Deno.test("dialogue hides a secret when the line is cut in the middle of it", () => {
  const lines = shown((dialogue) => {
    dialogue.hide("swordfish");
    dialogue.client("PASS swordfish");
  }, { width: 10 });
  assertEquals(lines, ["C: PASS ***"]);
});

Deno.test("dialogue tells what is left out when a line or a text is long", () => {
  const lines = shown((dialogue) => {
    dialogue.server("x".repeat(12));
    dialogue.clientText("1\r\n2\r\n3\r\n4");
    dialogue.clientText("");
  }, { width: 10, height: 2 });
  assertEquals(lines, [
    "S: xxxxxxxxxx… (2 more characters)",
    "C: 1",
    "C: 2",
    "C: … (2 more lines)",
  ]);
});
