#!/usr/bin/env -S deno run --allow-net=127.0.0.1:2525 --allow-read=/tmp/mail --allow-write=/tmp/mail
/**
 * SMTP server
 *
 * Takes mail for its own domains and stores each as a file, NAME.eml, whole or not at all. When it says 250
 * after the mail's last dot, the mail is on the disk. Mail for others it refuses: a server that passes
 * everybody's mail on (an open relay) is found by senders of spam within hours.
 *
 * A line ends with CR LF and with nothing else. Servers that also took LF . LF for a mail's end let people
 * hide a second mail, with a forged sender, in the first (SMTP smuggling, 2023); here such a mail is read to
 * its true end, and refused.
 *
 * With --starttls it shows the certificate of scripts/tls/certificate.ts, which is made if there is none.
 *
 * @lecture 004 Sending mail the hard way · 003 Network Communication at different level
 * @python  socket.listen → Deno.listen, socket.accept → listener.accept
 * @run     deno run --allow-net=127.0.0.1:2525 --allow-read=/tmp/mail --allow-write=/tmp/mail scripts/mail/smtp_server.ts
 * @client  deno run --allow-net=127.0.0.1:2525 scripts/mail/smtp_client.ts
 * @expect  listening on 127.0.0.1:2525
 * @log     127.0.0.1:*: EHLO [127.0.0.1]
 * @log     127.0.0.1:*: MAIL FROM:<alice@example.org>*
 * @log     127.0.0.1:*: RCPT TO:<bob@example.org>
 * @log     127.0.0.1:*: DATA
 * @log     127.0.0.1:*: stored *.eml, * bytes from alice@example.org for bob@example.org
 * @log     127.0.0.1:*: QUIT
 * @run     deno run --allow-net=127.0.0.1:2525 --allow-read=/tmp/mail,/tmp/lecture-tls --allow-write=/tmp/mail,/tmp/lecture-tls scripts/mail/smtp_server.ts --starttls
 * @client  deno run --allow-net=127.0.0.1:2525 --allow-read=/tmp/lecture-tls/authority.pem scripts/mail/smtp_client.ts --starttls
 * @expect  listening on 127.0.0.1:2525
 * @log     127.0.0.1:*: STARTTLS
 * @log     127.0.0.1:*: stored *.eml, * bytes from alice@example.org for bob@example.org
 * @option  --host HOST       the address to listen on (default: 127.0.0.1)
 * @option  --port PORT       the port to listen on, 0 for a free one (default: 2525)
 * @option  --mails FOLDER    where mail is stored (default: /tmp/mail)
 * @option  --domain NAME...  whose mail is taken; example.org and localhost unless told
 * @option  --size BYTES      the most bytes of a mail (default: 10485760)
 * @option  --starttls        offers TLS
 * @option  --certificate FOLDER  where the certificate is (default: /tmp/lecture-tls)
 * @see     https://www.rfc-editor.org/rfc/rfc5321
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { DeadlineError } from "../../lib/deadline.ts";
import { explain } from "../../lib/errors.ts";
import { parseAddress } from "../../lib/mail_address.ts";
import { prepareMailFolder, saveMail } from "../../lib/mail_folder.ts";
import { LimitError, SocketReader } from "../../lib/reader.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { readerAfter, readMailData } from "../../lib/smtp_data.ts";
import { readWireLine } from "../../lib/smtp_line.ts";
import { parsePath } from "../../lib/smtp_path.ts";
import { type MailServerOptions, Session, settingsOf } from "../../lib/smtp_server_session.ts";
import { traceOf } from "../../lib/smtp_trace.ts";
import type { ServeOptions, Server } from "../../lib/tcp.ts";
import { UsageError } from "../../lib/usage.ts";
import { type ServerIdentity, serveUpgradable } from "../../lib/upgradable.ts";

const LONGEST_COMMAND = 1_024; // the standard has 512, and parameters add to it
const MOST_RECIPIENTS = 100;

/** A command: it replies. */
type Command = (session: Session, argument: string) => Promise<void>;

