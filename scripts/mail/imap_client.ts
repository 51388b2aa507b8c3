#!/usr/bin/env -S deno run --allow-env=IMAP_PASSWORD --allow-net=127.0.0.1:1143
/**
 * Read mail: IMAP by hand
 *
 * The lecture's session, LOGIN, LIST, EXAMINE, FETCH and LOGOUT, with both sides shown: C: is what this client
 * says, S: what the server answers. Each command begins with a tag, a1, a2, …, and is over when a line with
 * that tag comes. Lines with * come before it, and at any other moment, too: the server tells what is new.
 *
 * A mail comes as a literal: its length in braces, and then so many bytes. Whoever wrote the mail may have put
 * lines into it that look like replies; a client that looked for its tag there would believe them. EXAMINE opens
 * a mailbox for reading only: SELECT would mark what is fetched as seen.
 *
 * The password comes from IMAP_PASSWORD, or is asked for. It goes in clear text only to this machine itself:
 * elsewhere give --starttls or --tls. What is shown is decoded; --raw gives the bytes of the mail as they are.
 *
 * @lecture 003 Protocol? (IMAP4) · 003 Network Communication at different level
 * @python  imaplib.IMAP4 → Deno.connect, IMAP4.login → imap.command, IMAP4.list → imap.command,
 *          IMAP4.select(readonly=True) → imap.command, IMAP4.fetch → imap.command, IMAP4.logout → imap.logOut,
 *          IMAP4.starttls → Deno.startTls
 * @partner scripts/mail/imap_server.ts
 * @run     IMAP_PASSWORD=example deno run --allow-env=IMAP_PASSWORD --allow-net=127.0.0.1:1143 scripts/mail/imap_client.ts
 * @log     S: * OK *
 * @log     C: a1 LOGIN "student" "***"
 * @log     S: a1 OK *
 * @log     C: a2 LIST "" "*"
 * @log     S: * LIST *INBOX*
 * @log     C: a3 EXAMINE "INBOX"
 * @log     S: * 3 EXISTS
 * @log     C: a4 FETCH 1 BODY[]
 * @log     S: * 1 FETCH (BODY[] {*}
 * @log     S: a4 OK *
 * @log     C: a5 LOGOUT
 * @log     S: * BYE *
 * @expect  Subject: Sending mail the hard way
 * @expect  This is a test
 * @run     IMAP_PASSWORD=example deno run --allow-env=IMAP_PASSWORD --allow-net=127.0.0.1:1143 scripts/mail/imap_client.ts --message 2
 * @log     C: a4 FETCH 2 BODY[]
 * @log     S: a4 OK *
 * @log     C: a5 LOGOUT
 * @expect  Subject: Lines that look like something else
 * @expect  a4 OK FETCH completed
 * @expect  250 Ok: queued
 * @run     IMAP_PASSWORD=example deno run --allow-env=IMAP_PASSWORD --allow-net=127.0.0.1:1143 scripts/mail/imap_client.ts --headers
 * @log     C: a4 FETCH 1:3 (UID FLAGS RFC822.SIZE ENVELOPE)
 * @expect  *1  *  Ada <ada@example.org>  Sending mail the hard way *
 * @expect  *3  *  Jürgen <juergen@example.org>  Grüße aus Tägerfelden ✉ *
 * @option  --host HOST       where the server is (default: 127.0.0.1)
 * @option  --port PORT       the server's port (default: 1143)
 * @option  --user NAME       who logs in (default: student)
 * @option  --mailbox NAME    which mailbox (default: INBOX)
 * @option  --mailboxes       print the names of the mailboxes, and no mail
 * @option  --message COUNT   which mail to read (default: 1)
 * @option  --headers         list the mails instead
 * @option  --last COUNT      how many of the newest are listed (default: 20)
 * @option  --json            list them as one JSON object a line
 * @option  --raw             write the mail to stdout byte for byte
 * @option  --limit BYTES     the longest mail to fetch (default: 67108864)
 * @option  --starttls        go over to TLS before LOGIN
 * @option  --tls             speak TLS from the first byte, as on port 993
 * @option  --name NAME       the name that the certificate must hold; the host unless told
 * @option  --ca FILE         trust the authorities in this file, too
 * @option  --insecure-login  send the password in clear text to another machine
 * @see     https://www.rfc-editor.org/rfc/rfc3501
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { visible } from "../../lib/display.ts";
import { readAuthority } from "../../lib/authority_file.ts";
import { attempt } from "../../lib/errors.ts";
import { ImapConnection } from "../../lib/imap_connection.ts";
import { readEnvelope } from "../../lib/imap_envelope.ts";
import { ImapRefused } from "../../lib/imap_errors.ts";
import { numberOf, textOf } from "../../lib/imap_parser.ts";
import { type DataReply, fetchedItems } from "../../lib/imap_reply.ts";
import { argument, secretForms } from "../../lib/imap_string.ts";
import { Dialogue } from "../../lib/mail_dialogue.ts";
import { jsonLine, mailLines } from "../../lib/mail_display.ts";
import { decodeMailboxName, encodeMailboxName } from "../../lib/modified_utf7.ts";
import { byteText } from "../../lib/progress.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { UsageError } from "../../lib/usage.ts";
import { writeOutput } from "../../lib/write_output.ts";

const MOST_REPLIES = 5_000; // to one command
const MOST_LISTED = 500; // by one command: each mail is a reply

/** A conversation with a server. */
export class Imap extends ImapConnection {
  /** What must not be shown, even if the server repeats it. */
  secrets: string[] = [];
  #commands = 0;

