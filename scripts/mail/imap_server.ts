#!/usr/bin/env -S deno run --allow-env=IMAP_PASSWORD --allow-net=127.0.0.1:1143 --allow-read=/tmp/mail --allow-write=/tmp/mail
/**
 * IMAP server
 *
 * Lets one user read the mails of a folder: its .eml files are the mailbox INBOX, each folder in it is a mailbox
 * of its own. Nothing is changed: no mail can be marked, moved or deleted. A connection has four states: before
 * the login, after it, with a mailbox opened, and at its end; each command belongs to some of them.
 *
 * A command begins with a tag of the client's choice, and its answer ends with a line that begins so, too. What
 * the client sends as a literal, {n} and then n bytes, is asked for by a line with +.
 *
 * Every mail has a UID that stays its own while the server runs. Over a restart all UIDs stay when the folder has
 * not changed; when it has, UIDVALIDITY tells clients to forget them: a plain folder has no place to keep more.
 *
 * The password comes from IMAP_PASSWORD, or is asked for. From another machine it is only taken over TLS, which
 * --starttls offers, or --tls speaks from the first byte.
 *
 * @lecture 003 Protocol? (IMAP4) · 003 Network Communication at different level
 * @python  socket.listen → Deno.listen, socket.accept → listener.accept, os.listdir → Deno.readDir
 * @run     IMAP_PASSWORD=example deno run --allow-env=IMAP_PASSWORD --allow-net=127.0.0.1:1143 \
 *          --allow-read=/tmp/mail --allow-write=/tmp/mail scripts/mail/imap_server.ts --samples
 * @client  IMAP_PASSWORD=example deno run --allow-env=IMAP_PASSWORD --allow-net=127.0.0.1:1143 \
 *          scripts/mail/imap_client.ts
 * @expect  listening on 127.0.0.1:1143
 * @log     127.0.0.1:* S: * OK *
 * @log     127.0.0.1:* C: a1 LOGIN ***
 * @log     127.0.0.1:* S: a1 OK *
 * @log     127.0.0.1:* C: a3 EXAMINE "INBOX"
 * @log     127.0.0.1:* S: * 3 EXISTS
 * @log     127.0.0.1:* C: a4 FETCH 1 BODY[]
 * @log     127.0.0.1:* S: * 1 FETCH (BODY[] {*}
 * @log     127.0.0.1:* C: a5 LOGOUT
 * @log     127.0.0.1:* S: * BYE *
 * @run     IMAP_PASSWORD=example deno run --allow-env=IMAP_PASSWORD --allow-net=127.0.0.1:1143 \
 *          --allow-read=/tmp/mail,/tmp/lecture-tls --allow-write=/tmp/mail,/tmp/lecture-tls \
 *          scripts/mail/imap_server.ts --samples --starttls
 * @client  IMAP_PASSWORD=example deno run --allow-env=IMAP_PASSWORD --allow-net=127.0.0.1:1143 \
 *          --allow-read=/tmp/lecture-tls/authority.pem scripts/mail/imap_client.ts \
 *          --starttls --ca /tmp/lecture-tls/authority.pem --headers
 * @expect  listening on 127.0.0.1:1143
 * @log     127.0.0.1:* C: a1 STARTTLS
 * @log     127.0.0.1:* C: a2 CAPABILITY
 * @log     127.0.0.1:* C: a3 LOGIN ***
 * @log     127.0.0.1:* C: a7 LOGOUT
 * @option  --host HOST           the address to listen on (default: 127.0.0.1)
 * @option  --port PORT           the port to listen on, 0 for a free one (default: 1143)
 * @option  --mails FOLDER        where the mails are, one .eml file each (default: /tmp/mail)
 * @option  --samples             puts three mails there when there are none
 * @option  --user NAME           who may log in (default: student)
 * @option  --starttls            offers TLS
 * @option  --tls                 speaks TLS from the first byte, as on port 993
 * @option  --certificate FOLDER  where the certificate is; it is made when it is missing (default: /tmp/lecture-tls)
 * @option  --insecure-login      takes passwords in clear text from other machines, too
 * @see     https://www.rfc-editor.org/rfc/rfc3501
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { DeadlineError } from "../../lib/deadline.ts";
import { ActionError, explain } from "../../lib/errors.ts";
import { ImapSyntaxError } from "../../lib/imap_line.ts";
import type { Mailbox } from "../../lib/imap_mailbox.ts";
import { Mailboxes } from "../../lib/imap_mailboxes.ts";
import { type ImapValue, textOf } from "../../lib/imap_parser.ts";
import { type Command, ImapSession } from "../../lib/imap_session.ts";
import { View } from "../../lib/imap_view.ts";
import { MailLogin, staysHere } from "../../lib/mail_login.ts";
import { makeSampleMails } from "../../lib/mail_samples.ts";
import { decodeMailboxName, encodeMailboxName } from "../../lib/modified_utf7.ts";
import { LimitError, UnexpectedEof } from "../../lib/reader.ts";
import { passwordToGive } from "../../lib/secrets.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { type ServerIdentity, serveUpgradable, type Upgradable } from "../../lib/upgradable.ts";
import { WithoutPasswords } from "../../lib/without_passwords.ts";

// milliseconds; RFC 3501, 5.4 asks for half an hour here as well, but silent strangers would take all places
const STRANGER_MAY_THINK = 60_000;
const USER_MAY_THINK = 30 * 60_000; // at least half an hour: RFC 3501, 5.4
const MOST_SHOWN = 20; // replies to one FETCH
const LOGINS = 3; // then the connection is closed

/** What all sessions share. */
export interface Service {
  login: MailLogin;
  mailboxes: Mailboxes;
  /** Shown after STARTTLS; without one it is not offered. */
  starttls?: ServerIdentity;
  /** Whether passwords may come in clear text from anywhere, or nothing is in clear text. */
  anyhow: boolean;
}

