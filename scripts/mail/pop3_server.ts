#!/usr/bin/env -S deno run --allow-env=POP3_PASSWORD --allow-net=127.0.0.1:1110 --allow-read=/tmp/mail --allow-write=/tmp/mail
/**
 * POP3 server
 *
 * A mailbox to be emptied from afar: the mails of a folder, numbered from 1, to be listed, fetched and
 * deleted. A session has three states. First the client says who it is; then the mailbox is its own, and
 * locked against others; and only at QUIT, in the last one, the mails go that it has marked. When the
 * connection breaks before, all of them stay: a mail is rather fetched twice than lost.
 *
 * An answer is one line, +OK or -ERR, and with some commands a text behind it, which a line with a single
 * dot ends. A line of the mail that begins with a dot gets a second one on its way.
 *
 * On this machine the password may go unencrypted. From others it is only taken over TLS: offered after
 * STLS (--starttls), or spoken from the first byte (--tls), with the certificate that certificate.ts has made.
 *
 * @lecture 003 Network Communication at different level · 004 Sockets (port 110)
 * @python  socket.listen → Deno.listen, socket.accept → listener.accept, os.listdir → Deno.readDir,
 *          fcntl.flock → file.tryLock, os.remove → Deno.remove
 * @run     POP3_PASSWORD=example deno run --allow-env=POP3_PASSWORD --allow-net=127.0.0.1:1110 \
 *          --allow-read=/tmp/mail --allow-write=/tmp/mail scripts/mail/pop3_server.ts --samples
 * @client  POP3_PASSWORD=example deno run --allow-env=POP3_PASSWORD --allow-net=127.0.0.1:1110 \
 *          scripts/mail/pop3_client.ts
 * @expect  listening on 127.0.0.1:1110
 * @log     127.0.0.1:* S: +OK *
 * @log     127.0.0.1:* C: USER student
 * @log     127.0.0.1:* C: PASS ***
 * @log     127.0.0.1:* S: +OK *
 * @log     127.0.0.1:* C: STAT
 * @log     127.0.0.1:* S: +OK 3 *
 * @log     127.0.0.1:* C: LIST
 * @log     127.0.0.1:* C: QUIT
 * @run     POP3_PASSWORD=example deno run --allow-env=POP3_PASSWORD --allow-net=127.0.0.1:1110 \
 *          --allow-read=/tmp/mail,/tmp/lecture-tls --allow-write=/tmp/mail,/tmp/lecture-tls \
 *          scripts/mail/pop3_server.ts --samples --starttls
 * @client  POP3_PASSWORD=example deno run --allow-env=POP3_PASSWORD --allow-net=127.0.0.1:1110 \
 *          --allow-read=/tmp/lecture-tls/authority.pem scripts/mail/pop3_client.ts \
 *          --ca /tmp/lecture-tls/authority.pem 1
 * @expect  listening on 127.0.0.1:1110
 * @log     127.0.0.1:* C: STLS
 * @log     127.0.0.1:* C: USER student
 * @log     127.0.0.1:* C: RETR 1
 * @option  --host HOST           the address to listen on (default: 127.0.0.1)
 * @option  --port PORT           the port to listen on, 0 for a free one (default: 1110)
 * @option  --mails FOLDER        where the mails are, one .eml file each (default: /tmp/mail)
 * @option  --samples             puts three mails there when there are none
 * @option  --user NAME           who may log in; the password comes from POP3_PASSWORD, or is asked for (default: student)
 * @option  --starttls            offers TLS
 * @option  --tls                 speaks TLS from the first byte, as on port 995
 * @option  --certificate FOLDER  where the certificate is; it is made when it is missing (default: /tmp/lecture-tls)
 * @option  --insecure-login      takes passwords unencrypted from other machines, too
 * @see     https://www.rfc-editor.org/rfc/rfc1939
 * @see     https://www.rfc-editor.org/rfc/rfc2595
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { ActionError, explain } from "../../lib/errors.ts";
import { MailLogin, staysHere } from "../../lib/mail_login.ts";
import { makeSampleMails } from "../../lib/mail_samples.ts";
import { Mailbox, type Maildrop } from "../../lib/pop3_maildrop.ts";
import { Pop3Session } from "../../lib/pop3_session.ts";
import { topOf } from "../../lib/pop3_top.ts";
import { passwordToGive } from "../../lib/secrets.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { type ServerIdentity, serveUpgradable, type Upgradable } from "../../lib/upgradable.ts";

// milliseconds; RFC 1939, 3 asks for ten minutes here as well, but silent strangers would take all places
const STRANGER_MAY_THINK = 60_000;
const OWNER_MAY_THINK = 600_000; // at least ten minutes: RFC 1939, 3
const LOGINS = 3; // then the connection is closed

/** What all sessions share. */
export interface Service {
  login: MailLogin;
  mailbox: Mailbox;
  /** Shown after STLS; without one it is not offered. */
  stls?: ServerIdentity;
  /** Whether passwords may come unencrypted from anywhere, or nothing is unencrypted. */
  anyhow: boolean;
  /** Where both sides of each conversation are shown; on stderr unless told. */
  print?: (line: string) => void;
}

