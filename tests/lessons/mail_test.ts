/**
 * A mail's way through all of the chapter: sent by SMTP, stored in a folder, fetched by POP3 and by IMAP.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "npm:fast-check@^4.3.0";
import { fetchedItems } from "../../lib/imap_reply.ts";
import { Dialogue } from "../../lib/mail_dialogue.ts";
import { MailLogin } from "../../lib/mail_login.ts";
import { Pop3Client } from "../../lib/pop3_client.ts";
import { Mailbox } from "../../lib/pop3_maildrop.ts";
import { SmtpSession } from "../../lib/smtp_session.ts";
import type { Server } from "../../lib/tcp.ts";
import { serveUpgradable } from "../../lib/upgradable.ts";
import { Imap } from "../../scripts/mail/imap_client.ts";
import { converse } from "../../scripts/mail/pop3_server.ts";
import { hello, sendMail } from "../../scripts/mail/smtp_client.ts";
import { serveMail } from "../../scripts/mail/smtp_server.ts";
import { ENVIRONMENT, type Script, startDeno, startScript } from "../hostile/script.ts";
import { concat, temporaryFolder } from "../lib/helpers.ts";

ENVIRONMENT.IMAP_PASSWORD = "example";
ENVIRONMENT.POP3_PASSWORD = "example";

const MAILS = 10_000;
const BATCH = 100;
const quiet = () => new Dialogue({ print: () => {} });

/** Bytes as text, one character each. */
const latin1 = (bytes: Uint8Array) => String.fromCharCode(...bytes);
const bytesOf = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

const dial = ({ addr }: Pick<Server, "addr">) =>
  Deno.connect({ hostname: "127.0.0.1", port: (addr as Deno.NetAddr).port });

/** What a mail can be made of: dots, ends of lines, all bytes that may be in one, lines up to the longest. */
const mails = (() => {
  const byte = fc.integer({ min: 1, max: 255 }).filter((code) => code !== 10 && code !== 13)
    .map((code) => String.fromCharCode(code));
  const words = fc.constantFrom(
    ..."..|.|...|a|Subject: x| |\t|QUIT|+OK|-ERR|a4 OK done|* BYE|)|{3}|250 OK|\xff|From here"
      .split("|"),
  );
  const line = fc.oneof(
    { weight: 8, arbitrary: words },
    { weight: 4, arbitrary: fc.array(byte, { maxLength: 40 }).map((all) => all.join("")) },
    { weight: 2, arbitrary: fc.constant("") },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.constantFrom(997, 998), fc.constantFrom(".", "x", "\xe9"))
        .map(([length, character]) => character.repeat(length)),
    },
  );
  const end = fc.constantFrom("\r\n", "\r\n", "\n", "\r");
  const lines = fc.array(fc.tuple(line, end).map(([line, end]) => line + end), { maxLength: 12 });
  // the last line may have no end
  return fc.tuple(lines, fc.option(line, { nil: "" })).map(([all, last]) => all.join("") + last);
})();

/** What RFC 5321 makes of a mail: each line ends in CR LF, the last one, too. */
function asSent(mail: string): string {
  const lines = mail.replace(/\r\n|\r|\n/g, "\r\n");
  return lines === "" || lines.endsWith("\r\n") ? lines : `${lines}\r\n`;
}

/** Sends all of them over one connection. */
async function send(server: Server, mails: string[]): Promise<void> {
  const options = { hostname: "127.0.0.1", dialogue: quiet() };
  using session = new SmtpSession(await dial(server), options);
  await session.reply("the connection");
  await hello(session);
  for (const [number, mail] of mails.entries()) {
    const to = [`bob${number}@example.org`];
    const envelope = { from: "alice@example.org", to, mail: bytesOf(mail) };
    assertEquals((await sendMail(session, envelope)).accepted, to);
  }
  await session.quit();
}

/** Fetches all mails by POP3. */
async function popAll(server: Server): Promise<Uint8Array[]> {
  using pop = new Pop3Client(await dial(server), { dialogue: quiet() });
  await pop.greeting();
  await pop.ask("USER student");
  await pop.ask("PASS example");
  const [count, size] = (await pop.ask("STAT")).split(" ").map(Number);
  const fetched: Uint8Array[] = [];
  for (let number = 1; number <= count!; number++) {
    await pop.ask(`RETR ${number}`);
    fetched.push(await pop.text());
  }
  await pop.ask("QUIT");
  assertEquals(fetched.reduce((sum, { length }) => sum + length, 0), size);
  return fetched;
}

/** Fetches all mails by IMAP. */
async function imapAll(server: Pick<Server, "addr">, count: number): Promise<Uint8Array[]> {
  using imap = new Imap(await dial(server), {
    stop: new AbortController().signal,
    limit: 16 * 1024 * 1024,
  });
  imap.dialogue = quiet();
  await imap.greeting();
  await imap.command("LOGIN", "student", "example");
  await imap.command("EXAMINE", "INBOX");
  const replies = await imap.command("FETCH", `1:${count}`, "BODY[]");
  const fetched = replies.filter(({ name }) => name === "FETCH")
    .map(({ values }) => fetchedItems(values).get("BODY[]") as Uint8Array);
  await imap.logOut();
  return fetched;
}