  /** Hears what the server says first; true when it has logged in this client already. */
  async greeting(): Promise<boolean> {
    const reply = await this.reply();
    if (reply.kind !== "status" || reply.tag !== "*") throw new Error("that is no IMAP server");
    if (!["OK", "PREAUTH"].includes(reply.status)) throw new ImapRefused("to talk", reply);
    return reply.status === "PREAUTH";
  }

  /** Says a command, and gives the data that comes until the line with its tag. */
  async command(name: string, ...args: (string | Uint8Array)[]): Promise<DataReply[]> {
    const tag = `a${++this.#commands}`;
    let line = `${tag} ${name}`;
    for (const argument of args) {
      if (typeof argument === "string") line += ` ${argument}`;
      else {
        // a literal: its length, then the server's +, then its bytes
        await this.send(`${line} {${argument.length}}`);
        await this.#answer(tag, name, "go-ahead");
        await this.sendLiteral(argument);
        line = "";
      }
    }
    await this.send(line);
    return await this.#answer(tag, name, "end");
  }

  async #answer(tag: string, name: string, until: "go-ahead" | "end"): Promise<DataReply[]> {
    const data: DataReply[] = [];
    this.beginAnswer();
    for (let replies = 0; replies < MOST_REPLIES; replies++) {
      const reply = await this.reply();
      if (reply.kind === "data") data.push(reply);
      else if (reply.kind === "go-ahead") {
        if (until === "go-ahead") return data;
        this.#fail("the server says + where nothing was announced");
      } else if (reply.status === "BYE") {
        this.lost = true;
        throw new ImapRefused(name, reply, this.secrets);
      } else if (reply.tag === tag) {
        if (reply.status === "OK" && until === "end") return data;
        throw new ImapRefused(name, reply, this.secrets);
      } else if (reply.tag !== "*") {
        const tag = visible(this.dialogue.masked(reply.tag));
        this.#fail(`the server answers ${tag}, which was not asked`);
      } // else something for the person to read: it is shown
    }
    return this.#fail(`the server answers ${name} by more than ${MOST_REPLIES} lines`);
  }

  /** Says goodbye, and hears the server's, when it still listens: even after Ctrl-C, but not for long. */
  async logOut(): Promise<void> {
    if (this.over) return;
    const tag = `a${++this.#commands}`;
    try {
      await this.send(`${tag} LOGOUT`);
      const signal = AbortSignal.timeout(2_000);
      while (!this.lost) {
        const reply = await this.reply(signal);
        if (reply.kind === "status" && reply.tag === tag) return;
      }
    } catch {
      // it has gone first: nothing is lost
    }
  }

  #fail(reason: string): never {
    this.lost = true;
    throw new Error(reason);
  }
}

export interface Options {
  host: string;
  port: number;
  user: string;
  mailbox: string;
  mailboxes: boolean;
  message: number;
  headers: boolean;
  last: number;
  json: boolean;
  raw: boolean;
  limit: number;
  starttls: boolean;
  tls: boolean;
  name?: string;
  ca?: string;
  insecureLogin: boolean;
}

/** Makes the conversation private where that is wanted, and says who this is. */
export async function logIn(
  imap: Imap,
  secret: string,
  caCerts: string[],
  options: Pick<Options, "host" | "user" | "name" | "tls" | "starttls" | "insecureLogin">,
): Promise<void> {
  const { host, user, name = host, tls, starttls, insecureLogin } = options;
  if (tls) await imap.startTls(name, caCerts);
  const loggedIn = await imap.greeting();
  // a server that will not say what it can has to be asked
  const capabilities = async () => {
    if (imap.capabilities.length === 0) await imap.command("CAPABILITY");
    return imap.capabilities;
  };
  if (starttls) {
    // somebody on the way could say so to keep this client from TLS
    if (loggedIn) throw new Error("the server has logged this client in before TLS: not believed");
    if (!(await capabilities()).includes("STARTTLS")) {
      throw new Error(
        "the server offers no STARTTLS: it may have TLS on a port of its own (--tls)",
      );
    }
    await imap.command("STARTTLS");
    await imap.startTls(name, caCerts);
  }
  if (loggedIn) return;
  if ((await capabilities()).includes("LOGINDISABLED")) {
    throw new Error(
      imap.secure
        ? "the server takes no LOGIN at all (LOGINDISABLED)"
        : "the server takes no password in clear text (LOGINDISABLED): give --starttls or --tls",
    );
  }
  if (!imap.private && !insecureLogin) {
    throw new Error(
      "the password would go in clear text over the network: give --starttls or --tls, or --insecure-login to do it all the same",
    );
  }
  // a server may repeat what it got; later the same word may be a harmless one
  imap.secrets = secretForms(secret);
  imap.dialogue.hide(...imap.secrets);
  await imap.command("LOGIN", argument(user), argument(secret));
  imap.dialogue = new Dialogue();
}