const COMMANDS: Record<string, Command> = {
  async HELO(session, name) {
    if (name === "") return await session.reply(501, "Say who you are: HELO your.name");
    session.hello = name;
    session.extended = false;
    session.reset();
    await session.reply(250, session.settings.name);
  },
  async EHLO(session, name) {
    if (name === "") return await session.reply(501, "Say who you are: EHLO your.name");
    session.hello = name;
    session.extended = true;
    session.reset();
    const { size, identity } = session.settings;
    const offers = ["PIPELINING", `SIZE ${size}`, "8BITMIME"];
    if (identity && !session.connection.secure) offers.push("STARTTLS");
    await session.reply(250, session.settings.name, ...offers);
  },
  async MAIL(session, argument) {
    if (session.hello === "") return await session.reply(503, "Say HELO or EHLO first");
    if (session.from !== undefined) return await session.reply(503, "A mail has one sender");
    const path = parsePath("FROM", argument);
    if (!path) return await session.reply(501, "Write MAIL FROM:<name@example.org>");
    // <> is for reports: nobody is to answer them
    if (path.text !== "" && !path.address) return await session.reply(553, "That is no address");
    if (path.address?.utf8) return await session.reply(553, "Addresses are ASCII here");
    for (const [name, value] of path.parameters) {
      const size = name === "SIZE" && /^\d{1,15}$/.test(value);
      const body = name === "BODY" && /^(7BIT|8BITMIME)$/i.test(value);
      if (!size && !body) return await session.reply(555, `What is ${name}?`);
      if (size && Number(value) > session.settings.size) {
        return await session.reply(552, `A mail has at most ${session.settings.size} bytes here`);
      }
    }
    session.from = path.text;
    await session.reply(250, "OK");
  },
  async RCPT(session, argument) {
    const { domains } = session.settings;
    if (session.from === undefined) return await session.reply(503, "Say MAIL first");
    const path = parsePath("TO", argument);
    if (!path) return await session.reply(501, "Write RCPT TO:<name@example.org>");
    if (path.parameters.size > 0) return await session.reply(555, "RCPT has no parameters here");
    // who has to do with mail has a postmaster (RFC 5321, 4.5.1)
    if (!/^postmaster$/i.test(path.text)) {
      if (!path.address) return await session.reply(553, "That is no address");
      if (path.address.utf8) return await session.reply(553, "Addresses are ASCII here");
      if (!domains.includes(path.address.domain)) {
        return await session.reply(550, `No relay: here is mail for ${domains.join(" and ")} only`);
      }
    }
    if (session.to.length >= MOST_RECIPIENTS) return await session.reply(452, "Too many at once");
    session.to.push(path.text);
    await session.reply(250, "OK");
  },
  async DATA(session, argument) {
    const { from, to, hello, extended, connection, settings } = session;
    if (argument !== "") return await session.reply(501, "DATA stands alone");
    if (from === undefined) return await session.reply(503, "Say MAIL first");
    if (to.length === 0) return await session.reply(503, "There is nobody to get it");
    await session.reply(354, "Go on; end with a dot on a line of its own");
    using mail = await readMailData(session.reader, { size: settings.size, room: settings.room });
    session.reset();
    if (mail === null) {
      session.over = true; // it left in the middle: without its dot, a mail is none
      return session.say("left in the middle of a mail, which is not kept");
    }
    session.reader = readerAfter(mail.rest, connection);
    if (mail.fault) return await session.reply(mail.fault.code, mail.fault.text);
    const trace = traceOf({
      from,
      to,
      hello,
      client: (connection.remoteAddr as Deno.NetAddr).hostname,
      name: settings.name,
      protocol: connection.secure ? "ESMTPS" : extended ? "ESMTP" : "SMTP",
    });
    const pieces = [new TextEncoder().encode(trace), ...mail.pieces];
    const kept = await settings.store(pieces).catch((error) => {
      // the disk is full, perhaps: the reason is for who runs the server
      session.say(explain(error).reason);
    });
    if (!kept) return await session.reply(451, "It cannot be stored now, try again later");
    session.say(
      `stored ${kept.name}, ${mail.size} bytes from ${from || "<>"} for ${to.join(", ")}`,
    );
    await session.reply(250, `Stored as ${kept.name}`);
  },
  async RSET(session) {
    session.reset();
    await session.reply(250, "Forgotten");
  },
  async STARTTLS(session) {
    const { connection, settings, reader } = session;
    if (!settings.identity) return await session.reply(502, "No TLS here");
    if (connection.secure) return await session.reply(503, "This is TLS already");
    if (reader.buffered > 0) {
      // what was sent behind it in clear text would be taken for what TLS protects (CVE-2011-0411)
      session.over = true;
      return await session.reply(421, "STARTTLS is said alone");
    }
    await session.reply(220, "Go on");
    await connection.startTls(settings.identity);
    // what was said before may have been changed on the way
    session.reader = new SocketReader(connection);
    session.hello = "";
    session.reset();
  },
  NOOP: (session) => session.reply(250, "Still here"),
  // who asks whether an address is there may be collecting them
  VRFY: (session) => session.reply(252, "Send it, and see"),
  EXPN: (session) => session.reply(502, "No lists are told"),
  HELP: (session) => session.reply(214, `Known are: ${Object.keys(COMMANDS).join(" ")}`),
  async QUIT(session) {
    session.over = true;
    await session.reply(221, "Goodbye");
  },
};

