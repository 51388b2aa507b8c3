#!/usr/bin/env -S deno run --allow-net=127.0.0.1:2525
/**
 * SMTP client
 *
 * Sends a mail, and shows both sides as the lecture's telnet does: C: is what this client says, S: what the
 * server answers, a code and a text. First the envelope: who sends (MAIL FROM), who is to get it (RCPT TO,
 * each accepted or refused for itself); then DATA and the mail, which ends with a dot on a line of its own.
 * The 250 after that dot is what counts: from then on the mail is the server's responsibility.
 *
 * EHLO asks what the server can do, HELO does not. Where it offers PIPELINING, the envelope is sent as one;
 * with --starttls the rest goes over TLS. A password goes over TLS only. An address with other letters than
 * ASCII before its @ needs SMTPUTF8.
 *
 * @lecture 004 Sending mail the hard way · 003 Network Communication at different level
 * @python  smtplib.SMTP → Deno.connect, SMTP.ehlo → session.ask, SMTP.starttls → Deno.startTls,
 *          SMTP.login → session.must, SMTP.sendmail → session.sendText, SMTP.quit → session.quit,
 *          email.message.EmailMessage → composeMail
 * @partner scripts/mail/smtp_server.ts
 * @run     deno run --allow-net=127.0.0.1:2525 scripts/mail/smtp_client.ts "This is a test"
 * @log     S: 220 *
 * @log     C: EHLO [127.0.0.1]
 * @log     S: 250-*
 * @log     C: MAIL FROM:<alice@example.org>*
 * @log     C: RCPT TO:<bob@example.org>
 * @log     C: DATA
 * @log     S: 250 *
 * @log     S: 250 *
 * @log     S: 354 *
 * @log     C: From: alice@example.org
 * @log     C: Subject: A test
 * @log     C:
 * @log     C: This is a test
 * @log     C: .
 * @log     S: 250 *
 * @log     C: QUIT
 * @log     S: 221 *
 * @expect  accepted for bob@example.org
 * @run     deno run --allow-net=127.0.0.1:2525 scripts/mail/smtp_client.ts --helo --subject "Grüße" --to carol@example.org --to "Bob <bob@example.org>" "so nothing really"
 * @log     C: HELO [127.0.0.1]
 * @log     C: RCPT TO:<carol@example.org>
 * @log     S: 250 *
 * @log     C: Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=
 * @expect  accepted for carol@example.org
 * @expect  accepted for bob@example.org
 * @argument [TEXT]           what the mail says; - reads it from stdin (default: so nothing really)
 * @option  --host HOST       the server (default: 127.0.0.1)
 * @option  --port PORT       its port (default: 2525)
 * @option  --from ADDRESS    alice@example.org, or Alice <alice@example.org> (default: alice@example.org)
 * @option  --to ADDRESS...   each who is to get it; bob@example.org unless told
 * @option  --subject TEXT    what it is about (default: A test)
 * @option  --helo            speaks the SMTP of 1982, without extensions
 * @option  --starttls        goes on over TLS, or not at all
 * @option  --ca FILE         an authority to trust besides the well-known ones, or none (default: /tmp/lecture-tls/authority.pem)
 * @option  --user NAME       logs in; the password comes from SMTP_PASSWORD, or is asked for
 * @option  --timeout SECONDS for each reply; unless told, the 2 to 10 minutes of RFC 5321
 * @see     https://www.rfc-editor.org/rfc/rfc5321
 * @see     https://www.rfc-editor.org/rfc/rfc5322
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { readAuthority } from "../../lib/authority_file.ts";
import { ActionError, attempt, explain } from "../../lib/errors.ts";
import { parseMailbox } from "../../lib/mail_address.ts";
import { composeMail } from "../../lib/mail_compose.ts";
import { stuffed, withLineEnds } from "../../lib/mail_lines.ts";
import { SocketReader } from "../../lib/reader.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { SmtpRefusal } from "../../lib/smtp_codes.ts";
import { checkMail, parametersFor } from "../../lib/smtp_mail.ts";
import type { SmtpReply } from "../../lib/smtp_reply.ts";
import { SmtpSession } from "../../lib/smtp_session.ts";
import { UsageError } from "../../lib/usage.ts";

/** What is sent, and to whom: the envelope, which need not say what the mail's own fields say. */
export interface Envelope {
  /** Addresses without names. */
  from: string;
  to: string[];
  mail: Uint8Array;
}