/** Prints the newest mails, one a line. */
async function list(imap: Imap, exists: number, { last, json }: Options): Promise<void> {
  // no number changes its mail between two FETCH (RFC 3501, 7.4.1)
  for (let first = Math.max(1, exists - last + 1); first <= exists; first += MOST_LISTED) {
    const range = `${first}:${Math.min(exists, first + MOST_LISTED - 1)}`;
    const replies = await imap.command("FETCH", range, "(UID FLAGS RFC822.SIZE ENVELOPE)");
    for (const reply of replies) print(reply, json);
  }
}

function print({ name, number, values }: DataReply, json: boolean): void {
  // news of other mails may come in between
  const items = name === "FETCH" ? fetchedItems(values) : new Map();
  if (!items.has("ENVELOPE")) return;
  const envelope = readEnvelope(items.get("ENVELOPE"));
  const size = numberOf(items.get("RFC822.SIZE")) ?? 0;
  if (json) {
    const uid = numberOf(items.get("UID"));
    const flags = items.get("FLAGS");
    console.log(jsonLine({ number, uid, flags, size, ...envelope }));
  } else {
    const { date = "", subject = "", from } = envelope;
    const parts = [String(number).padStart(3), dayOf(date), from.join(", "), subject];
    console.log(visible(`${parts.join("  ")}  (${byteText(size)})`));
  }
}

function dayOf(date: string): string {
  const text = date.slice(0, 100); // how long it is was up to whoever wrote the mail
  // what stands in parentheses is a comment
  const time = new Date(text.split("(")[0]!);
  return isNaN(time.getTime()) ? text : time.toISOString().slice(0, 16).replace("T", " ");
}

/** Prints one mail. */
async function read(imap: Imap, exists: number, { message, mailbox, raw }: Options): Promise<void> {
  if (message < 1 || message > exists) {
    throw new Error(`there is no mail ${message} in ${mailbox}: it has ${exists}`);
  }
  const replies = await imap.command("FETCH", String(message), "BODY[]");
  const mail = replies.filter(({ name, number }) => name === "FETCH" && number === message)
    .map(({ values }) => fetchedItems(values).get("BODY[]"))
    .find((value) => value instanceof Uint8Array);
  if (!mail) throw new Error(`the server says OK, but has not sent mail ${message}`);
  if (raw) await writeOutput(Deno.stdout, mail as Uint8Array);
  else for (const line of mailLines(mail as Uint8Array)) console.log(line);
}

export async function main(options: Options): Promise<void> {
  const { host: hostname, port, user, mailbox, starttls, tls, ca, limit } = options;
  if (starttls && tls) throw new UsageError("--starttls begins without TLS, --tls with it: choose");
  argument(user);
  argument(mailbox);
  const { password } = await import("../../lib/secrets.ts");
  const secret = await password("IMAP_PASSWORD", `Password of ${user} at ${hostname}:`);
  argument(secret); // a line end in it is better found now
  const caCerts = ca ? [await readAuthority(ca)] : [];
  const stop = new AbortController();
  using _stopping = onInterrupt(() => stop.abort(new Error("stopped")), { grace: 5_000 });
  const connection = await attempt(
    `connect to ${formatEndpoint({ hostname, port })}`,
    () => Deno.connect({ hostname, port, signal: stop.signal }),
  );
  using imap = new Imap(connection, { stop: stop.signal, limit });
  try {
    await logIn(imap, secret, caCerts, options);
    const names = (await imap.command("LIST", '""', '"*"'))
      .filter(({ name }) => name === "LIST")
      .map(({ values }) => textOf(values[2]));
    if (options.mailboxes) {
      for (const name of names) console.log(visible(decodeMailboxName(name)));
      return;
    }
    // as the server writes it: in modified UTF-7, or in UTF-8
    const written = names.find((name) => decodeMailboxName(name) === mailbox);
    const box = argument(written ?? encodeMailboxName(mailbox));
    const opened = await imap.command("EXAMINE", box);
    const exists = opened.findLast(({ name }) => name === "EXISTS")?.number ?? 0;
    if (options.headers) await list(imap, exists, options);
    else await read(imap, exists, options);
  } finally {
    await imap.logOut();
  }
}

if (import.meta.main) await run(main);