/** One client. */
class Session extends ImapSession {
  user: string | undefined;
  attempts = 0;
  /** The mailbox that is opened. */
  view: View | undefined;
  readonly lines = new WithoutPasswords(COMMANDS, { tagged: true });

  constructor(
    connection: Upgradable,
    readonly service: Service,
    print?: (line: string) => void,
  ) {
    super(connection, print);
  }

  get offersTls(): boolean {
    return this.service.starttls !== undefined && !this.secure && this.user === undefined;
  }

  get mayLogIn(): boolean {
    return this.service.anyhow || this.secure || staysHere(this.from);
  }

  get capabilities(): string {
    const words = ["IMAP4rev1", "LITERAL-", "UNSELECT"];
    if (this.offersTls) words.push("STARTTLS");
    if (!this.mayLogIn) words.push("LOGINDISABLED");
    return `CAPABILITY ${words.join(" ")}`;
  }
}

type Action = (session: Session, command: Command, args: ImapValue[]) => Promise<void>;

/** In every state. */
const ALWAYS: Record<string, Action> = {
  async CAPABILITY(session, { tag }) {
    await session.untagged(session.capabilities);
    await session.done(tag, "OK That is what this server can");
  },
  async NOOP(session, { tag }) {
    for (const each of await session.view?.news() ?? []) await session.untagged(each);
    await session.done(tag, "OK Still here");
  },
  async LOGOUT(session, { tag }) {
    session.over = true;
    await session.untagged("BYE Until next time");
    await session.done(tag, "OK Logged out");
  },
};

/** Before the login. */
const STRANGERS: Record<string, Action> = {
  async STARTTLS(session, { tag }) {
    if (!session.offersTls) return await session.done(tag, "BAD There is no TLS to start");
    await session.done(tag, "OK Let us speak TLS");
    await session.startTls(session.service.starttls!);
  },
  async LOGIN(session, { tag }, [user, secret]) {
    if (!session.mayLogIn) {
      return await session.done(tag, "NO [PRIVACYREQUIRED] Passwords are only taken over TLS");
    }
    const name = textOf(user);
    const verdict = await session.service.login.judge(name, textOf(secret), session.from);
    if (verdict === "right") {
      session.user = name;
      return await session.done(tag, `OK [${session.capabilities}] Logged in`);
    }
    session.over = ++session.attempts === LOGINS;
    if (session.over) await session.untagged("BYE Too many attempts to log in");
    await session.done(
      tag,
      verdict === "wrong"
        ? "NO [AUTHENTICATIONFAILED] Wrong name or password"
        : "NO [UNAVAILABLE] Too many wrong passwords came from your address: wait a minute",
    );
  },
};

/** Opens a mailbox; here SELECT opens for reading only, as EXAMINE does. */
const examine: Action = async (session, { tag }, [name]) => {
  const wanted = decodeMailboxName(textOf(name));
  session.view = undefined; // even when the other one cannot be opened
  const mailbox = await session.service.mailboxes.open(wanted);
  if (!mailbox) return await session.done(tag, "NO [NONEXISTENT] There is no such mailbox");
  session.view = new View(mailbox);
  const { length } = session.view;
  await session.untagged("FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)");
  await session.untagged("OK [PERMANENTFLAGS ()] Nothing can be marked");
  await session.untagged(`${length} EXISTS`);
  await session.untagged("0 RECENT");
  if (length > 0) await session.untagged("OK [UNSEEN 1] The first that is unseen");
  await session.untagged(`OK [UIDVALIDITY ${mailbox.uidValidity}] UIDs are of this time`);
  await session.untagged(`OK [UIDNEXT ${mailbox.uidNext}] The next UID`);
  await session.done(tag, "OK [READ-ONLY] Opened for reading");
};

