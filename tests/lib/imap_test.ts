/**
 * What IMAP's lines are taken apart into, and put together from: exactly, for every cut of every sample, and for
 * whatever else may come.
 *
 * @module
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "npm:fast-check@^4.3.0";
import { parseAddresses } from "../../lib/address_list.ts";
import { decodeWords } from "../../lib/encoded_word.ts";
import { envelopePieces, readEnvelope } from "../../lib/imap_envelope.ts";
import { ImapRefused } from "../../lib/imap_errors.ts";
import { parseFetchItems, parseImapDate } from "../../lib/imap_fetch.ts";
import { type ImapLine, ImapSyntaxError, readImapLine } from "../../lib/imap_line.ts";
import { Mailbox } from "../../lib/imap_mailbox.ts";
import { Mailboxes } from "../../lib/imap_mailboxes.ts";
import { ImapParser, type ImapValue, isNil } from "../../lib/imap_parser.ts";
import { fetchedItems, parseImapReply, readImapReply } from "../../lib/imap_reply.ts";
import { parseSearch } from "../../lib/imap_search.ts";
import { parseSection, sectionOf } from "../../lib/imap_section.ts";
import { inSequence, parseSequence } from "../../lib/imap_sequence.ts";
import { commandOf } from "../../lib/imap_session.ts";
import { argument, nstring, type Pieces } from "../../lib/imap_string.ts";
import { structurePieces } from "../../lib/imap_structure.ts";
import { mailLines } from "../../lib/mail_display.ts";
import { headerFields, headerLength } from "../../lib/mail_header.ts";
import { mimeParts, parseParameters } from "../../lib/mime_parts.ts";
import { decodeMailboxName, encodeMailboxName } from "../../lib/modified_utf7.ts";
import { LimitError, SocketReader, UnexpectedEof } from "../../lib/reader.ts";
import { UsageError } from "../../lib/usage.ts";
import { chance, concat, decode, encode, everyCut, temporaryFolder } from "./helpers.ts";

const SEED = 20_261_125;
const INPUTS = 100_000;

/** What a server may say, and what is understood. */
const REPLIES: [text: string, reply: unknown][] = [
  ["* OK hello\r\n", { kind: "status", tag: "*", status: "OK", text: "hello" }],
  [
    "* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n",
    {
      ...{ kind: "status", tag: "*", status: "PREAUTH", text: "hi" },
      ...{ code: "CAPABILITY", details: "IMAP4rev1 STARTTLS" },
    },
  ],
  // what a person is to read may end as a literal begins
  ["a1 no there is no {5}\r\n", {
    kind: "status",
    tag: "a1",
    status: "NO",
    text: "there is no {5}",
  }],
  ["a2 OK\r\n", { kind: "status", tag: "a2", status: "OK", text: "" }],
  ["+ {3}\r\n", { kind: "go-ahead", text: "{3}" }],
  ["+\r\n", { kind: "go-ahead", text: "" }],
  ["* 23 EXISTS\r\n", { kind: "data", name: "EXISTS", number: 23, values: [] }],
  ["* search 2 84 882\r\n", { kind: "data", name: "SEARCH", values: ["2", "84", "882"] }],
  ["* SEARCH\r\n", { kind: "data", name: "SEARCH", values: [] }],
  [
    '* LIST (\\Noselect) "/" foo/bar\r\n',
    { kind: "data", name: "LIST", values: [["\\Noselect"], encode("/"), "foo/bar"] },
  ],
  // only what FETCH names has sections
  ['* LIST () "/" x[1]y\r\n', { kind: "data", name: "LIST", values: [[], encode("/"), "x[1]y"] }],
  ['* LIST () "/" x[y\r\n', { kind: "data", name: "LIST", values: [[], encode("/"), "x[y"] }],
  [
    "* 4 FETCH (binary[1] {1}\r\nx BINARY.SIZE[1 ] 1)\r\n",
    {
      ...{ kind: "data", name: "FETCH", number: 4 },
      values: [["binary[1]", encode("x"), "BINARY.SIZE[1]", "1"]],
    },
  ],
  [
    '* LIST () NIL {7}\r\na "b" {c\r\n',
    { kind: "data", name: "LIST", values: [[], "NIL", encode('a "b" {')] },
  ].map((each, index) => index === 0 ? '* LIST () NIL {7}\r\na "b" {\r\n' : each) as [
    string,
    unknown,
  ],
  [
    "* 1 FETCH (BODY[] {31}\r\na4 OK done\r\n* BYE\r\n)\r\na4 OK\r\n\n\0 UID 7)\r\n",
    {
      ...{ kind: "data", name: "FETCH", number: 1 },
      values: [["BODY[]", encode("a4 OK done\r\n* BYE\r\n)\r\na4 OK\r\n\n\0"), "UID", "7"]],
    },
  ],
  [
    '* 2 FETCH (BODY[HEADER.FIELDS ("To" {2}\r\nCc)]<0> {0}\r\n FLAGS (\\Seen) X "\\"\\\\")\r\n',
    {
      ...{ kind: "data", name: "FETCH", number: 2 },
      values: [[
        ...["BODY[HEADER.FIELDS (To Cc)]<0>", new Uint8Array(), "FLAGS", ["\\Seen"]],
        ...["X", encode('"\\')],
      ]],
    },
  ],
  [
    '* 3 FETCH (ENVELOPE (NIL {3}\r\n"\r\n ((NIL NIL "a" "b")(NIL NIL "c" "d"))))\r\n',
    {
      ...{ kind: "data", name: "FETCH", number: 3 },
      values: [["ENVELOPE", [
        "NIL",
        encode('"\r\n'),
        [["NIL", "NIL", encode("a"), encode("b")], ["NIL", "NIL", encode("c"), encode("d")]],
      ]]],
    },
  ],
];