/** What became of it. */
export interface Delivery {
  accepted: string[];
  refused: SmtpRefusal[];
  /** What the server said when it took the mail; `undefined` when there was nobody to get it. */
  reply?: SmtpReply;
}

/** Says who this is; learns what the server can do. */
export async function hello(session: SmtpSession, options: { helo?: boolean } = {}): Promise<void> {
  if (!options.helo) {
    const reply = await session.ask(`EHLO ${session.ownName}`);
    if (reply.code === 250) {
      // the first line is the server's name; each further one an extension, with its parameters
      const offers = reply.lines.slice(1).map((line) => /^([\w-]+)[ =]?(.*)$/.exec(line));
      session.extensions = new Map(
        offers.map((found) => [found?.[1]?.toUpperCase() ?? "", found?.[2] ?? ""]),
      );
      return;
    }
    // a server of before 1995 does not know the word
    if (reply.code < 500) throw new SmtpRefusal("EHLO", reply);
  }
  await session.must(`HELO ${session.ownName}`, 250);
  session.extensions = new Map();
}

/** Asks for TLS, and begins anew: what was said in clear text may have been changed on the way. */
export async function secure(session: SmtpSession, ca: string): Promise<void> {
  if (!session.extensions.has("STARTTLS")) {
    throw new Error(`${session.hostname} does not offer STARTTLS: the mail was not sent`);
  }
  // besides the authorities that everybody trusts
  const action = `read the authority's certificate ${ca}`;
  const own = ca === "none" ? [] : [await readAuthority(ca, action)];
  await session.must("STARTTLS", 220);
  await session.startTls(own);
  await hello(session);
}

/** Logs in, by PLAIN or by the older LOGIN. Base64 hides nothing: TLS does. */
export async function logIn(session: SmtpSession, user: string, password: string): Promise<void> {
  if (!session.secure) throw new Error("a password goes over TLS only: give --starttls");
  const base64 = (text: string) => new TextEncoder().encode(text).toBase64();
  const plain = base64(`\0${user}\0${password}`);
  session.hide(plain, base64(password), password);
  const mechanisms = (session.extensions.get("AUTH") ?? "").toUpperCase().split(" ");
  if (mechanisms.includes("PLAIN")) {
    await session.must(`AUTH PLAIN ${plain}`, 235, `the login of ${user}`);
  } else if (mechanisms.includes("LOGIN")) {
    await session.must("AUTH LOGIN", 334);
    await session.must(base64(user), 334, `the user name ${user}`);
    await session.must(base64(password), 235, `the login of ${user}`);
  } else throw new Error(`${session.hostname} offers no login by PLAIN or LOGIN`);
}

/**
 * Sends one mail. Its lines may end in any way; they have at most 998 bytes.
 *
 * @throws {SmtpRefusal} when the server refuses the sender or the mail; a refused recipient is told in what it gives
 */
