import { assertEquals, assertThrows } from "@std/assert";
import { BasicLogin } from "../../lib/basic_login.ts";
import { UsageError } from "../../lib/usage.ts";
import { OutputPrinter } from "../../lib/winrm_output.ts";
import { parseWinrmTarget } from "../../lib/winrm_target.ts";
import { encode, everyCut } from "./helpers.ts";

/** What is shown of pieces. */
async function shown(
  pieces: Uint8Array[],
  options: { codePage?: number; clixml?: boolean; terminal?: boolean },
): Promise<string> {
  const { codePage = 65001, clixml, terminal = false } = options;
  let text = "";
  const decoder = new TextDecoder();
  const write = (bytes: Uint8Array) => {
    // a target may take a part
    const part = bytes.subarray(0, Math.max(5, bytes.length >> 1));
    text += decoder.decode(part, { stream: true });
    return Promise.resolve(part.length);
  };
  const printer = new OutputPrinter({ write, isTerminal: () => terminal }, { codePage, clixml });
  for (const piece of pieces) await printer.print(piece);
  await printer.end();
  return text;
}

for (
  const [what, bytes, options, text] of [
    ["UTF-8", encode("ä€😀\r\n"), {}, "ä€😀\r\n"],
    [
      "UTF-8 on a terminal",
      encode("ä€😀\r\n\x1b[2J\tx\r"),
      { terminal: true },
      "ä€😀\n\\x1b[2J\tx\\r",
    ],
    ["code page 932", new Uint8Array([0x93, 0xfa, 0x96, 0x7b]), { codePage: 932 }, "日本"],
    ["code page 1252", new Uint8Array([0xe4, 0x80]), { codePage: 1252 }, "ä€"],
    ["escape sequences in a file", encode("\x1b[2J"), {}, "\x1b[2J"],
    [
      "PowerShell's errors",
      encode('#< CLIXML\r\n<Objs><S S="Error">ä_x000A_</S></Objs>'),
      { clixml: true, terminal: true },
      "ä\n",
    ],
    ["errors that are no objects", encode("ä plain"), { clixml: true }, "ä plain"],
  ] as const
) {
  Deno.test(`OutputPrinter shows ${what}, wherever it is cut`, async () => {
    for (const pieces of everyCut(bytes)) assertEquals(await shown(pieces, options), text);
  });
}

Deno.test("OutputPrinter shows errors that never end as they come", async () => {
  const pieces = Array.from({ length: 20 }, () => new Uint8Array(100_000).fill(0x78));
  assertEquals((await shown(pieces, { clixml: true })).length, 2_000_000);
});

Deno.test("OutputPrinter refuses a code page that it does not know", () => {
  const target = { write: () => Promise.resolve(0), isTerminal: () => false };
  assertThrows(() => new OutputPrinter(target, { codePage: 437 }), UsageError, "437 is not known");
});

Deno.test("parseWinrmTarget reads users, hosts and ports, and nothing else", () => {
  assertEquals(parseWinrmTarget("CLASS\\me@host:1"), {
    user: "CLASS\\me",
    hostname: "host",
    port: 1,
  });
  assertEquals(parseWinrmTarget("me@class@[::1]:2"), {
    user: "me@class",
    hostname: "::1",
    port: 2,
  });
  assertEquals(parseWinrmTarget("me@10.0.0.1"), { user: "me", hostname: "10.0.0.1" });
  for (
    const bad of [
      "host",
      "@host",
      "me@",
      "me@::1",
      "me@h:0",
      "me@h:65536",
      "me@h/x",
      "m:e@h",
      "me\n@h",
      "me@h:x",
    ]
  ) {
    assertThrows(() => parseWinrmTarget(bad), UsageError, "write USER@HOST");
  }
});

const ask = (login: BasicLogin, authorization?: string, from = "192.0.2.1") =>
  login.refusal(
    new Request("http://127.0.0.1/", { headers: authorization ? { authorization } : {} }),
    from,
  ).then((response) => response?.status);
const basic = (bytes: Uint8Array) => `Basic ${bytes.toBase64()}`;

Deno.test("BasicLogin lets in the one user, in UTF-8 and in Latin-1", async () => {
  const login = new BasicLogin("me", "pä:ss");
  assertEquals(await ask(login, basic(encode("me:pä:ss"))), undefined);
  const latin = Uint8Array.from("me:pä:ss", (character) => character.charCodeAt(0));
  assertEquals(await ask(login, basic(latin)), undefined);
  for (const bad of ["", "me", "me:", "me:pä", "you:pä:ss", "me:pä:ss ", "me:PÄ:SS"]) {
    assertEquals(await ask(login, basic(encode(bad))), 401);
  }
  for (const bad of ["Basic !", "Bearer x", `Basic ${"A".repeat(2_000)}`, "Basic"]) {
    assertEquals(await ask(login, bad), 401);
  }
});

Deno.test("BasicLogin stops guesses of one address, and not who has not guessed", async () => {
  const login = new BasicLogin("me", "right");
  for (let tries = 0; tries < 20; tries++) assertEquals(await ask(login), 401);
  for (let tries = 0; tries < 10; tries++) {
    assertEquals(await ask(login, basic(encode("me:x"))), 401);
  }
  assertEquals(await ask(login, basic(encode("me:right"))), 429);
  assertEquals(await ask(login, basic(encode("me:right")), "192.0.2.2"), undefined);
});