/** Does what one line says. */
async function obey(session: Session, line: Uint8Array): Promise<void> {
  // spaces and tabs at the end are tolerated: RFC 5321, 4.1.1
  const text = new TextDecoder().decode(line).replace(/[ \t]+$/, "");
  // here nobody logs in, but clients try to
  session.say(session.lines.shown(text));
  const found = /^([A-Za-z]+)(?: +(.*))?$/.exec(text);
  const verb = found?.[1]?.toUpperCase() ?? "";
  // a web page can have a browser send a form here: its lines must not become commands
  if (/^(GET|POST|PUT|HEAD|OPTIONS|CONNECT)$/.test(verb)) {
    session.over = true;
    return await session.reply(421, "This is SMTP, not HTTP");
  }
  if (/\p{Cc}|\ufffd/u.test(text)) return await session.reply(501, "Commands are plain text");
  const command = Object.hasOwn(COMMANDS, verb) ? COMMANDS[verb]! : undefined;
  if (!command) return await session.reply(500, "What is that? HELP tells what is known");
  await command(session, found![2] ?? "");
}

/** Listens to one client until it says QUIT, is silent for too long, or misbehaves. */
async function converse(session: Session, stopping: AbortSignal): Promise<void> {
  const options = { timeout: session.settings.patience, signal: stopping };
  try {
    await session.reply(220, `${session.settings.name} ESMTP by hand`);
    while (!session.over) {
      const next = await readWireLine(session.reader, LONGEST_COMMAND, options);
      if (next === null) return;
      if (next.tooLong) await session.reply(500, "That line is too long");
      else await obey(session, next.line);
    }
  } catch (error) {
    if (stopping.aborted) return await session.reply(421, "This server shuts down");
    if (error instanceof DeadlineError) await session.reply(421, "You were silent for too long");
    if (error instanceof LimitError) await session.reply(421, "There is no end of it");
    throw error;
  }
}

/**
 * Takes mail on a TCP port until it is shut down.
 *
 * @throws {ActionError} when it cannot listen
 */
export function serveMail(options: ServeOptions, mail: MailServerOptions): Promise<Server> {
  const settings = settingsOf(mail);
  const stopping = options.signal ?? new AbortController().signal;
  return serveUpgradable(
    { idleTimeout: 2 * settings.patience, ...options },
    (connection) => converse(new Session(connection, settings), stopping),
  );
}

interface Options {
  host: string;
  port: number;
  mails: string;
  domain: string[];
  size: number;
  starttls: boolean;
  certificate: string;
}

/** A domain as it stands in addresses. */
function domainOf(text: string): string {
  const address = parseAddress(`postmaster@${text}`);
  if (!address) throw new UsageError(`${JSON.stringify(text)} is no domain: write example.org`);
  return address.domain;
}

export async function main(options: Options): Promise<void> {
  const { host, port, mails, size, starttls, certificate } = options;
  const domains = options.domain.map(domainOf);
  // SIZE 0 would say that there is no limit
  if (size === 0) throw new UsageError("--size is at least 1 byte");
  let identity: ServerIdentity | undefined;
  if (starttls) {
    const { serverCertificate } = await import("../../lib/certificate_files.ts");
    identity = await serverCertificate(certificate);
  }
  // what cannot be stored for anybody is better told now
  await prepareMailFolder(mails);
  const stop = new AbortController();
  await using server = await serveMail(
    { hostname: host, port, signal: stop.signal },
    {
      store: (pieces) => saveMail(mails, pieces),
      size,
      identity,
      ...(domains.length > 0 && { domains }),
    },
  );
  using _stopping = onInterrupt(() => stop.abort(new Error("the server shuts down")));
  console.log(`listening on ${formatEndpoint(server.addr)}`);
  await server.finished;
}

if (import.meta.main) await run(main);
