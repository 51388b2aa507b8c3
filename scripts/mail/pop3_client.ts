#!/usr/bin/env -S deno run --allow-env=POP3_PASSWORD --allow-net=127.0.0.1:1110
/**
 * POP3 client
 *
 * Lists the mails of a mailbox, shows some of them, or saves them as files, and shows both sides of the
 * conversation: C: is what this client says, S: what the server answers. Numbers hold for one session; the
 * unique names of UIDL stay, and make the names of the files, reduced to characters that lead nowhere else.
 *
 * With --delete a mail is marked once it is safe on the disk, and the server deletes it at QUIT. When
 * something goes wrong before, RSET takes the marks back; when the connection breaks or this client is
 * ended, no QUIT is said: nothing is lost either way.
 *
 * A server that offers STLS is taken at its word: the rest is spoken over TLS. The password goes unencrypted
 * only to this machine itself, or if --insecure-login says so.
 *
 * @lecture 003 Network Communication at different level · 004 Sockets (port 110)
 * @python  poplib.POP3 → Deno.connect, POP3.stls → Deno.startTls, POP3.user → client.ask,
 *          POP3.retr → client.text, POP3.quit → client.ask
 * @partner scripts/mail/pop3_server.ts
 * @run     POP3_PASSWORD=example deno run --allow-env=POP3_PASSWORD --allow-net=127.0.0.1:1110 \
 *          scripts/mail/pop3_client.ts
 * @log     S: +OK *
 * @log     C: CAPA
 * @log     C: USER student
 * @log     C: PASS ***
 * @log     C: STAT
 * @log     S: +OK 3 *
 * @log     C: LIST
 * @log     C: UIDL
 * @log     C: QUIT
 * @log     S: +OK *
 * @expect  1 * bytes *
 * @expect  2 * bytes *
 * @expect  3 * bytes *
 * @run     POP3_PASSWORD=example deno run --allow-env=POP3_PASSWORD --allow-net=127.0.0.1:1110 \
 *          scripts/mail/pop3_client.ts 2
 * @log     C: RETR 2
 * @expect  Subject: Lines that look like something else
 * @expect  .
 * @expect  ...and so do lines that begin with more dots.
 * @expect  -ERR no such mail
 * @run     POP3_PASSWORD=example deno run --allow-env=POP3_PASSWORD --allow-net=127.0.0.1:1110 \
 *          --allow-read=/tmp/inbox --allow-write=/tmp/inbox scripts/mail/pop3_client.ts \
 *          --output /tmp/inbox --delete 1 3
 * @log     C: RETR 1
 * @log     C: DELE 1
 * @log     C: RETR 3
 * @log     C: DELE 3
 * @log     C: QUIT
 * @expect  /tmp/inbox/mail-*.eml
 * @expect  /tmp/inbox/mail-*.eml
 * @argument [NUMBER...]     the mails to show or save; without one, all are listed, or with --output saved
 * @option  --host HOST      where the server is (default: 127.0.0.1)
 * @option  --port PORT      the server's port (default: 1110)
 * @option  --user NAME      who reads; the password comes from POP3_PASSWORD, or is asked for (default: student)
 * @option  --lines COUNT    only the header and so many lines of the body
 * @option  --output FOLDER  saves each mail there, as an .eml file
 * @option  --delete         deletes on the server what was saved
 * @option  --tls            speaks TLS from the first byte, as on port 995
 * @option  --name NAME      the name that the certificate must hold; the host unless told
 * @option  --ca FILE        an authority to trust
 * @option  --insecure-login  sends the password unencrypted to other machines, too
 * @option  --json           lists the mails as JSON
 * @see     https://www.rfc-editor.org/rfc/rfc1939
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { visible } from "../../lib/display.ts";
import { readAuthority } from "../../lib/authority_file.ts";
import { attempt } from "../../lib/errors.ts";
import { staysHere } from "../../lib/mail_login.ts";
import { Pop3Client } from "../../lib/pop3_client.ts";
import { RefusedError } from "../../lib/pop3_errors.ts";
import { fileName, parseNames, parseSizes } from "../../lib/pop3_lists.ts";
import { saveOnce } from "../../lib/save_once.ts";
import { password } from "../../lib/secrets.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { UsageError } from "../../lib/usage.ts";
import { writeOutput } from "../../lib/write_output.ts";

export interface Options {
  number: string[];
  host: string;
  port: number;
  user: string;
  lines?: number;
  output?: string;
  delete: boolean;
  tls: boolean;
  name?: string;
  ca?: string;
  insecureLogin: boolean;
  json: boolean;
}

/** Connects, and speaks TLS as soon as it is told to, or can. */
async function open(options: Options, stop: AbortSignal): Promise<Pop3Client> {
  const { host: hostname, port, name = hostname, ca, tls } = options;
  const trust = ca === undefined
    ? { hostname: name }
    : { hostname: name, caCerts: [await readAuthority(ca)] };
  const tcp = await attempt(
    `connect to ${formatEndpoint({ hostname, port })}`,
    Deno.connect({ hostname, port, signal: stop }),
  );
  const pop = new Pop3Client(tcp, { stop });
  try {
    if (tls) await pop.startTls(trust);
    await pop.greeting();
    if (!pop.secure && (await capabilities(pop)).includes("STLS")) {
      await pop.ask("STLS");
      // what was said before may have been said by anybody: nothing of it counts any more
      await pop.startTls(trust);
    }
    return pop;
  } catch (error) {
    pop[Symbol.dispose]();
    throw error;
  }
}