/** The name of a mailbox in a reply. */
function written(name: string): string {
  return `"${encodeMailboxName(name).replace(/["\\]/g, "\\$&")}"`;
}

const list: Action = async (session, { tag, name }, [reference, pattern]) => {
  const wanted = textOf(reference) + textOf(pattern);
  // nothing asked for: only which character separates the levels of names
  if (textOf(pattern) === "") await session.untagged(`${name} (\\Noselect) "/" ""`);
  else {
    for (const each of await session.service.mailboxes.list(decodeMailboxName(wanted))) {
      await session.untagged(`${name} (\\HasNoChildren) "/" ${written(each)}`);
    }
  }
  await session.done(tag, "OK Those are all");
};

const readOnly: Action = (session, { tag }) =>
  session.done(tag, "NO [NOPERM] This server only lets read");

/** What STATUS can tell of a mailbox. */
const STATES: Record<string, (mailbox: Mailbox) => number> = {
  MESSAGES: ({ messages }) => messages.length,
  RECENT: () => 0,
  UIDNEXT: ({ uidNext }) => uidNext,
  UIDVALIDITY: ({ uidValidity }) => uidValidity,
  UNSEEN: ({ messages }) => messages.length,
};

/** After the login. */
const USERS: Record<string, Action> = {
  LIST: list,
  LSUB: list,
  EXAMINE: examine,
  SELECT: examine,
  async STATUS(session, { tag }, [name, items]) {
    const asked = (Array.isArray(items) ? items : [])
      .map((item) => typeof item === "string" ? item.toUpperCase() : "");
    if (asked.length === 0 || !asked.every((item) => Object.hasOwn(STATES, item))) {
      throw new ImapSyntaxError(`STATUS is asked for some of (${Object.keys(STATES).join(" ")})`);
    }
    const wanted = decodeMailboxName(textOf(name));
    const mailbox = await session.service.mailboxes.open(wanted);
    if (!mailbox) return await session.done(tag, "NO [NONEXISTENT] There is no such mailbox");
    const told = asked.map((item) => `${item} ${STATES[item]!(mailbox)}`);
    await session.untagged(`STATUS ${written(wanted)} (${told.join(" ")})`);
    await session.done(tag, "OK That is its state");
  },
};
for (const name of ["APPEND", "CREATE", "DELETE", "RENAME", "SUBSCRIBE", "UNSUBSCRIBE"]) {
  USERS[name] = readOnly;
}

const fetch = (byUid: boolean): Action => async (session, { tag }, args) => {
  let gone = 0, sent = 0;
  for await (const reply of session.view!.fetch(args, byUid)) {
    if (reply) await session.send(reply, { show: sent++ < MOST_SHOWN });
    else gone++;
  }
  if (sent > MOST_SHOWN) session.dialogue.server(`… (${sent - MOST_SHOWN} more)`);
  await session.done(
    tag,
    gone === 0 ? "OK That is all" : "NO [EXPUNGEISSUED] Some of these mails have gone",
  );
};

const search = (byUid: boolean): Action => async (session, { tag }, args) => {
  const keys = [...args];
  if (typeof keys[0] === "string" && keys[0].toUpperCase() === "CHARSET") {
    const [, charset] = keys.splice(0, 2);
    if (!/^(utf-8|us-ascii)$/i.test(textOf(charset))) {
      return await session.done(tag, "NO [BADCHARSET (US-ASCII UTF-8)] Another charset, please");
    }
  }
  const found = await session.view!.search(keys, byUid);
  await session.untagged(["SEARCH", ...found].join(" "));
  await session.done(tag, "OK Those fit");
};

/** With a mailbox opened. */
const READERS: Record<string, Action> = {
  FETCH: fetch(false),
  SEARCH: search(false),
  async UID(session, command, [name, ...args]) {
    const verb = textOf(name).toUpperCase();
    const action = { FETCH: fetch(true), SEARCH: search(true) }[verb] ?? readOnly;
    await action(session, command, args);
  },
  CHECK: ALWAYS.NOOP!,
  async CLOSE(session, { tag }) {
    session.view = undefined;
    await session.done(tag, "OK Closed");
  },
};
READERS.UNSELECT = READERS.CLOSE!;
for (const name of ["STORE", "COPY", "MOVE", "EXPUNGE"]) READERS[name] = readOnly;