/** The first state: who is it? Gives the mailbox, once the client may have it. */
async function authorize(session: Pop3Session, service: Service): Promise<Maildrop | undefined> {
  const { login, mailbox, stls, anyhow } = service;
  const offersTls = () => stls !== undefined && !session.secure;
  const mayLogIn = () => anyhow || session.secure || staysHere(session.from);
  let user = "", attempts = 0;
  while (!session.over) {
    const command = await session.command(STRANGER_MAY_THINK);
    if (!command) return undefined;
    const { verb, argument } = command;
    if (verb === "QUIT") {
      session.over = true;
      await session.ok("Goodbye");
    } else if (verb === "CAPA") {
      await session.list("This server can:", [
        ...CAPABILITIES,
        ...(mayLogIn() ? ["USER"] : []),
        ...(offersTls() ? ["STLS"] : []),
      ]);
    } else if (verb === "STLS" && offersTls()) {
      await session.ok("Let us speak TLS");
      await session.startTls(stls!);
      user = ""; // said by who knows whom
    } else if ((verb === "USER" || verb === "PASS") && !mayLogIn()) {
      await session.fail("Passwords are only taken over TLS: say STLS first");
    } else if (verb === "USER") {
      user = argument.trim();
      // a name that is wrong is not told here, else names could be guessed one by one
      if (user === "") await session.fail("Who are you? USER needs a name");
      else await session.ok("And the password?");
    } else if (verb === "PASS") {
      if (user === "") {
        await session.fail("Say USER first");
        continue;
      }
      const verdict = await login.judge(user, argument, session.from);
      user = "";
      if (verdict === "right") {
        const drop = await orRefused(session, () => mailbox.open());
        if (drop === "refused") continue;
        if (drop) return drop;
        await session.fail("[IN-USE] Another session has this mailbox");
      } else {
        session.over = ++attempts === LOGINS;
        await session.fail(
          verdict === "wrong"
            ? "[AUTH] Wrong name or password"
            : "[SYS/TEMP] Too many wrong passwords came from your address: wait a minute",
        );
      }
    } else await session.fail("First say USER and PASS, or CAPA, or QUIT");
  }
  return undefined;
}

/** What goes wrong with the folder is for who runs the server; the client hears that it was not its fault. */
async function orRefused<T>(session: Pop3Session, work: () => Promise<T>): Promise<T | "refused"> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ActionError)) throw error; // the connection itself does not work
    session.tell(explain(error).reason);
    await session.fail("[SYS/TEMP] Something broke on this side");
    return "refused";
  }
}

const CAPABILITIES = ["TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING"];

/** What the second state knows. */
const COMMANDS: Record<
  string,
  (session: Pop3Session, drop: Maildrop, argument: string) => Promise<void>