/** What the server can do; old servers do not know the question. */
async function capabilities(pop: Pop3Client): Promise<string[]> {
  return await ifKnown(pop.ask("CAPA")) === undefined ? [] : await pop.lines();
}

/** The answer, unless the server refused: not all commands have to be known. */
async function ifKnown(answer: Promise<string>): Promise<string | undefined> {
  return await answer.catch((error) => {
    if (!(error instanceof RefusedError)) throw error;
    return undefined;
  });
}

/** Says who this is, by a password that only the server may hear. */
async function logIn(
  pop: Pop3Client,
  { user, insecureLogin }: Options,
  secret: string,
): Promise<void> {
  if (!pop.secure && !staysHere(pop.address) && !insecureLogin) {
    throw new UsageError(
      `the password would go unencrypted to ${pop.address}, which offers no TLS here: use --tls with its port for that (often 995), or --insecure-login`,
    );
  }
  pop.dialogue.hide(secret);
  await pop.ask(`USER ${user}`);
  await pop.ask(`PASS ${secret}`);
}

/** What is in the mailbox: numbers, sizes, and the names that stay. */
async function list(pop: Pop3Client) {
  await pop.ask("STAT");
  await pop.ask("LIST");
  const sizes = parseSizes(await pop.lines());
  const known = await ifKnown(pop.ask("UIDL"));
  const names = known === undefined ? undefined : parseNames(await pop.lines());
  return [...sizes].map(([number, size]) => ({ number, size, unique: names?.get(number) }));
}

/** Fetches a mail, or its beginning. */
async function retrieve(
  pop: Pop3Client,
  number: number,
  lines?: number,
): Promise<Uint8Array<ArrayBuffer>> {
  await pop.ask(lines === undefined ? `RETR ${number}` : `TOP ${number} ${lines}`);
  const mail = await pop.text();
  console.error(`S: (${mail.length} bytes, and a dot)`);
  return mail;
}

/** On a terminal, what somebody else wrote must not be obeyed; a pipe gets the bytes. */
async function show(mail: Uint8Array): Promise<void> {
  if (!Deno.stdout.isTerminal()) return await writeOutput(Deno.stdout, mail);
  for (const line of new TextDecoder().decode(mail).split("\r\n").slice(0, -1)) {
    console.log(visible(line));
  }
}

/** Saves mails; marks for deletion what is on the disk. */
async function save(pop: Pop3Client, numbers: number[], folder: string, options: Options) {
  const mails = await list(pop);
  const wanted = numbers.length > 0 ? numbers : mails.map(({ number }) => number);
  let marked = false;
  try {
    for (const number of wanted) {
      const { unique, size } = mails.find((mail) => mail.number === number) ?? {};
      const mail = await retrieve(pop, number, options.lines);
      if (size !== mail.length && options.lines === undefined) {
        const announced = size === undefined ? "not announced" : `announced with ${size} bytes`;
        console.error(`mail ${number} was ${announced}, and has ${mail.length}`);
      }
      console.log(await saveOnce(folder, mail, unique && fileName(unique)));
      if (!options.delete) continue;
      await pop.ask(`DELE ${number}`);
      marked = true;
    }
  } catch (error) {
    if (marked) await politely(pop, "RSET");
    throw error;
  }
}

/** Says something to a server with which something went wrong; what that was is what counts. */
async function politely(pop: Pop3Client, command: string): Promise<void> {
  if (pop.lost) return;
  // when it has gone meanwhile: without a QUIT nothing is deleted
  await pop.ask(command).catch(() => {});
}

async function work(pop: Pop3Client, numbers: number[], options: Options): Promise<void> {
  if (options.output !== undefined) return await save(pop, numbers, options.output, options);
  if (numbers.length > 0) {
    for (const number of numbers) await show(await retrieve(pop, number, options.lines));
    return;
  }
  const mails = await list(pop);
  if (options.json) return console.log(JSON.stringify(mails, null, 2));
  for (const { number, size, unique = "" } of mails) {
    console.log(`${number}  ${size} bytes  ${unique}`);
  }
}

export async function main(options: Options): Promise<void> {
  const numbers = options.number.map((word) => {
    if (/^[1-9]\d{0,8}$/.test(word)) return Number(word);
    throw new UsageError(`NUMBER is that of a mail, 1 for the first, not "${word}"`);
  });
  if (options.delete && options.output === undefined) {
    throw new UsageError("--delete needs --output: only what was saved is deleted");
  }
  if (options.delete && options.lines !== undefined) {
    throw new UsageError("--delete and --lines together would lose the rest of the mails");
  }
  // asked for before the server begins to wait
  const { user, host } = options;
  const secret = await password("POP3_PASSWORD", `Password of ${user} at ${host}:`);
  const stopping = new AbortController();
  using _stopping = onInterrupt(() => stopping.abort(new Error("stopped")), { grace: 5_000 });
  using pop = await open(options, stopping.signal);
  try {
    await logIn(pop, options, secret);
    await work(pop, numbers, options);
  } catch (error) {
    await politely(pop, "QUIT");
    throw error;
  }
  await pop.ask("QUIT"); // now the server deletes
}

if (import.meta.main) await run(main);
