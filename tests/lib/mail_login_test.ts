import { assertEquals } from "@std/assert";
import { MailLogin, staysHere } from "../../lib/mail_login.ts";

const judge = (login: MailLogin, password: string, from = "192.0.2.1", user = "student") =>
  login.judge(user, password, from);

Deno.test("MailLogin counts guesses that come at once, but not right passwords", async () => {
  const login = new MailLogin("student", "example");
  const right = await Promise.all(Array.from({ length: 200 }, () => judge(login, "example")));
  assertEquals(new Set(right), new Set(["right"]));
  const guesses = await Promise.all(
    Array.from({ length: 200 }, (_, at) => judge(login, at === 150 ? "example" : `guess ${at}`)),
  );
  assertEquals(guesses.filter((verdict) => verdict === "wrong").length, 10);
  assertEquals(guesses.filter((verdict) => verdict === "wait").length, 190);
  assertEquals(await judge(login, "example", "192.0.2.2"), "right");
});

Deno.test("MailLogin takes user and password for what they are, and no others", async () => {
  const login = new MailLogin("student", "example");
  const others = [["student", ""], ["", "example"], ["studentexample", ""], ["Student", "example"]];
  for (const [at, [user, password]] of others.entries()) {
    assertEquals(await login.judge(user!, password!, `192.0.2.${at}`), "wrong");
  }
});

Deno.test("MailLogin forgets guesses when the right password comes, and the oldest of many addresses", async () => {
  const login = new MailLogin("student", "example");
  for (let round = 0; round < 5; round++) {
    for (let guess = 0; guess < 9; guess++) assertEquals(await judge(login, "guess"), "wrong");
    assertEquals(await judge(login, "example"), "right");
  }
  for (let guess = 0; guess < 10; guess++) await judge(login, "guess");
  assertEquals(await judge(login, "example"), "wait");
  for (let other = 0; other < 1_000; other++) await judge(login, "guess", `10.0.0.${other}`);
  assertEquals(await judge(login, "example"), "right");
});

Deno.test("staysHere knows loopback addresses in all their forms", () => {
  const here = ["127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"];
  const there = ["128.0.0.1", "0.0.0.0", "10.0.0.1", "::", "fe80::1", "::ffff:10.0.0.1"];
  assertEquals([here.every(staysHere), there.some(staysHere)], [true, false]);
});