const TRACE = new RegExp(
  "^Return-Path: <alice@example\\.org>\r\nReceived: from [^\r\n]*\r\n\tby [^\r\n]*\r\n" +
    "\tfor <bob\\d*@example\\.org>; [^\r\n]*\r\n",
);

/** A mail as it was stored, without what the server wrote above it. */
function withoutTrace(mail: string): string {
  assertMatch(mail, TRACE);
  return mail.replace(TRACE, "");
}

Deno.test(`${MAILS} generated mails go through SMTP, POP3 and IMAP unchanged but for their line ends`, async () => {
  using folder = temporaryFolder();
  const inbox = `${folder.path}/mail`;
  Deno.mkdirSync(inbox);
  let stored = 0;
  await using smtp = await serveMail({ hostname: "127.0.0.1", port: 0 }, {
    // without waiting for the disk, which saveMail does
    store: (pieces) => {
      const name = `${String(++stored).padStart(6, "0")}.eml`;
      Deno.writeFileSync(`${inbox}/${name}`, concat(...pieces));
      return Promise.resolve({ name });
    },
    log: () => {},
  });
  const login = new MailLogin("student", "example");
  const service = { login, mailbox: new Mailbox(inbox), anyhow: false, print: () => {} };
  await using pop = await serveUpgradable(
    { hostname: "127.0.0.1", port: 0 },
    (connection) => converse(connection, service),
  );
  await using imap = startScript("scripts/mail/imap_server.ts", {
    words: ["--port", "0", "--mails", inbox],
    flags: (flag) => flag.replace(":1143", ":0").replace("/tmp/mail", inbox),
  });
  const port = Number(await imap.printed(/^listening on 127\.0\.0\.1:(\d+)$/m));
  const imapServer = { addr: { transport: "tcp", hostname: "127.0.0.1", port } as const };

  await fc.assert(
    fc.asyncProperty(fc.array(mails, { minLength: BATCH, maxLength: BATCH }), async (batch) => {
      for (const { name } of Deno.readDirSync(inbox)) {
        if (name.endsWith(".eml")) Deno.removeSync(`${inbox}/${name}`);
      }
      await send(smtp, batch);
      const byImap = await imapAll(imapServer, batch.length);
      const byPop = await popAll(pop);
      assertEquals(byPop.map((mail) => withoutTrace(latin1(mail))), batch.map(asSent));
      assertEquals(byImap.map(latin1), byPop.map(latin1));
    }),
    { numRuns: MAILS / BATCH, endOnFailure: true },
  );
  assert(stored >= MAILS);
  assertEquals(await imap.stop("SIGINT"), 0);
});

Deno.test("what mail/smtp_client shows that it sends is what imap_client and pop3_client get, byte for byte", async () => {
  using folder = temporaryFolder();
  const inbox = `${folder.path}/mail`;
  const server = (name: string) =>
    startScript(`scripts/mail/${name}.ts`, {
      words: ["--port", "0", "--mails", inbox],
      flags: (flag) => flag.replace(/:\d+$/, ":0").replaceAll("/tmp/mail", inbox),
    });
  await using smtp = server("smtp_server");
  await smtp.printed(/^listening on /m); // it makes the folder that the others read
  await using imap = server("imap_server");
  await using pop3 = server("pop3_server");
  const client = async (name: string, server: Script, variable: string, ...words: string[]) => {
    const port = await server.printed(/^listening on 127\.0\.0\.1:(\d+)$/m);
    const flags = [`--allow-net=127.0.0.1:${port}`];
    if (variable !== "") flags.push(`--allow-env=${variable}`);
    await using running = startDeno(flags, `scripts/mail/${name}.ts`, {
      words: ["--port", port, ...words],
    });
    assertEquals(await running.ended, 0, running.stderr);
    return running;
  };

  const text = "A dot:\n.\n..two, and words of others:\n+OK\na4 OK done\n\n250 OK\n";
  const { stderr } = await client("smtp_client", smtp, "", "--", text);
  const shown = /^S: 354 .*\n((?:C: ?.*\n)+?)C: \.\n/m.exec(stderr)?.[1] ?? "";
  const sent = shown.split("\n").slice(0, -1)
    // what the client says on the wire has the added dots
    .map((line) => line.replace(/^C: ?/, "").replace(/^\./, "") + "\r\n").join("");
  assertMatch(sent, /\r\n\.\r\n\.\.two, /);

  const byImap = await client("imap_client", imap, "IMAP_PASSWORD", "--message", "1", "--raw");
  const byPop3 = await client("pop3_client", pop3, "POP3_PASSWORD", "1");
  assertEquals(withoutTrace(byImap.stdout), sent);
  assertEquals(withoutTrace(byPop3.stdout), sent);
  for (const each of [smtp, imap, pop3]) assertEquals(await each.stop("SIGINT"), 0);
});
