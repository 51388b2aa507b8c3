import { assert, assertEquals } from "@std/assert";
import { WithoutPasswords } from "../../lib/without_passwords.ts";

const SECRET = "swordfish";
const BASE64 = "AHN0dWRlbnQAc3dvcmRmaXNo";
const COMMANDS = ["USER", "PASS", "STAT", "RETR", "QUIT", "LOGIN", "SEARCH"];

/** What is shown of lines that one client says one after another. */
function shown(lines: string[], tagged = false): string[] {
  const client = new WithoutPasswords(COMMANDS, { tagged });
  return lines.map((line) => client.shown(line));
}

Deno.test("WithoutPasswords hides a password however its command is written", () => {
  const lines = [
    ...["PASS swordfish", "pass swordfish", "Pass  swordfish", "PASSswordfish", "PASS:swordfish"],
    ...[" PASS swordfish", "\tPASS swordfish", "\0PASS swordfish", "\ufffd\ufffdPASS swordfish"],
    ...[
      "PASS\tswordfish",
      "PASS\0swordfish",
      "PASS\rswordfish",
      '"PASS" swordfish',
      "PASS=swordfish",
    ],
    ...["PASSWORD swordfish", "passwd swordfish", "ACCT swordfish", "SITE PASS swordfish"],
    ...[
      `AUTH PLAIN ${BASE64}`,
      `auth login ${BASE64}`,
      ` AUTH PLAIN ${BASE64}`,
      "APOP x swordfish",
    ],
    ...["LOGIN student swordfish", "LOGON swordfish", "USER student swordfish"],
    ...["USER student\rPASS swordfish", "USER student\tswordfish", "USER\0swordfish"],
    ...["NOOP\rPASS swordfish", "STAT\rPASS swordfish", "QUIT\0PASS swordfish"],
    "\x1b[APASS swordfish",
  ];
  for (const tagged of [false, true]) {
    for (const line of lines) {
      for (
        const written of tagged ? [line, `a1 ${line}`, `  a1  ${line}`, `"a" ${line}`] : [line]
      ) {
        const [text] = shown([written], tagged);
        assert(!text!.includes(SECRET) && !text!.includes(BASE64), `${written} → ${text}`);
      }
    }
  }
});

Deno.test("WithoutPasswords hides what is not understood while somebody logs in", () => {
  for (
    const wrong of ["PSAS swordfish", SECRET, "P\u200bASS swordfish", "ps swordfish", "\tswordfish"]
  ) {
    assertEquals(shown(["USER student", wrong, wrong, "STAT", "HELO x"]), [
      "USER student",
      ...["***", "***", "STAT", "HELO x"],
    ]);
  }
  assertEquals(shown(["AUTH LOGIN", BASE64, BASE64, "QUIT"]), ["AUTH ***", "***", "***", "QUIT"]);
  assertEquals(shown(["a AUTHENTICATE PLAIN", BASE64, "b SEARCH x"], true), [
    ...["a AUTHENTICATE ***", "***", "b SEARCH x"],
  ]);
  // a line end in the middle of a password
  assertEquals(shown(["PASS sword", "fish"]), ["PASS ***", "***"]);
});

Deno.test("WithoutPasswords shows everything else as it is", () => {
  const lines = [
    ...["USER student", "USER", "user  student", "STAT", "RETR passwords.txt", "RETR login auth"],
    ...["stat", "WHAT", "", "  ", "GET / HTTP/1.1", "\x1b[2J", "UNKNOWN x", "QUIT"],
  ];
  for (const line of lines) assertEquals(shown([line]), [line]);
  const tagged = ["a1 SEARCH TEXT pass", "a1 SEARCH FROM login", "a USER x", "x y z", ""];
  for (const line of tagged) assertEquals(shown([line], true), [line]);
  assertEquals(shown(["a1 LOGIN student swordfish"], true), ["a1 LOGIN ***"]);
});