Deno.test("a reply is the same however the network cuts it", async () => {
  const all = REPLIES.map(([text]) => text).join("");
  const expected = REPLIES.map(([, reply]) => reply);
  for (const parts of everyCut(encode(all))) {
    const reader = SocketReader.from(parts);
    const replies: unknown[] = [];
    for (let reply; (reply = await readImapReply(reader));) replies.push(reply);
    assertEquals(replies, expected);
  }
});

Deno.test("a reply that ends too early is an error, and never another reply", async () => {
  for (const [text, expected] of REPLIES) {
    const bytes = encode(text);
    assertEquals(await readImapReply(SocketReader.from([])), null);
    for (let end = 1; end < bytes.length; end++) {
      await assertRejects(
        () => readImapReply(SocketReader.from(bytes.subarray(0, end))),
        UnexpectedEof,
        undefined,
        `${text} cut at ${end}, ${JSON.stringify(expected)}`,
      );
    }
  }
});

Deno.test("a line keeps its limits, and a literal that is only announced takes no memory", async () => {
  const read = (text: string, options = {}) =>
    readImapLine(SocketReader.from(encode(text)), { limit: 100, literalLimit: 1_000, ...options });
  await assertRejects(() => read("x".repeat(101) + "\r\n"), LimitError);
  await assertRejects(() => read("* X {4294967296}\r\n"), LimitError, "4294967296");
  await assertRejects(() =>
    read("* X {99999999999999999999}\r\n").then((line) => {
      // no literal: the number has too many digits
      assertEquals(decode(line!.at(-1)!), "* X {99999999999999999999}");
      throw new LimitError("seen", 0);
    }), LimitError);
  await assertRejects(() => read("* X {1001}\r\n"), LimitError);
  await assertRejects(() => read(`* X {600}\r\n${"x".repeat(600)} {600}\r\n`), LimitError);
  await assertRejects(() => read(`${"x".repeat(90)} {1}\r\ny${"z".repeat(20)}\r\n`), LimitError);
  const before = Deno.memoryUsage().external;
  await assertRejects(
    () => read("* X {4000000000}\r\nabc", { literalLimit: 2 ** 33 }),
    UnexpectedEof,
    "3 of 4000000000",
  );
  assert(Deno.memoryUsage().external - before < 16 * 1024 * 1024);
});

Deno.test("a line end that is none ends the conversation", async () => {
  for (
    const text of ["a1 NOOP\n", "a1 NO\rOP\r\n", "a1\0 NOOP\r\n", "a1 LOGIN x y\na2 DELETE\r\n"]
  ) {
    await assertRejects(() => readImapLine(SocketReader.from(encode(text))), ImapSyntaxError);
  }
});

const STRANGE = [
  ...[
    "",
    "x",
    "*",
    "+",
    "* ",
    "* 1",
    "* 1 ",
    "(",
    "* LIST (",
    "* LIST )",
    '* X "',
    '* X "\\',
    "* X ]",
  ],
  ...[
    "* X [",
    "* BODY[",
    "* BODY[(",
    "* BODY[(]",
    "* BODY[]<",
    "* X {",
    "* X {}",
    "* X {-1}",
    "* X \x7f",
  ],
  ...[
    "* X ()()",
    '* X ""y',
    "* " + "(".repeat(60) + ")".repeat(60),
    "a1 MAYBE x",
    "* X {a}",
    " * OK",
  ],
];