export async function sendMail(session: SmtpSession, envelope: Envelope): Promise<Delivery> {
  const { from, to } = envelope;
  const mail = withLineEnds(envelope.mail);
  checkMail(mail, to.length);
  const sender = `MAIL FROM:<${from}>${parametersFor(session.extensions, { ...envelope, mail })}`;
  const recipients = to.map((address) => `RCPT TO:<${address}>`);
  // with PIPELINING all of it is said at once, and then the replies are heard; without, one by one
  const pipelining = session.extensions.has("PIPELINING");
  if (pipelining) await session.say(sender, ...recipients, "DATA");
  const hear = (command: string) => pipelining ? session.reply(command) : session.ask(command);

  const senderReply = await hear(sender);
  if (!pipelining && senderReply.code !== 250) throw new SmtpRefusal(sender, senderReply);
  const accepted: string[] = [];
  const refused: SmtpRefusal[] = [];
  for (const [index, command] of recipients.entries()) {
    const reply = await hear(command);
    // 251: the server passes it on
    if (reply.code === 250 || reply.code === 251) accepted.push(to[index]!);
    else refused.push(new SmtpRefusal(command, reply));
  }
  const nobody = senderReply.code !== 250 || accepted.length === 0;
  const ready = pipelining || !nobody ? await hear("DATA") : undefined;
  if (nobody) {
    // it may want a mail for nobody: an empty one ends that
    if (ready?.code === 354) await session.ask(".", "the mail");
    if (senderReply.code !== 250) throw new SmtpRefusal(sender, senderReply);
    return { accepted, refused };
  }
  if (ready!.code !== 354) throw new SmtpRefusal("DATA", ready!);
  // a line of the mail that begins with a dot gets a second one; a dot alone is the end
  await session.sendText(stuffed(mail));
  const reply = await session.reply("the mail").catch((error) => {
    if (error instanceof SmtpRefusal) throw error;
    // who sends it again may send it twice
    throw new ActionError("know whether the server has taken the mail", error.cause ?? error);
  });
  if (reply.code !== 250) throw new SmtpRefusal("the mail", reply);
  return { accepted, refused, reply };
}

interface Options {
  text: string;
  host: string;
  port: number;
  from: string;
  to: string[];
  subject: string;
  helo: boolean;
  starttls: boolean;
  ca: string;
  user?: string;
  timeout?: number;
}

export async function main(options: Options): Promise<void> {
  const { host, port, helo, starttls, ca, user, subject } = options;
  if (helo && starttls) throw new UsageError("--starttls needs EHLO: leave --helo away");
  if (user !== undefined && !starttls) {
    throw new UsageError("--user needs --starttls: a password never goes in clear text");
  }
  const from = parseMailbox(options.from);
  const to = (options.to.length > 0 ? options.to : ["bob@example.org"]).map(parseMailbox);
  // asked for before the server begins to wait
  const secret = user === undefined ? "" : await (await import("../../lib/secrets.ts")).password(
    "SMTP_PASSWORD",
    `Password of ${user}:`,
  );
  const text = options.text === "-" ? await readStdin() : options.text;
  const mail = composeMail({ from, to, subject, text });

  const stop = new AbortController();
  using _stopping = onInterrupt(() => stop.abort(new Error("stopped")), { grace: 5_000 });
  const place = formatEndpoint({ hostname: host, port });
  const connection = await attempt(
    `connect to ${place}`,
    () => Deno.connect({ hostname: host, port, signal: stop.signal }),
  );
  const timeout = options.timeout && options.timeout * 1_000;
  using session = new SmtpSession(connection, { hostname: host, timeout, stop: stop.signal });
  try {
    const greeting = await session.reply("the connection");
    if (greeting.code !== 220) throw new SmtpRefusal("the connection", greeting);
    await hello(session, { helo });
    if (starttls) await secure(session, ca);
    if (user !== undefined) await logIn(session, user, secret);
    const envelope = { from: from.address, to: to.map(({ address }) => address), mail };
    const { accepted, refused } = await sendMail(session, envelope);
    for (const address of accepted) console.log(`accepted for ${address}`);
    for (const each of refused) {
      const { reason, next } = explain(each);
      console.error(`${reason}\n${next}`);
    }
    if (refused.length > 0) {
      const some = accepted.length > 0 ? "not all have" : "nobody has";
      throw new Error(`${some} got it: ${refused.length} of ${to.length} refused`);
    }
  } finally {
    await session.quit();
  }
}

async function readStdin(): Promise<string> {
  const reader = new SocketReader(Deno.stdin, { limit: 32 * 1024 * 1024, timeout: Infinity });
  const bytes = await reader.readAll();
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new UsageError(
      "the text on stdin is not UTF-8: convert it first, as iconv -f latin1 -t utf-8 does",
    );
  }
}

if (import.meta.main) await run(main);
