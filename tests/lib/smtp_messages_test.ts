/**
 * Generated mails, from our client's code to our server's over a TCP connection: each must arrive as it was
 * sent, but for its line ends, and for what the server writes before it.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import fc from "npm:fast-check@^4.3.0";
import { parseMailbox } from "../../lib/mail_address.ts";
import { composeMail } from "../../lib/mail_compose.ts";
import { Dialogue } from "../../lib/mail_dialogue.ts";
import { joined } from "../../lib/mail_lines.ts";
import { SmtpSession } from "../../lib/smtp_session.ts";
import { type Envelope, hello, sendMail } from "../../scripts/mail/smtp_client.ts";
import { serveMail } from "../../scripts/mail/smtp_server.ts";
import { decode, encode } from "./helpers.ts";

/** A server that keeps what it gets, and a session with it. */
async function pair() {
  const stored: Uint8Array[] = [];
  const errors: unknown[] = [];
  const server = await serveMail(
    { hostname: "127.0.0.1", port: 0, onError: (error) => errors.push(error) },
    {
      store: (pieces) => Promise.resolve({ name: `${stored.push(joined(pieces))}` }),
      size: 2_000_000,
      log: () => {},
    },
  );
  const { port } = server.addr as Deno.NetAddr;
  const dialogue = new Dialogue({ print: () => {} });
  const session = new SmtpSession(await Deno.connect({ hostname: "127.0.0.1", port }), {
    hostname: "127.0.0.1",
    dialogue,
  });
  await session.reply("the connection");
  await hello(session);
  return {
    session,
    errors,
    /** Sends a mail, and gives what was stored without the two fields of the server. */
    async send(mail: Uint8Array, envelope: Partial<Envelope> = {}): Promise<Uint8Array> {
      const from = "alice@example.org", to = ["bob@example.org"];
      await sendMail(session, { from, to, ...envelope, mail });
      return withoutTrace(stored.pop()!);
    },
    async [Symbol.asyncDispose]() {
      await session.quit();
      session[Symbol.dispose]();
      await server.shutdown();
    },
  };
}

/** `Return-Path` is one line, `Received` three. */
function withoutTrace(mail: Uint8Array): Uint8Array {
  let at = 0;
  for (let line = 0; line < 4; line++) at = mail.indexOf(10, at) + 1;
  assert(decode(mail.subarray(0, at)).startsWith("Return-Path: <"));
  return mail.subarray(at);
}

/** What the standard makes of a mail: every line ends in CR LF. Written apart from the code that does it. */
function canonical(mail: Uint8Array): number[] {
  const result: number[] = [];
  for (let at = 0; at < mail.length; at++) {
    const byte = mail[at]!;
    if (byte === 10 && at > 0 && mail[at - 1] === 13) continue;
    if (byte === 13 || byte === 10) result.push(13, 10);
    else result.push(byte);
  }
  const last = mail.at(-1);
  if (mail.length > 0 && last !== 13 && last !== 10) result.push(13, 10);
  return result;
}

const byte = fc.integer({ min: 1, max: 255 }).filter((each) => each !== 13 && each !== 10);
/** What a line may hold; most of all what could be taken for something else. */
const content = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom("", ".", "..", "...", ". ", ".\t", "QUIT", ".QUIT", "DATA"),
  },
  {
    weight: 2,
    arbitrary: fc.string({ maxLength: 40 }).map((text) => text.replace(/[\r\n\0]/g, "")),
  },
  { weight: 2, arbitrary: fc.integer({ min: 990, max: 998 }).map((length) => ".".repeat(length)) },
  { weight: 1, arbitrary: fc.integer({ min: 70, max: 998 }).map((length) => "x".repeat(length)) },
).map((text) => encode(text).subarray(0, 998));
const bytes = fc.array(byte, { maxLength: 80 }).map((all) => new Uint8Array(all));
const lineEnd = fc.constantFrom("\r\n", "\n", "\r", "\n\n", "\r\r\n", "\n\r").map(encode);
const mails = fc.tuple(
  fc.array(fc.tuple(fc.oneof({ weight: 2, arbitrary: content }, bytes), lineEnd), {
    maxLength: 12,
  }),
  // a last line without an end
  fc.oneof(content, bytes, fc.constant(new Uint8Array())),
).map(([lines, last]) => joined([...lines.flat(), last]));