Deno.test("a line that is no reply is an error that says so", () => {
  for (const text of STRANGE) {
    try {
      const reply = parseImapReply([encode(text)]);
      // a few of them can be read
      assert(["* X ()()", "* BODY[]<", "* X ]"].every((each) => each !== text) || reply, text);
    } catch (error) {
      assert(error instanceof ImapSyntaxError, `${text}: ${error}`);
    }
  }
});

/** Bytes to be split into lines and literals: pieces of IMAP, of mail, and of nothing. */
const FRAGMENTS = [
  ...[
    "* ",
    "a1 ",
    "OK ",
    "BYE ",
    "FETCH ",
    "(",
    ")",
    "{3}\r\n",
    "{0}\r\n",
    "{1+}\r\n",
    '"',
    "\\",
    "[",
    "]",
  ],
  ...[
    "<0>",
    "<0.5>",
    "NIL",
    "BODY[",
    "BODY.PEEK[HEADER.FIELDS (",
    "1.2.MIME",
    "UID ",
    "SEARCH ",
    "NOT ",
  ],
  ...[
    "OR ",
    "CHARSET ",
    "1:*",
    ",",
    "*",
    "4294967295",
    "20-Jul-2026",
    "SINCE ",
    "HEADER ",
    "=?utf-8?B?",
  ],
  ...[
    "=?iso-2022-jp?Q?=1B$B",
    "?=",
    "&",
    "&AOQ-",
    "-",
    "é",
    "\xff",
    "\0",
    "\r",
    "\n",
    "\r\n",
    "\r\n\r\n",
  ],
  ...[
    "Content-Type: multipart/mixed; boundary=x\r\n\r\n",
    "--x",
    "--x--",
    "message/rfc822",
    "Subject: ",
  ],
  ...["From: ", "a@b", "<a@b>", ":", ";", " \t", "(c", "\u202e", "\x1b[2J"],
];

const UNSAFE = /[\p{Cc}\p{Bidi_Control}]/u;

const PARSERS: Record<
  string,
  (bytes: Uint8Array, text: string, random: (limit: number) => number) => void
> = {
  "a reply": (bytes) => void parseImapReply(splitAnyhow(bytes)),
  "what FETCH told": (bytes) => void fetchedItems(new ImapParser(splitAnyhow(bytes)).values()),
  "a command": (bytes) => void commandOf(splitAnyhow(bytes)).parser.values(),
  "what FETCH is asked": (bytes) =>
    void parseFetchItems(new ImapParser([concat(encode("("), bytes, encode(")"))]).value()),
  "a section": (bytes, text) => {
    const section = parseSection(`BODY[${text}`);
    sectionOf(bytes, () => mimeParts(bytes), section);
  },
  "a search": (bytes) =>
    void parseSearch(new ImapParser(splitAnyhow(bytes)).values(), { number: 3, uid: 9 }),
  "a sequence": (_bytes, text) => {
    const ranges = parseSequence(text, 7);
    assert(ranges.every(([from, to]) => from <= to));
    assertEquals(inSequence(ranges, ranges[0]![0]), true);
  },
  "an envelope": (bytes) => void readEnvelope(new ImapParser(splitAnyhow(bytes)).value()),
  "a date": (_bytes, text) => void parseImapDate(text),
  "a mail": (bytes) => {
    const fields = headerFields(bytes);
    assert(headerLength(bytes) <= bytes.length);
    const mime = mimeParts(bytes);
    for (const pieces of [envelopePieces(fields), structurePieces(bytes, mime, true)]) {
      // what is made of any mail at all can be read again
      if (new ImapParser(lineOf(pieces)).values().length !== 1) throw new Error(pieces.join("|"));
    }
    for (const line of mailLines(bytes)) {
      if (UNSAFE.test(line.replaceAll("\t", ""))) throw new Error(line);
    }
  },
  "addresses": (_bytes, text) => {
    for (const { mailbox = "", host = "" } of parseAddresses(text)) {
      assert(mailbox.length + host.length <= text.length);
    }
  },
  "encoded words": (_bytes, text) => void decodeWords(text),
  "the name of a mailbox": (_bytes, text) => {
    const name = decodeMailboxName(text);
    if (name !== text) assertEquals(encodeMailboxName(name), text);
    assertEquals(decodeMailboxName(encodeMailboxName(text)), text);
  },
};

