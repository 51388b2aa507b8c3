#!/usr/bin/env -S deno run --allow-run=deno --allow-read=/tmp/mail
/**
 * The way of a mail: SMTP in, IMAP and POP3 out
 *
 * Starts the three mail servers of this chapter on one folder, each as a process of its own, and then does
 * what two people do: smtp_client sends a mail, imap_client and pop3_client fetch it. The three protocols
 * know nothing of each other: what they have in common is the folder, a file for each mail. What was fetched
 * is printed, if both ways have given the file byte for byte. The password is made up for this run.
 *
 * The server has put two fields above the mail: who sent it, and how it came (Return-Path, Received).
 * Further down all is as it was sent, a line with a single dot, too.
 *
 * @lecture 003 Network Communication at different level · 004 Sending mail the hard way
 * @python  subprocess.Popen, subprocess.run → Deno.Command
 * @run     deno run --allow-run=deno --allow-read=/tmp/mail scripts/mail/mail_chain.ts
 * @log     smtp_server: listening on 127.0.0.1:*
 * @log     imap_server: listening on 127.0.0.1:*
 * @log     pop3_server: listening on 127.0.0.1:*
 * @log     smtp_client: accepted for bob@example.org
 * @log     the same * bytes by IMAP and by POP3
 * @expect  Return-Path: <alice@example.org>
 * @expect  Received: from *
 * @expect  From: alice@example.org
 * @expect  Subject: A test
 * @expect  so nothing really
 * @expect  .
 * @expect  .. but two dots
 * @option  --mails FOLDER  where the servers keep the mails (default: /tmp/mail)
 * @option  --text TEXT      what the mail says; three lines with dots unless told
 * @see     https://www.rfc-editor.org/rfc/rfc5598
 * @module
 */

import { run } from "../../lib/cli.ts";
import { visible } from "../../lib/display.ts";
import { attempt } from "../../lib/errors.ts";
import { listMails, readMail } from "../../lib/mail_folder.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { type StartedServer, startServer } from "../../lib/started_server.ts";

const TEXT = "so nothing really\n.\n.. but two dots";

// servers and clients get it by their environment, where nobody else sees it
const secret = crypto.randomUUID();
const env = { IMAP_PASSWORD: secret, POP3_PASSWORD: secret };
const passwords: Record<string, string> = { imap: "IMAP_PASSWORD", pop3: "POP3_PASSWORD" };

/** What starts one of the scripts: Deno, the grants that it needs, and what it is told. */
function commandLine(name: string, grants: string[], words: string[]): string[] {
  const password = passwords[name.slice(0, 4)];
  const flags = [...grants, ...(password ? [`env=${password}`] : [])].map((each) =>
    `--allow-${each}`
  );
  const script = new URL(`./${name}.ts`, import.meta.url).pathname;
  return ["run", "--no-prompt", "--quiet", ...flags, script, ...words];
}

/** Starts a server on a port that is free; it may read and write the folder. */
async function start(name: string, mails: string): Promise<StartedServer> {
  const grants = ["net=127.0.0.1:0", `read=${mails}`, `write=${mails}`];
  const words = ["--port", "0", "--mails", mails];
  return await startServer("deno", commandLine(name, grants, words), { env });
}

/** Runs a client to its end; gives what it prints on its standard output. */
async function ask(name: string, server: StartedServer, words: string[], signal: AbortSignal) {
  const port = server.line.split(":").at(-1)!;
  const args = commandLine(name, [`net=127.0.0.1:${port}`], ["--port", port, ...words]);
  const command = new Deno.Command("deno", { args, env, signal, stdin: "null" });
  const { success, stdout, stderr } = await attempt(`run ${name}`, () => command.output(), {
    timeout: 60_000,
  });
  signal.throwIfAborted();
  if (success) return stdout;
  const last = new TextDecoder().decode(stderr).trim().split("\n").at(-1);
  throw new Error(`${name} failed: ${visible(last ?? "")}`);
}

function same(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

export async function main({ mails, text }: { mails: string; text?: string }): Promise<void> {
  const stop = new AbortController();
  using _stopping = onInterrupt(() => stop.abort(new Error("stopped")), { grace: 5_000 });
  const { signal } = stop;
  await using servers = new AsyncDisposableStack();
  const begin = async (name: string) => {
    const server = servers.use(await start(name, mails));
    console.error(`${name}: ${server.line}`);
    signal.throwIfAborted();
    return server;
  };
  // the first one makes the folder that the others read
  const smtp = await begin("smtp_server");
  const imap = await begin("imap_server");
  const pop3 = await begin("pop3_server");
  const words = ["--to", "bob@example.org", "--", text ?? TEXT];
  const said = await ask("smtp_client", smtp, words, signal);
  console.error(`smtp_client: ${new TextDecoder().decode(said).trim()}`);

  // the newest one, by the number that it has in both protocols
  const stored = await listMails(mails);
  const number = String(stored.length);
  const [file, byImap, byPop3] = await Promise.all([
    readMail(stored.at(-1)!),
    ask("imap_client", imap, ["--message", number, "--raw"], signal),
    ask("pop3_client", pop3, [number], signal),
  ]);
  if (!same(file, byImap)) throw new Error("IMAP gives something else than the file has");
  if (!same(file, byPop3)) throw new Error("POP3 gives something else than the file has");
  console.error(`the same ${file.length} bytes by IMAP and by POP3`);
  for (const line of new TextDecoder().decode(file).split("\r\n").slice(0, -1)) {
    console.log(visible(line));
  }
}

if (import.meta.main) await run(main);