Deno.test("10,000 generated mails arrive unchanged but for their line ends", async () => {
  await using server = await pair();
  const { session } = server;
  const offered = session.extensions;
  const oneByOne = new Map(offered);
  assert(oneByOne.delete("PIPELINING"));
  let most = 0, eight = 0, unended = 0;
  const property = fc.asyncProperty(mails, fc.boolean(), async (mail, pipelining) => {
    session.extensions = pipelining ? offered : oneByOne;
    const arrived = await server.send(mail), wanted = canonical(mail);
    const same = arrived.length === wanted.length &&
      arrived.every((each, at) => each === wanted[at]);
    // a comparison that can tell the difference takes its time
    if (!same) assertEquals(Array.from(arrived), wanted);
    most = Math.max(most, mail.length);
    if (mail.some((each) => each > 127)) eight++;
    if (mail.length > 0 && ![10, 13].includes(mail.at(-1)!)) unended++;
  });
  await fc.assert(property, { numRuns: 10_000 });
  // the generator still makes what it is there for
  assert(most > 3_000 && eight > 1_000 && unended > 1_000, `${most} ${eight} ${unended}`);
  assertEquals(server.errors, []);
});

/** Takes a composed mail apart, by the standards and not by our code. */
function readComposed(mail: Uint8Array): { subject: string; text: string } {
  const whole = decode(mail);
  assert(mail.every((each) => each > 0 && each < 128), "not ASCII");
  assert(whole.split("\r\n").every((line) => line.length <= 998), "a long line");
  const end = whole.indexOf("\r\n\r\n");
  const head = whole.slice(0, end).replace(/\r\n(?=[ \t])/g, "");
  const body = whole.slice(end + 4);
  const field = (name: string) => new RegExp(`^${name}: ?(.*)$`, "m").exec(head)![1]!;
  const unescape = (text: string) =>
    Uint8Array.from(
      text.match(/=[0-9A-F]{2}|[^]/g) ?? [],
      (each) => each.length === 3 ? parseInt(each.slice(1), 16) : each.charCodeAt(0),
    );
  const words = field("Subject").replace(/(?<=\?=) +(?==\?)/g, "").replace(
    /=\?utf-8\?([QB])\?(.*?)\?=/g,
    (_, kind, text) =>
      new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
        kind === "B" ? Uint8Array.fromBase64(text) : unescape(text.replaceAll("_", " ")),
      ),
  );
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const encoding = field("Content-Transfer-Encoding");
  if (encoding === "7bit") return { subject: words, text: body };
  if (encoding === "base64") {
    return {
      subject: words,
      text: decoder.decode(Uint8Array.fromBase64(body.replaceAll("\r\n", ""))),
    };
  }
  assertEquals(encoding, "quoted-printable");
  for (const line of body.split("\r\n")) assert(line.length <= 76 && !/[ \t]$/.test(line), line);
  return { subject: words, text: decoder.decode(unescape(body.replaceAll("=\r\n", ""))) };
}

const letters = fc.string({ unit: "binary", maxLength: 200 });
const texts = fc.array(
  fc.oneof(
    letters,
    fc.string({ maxLength: 3_000 }),
    fc.constantFrom("\r\n", "\n", "\r", ".", "From ", "=", " ", "\t", "x".repeat(1_200), "\0"),
  ),
  { maxLength: 8 },
).map((parts) => parts.join(""));

Deno.test("1,000 composed mails say what was written, any letters, lines and lengths", async () => {
  await using server = await pair();
  const from = parseMailbox("Alice <alice@example.org>"), to = [parseMailbox("bob@example.org")];
  const kinds = new Map<string, number>();
  const property = fc.asyncProperty(
    texts,
    fc.oneof(fc.string({ maxLength: 200 }), letters).filter((text) => !/\p{Cc}/u.test(text)),
    async (text, subject) => {
      const arrived = await server.send(composeMail({ from, to, subject, text }));
      const read = readComposed(arrived);
      assertEquals(read.subject, subject.toWellFormed());
      const lines = text.toWellFormed().replace(/\r\n|\r|\n/g, "\r\n");
      assertEquals(read.text, lines === "" || lines.endsWith("\r\n") ? lines : `${lines}\r\n`);
      const kind = /Transfer-Encoding: (.*)\r/.exec(decode(arrived))![1]!;
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    },
  );
  await fc.assert(property, { numRuns: 1_000 });
  assertEquals([...kinds.keys()].sort(), ["7bit", "base64", "quoted-printable"]);
});

Deno.test("a mail of two million bytes arrives, and one more byte is refused before it is sent", async () => {
  await using server = await pair();
  const line = encode(`${".".repeat(98)}\r\n`);
  const mail = joined(Array(20_000).fill(line));
  const arrived = await server.send(mail);
  assert(arrived.length === mail.length && arrived.every((each, at) => each === mail[at]));
  const error = await server.send(joined([mail, encode("\r\n")])).catch((error) => error);
  assertEquals(
    (error as Error).message,
    "the server takes mails of at most 2000000 bytes, and this one has 2000002",
  );
});