/** Cuts bytes into texts and literals, an odd number of parts. */
function splitAnyhow(bytes: Uint8Array): ImapLine {
  const third = Math.floor(bytes.length / 3);
  return bytes.length % 2 === 0
    ? [bytes]
    : [bytes.subarray(0, third), bytes.subarray(third, 2 * third), bytes.subarray(2 * third)];
}

/** Pieces of a reply as the reader on the other side gets them. */
function lineOf(pieces: Pieces): ImapLine {
  const line: Uint8Array[] = [];
  let text = "";
  for (const piece of pieces) {
    if (typeof piece === "string") text += piece;
    else {
      line.push(encode(text.replace(/\{\d+\}\r\n$/, "")), piece);
      text = "";
    }
  }
  return [...line, encode(text)];
}

for (const [name, take] of Object.entries(PARSERS)) {
  Deno.test(`${name} is read, or refused, from ${INPUTS} generated inputs (seed ${SEED})`, () => {
    const random = chance(SEED);
    for (let input = 0; input < INPUTS; input++) {
      const text = Array.from({ length: 1 + random(8) }, () => FRAGMENTS[random(FRAGMENTS.length)])
        .join("");
      const bytes = encode(text);
      // and some that are no text
      if (bytes.length > 0 && random(3) === 0) bytes[random(bytes.length)] = random(256);
      try {
        take(bytes, text, random);
      } catch (error) {
        if (!(error instanceof ImapSyntaxError)) {
          throw new Error(JSON.stringify(text), { cause: error });
        }
      }
    }
  });

  Deno.test(`${name} is not slow to read when it is long`, () => {
    // what grows with the square of the length takes minutes
    for (const fragment of FRAGMENTS) {
      const text = fragment.repeat(Math.ceil(100_000 / fragment.length));
      try {
        take(encode(text), text, chance(SEED));
      } catch (error) {
        if (!(error instanceof ImapSyntaxError)) throw new Error(fragment, { cause: error });
      }
    }
  });
}

Deno.test("lists in lists are counted when they stand in sections of each other, too", () => {
  for (const [nested, end] of [["(", ")"], ["BODY[HEADER.FIELDS (", ")]"]] as const) {
    const text = (depth: number) => encode(nested.repeat(depth) + "x" + end.repeat(depth));
    new ImapParser([text(50)]).value();
    for (const depth of [51, 10_000]) {
      const message = "more than 50 lists in each other";
      assertThrows(() => new ImapParser([text(depth)]).value(), ImapSyntaxError, message);
    }
  }
});

Deno.test("what comes is read from any bytes in any pieces, or refused", async () => {
  const random = chance(SEED);
  for (let input = 0; input < 3_000; input++) {
    const text = Array.from({ length: 1 + random(12) }, () => FRAGMENTS[random(FRAGMENTS.length)])
      .join("");
    const bytes = encode(text + "\r\n");
    const at = random(bytes.length);
    const outcomes: string[] = [];
    for (const parts of [[bytes], [bytes.subarray(0, at), bytes.subarray(at)]]) {
      const reader = SocketReader.from(parts);
      const replies: unknown[] = [];
      try {
        for (let reply; (reply = await readImapReply(reader));) replies.push(reply);
      } catch (error) {
        const kinds = [ImapSyntaxError, UnexpectedEof, LimitError];
        if (!kinds.some((kind) => error instanceof kind)) {
          throw new Error(JSON.stringify(text), { cause: error });
        }
        replies.push((error as Error).message);
      }
      outcomes.push(JSON.stringify(replies));
    }
    assertEquals(outcomes[0], outcomes[1]);
  }
});

const anyBytes = fc.uint8Array({ maxLength: 200 });
const anyText = fc.string({ unit: "grapheme", maxLength: 60 }).filter((text) =>
  text.isWellFormed()
);

Deno.test("a string is what it was after it went over the wire", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(anyBytes, anyText)), async (texts) => {
      const pieces = texts.flatMap((text) => [" ", ...nstring(text)]);
      const wire = concat(
        ...["* X", ...pieces, "\r\n"].map((each) => typeof each === "string" ? encode(each) : each),
      );
      const reply = await readImapReply(SocketReader.from(wire));
      assert(reply?.kind === "data");
      const expected = texts.map((text) =>
        typeof text === "string" ? encode(text) : new Uint8Array(text)
      );
      assertEquals((reply.values as Uint8Array[]).map((each) => new Uint8Array(each)), expected);
    }),
    { numRuns: 500, seed: SEED },
  );
});

