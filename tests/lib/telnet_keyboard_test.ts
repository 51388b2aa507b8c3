import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Keyboard, type Remote } from "../../lib/telnet_keyboard.ts";
import { decode, encode, everyCut } from "./helpers.ts";

/** A conversation that notes what it is told. */
class Noted implements Remote {
  echoes = false;
  speaksTelnet = false;
  readonly notes: string[] = [];
  type(text: Uint8Array): void {
    this.notes.push(`type ${JSON.stringify(decode(text))}`);
  }
  send(bytes: Uint8Array): void {
    this.notes.push(`send ${[...bytes]}`);
  }
  ask(verb: string, option: number): void {
    this.notes.push(`ask ${verb} ${option}`);
  }
  end(): void {
    this.notes.push("end");
  }
  status(): string[] {
    return ["one", "two"];
  }
}

/** Types keys, cut anywhere; the notes, what was shown, and whether the user left. */
function type(keys: string, wanted: string[], state: Partial<Noted> = {}): string {
  let shown = "";
  for (const parts of everyCut(encode(keys))) {
    shown = "";
    const remote = Object.assign(new Noted(), state);
    const keyboard = new Keyboard(remote, (text) => shown += text);
    const left = parts.map((part) => keyboard.feed(part)).some(Boolean);
    // characters may come one by one
    const notes = remote.notes.join("|").replaceAll('"|type "', "").split("|").filter(Boolean);
    assertEquals([...notes, ...(left ? ["left"] : [])], wanted);
  }
  return shown;
}

Deno.test("Keyboard sends lines, and echoes them, when the server does not echo", () => {
  assertEquals(type("GEX\x7fT /\r\r", ['type "GET /\\n\\n"']), "GEX\b \bT /\r\n\r\n");
});

Deno.test("Keyboard sends each key, Ctrl-C too, and echoes none, when the server echoes", () => {
  assertEquals(type("a\x7f\x03\x04\r", ['type "a\x7f\\u0003\\u0004\\n"'], { echoes: true }), "");
});

Deno.test("Keyboard tells Ctrl-C and Ctrl-D to a line server in its own language", () => {
  type("ab\x03\x04", ["send 255,244", "send 255,236"], { speaksTelnet: true });
  type("ab\x03\x04", ['type "\\u0003"', "end"]);
});

for (const echoes of [false, true]) {
  Deno.test(`Keyboard opens the prompt at ^], when the server ${echoes ? "echoes" : "does not echo"}`, () => {
    const state = { echoes };
    for (const word of ["quit", "q", "close", "c", "QUIT", " quit "]) {
      const shown = type(`\x1d${word}\r`, ["left"], state);
      assertEquals(shown, `\r\ntelnet> ${word}\r\n`);
    }
    assertEquals(type("\x1d\rhi\r", ['type "hi\\n"'], state).includes("Invalid"), false);
    assertStringIncludes(type("\x1dstatus\r", [], state), "one\r\ntwo\r\n");
    assertStringIncludes(type("\x1dnonsense\r", [], state), "?Invalid command");
    assertStringIncludes(type("\x1dhelp\r", [], state), "An empty line leads back");
    assertStringIncludes(type("\x1d?\r", [], state), "An empty line leads back");
    // Ctrl-C and Ctrl-D lead back as well, and a second ^] changes nothing
    type("\x1dqui\x03hi\r", ['type "hi\\n"'], state);
    type("\x1d\x04hi\r", ['type "hi\\n"'], state);
    type("\x1d\x1dquit\r", ["left"], state);
  });
}

Deno.test("Keyboard sends what `send` names: commands, options, the escape character", () => {
  type("\x1dsend ayt ip\r", ["send 255,246", "send 255,244"]);
  type("\x1dsend escape\r", ['type "\\u001d"']);
  type("\x1dsend do echo dont 200\r", ["ask DO 1", "ask DONT 200"]);
  type("\x1dsend will naws\r", ["ask WILL 31"]);
  for (
    const wrong of ["send", "send ?", "send ayt nonsense", "send do", "send do 256", "send do xyz"]
  ) {
    const shown = type(`\x1d${wrong}\r`, []);
    assert(/\?(Cannot|DO needs)|Commands/.test(shown), shown);
  }
});

Deno.test("Keyboard shows no control character that was typed at the prompt", () => {
  const shown = type("\x1dsend \x1b[2J\r", []);
  assert(!shown.includes("\x1b"), JSON.stringify(shown));
});

Deno.test("Keyboard.ready waits while the prompt is open", async () => {
  const keyboard = new Keyboard(new Noted(), () => {});
  await keyboard.ready();
  keyboard.feed(encode("\x1d"));
  let open = true;
  const ready = keyboard.ready().then(() => open = false);
  await Promise.resolve();
  assert(open);
  keyboard.feed(encode("\r"));
  await ready;
});

Deno.test("Keyboard sends a begun line when the server begins to echo", () => {
  const remote = new Noted();
  const keyboard = new Keyboard(remote, () => {});
  keyboard.feed(encode("ab"));
  remote.echoes = true;
  keyboard.feed(encode("c"));
  assertEquals(remote.notes, ['type "ab"', 'type "c"']);
});
