import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { parseMailbox } from "../../lib/mail_address.ts";
import { composeMail, type Letter } from "../../lib/mail_compose.ts";
import { encodeText, encodeWords } from "../../lib/mail_encoding.ts";
import { checkMail, parametersFor } from "../../lib/smtp_mail.ts";
import { UsageError } from "../../lib/usage.ts";
import { decode, encode } from "./helpers.ts";

function compose(letter: Partial<Letter>): string {
  const from = parseMailbox("alice@example.org"), to = [parseMailbox("bob@example.org")];
  return decode(composeMail({ from, to, subject: "x", text: "y", ...letter }));
}

Deno.test("composeMail writes all fields, an empty line, and the text", () => {
  const mail = compose({ date: new Date(0), id: "1@example.org", text: "one\n.\ntwo" });
  assertEquals(
    mail,
    "From: alice@example.org\r\nTo: bob@example.org\r\nSubject: x\r\n" +
      "Date: Thu, 01 Jan 1970 00:00:00 +0000\r\nMessage-ID: <1@example.org>\r\nMIME-Version: 1.0\r\n" +
      "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n" +
      "one\r\n.\r\ntwo\r\n",
  );
  assertMatch(compose({}), /^Message-ID: <[0-9a-f-]{36}@example\.org>\r$/m);
  assert(compose({}) !== compose({}), "two mails have one name");
});

Deno.test("composeMail writes names plainly, quoted, or encoded, as they need it", () => {
  const written = (name: string) => {
    const from = { ...parseMailbox("a@b.example"), name };
    return /^From: ([^]*?)\r\nTo:/m.exec(compose({ from }))![1];
  };
  assertEquals(written("Alice Liddell"), "Alice Liddell <a@b.example>");
  assertEquals(written('Liddell, "A."'), '"Liddell, \\"A.\\"" <a@b.example>');
  assertEquals(written("Müller"), "=?utf-8?Q?M=C3=BCller?=\r\n <a@b.example>");
  assertEquals(written("=?x?Q?y?="), "=?utf-8?Q?=3D=3Fx=3FQ=3Fy=3F=3D?=\r\n <a@b.example>");
});

Deno.test("composeMail folds a long subject, and refuses one that would begin a field", () => {
  const subject = "word ".repeat(60).trim();
  const lines = /^Subject: [^]*?(?=\r\nDate:)/m.exec(compose({ subject }))![0].split("\r\n");
  assert(lines.length > 3 && lines.every((line) => line.length <= 78));
  assertEquals(lines.join(""), `Subject: ${subject}`);
  for (const wrong of ["a\r\nBcc: b@c", "a\nb", "a\rb", "a\0b", "\x1b[2J", "a\u0085b"]) {
    assertThrows(() => compose({ subject: wrong }), UsageError);
  }
  // no folding there: encoded
  assertMatch(compose({ subject: "x".repeat(100) }), /^Subject: =\?utf-8\?Q\?x+\?=\r\n =\?utf/m);
  assertMatch(compose({ subject: " two  spaces " }), /^Subject: =\?utf-8\?Q\?_two__spaces_\?=\r$/m);
});

Deno.test("encodeWords cuts between characters, in words of at most 75", () => {
  for (const text of ["ü".repeat(200), "大".repeat(200), "👍🏽".repeat(50), "a".repeat(300)]) {
    const words = encodeWords(text, 20).split("\r\n ");
    assert(words[0]!.length <= 56 && words.every((word) => word.length <= 75));
    for (const word of words) {
      const [, kind, payload] = /^=\?utf-8\?([QB])\?(.*)\?=$/.exec(word)!;
      const bytes = kind === "B"
        ? Uint8Array.fromBase64(payload!)
        : encode(decodeURIComponent(payload!.replaceAll("=", "%")));
      new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    }
  }
});

Deno.test("encodeText chooses what can be read where it can", () => {
  assertEquals(encodeText("").encoding, "7bit");
  assertEquals(encodeText("x".repeat(998)).encoding, "7bit");
  assertEquals(encodeText("x".repeat(999)).encoding, "quoted-printable");
  assertEquals(encodeText("Grüße").encoding, "quoted-printable");
  assertEquals(encodeText("a\0b").encoding, "quoted-printable");
  assertEquals(encodeText("大きさ大きさ").encoding, "base64");
  assertEquals(encodeText("ü \na=b\t").body, "=C3=BC=20\r\na=3Db=09\r\n");
  for (const line of encodeText("大".repeat(5_000)).body.split("\r\n")) assert(line.length <= 76);
});

Deno.test("checkMail refuses what SMTP cannot carry", () => {
  checkMail(encode(`${"x".repeat(998)}\r\n`), 100);
  assertThrows(
    () => checkMail(encode(`${"x".repeat(999)}\r\n`), 1),
    UsageError,
    "at most 998 bytes",
  );
  assertThrows(() => checkMail(encode("a\0\r\n"), 1), UsageError, "NUL");
  for (const count of [0, 101]) {
    assertThrows(() => checkMail(encode(""), count), UsageError, "1 to 100");
  }
});

Deno.test("parametersFor asks for what is offered, and for nothing else", () => {
  const envelope = { from: "a@b", to: ["c@d"], mail: encode("x\r\n") };
  const eight = { ...envelope, mail: encode("ü\r\n") };
  const utf8 = { ...envelope, to: ["ü@d"] };
  const offers = (...names: string[]) => new Map(names.map((name) => [name, ""]));
  assertEquals(parametersFor(offers(), envelope), "");
  assertEquals(parametersFor(offers("8BITMIME", "SMTPUTF8"), envelope), "");
  assertEquals(parametersFor(offers("SIZE", "8BITMIME"), eight), " SIZE=4 BODY=8BITMIME");
  assertEquals(parametersFor(offers("SMTPUTF8"), utf8), " SMTPUTF8");
  assertEquals(parametersFor(new Map([["SIZE", "0"]]), envelope), " SIZE=3");
  assertThrows(() => parametersFor(offers(), eight), Error, "8BITMIME");
  assertThrows(() => parametersFor(offers("8BITMIME"), utf8), Error, "SMTPUTF8");
  assertThrows(() => parametersFor(new Map([["SIZE", "2"]]), envelope), Error, "at most 2 bytes");
});