Deno.test("a backslash in quotes stands before a quote or a backslash, where that is asked for", () => {
  const read = (text: string, strict: boolean) =>
    new ImapParser([encode(text)], { strict }).values();
  for (const legal of ['"a\\"b"', '"a\\\\b"', '""', '"\\\\"']) {
    assertEquals(read(legal, true), read(legal, false), legal);
  }
  for (const wrong of ['"stu\\dent"', '"\\ü"', '"\\ "', '"a\\\\\\b"', '("\\x")']) {
    read(wrong, false);
    assertThrows(() => read(wrong, true), ImapSyntaxError, "behind a backslash");
  }
});

Deno.test("an argument is one argument, whatever stands in it", () => {
  fc.assert(
    fc.property(fc.oneof(anyText, fc.string({ unit: "binary-ascii", maxLength: 40 })), (text) => {
      if (/[\r\n\0]/.test(text)) {
        assertThrows(() => argument(text), UsageError);
        return;
      }
      const written = argument(text);
      if (typeof written !== "string") {
        return assertEquals(decode(written), new TextDecoder().decode(encode(text)));
      }
      assertEquals(new ImapParser([encode(written)]).values(), [encode(text)]);
    }),
    { numRuns: 1_000, seed: SEED },
  );
});

Deno.test("the name of a mailbox is what it was after it was written in modified UTF-7", () => {
  fc.assert(
    fc.property(anyText, (name) => {
      const written = encodeMailboxName(name);
      assert(/^[\x20-\x7e]*$/.test(written));
      assertEquals(decodeMailboxName(written), name);
    }),
    { numRuns: 1_000, seed: SEED },
  );
  const examples: [string, string][] = [
    ["~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"],
    ["😀", "&2D3eAA-"],
    ["&", "&-"],
  ];
  for (const [name, written] of examples) {
    assertEquals([encodeMailboxName(name), decodeMailboxName(written)], [written, name]);
  }
  // not the one way to write it, or none at all: shown as it came
  for (
    const written of ["&AGE-", "&U,BTFw-&ZeVnLIqe-", "&", "a&b", "&2D0-", "&A-", "Größe", "&AOQ"]
  ) {
    assertEquals(decodeMailboxName(written), written);
  }
  assertThrows(() => encodeMailboxName("\ud800"), TypeError);
});

Deno.test("encoded words are decoded as RFC 2047 and its examples have it", () => {
  const examples: [string, string][] = [
    ["=?ISO-8859-1?Q?a?=", "a"],
    ["=?ISO-8859-1?Q?a?= b", "a b"],
    ["=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab"],
    ["=?ISO-8859-1?Q?a?=  \t =?UTF-8?Q?b?=", "ab"],
    ["=?ISO-8859-1?Q?a_b?=", "a b"],
    ["=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>", "Keith Moore <moore@cs.utk.edu>"],
    ["=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=", "If you can read this yo"],
    ["=?utf-8*en?q?=E2=82=AC?=", "€"],
    // a character cut in two
    ["=?utf-8?B?4oI=?= =?utf-8?B?rA==?=", "€"],
    ["=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"],
    ["=?unknown?Q?a?= =?utf-8?Q?b?=", "=?unknown?Q?a?= b"],
    ["=?utf-8?B?!!!?=", "=?utf-8?B?!!!?="],
    ["=?utf-8?Q?no end", "=?utf-8?Q?no end"],
    ["=?utf-8?Q?=XY=4?=", "=XY=4"],
    ["plain", "plain"],
  ];
  for (const [written, text] of examples) assertEquals(decodeWords(written), text, written);
});

Deno.test("a date is the same whichever of its letters are capitals", () => {
  for (const text of ["20-Jul-2026", "20-JUL-2026", "20-jul-2026"]) {
    assertEquals(parseImapDate(text), Date.UTC(2026, 6, 20), text);
  }
  for (const wrong of ["20-Jux-2026", "31-feb-2026", "20 Jul 2026", "20-July-2026"]) {
    assertThrows(() => parseImapDate(wrong), ImapSyntaxError, "a date is", wrong);
  }
});