/** How many arguments they have, where it is always the same number. */
const ARGUMENTS: Record<string, number> = {
  ...{
    CAPABILITY: 0,
    NOOP: 0,
    LOGOUT: 0,
    STARTTLS: 0,
    CHECK: 0,
    CLOSE: 0,
    UNSELECT: 0,
    EXPUNGE: 0,
  },
  ...{ SELECT: 1, EXAMINE: 1, LOGIN: 2, LIST: 2, LSUB: 2, STATUS: 2 },
};

const COMMANDS = Object.keys({ ...ALWAYS, ...STRANGERS, ...USERS, ...READERS });

/** Does what one command says, if it may be said in this state. */
async function obey(session: Session, command: Command): Promise<void> {
  const { tag, name, parser } = command;
  const find = (actions: Record<string, Action>) =>
    Object.hasOwn(actions, name) ? actions[name] : undefined;
  const action = find(ALWAYS) ??
    (session.user === undefined ? find(STRANGERS) : find(USERS)) ??
    (session.view && find(READERS));
  if (!action) {
    const later = [STRANGERS, USERS, READERS].some(find);
    const why = later ? "That cannot be said now" : "That is no command here";
    return await session.done(tag, `BAD ${why}`);
  }
  try {
    const args = parser.values(), wanted = ARGUMENTS[name] ?? args.length;
    if (args.length !== wanted) {
      return await session.done(tag, `BAD ${name} has ${wanted || "no"} arguments`);
    }
    await action(session, command, args);
  } catch (error) {
    if (error instanceof ImapSyntaxError) return await session.done(tag, `BAD ${error.message}`);
    // of the folder, not of the connection: the reason is for who runs the server
    if (!(error instanceof ActionError) || name === "STARTTLS") throw error;
    console.error(explain(error).reason);
    await session.done(tag, "NO [SERVERBUG] Something broke on this side");
  }
}

/** Listens to one client until it says LOGOUT, is silent for too long, or misbehaves. */
export async function converse(
  connection: Upgradable,
  service: Service,
  print?: (line: string) => void,
): Promise<void> {
  const session = new Session(connection, service, print);
  try {
    await session.untagged(`OK [${session.capabilities}] IMAP, for reading`);
    while (!session.over) {
      const patience = session.user === undefined ? STRANGER_MAY_THINK : USER_MAY_THINK;
      const command = await session.command(patience, (line) => session.lines.shown(line));
      if (!command) return;
      await obey(session, command);
    }
  } catch (error) {
    if (error instanceof UnexpectedEof) return; // it left in the middle of a command
    const why = reasonToLeave(error);
    if (why) await session.untagged(`BYE ${why}`);
    throw error;
  }
}

function reasonToLeave(error: unknown): string | undefined {
  if (error instanceof LimitError) return "That is longer than this server takes";
  if (error instanceof DeadlineError) return "You were silent for too long";
  // where one command ends and another begins is not sure any more
  if (error instanceof ImapSyntaxError) return error.message;
  return undefined;
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

export async function main(options: Options): Promise<void> {
  const { host, port, mails, samples, user, starttls, tls, certificate, insecureLogin } = options;
  const login = new MailLogin(user, await passwordToGive("IMAP_PASSWORD", user));
  if (samples) await makeSampleMails(mails);
  const mailboxes = new Mailboxes(mails);
  // better found now than by each client
  await mailboxes.open("INBOX").catch((error) => {
    if (!(error.cause instanceof Deno.errors.NotFound)) throw error;
    throw new Error(`there is no folder ${mails}: --samples makes it, with three mails to read`);
  });
  const identity = starttls || tls ? await identityFrom(certificate) : undefined;
  const service: Service = {
    login,
    mailboxes,
    anyhow: insecureLogin || tls,
    ...(starttls && !tls && { starttls: identity }),
  };
  await using server = await serveUpgradable(
    {
      ...{ hostname: host, port, idleTimeout: 2 * USER_MAY_THINK },
      ...(tls && { tls: identity }),
    },
    (connection) => converse(connection, service),
  );
  using _stopping = onInterrupt(() => server.shutdown());
  console.log(`listening on ${formatEndpoint(server.addr)}`);
  await server.finished;
}

async function identityFrom(folder: string): Promise<ServerIdentity> {
  const { serverCertificate } = await import("../../lib/certificate_files.ts");
  return await serverCertificate(folder);
}

if (import.meta.main) await run(main);
