import { assert, assertEquals, assertThrows } from "@std/assert";
import { parseAddress, parseMailbox } from "../../lib/mail_address.ts";
import { parsePath } from "../../lib/smtp_path.ts";
import { traceOf } from "../../lib/smtp_trace.ts";
import { UsageError } from "../../lib/usage.ts";
import { chance } from "./helpers.ts";

Deno.test("parseAddress takes what RFC 5321 allows", () => {
  const right = [
    ..."a@b a.b+c=d@example.org !#$%&'*+-/=?^_`{|}~@example.org a@xn--bcher-kva.example".split(" "),
    ...['"a b"@example.org', '"a\\"b>"@example.org', "a@[127.0.0.1]", "a@[IPv6:::1]"],
    `${"x".repeat(64)}@example.org`,
  ];
  for (const text of right) assertEquals(parseAddress(text)?.address, text);
  assertEquals(parseAddress("ü@example.org")?.utf8, true);
  assertEquals(parseAddress("a@BÜCHER.example")?.address, "a@xn--bcher-kva.example");
});

Deno.test("parseAddress takes nothing else", () => {
  const wrong = [
    ..."a @b a@ a@b@ a..b@c .a@b a.@b a@.b a@b. a@b..c a@-b a@b- a@b_c a,b@c a@b,c (a)@b a@b:25 a@b/c"
      .split(" "),
    ...[
      "",
      "@",
      "a b@c",
      "a@b c",
      '"a@b',
      'a"b"@c',
      '"a\n"@b',
      "a@[1.2.3]",
      "a@[::1]",
      "a@[IPv6:1.2.3.4]",
    ],
    ...[
      "a\r\n@b",
      "a@b\r\n",
      "a@b\0",
      "a\0@b",
      "a@b\u2028",
      "\u202ea@b",
      "a@b\x1b",
      "a@\u2025b",
      "<a@b>",
    ],
    `${"x".repeat(65)}@b`,
    `a@${"x".repeat(64)}.org`,
    `a@${"x.".repeat(130)}org`,
    `${"ü".repeat(33)}@b`,
  ];
  for (const text of wrong) assertEquals(parseAddress(text), undefined, JSON.stringify(text));
});

Deno.test("parseMailbox reads names, and refuses what would begin a field or command", () => {
  assertEquals(parseMailbox("a@b").name, "");
  assertEquals(parseMailbox("<a@b>").address, "a@b");
  assertEquals(parseMailbox('"Liddell, Alice" <a@b>').name, "Liddell, Alice");
  assertEquals(parseMailbox('"Bob \\"Bobby\\" D\\\\oe" <a@b>').name, 'Bob "Bobby" D\\oe');
  assertEquals(parseMailbox('Bob "Bobby" Doe <a@b>').name, 'Bob "Bobby" Doe');
  assertEquals(parseMailbox("Jürgen  <a@b>").name, "Jürgen");
  const wrong = [
    "x\r\nBcc: y <a@b>",
    "a@b\r\nDATA",
    "a@b, c@d",
    "a <b> <c@d>",
    "a",
    "",
    "x".repeat(300) + "<a@b>",
  ];
  for (const text of wrong) {
    assertThrows(() => parseMailbox(text), UsageError, "is no mail address");
  }
});

Deno.test("parsePath takes routes, parameters, a space, and any case", () => {
  const path = parsePath("TO", "to: <@one,@two.example:bob@example.org>  Notify=NEVER x")!;
  assertEquals([path.text, path.address?.domain], ["bob@example.org", "example.org"]);
  assertEquals([...path.parameters], [["NOTIFY", "NEVER"], ["X", ""]]);
  assertEquals(parsePath("TO", 'TO:<"a>b"@example.org>')?.address?.local, '"a>b"');
  assertEquals(parsePath("FROM", "FROM:<>")?.text, "");
});

Deno.test("parsePath refuses other words, missing brackets, and what stands twice", () => {
  const wrong = [
    ...[
      "",
      "FROM",
      "FROM:",
      "FROM:a@b",
      "FROM <a@b>",
      "FROM:<a@b",
      "FROM:<<a@b>>",
      "TO:<a@b>",
      "FROM:<a@b>x",
    ],
    ...[
      "FROM:<a@b> SIZE=1 size=2",
      "FROM:<a@b> =1",
      "FROM:<a@b> SIZE=",
      "FROM:<a@b> S\0=1",
      "FROM:<a@b> S=\x7f",
    ],
  ];
  for (const text of wrong) assertEquals(parsePath("FROM", text), undefined, text);
});

Deno.test("parsePath and parseAddress take any text, and no address holds what ends a line or a bracket", () => {
  const random = chance(822);
  const parts = '<|>|@|:|"|\\|a|.|a@a|a@a>|a.a|[::1]|FROM:|=|,|[|]|ü| |\r|\n|\0'.split("|");
  let found = 0;
  for (let round = 0; round < 100_000; round++) {
    let text = random(3) === 0 ? "FROM:<" : "";
    for (let count = random(6); count >= 0; count--) text += parts[random(parts.length)];
    const address = parseAddress(text) ?? parsePath("FROM", text)?.address;
    if (!address) continue;
    found++;
    assert(!/[\r\n\0]/.test(address.address), JSON.stringify(text));
    assert(address.local.startsWith('"') || !/[<> ]/.test(address.address), JSON.stringify(text));
    assertEquals(parseAddress(address.address), address);
  }
  assert(found > 300, `${found}`);
  // time that grows with the square of the length would be a minute
  for (const long of ['"', '\\"', "a.", "<", " x=1", "@a,", "[", "ü"]) {
    const began = performance.now();
    parsePath("FROM", `FROM:<${long.repeat(300_000)}`);
    parsePath("FROM", `FROM:<a@b>${long.repeat(300_000)}\0`);
    parseAddress(long.repeat(300_000) + "@b");
    assert(performance.now() - began < 20_000, `${JSON.stringify(long)} takes long`);
  }
});

Deno.test("traceOf writes nothing that a client has chosen freely", () => {
  const trace = traceOf({
    from: "",
    to: ["a@b", "c@d"],
    hello: "x\r\nBcc: y",
    client: "::1",
    name: "localhost",
    protocol: "ESMTPS",
    date: new Date(0),
  });
  assertEquals(
    trace,
    "Return-Path: <>\r\nReceived: from unknown ([IPv6:::1])\r\n\tby localhost with ESMTPS; " +
      "Thu, 01 Jan 1970 00:00:00 +0000\r\n",
  );
});