Deno.test("addresses are told apart however they are written", () => {
  const examples: [string, unknown][] = [
    ["ada@example.org", [{ mailbox: "ada", host: "example.org" }]],
    ["Ada <ada@example.org>,", [{ name: "Ada", mailbox: "ada", host: "example.org" }]],
    ['"A, \\"B\\"" <a@b>', [{ name: 'A, "B"', mailbox: "a", host: "b" }]],
    ["a@b (one (two) three)", [{ name: "one (two) three", mailbox: "a", host: "b" }]],
    ["<@x,@y:a@b>", [{ mailbox: "a", host: "b" }]],
    ["undisclosed-recipients:;", [{ mailbox: "undisclosed-recipients" }, {}]],
    ["T: a@b, C <c@d>;, e@f", [
      { mailbox: "T" },
      { mailbox: "a", host: "b" },
      { name: "C", mailbox: "c", host: "d" },
      {},
      { mailbox: "e", host: "f" },
    ]],
    ["nobody", [{ mailbox: "nobody", host: "" }]],
    ["a @ b . c", [{ mailbox: "a", host: "b.c" }]],
    ["a@[IPv6:2001:db8::1], b@[192.0.2.1] (home), [c", [
      { mailbox: "a", host: "[IPv6:2001:db8::1]" },
      { name: "home", mailbox: "b", host: "[192.0.2.1]" },
      { mailbox: "[c", host: "" },
    ]],
    ["", []],
    [",,;:", [{}, { mailbox: "" }]],
    ["<unfinished", [{ mailbox: "unfinished", host: "" }]],
  ];
  for (const [text, addresses] of examples) {
    assertEquals<unknown>(parseAddresses(text), addresses, text);
  }
});

Deno.test("an envelope is what the header says, after it went over the wire", () => {
  const mail = encode(
    "Date: Mon, 20 Jul 2026 09:00:00 +0000\r\nSubject: =?utf-8?Q?=C3=A9?=\r\n  folded\r\n" +
      "From: =?utf-8?Q?J=C3=BCrgen?= <j@example.org>\r\nTo: Team: a@b, C <c@d>;\r\nMessage-ID: <1@b>\r\n\r\n",
  );
  const [envelope] = new ImapParser(lineOf(envelopePieces(headerFields(mail)))).values();
  assertEquals(readEnvelope(envelope), {
    date: "Mon, 20 Jul 2026 09:00:00 +0000",
    subject: "é  folded",
    from: ["Jürgen <j@example.org>"],
    to: ["Team:", "a@b", "C <c@d>"],
    messageId: "<1@b>",
  });
  for (const wrong of ["NIL", "x", [] as ImapValue, Array(10).fill("x")]) {
    assertThrows(() => readEnvelope(wrong), ImapSyntaxError);
  }
  assert(isNil("nil") && !isNil(encode("NIL")));
});

const NESTED = [
  "Content-Type: multipart/mixed; boundary=o",
  ...["", "--o", "", "one", "--o", "Content-Type: message/rfc822", "", "Subject: in"],
  ...["Content-Type: multipart/alternative; boundary=i", "", "--i", "", "two", "--i"],
  ...["Content-Type: text/html", "", "<b>", "--i--", "--o-- ", "epilogue"],
].join("\r\n");

Deno.test("sections of a mail are the bytes that RFC 3501 names so", () => {
  const mail = encode(NESTED);
  const get = (section: string) => {
    const bytes = sectionOf(mail, () => mimeParts(mail), parseSection(section));
    return bytes && decode(bytes);
  };
  assertEquals(get("BODY[]"), NESTED);
  assertEquals(get("BODY[]<3.5>"), NESTED.slice(3, 8));
  assertEquals(get("BODY[]<99999.5>"), "");
  assertEquals(get("BODY[HEADER]")! + get("BODY[TEXT]"), NESTED);
  assertEquals([get("BODY[1]"), get("BODY[1.MIME]"), get("BODY[1.HEADER]")], [
    "one",
    "\r\n",
    undefined,
  ]);
  assertEquals(get("BODY[2.MIME]"), "Content-Type: message/rfc822\r\n\r\n");
  assertEquals(get("BODY[2.HEADER.FIELDS (SUBJECT)]"), "Subject: in\r\n\r\n");
  assertEquals(get("BODY[HEADER.FIELDS.NOT (Content-Type)]"), "\r\n");
  assertEquals([get("BODY[2.1]"), get("BODY[2.2]"), get("BODY[2.3]")], ["two", "<b>", undefined]);
  assertEquals([get("BODY[3]"), get("BODY[1.1]"), get("BODY[9.9.9]")], [
    undefined,
    undefined,
    undefined,
  ]);
  const plain = encode("Subject: a\r\n\r\nbody");
  const part = (name: string) =>
    decode(sectionOf(plain, () => mimeParts(plain), parseSection(name))!);
  assertEquals([part("BODY[1]"), part("BODY.PEEK[1]<0.2>")], ["body", "bo"]);
  for (
    const wrong of [
      ...[
        "BODY",
        "BODY[",
        "BODY[MIME]",
        "BODY[1.]",
        "BODY[0]",
        "BODY[1.TEXTS]",
        "BODY[HEADER.FIELDS]",
      ],
      ...[
        "BODY[HEADER.FIELDS ()]",
        "BODY[TEXT (a)]",
        "BODY[]<5>",
        "BODY[]<0.0>",
        "BODY[1HEADER]",
        "BODY[1..2]",
        "BODY[123456]",
        "X[]",
      ],
    ]
  ) assertThrows(() => parseSection(wrong), ImapSyntaxError, undefined, wrong);
});

