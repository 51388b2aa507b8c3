import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import fc from "npm:fast-check@^4.3.0";
import { DeadlineError } from "../../lib/deadline.ts";
import { explain } from "../../lib/errors.ts";
import { meaning, RefusedError } from "../../lib/ftp_codes.ts";
import {
  extendedPort,
  passiveAddress,
  readReply,
  type Reply,
  ReplyError,
} from "../../lib/ftp_reply.ts";
import { LimitError, SocketReader } from "../../lib/reader.ts";
import { encode, everyCut } from "./helpers.ts";

const read = (text: string) => readReply(SocketReader.from(encode(text)));

Deno.test("readReply gives code and text of a single line", async () => {
  assertEquals(await read("220 ready\r\n"), { code: 220, lines: ["220 ready"], text: "ready" });
  assertEquals(await read("200\r\n"), { code: 200, lines: ["200"], text: "" });
  assertEquals(await read("200 \n"), { code: 200, lines: ["200 "], text: "" });
});

Deno.test("readReply ends a long reply only at its own code and a space, wherever it is cut", async () => {
  const lines = [
    "230-Welcome to 230",
    " 230 is not at the beginning",
    "500 looks like an error",
    "230-and on",
    "2300 is another number",
    "",
    "226 Transfer complete.",
    "230 Logged in",
  ];
  const said = encode(`${lines.join("\r\n")}\r\n331 next\r\n`);
  for (const parts of everyCut(said)) {
    const reader = SocketReader.from(parts);
    const shown: string[] = [];
    const reply = await readReply(reader, { onLine: (line) => shown.push(line) });
    assertEquals(reply, { code: 230, lines, text: "Logged in" });
    assertEquals(shown, lines);
    assertEquals((await readReply(reader)).code, 331);
  }
});

Deno.test("readReply refuses what is no reply", async () => {
  const wrong = [
    "\r\n",
    "hello\r\n",
    "22 x\r\n",
    "2200 x\r\n",
    "099 x\r\n",
    "600 x\r\n",
    " 220 x\r\n",
  ];
  for (const text of [...wrong, "220\tx\r\n", "220:x\r\n", "\x1b[2J220 x\r\n"]) {
    const error = await assertRejects(() => read(text), ReplyError, "is no FTP reply");
    assertEquals(/\p{Cc}/u.test(error.message), false);
  }
});

Deno.test("readReply tells where the stream ended", async () => {
  await assertRejects(() => read(""), ReplyError, "without a reply");
  await assertRejects(() => read("220-one\r\ntwo\r\n"), ReplyError, "in the middle of a reply");
});

Deno.test("readReply ends when a line or a reply has no end", async () => {
  await assertRejects(() => read("220 " + "x".repeat(5_000)), LimitError);
  await assertRejects(() => read("220-\r\n" + "x\r\n".repeat(1_000)), ReplyError, "200 lines");
  let reading = Promise.resolve();
  const endless = new SocketReader({
    async read(into) {
      await (reading = new Promise((resolve) => setTimeout(resolve, 10)));
      into.set(encode("220-x\n"));
      return 6;
    },
  });
  await assertRejects(() => readReply(endless, { timeout: 50 }), DeadlineError);
  await reading; // the one that was given up
});

Deno.test("readReply gives a reply or an error, and never hangs, for any bytes", async () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 8 }),
    fc.constantFrom("220", "220-", "220 ", "\r\n", "\n", "500 ").map(encode),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (parts) => {
      try {
        const { code, lines } = await readReply(SocketReader.from(parts));
        assertEquals(code >= 100 && code <= 599 && lines.length > 0, true);
      } catch (error) {
        assertEquals(error instanceof ReplyError, true, String(error));
      }
    }),
    { numRuns: 20_000 },
  );
});

Deno.test("a refusal tells the command, the server's words made visible, and what they mean", () => {
  const reply: Reply = { code: 550, lines: [], text: "No \x1b[2Jsuch file" };
  const { reason, next } = explain(new RefusedError("RETR a\u202e", reply));
  assertEquals(reason, "the server refuses RETR a\\u202e: 550 No \\x1b[2Jsuch file");
  assertMatch(next!, /no such file/);
  for (let code = 100; code < 600; code++) assertMatch(meaning(code), /\.$|: /);
  assertEquals(meaning(451) === meaning(499), false);
  assertEquals(meaning(777), "The code is none of FTP's.");
});

Deno.test("extendedPort reads the port between any delimiter", () => {
  for (const text of ["Entering (|||6446|)", "(!!!6446!)", "ok (aaa6446a) (b)"]) {
    assertEquals(extendedPort({ text }), 6446);
  }
  for (
    const text of ["", "(|||0|)", "(|||65536|)", "(||6446|)", "(|||6446!)", "(|1|127.0.0.1|6446|)"]
  ) {
    assertThrows(() => extendedPort({ text }), ReplyError, "no data port");
  }
});

Deno.test("passiveAddress reads six numbers, with or without parentheses", () => {
  const there = { hostname: "10.0.0.1", port: 5 * 256 + 6 };
  for (
    const text of ["Entering Passive Mode (10,0,0,1,5,6).", "=10,0,0,1,5,6", "10,0,0,1,5,6 ok"]
  ) {
    assertEquals(passiveAddress({ text }), there);
  }
  for (
    const text of ["", "(10,0,0,1,5)", "(10,0,0,1,5,6,7)", "(10,0,0,256,5,6)", "(10,0,0,1,0,0)"]
  ) {
    assertThrows(() => passiveAddress({ text }), ReplyError, "no data port");
  }
});
