#!/usr/bin/env -S deno run --allow-net=127.0.0.1:2525
/**
 * Check your mail client
 *
 * Is the mail server for a client of your own, in any language, that sends a mail by hand: HELO, MAIL FROM, RCPT
 * TO, DATA, the mail, QUIT. Start this, and then your client, once for each check; in a shell:
 *
 *     for i in 1 2 3 4 5 6 7 8 9 10 11 12; do python3 my_mail.py; done
 *
 * Each check is one conversation, the easy ones first: the server answers late, in several lines, in pieces, or
 * says no. Where your client does something else than it should, it is shown what was expected, what came, and
 * which mistake most often leads to that. smtp_starter.ts has the task, and a beginning.
 *
 * @lecture 004 Sending mail the hard way
 * @run     deno run --allow-net=127.0.0.1:2525 scripts/exercises/check_smtp.ts 127.0.0.1:2525
 * @client  deno run --allow-net=127.0.0.1:2525 scripts/mail/smtp_client.ts --helo ".This line begins with a dot"
 * @log     start your mail client once for each of 12 checks
 * @expect  listening on 127.0.0.1:2525
 * @expect  checking your mail client at 127.0.0.1:2525
 * @expect  *1 ok    it waits for the server's 220, and then says HELO or EHLO with a name
 * @argument [ADDRESS]  where this waits for your client (default: 127.0.0.1:2525)
 * @option  --patience SECONDS  how long to wait until your client is started (default: 60)
 * @option  --first  stop at the first failure
 * @option  --json  print a report for programs
 * @option  --timeout MILLISECONDS  how long your client may be silent (default: 3000)
 * @see     https://www.rfc-editor.org/rfc/rfc5321#appendix-D
 * @module
 */

import { checkClient } from "../../lib/check/checker.ts";
import { SMTP_CHECKS } from "../../lib/check/smtp_checks.ts";
import { run } from "../../lib/cli.ts";
import { onInterrupt } from "../../lib/shutdown.ts";

interface Options {
  address: string;
  patience: number;
  first: boolean;
  json: boolean;
  timeout: number;
}

export async function main(options: Options): Promise<void> {
  // nothing is kept that would have to be saved: at Ctrl-C the process ends
  using _stopping = onInterrupt(() => {}, { grace: 0 });
  await checkClient("your mail client", SMTP_CHECKS, { ...options, client: true, silence: 0 });
}

if (import.meta.main) await run(main);