> = {
  STAT: (session, { there }) => session.ok(`${there.length} ${sum(there)}`),
  LIST: (session, drop, argument) =>
    describe(session, drop, argument, ({ number, size }) => `${number} ${size}`),
  UIDL: (session, drop, argument) =>
    describe(session, drop, argument, ({ number, unique }) => `${number} ${unique}`),
  async RETR(session, drop, argument) {
    const mail = find(drop, argument);
    if (!mail) return await session.fail("There is no such mail");
    const bytes = await drop.read(mail.number);
    await session.text(`${bytes.length} bytes`, bytes);
  },
  async TOP(session, drop, argument) {
    const [which = "", lines = "", ...more] = argument.split(" ");
    const mail = find(drop, which);
    if (!mail || !NUMBER.test(lines) || more.length > 0) {
      return await session.fail("Which mail, and how many lines?");
    }
    await session.text("The beginning", topOf(await drop.read(mail.number), Number(lines)));
  },
  async DELE(session, drop, argument) {
    const mail = find(drop, argument);
    if (!mail) return await session.fail("There is no such mail");
    drop.mark(mail.number);
    await session.ok("It goes when you say QUIT");
  },
  async RSET(session, drop) {
    drop.unmark();
    await session.ok("Nothing will be deleted");
  },
  NOOP: (session) => session.ok("Still here"),
  CAPA: (session) => session.list("This server can:", CAPABILITIES),
};

const NUMBER = /^\d{1,9}$/;

function find(drop: Maildrop, argument: string) {
  return NUMBER.test(argument) ? drop.find(Number(argument)) : undefined;
}

/** One line about one mail, or a list about all. */
async function describe(
  session: Pop3Session,
  drop: Maildrop,
  argument: string,
  line: (mail: Maildrop["there"][number]) => string,
): Promise<void> {
  if (argument === "") {
    return await session.list(`${drop.there.length} mails`, drop.there.map(line));
  }
  const mail = find(drop, argument);
  await (mail ? session.ok(line(mail)) : session.fail("There is no such mail"));
}

function sum(mails: { size: number }[]): number {
  return mails.reduce((total, { size }) => total + size, 0);
}

/** The second state, the mailbox is open; and the third, when the client says QUIT. */
async function transact(session: Pop3Session, drop: Maildrop): Promise<void> {
  await session.ok(`${drop.there.length} mails`);
  while (!session.over) {
    const command = await session.command(OWNER_MAY_THINK);
    if (!command) return; // gone without QUIT: nothing is deleted
    const { verb, argument } = command;
    if (verb === "QUIT") {
      session.over = true;
      const failed = await drop.update();
      // the next session may begin before this client has heard the answer
      drop[Symbol.dispose]();
      if (failed === 0) await session.ok("Goodbye");
      else await session.fail(`[SYS/TEMP] ${failed} mails could not be deleted`);
    } else if (COMMANDS[verb]) {
      await orRefused(session, () => COMMANDS[verb]!(session, drop, argument));
    } else await session.fail("What is that? CAPA tells what is known");
  }
}

/** One client, from the greeting to the end. */
export async function converse(connection: Upgradable, service: Service): Promise<void> {
  const session = new Pop3Session(connection, service.print);
  await session.ok("POP3, mails to be fetched");
  using drop = await authorize(session, service);
  if (drop) await transact(session, drop);
}

interface Options {
  host: string;
  port: number;
  mails: string;
  samples: boolean;
  user: string;
  starttls: boolean;
  tls: boolean;
  certificate: string;
  insecureLogin: boolean;
}

/** The certificate, for who wants TLS: the module takes its time, and is loaded only then. */
async function identityOf(folder: string): Promise<ServerIdentity> {
  const { serverCertificate } = await import("../../lib/certificate_files.ts");
  return await serverCertificate(folder);
}

export async function main(options: Options): Promise<void> {
  const { host, port, user, tls, starttls, insecureLogin } = options;
  const secret = await passwordToGive("POP3_PASSWORD", user);
  if (options.samples) await makeSampleMails(options.mails);
  const mailbox = new Mailbox(options.mails);
  // what cannot be done for any client is better told now
  (await mailbox.open())?.[Symbol.dispose]();
  const identity = tls || starttls ? await identityOf(options.certificate) : undefined;
  const service = {
    login: new MailLogin(user, secret),
    mailbox,
    stls: tls ? undefined : identity,
    anyhow: tls || insecureLogin,
  };
  await using server = await serveUpgradable({
    hostname: host,
    port,
    tls: tls ? identity : undefined,
    maxConnections: 1_000,
    idleTimeout: 2 * OWNER_MAY_THINK,
  }, (connection) => converse(connection, service));
  using _stopping = onInterrupt(() => server.shutdown());
  console.log(`listening on ${formatEndpoint(server.addr)}`);
  await server.finished;
}

if (import.meta.main) await run(main);