Deno.test("a field's parameters are read without its comments, and what is quoted is none", () => {
  const read = (text: string) => {
    const { value, parameters } = parseParameters(text);
    return [value, Object.fromEntries(parameters)];
  };
  const name = 'text/plain (a (b) c) ; (x) name="report (1).pdf" (d); X=1';
  assertEquals(read(name), ["text/plain", { name: "report (1).pdf", x: "1" }]);
  assertEquals(read('a/b; x="q\\"(;"; y=2'), ["a/b", { x: 'q"(;', y: "2" }]);
  assertEquals(read("a/b (\\) c); y=1"), ["a/b", { y: "1" }]);
  assertEquals(read("a/b; x=1 (no end; y=2"), ["a/b", { x: "1" }]);
  // 2,000 fields that only begin comments: by a pattern they took minutes
  for (let field = 0; field < 2_000; field++) parseParameters("a/b " + "(\\".repeat(8_000));
});

Deno.test("mails in mails, and parts without number, are taken apart up to a limit", () => {
  const deep = encode("Content-Type: message/rfc822\r\n\r\n".repeat(1_000) + "x");
  assert(structurePieces(deep, mimeParts(deep), true).join("").length < 100_000);
  const wide = encode(
    `Content-Type: multipart/mixed; boundary=b\r\n\r\n${"--b\r\n\r\n\r\n".repeat(20_000)}`,
  );
  assert(mimeParts(wide).parts.length <= 500);
});

Deno.test("a set of numbers names what it says", () => {
  assertEquals(parseSequence("*", 9), [[9, 9]]);
  assertEquals(parseSequence("*:3", 9), [[3, 9]]);
  assertEquals(parseSequence("12:*", 9), [[9, 12]]);
  assertEquals(parseSequence("1:*", 0), [[0, 1]]);
  assertEquals(parseSequence("5,1,2,4:6,9", 9), [[1, 2], [4, 6], [9, 9]]);
  const ranges = parseSequence("1,3:5,9", 9);
  assertEquals([0, 1, 2, 3, 4, 5, 6, 8, 9, 10].filter((each) => inSequence(ranges, each)), [
    1,
    3,
    4,
    5,
    9,
  ]);
  for (const wrong of ["", "0", "1,", "1:2:3", "a", "-1", "4294967296", "1 2", "99999999999"]) {
    assertThrows(() => parseSequence(wrong, 9), ImapSyntaxError, undefined, wrong);
  }
});

Deno.test("a mailbox gives each mail a UID of its own, and none twice", async () => {
  using folder = temporaryFolder();
  const put = (name: string, text: string) =>
    Deno.writeTextFile(`${folder.path}/${name}.eml`, text);
  await put("b", "Subject: b\r\n\r\n");
  await put("d", "Subject: d\n\nLF\n");
  const mailbox = await Mailbox.open(folder.path);
  const uids = () => mailbox.messages.map(({ name, uid }) => `${name[0]}${uid}`);
  assertEquals(uids(), ["b1", "d2"]);
  await put("a", "Subject: a\r\n\r\n"); // before the others by its name, but not by its UID
  await put("c", "Subject: c\r\n\r\n");
  await mailbox.refresh();
  assertEquals(uids(), ["b1", "d2", "a3", "c4"]);
  await Deno.remove(`${folder.path}/c.eml`);
  await mailbox.refresh();
  await put("c", "Subject: another c\r\n\r\n");
  await mailbox.refresh();
  assertEquals([uids(), mailbox.uidNext], [["b1", "d2", "a3", "c5"], 6]);
  // many ask at once, and each sees what was there before it asked
  await put("e", "Subject: e\r\n\r\n");
  await Promise.all(Array.from({ length: 20 }, () => mailbox.refresh()));
  assertEquals(uids(), ["b1", "d2", "a3", "c5", "e6"]);
  const d = mailbox.messages[1]!;
  assertEquals(decode(await mailbox.content(d)), "Subject: d\r\n\r\nLF\r\n");
  assertEquals(await mailbox.size(d), 18);
  const again = await Mailbox.open(folder.path);
  assertEquals(again.messages.map(({ uid }) => uid), [1, 2, 3, 4, 5]);
  assert(again.uidValidity >= mailbox.uidValidity);
  assertEquals((await Mailbox.open(folder.path)).uidValidity, again.uidValidity);
});

