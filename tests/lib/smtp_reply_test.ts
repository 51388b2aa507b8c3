import { assert, assertEquals, assertRejects } from "@std/assert";
import { DeadlineError } from "../../lib/deadline.ts";
import { SocketReader } from "../../lib/reader.ts";
import { smtpMeaning, SmtpRefusal } from "../../lib/smtp_codes.ts";
import { readSmtpReply, SmtpReplyError } from "../../lib/smtp_reply.ts";
import { chance, encode, everyCut } from "./helpers.ts";

const read = (text: string) => readSmtpReply(SocketReader.from(encode(text)));

const replyOf = (text: string) => ({
  code: Number(text.slice(0, 3)),
  lines: [text.slice(4)],
  text,
});

Deno.test("readSmtpReply gives code and lines, wherever it is cut", async () => {
  const said = "250-mail.example.org\r\n250-AUTH PLAIN LOGIN\r\n250\r\n354 go on\n";
  for (const parts of everyCut(encode(said))) {
    const shown: string[] = [];
    const reader = SocketReader.from(parts);
    const reply = await readSmtpReply(reader, { onLine: (line) => shown.push(line) });
    assertEquals(reply, {
      code: 250,
      lines: ["mail.example.org", "AUTH PLAIN LOGIN", ""],
      text: "250 mail.example.org AUTH PLAIN LOGIN",
    });
    assertEquals(shown, ["250-mail.example.org", "250-AUTH PLAIN LOGIN", "250"]);
    assertEquals((await readSmtpReply(reader)).text, "354 go on");
  }
});

Deno.test("readSmtpReply refuses what is no reply", async () => {
  const none = [
    ..."hello|25 ok|2500 ok|150 ok|650 ok|260 ok|299 ok|250ok|+OK|".split("|"),
    ...["250_ok", " 250 ok", "\x00250 ok", "250-a\r\n251 b", "250-a\r\nb", "250-a\r\n\r\n250 c"],
  ];
  for (const text of none) await assertRejects(() => read(`${text}\r\n`), SmtpReplyError);
});

Deno.test("readSmtpReply takes no part of a reply for all of it", async () => {
  const said = "250-first\r\n250 second\r\n";
  for (let cut = 0; cut < said.length - 1; cut++) {
    const error = await assertRejects(() => read(said.slice(0, cut)), SmtpReplyError);
    assert(error.message.includes("closed the connection"), error.message);
  }
});

Deno.test("readSmtpReply ends when a line or a reply has no end", async () => {
  await assertRejects(() => read("250 " + "x".repeat(5_000)), SmtpReplyError, "longer than 4096");
  await assertRejects(() => read("250-x\r\n".repeat(1_000)), SmtpReplyError, "more than 200 lines");
  // lines that come slowly do not make the wait longer
  const slow = new SocketReader({
    async read(into) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      into.set(encode("250-x\r\n"));
      return 7;
    },
  });
  await assertRejects(
    () => readSmtpReply(slow, { timeout: 60 }),
    DeadlineError,
    "nothing came within 0.06 s",
  );
});

Deno.test("readSmtpReply gives a reply or an error, and never hangs, for any bytes", async () => {
  const random = chance(5_321);
  const fragments = ["250", "-", " ", "\r\n", "\n", "\r", "354 ", "5", "ok", "\0", "ü", "421-"];
  let replies = 0;
  for (let round = 0; round < 100_000; round++) {
    let text = "";
    for (let count = random(8); count >= 0; count--) text += fragments[random(fragments.length)];
    try {
      const { code, lines } = await read(text);
      assert(code >= 200 && code < 600 && lines.length > 0);
      replies++;
    } catch (error) {
      assert(error instanceof SmtpReplyError, String(error));
    }
  }
  assert(replies > 1_000, `${replies}`);
});

Deno.test("smtpMeaning tells more of a code at the step where it says more", () => {
  const meanings: [string, string, RegExp][] = [
    ["RCPT TO:<a@b>", "550 no", /does not pass mail on/],
    ["the mail", "550 no", /look like spam/],
    ["VRFY a", "550 no", /no such mailbox/],
    ["MAIL FROM:<a@b>", "550 5.1.8 no", /sender's domain does not exist/],
    ["RCPT TO:<a@b>", "550 5.99.99 no", /does not pass mail on/],
    ["RCPT TO:<a@b>", "452 4.5.3 many", /too many recipients.*It may work later/],
    ["the login of a", "535 5.7.8 no", /password are not right/],
    ["DATA", "499 no", /It may work later/],
    ["DATA", "599 no", /do not repeat it unchanged/],
    ["DATA", "251 no", /should not have been/],
    ["DATA", "334 no", /wants to hear more/],
  ];
  for (const [step, text, meaning] of meanings) {
    assert(meaning.test(smtpMeaning(step, replyOf(text))), `${step} ${text}`);
  }
});

Deno.test("SmtpRefusal shows what the server said with control characters escaped, and not all of it", () => {
  const { message } = new SmtpRefusal("DATA", replyOf(`554 \x1b[2J${"x".repeat(1_000)}`));
  assert(message.startsWith("the server refuses DATA: 554 \\x1b[2Jxxx"));
  assert(message.length < 600);
});
