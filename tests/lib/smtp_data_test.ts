import { assert, assertEquals, assertRejects } from "@std/assert";
import { DeadlineError } from "../../lib/deadline.ts";
import { Room } from "../../lib/mail_blocks.ts";
import { joined } from "../../lib/mail_lines.ts";
import { LimitError, SocketReader } from "../../lib/reader.ts";
import { readerAfter, readMailData } from "../../lib/smtp_data.ts";
import { readWireLine } from "../../lib/smtp_line.ts";
import { decode, encode, everyCut } from "./helpers.ts";

const MiB = 1024 * 1024;

async function readMail(wire: string | Uint8Array[], size = 10_000, room = new Room(MiB)) {
  const pieces = typeof wire === "string" ? [encode(wire)] : wire;
  const reader = SocketReader.from(pieces);
  using mail = await readMailData(reader, { size, room });
  if (!mail) return null;
  const rest = await readerAfter(mail.rest, reader).readAll();
  return { text: decode(joined(mail.pieces)), fault: mail.fault?.code, rest: decode(rest) };
}

Deno.test("readMailData gives a mail and what comes behind it, wherever it is cut", async () => {
  for (const pieces of everyCut(encode("a\r\n..b\r\n.c\r\n\r\n.\r\nQUIT\r\n"))) {
    assertEquals(await readMail(pieces), {
      text: "a\r\n.b\r\nc\r\n\r\n",
      fault: undefined,
      rest: "QUIT\r\n",
    });
  }
  assertEquals(await readMail(".\r\n"), { text: "", fault: undefined, rest: "" });
});

Deno.test("readMailData keeps no mail whose dot has not come", async () => {
  const wire = "a\r\n.b\r\n\n.\r\n\r\n";
  for (let cut = 0; cut <= wire.length; cut++) {
    assertEquals(await readMail(wire.slice(0, cut)), null);
  }
});

Deno.test("readMailData reads a mail with a fault to its true end, and gives the room back", async () => {
  const faults: [string, number][] = [
    ["a\nb\r\n", 550],
    ["a\rb\r\n", 550],
    ["\n.\r\nMAIL FROM:<x@example.org>\r\n", 550],
    ["a\0b\r\n", 550],
    [`${"x".repeat(999)}\r\n`, 500],
    ["12345678\r\n".repeat(1_001), 552],
  ];
  const room = new Room(64 * 1024);
  for (const [text, fault] of faults) {
    const mail = await readMail(`${text}.\r\nQUIT\r\n`, 10_000, room);
    assertEquals(mail, { text: "", fault, rest: "QUIT\r\n" });
  }
  assertEquals((await readMail("12345678\r\n".repeat(1_000) + ".\r\n"))?.fault, undefined);
  assertEquals((await readMail(`.${"x".repeat(998)}\r\n.\r\n`))?.fault, undefined);
  assert(room.take(64 * 1024));
});

Deno.test("readMailData tells that there is no room when other mails have it", async () => {
  const room = new Room(200_000);
  const large = SocketReader.from(encode(`${"1234567\r\n".repeat(11_000)}.\r\n`));
  {
    using first = await readMailData(large, { size: MiB, room });
    assertEquals(first?.size, 99_000);
    assertEquals((await readMail(`${"1234567\r\n".repeat(11_000)}.\r\n`, MiB, room))?.fault, 452);
    // a small one still goes
    assertEquals((await readMail("a\r\n.\r\n", MiB, room))?.text, "a\r\n");
  }
  assertEquals(
    (await readMail(`${"1234567\r\n".repeat(11_000)}.\r\n`, MiB, room))?.fault,
    undefined,
  );
});

Deno.test("readMailData does not read for ever", async () => {
  const endless = new SocketReader({ read: (into) => Promise.resolve(into.fill(120).length) });
  const room = new Room(MiB);
  await assertRejects(() => readMailData(endless, { size: 100, room }), LimitError);
  const slow = new SocketReader({
    async read(into) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      into[0] = 120;
      return 1;
    },
  });
  await assertRejects(() => readMailData(slow, { size: 100, room, timeout: 60 }), DeadlineError);
  assert(room.take(MiB), "the room is not given back");
});

Deno.test("readWireLine goes on behind a line that is too long, wherever it is cut", async () => {
  const wire = encode(`${"x".repeat(30)}\r\r\nNOOP\r\nx\r\n`);
  for (const pieces of everyCut(wire)) {
    const reader = SocketReader.from(pieces);
    assertEquals(await readWireLine(reader, 10), { line: new Uint8Array(), tooLong: true });
    assertEquals(decode((await readWireLine(reader, 10))!.line), "NOOP");
    assertEquals(decode((await readWireLine(reader, 10))!.line), "x");
    assertEquals(await readWireLine(reader, 10), null);
  }
  // of the longest length, and one more
  for (let length = 5; length < 40; length++) {
    const reader = SocketReader.from(encode(`${"x".repeat(length)}\r\nNOOP\r\n`));
    assertEquals((await readWireLine(reader, 10))!.tooLong, length + 2 > 10, `${length}`);
    assertEquals(decode((await readWireLine(reader, 10))!.line), "NOOP");
  }
});

Deno.test("readWireLine gives up a line that has no end", async () => {
  const endless = new SocketReader({ read: (into) => Promise.resolve(into.fill(120).length) });
  await assertRejects(() => readWireLine(endless, 1_024), LimitError);
});