Deno.test("a mail whose file was changed in place is gone, and another one is there", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/a.eml`;
  await Deno.writeTextFile(path, "Subject: a\r\n\r\n");
  const mailbox = await Mailbox.open(folder.path);
  const changes = {
    longer: () => Deno.writeTextFile(path, "and more\r\n", { append: true }),
    shorter: () => Deno.truncate(path, 4),
    "as long": () => Deno.utime(path, 1_000_000_000, 1_000_000_000),
  };
  // a folder that was changed lately may be looked at again for that alone
  await Deno.utime(folder.path, 1_000_000_000, 1_000_000_000);
  await mailbox.refresh();
  for (const [index, [name, change]] of Object.entries(changes).entries()) {
    const [old] = mailbox.messages;
    await mailbox.content(old!);
    await change();
    const error = await assertRejects(() => mailbox.content(old!), Error, "was changed", name);
    assert(error.cause instanceof Deno.errors.NotFound);
    await mailbox.refresh();
    assertEquals(mailbox.messages.map(({ uid }) => uid), [index + 2], name);
    const bytes = await Deno.readFile(path);
    assertEquals(await mailbox.content(mailbox.messages[0]!), bytes);
    assertEquals(await mailbox.size(mailbox.messages[0]!), bytes.length);
  }
});

Deno.test("the mailboxes of a folder are its folders, and nothing outside", async () => {
  using folder = temporaryFolder();
  for (const name of ["A%B", "Größe", ".hidden", "inbox"]) {
    await Deno.mkdir(`${folder.path}/${name}`);
  }
  await Deno.symlink("/etc", `${folder.path}/link`);
  await Deno.writeTextFile(`${folder.path}/1.eml`, "");
  const mailboxes = new Mailboxes(folder.path);
  assertEquals(await mailboxes.list("*"), ["INBOX", "A%B", "Größe"]);
  assertEquals(await mailboxes.list("%"), ["INBOX", "A%B", "Größe"]);
  assertEquals(await mailboxes.list("in*"), ["INBOX"]);
  assertEquals(await mailboxes.list("G*ö%e"), ["Größe"]);
  assertEquals(await mailboxes.list("G*x"), []);
  assertEquals(await mailboxes.list("*".repeat(10_000) + "z"), []);
  assertEquals((await mailboxes.open("inBox"))!.messages.length, 1);
  assert(await mailboxes.open("INBOX") === await mailboxes.open("inbox"));
  for (
    const name of ["", ".", "..", "../x", "/etc", "link", ".hidden", "Größe/..", "1.eml", "größe"]
  ) {
    assertEquals(await mailboxes.open(name), undefined, name);
  }
});

Deno.test("a refusal is told with what it means", () => {
  const told = (what: string, line: string) => {
    const reply = parseImapReply([encode(line)]);
    assert(reply.kind === "status");
    const { explanation: { reason, next } } = new ImapRefused(what, reply);
    return `${reason} | ${next}`;
  };
  assertEquals(
    told("LOGIN", "a1 NO [AUTHENTICATIONFAILED] sorry\x1b[2J"),
    "the server refuses LOGIN: NO [AUTHENTICATIONFAILED] sorry\\x1b[2J | The name or the password is not right.",
  );
  assertEquals(
    told("FETCH", "* BYE tired"),
    "the server ends the conversation: BYE tired | BYE: it closes the connection, too busy perhaps. Try again later.",
  );
  for (const line of ["a1 NO x", "a1 BAD x", "a1 NO [WHAT] x"]) {
    for (const what of ["LOGIN", "EXAMINE", "LIST"]) assert(told(what, line).length > 40);
  }
});
