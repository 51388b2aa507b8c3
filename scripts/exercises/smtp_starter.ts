#!/usr/bin/env -S deno run --allow-net=127.0.0.1:2525
/**
 * To do: send a mail by hand
 *
 * The task: send one mail to bob@example.org by the SMTP server at 127.0.0.1 port 2525, word by word, as the
 * lecture types it into telnet. The server speaks first. Then comes one line after another, and an answer to
 * each: HELO and a name, MAIL FROM:<you@example.org>, RCPT TO:<bob@example.org>, DATA, the mail, QUIT. Each line
 * ends with CR LF, "\r\n". The mail has the field From:, an empty line, and a text, with this line in it:
 *
 *     .This line begins with a dot
 *
 * A line with nothing but a dot ends the mail; so that no other line can be taken for it, one that begins with a
 * dot gets a second one. An answer is a code and a text; it may have several lines, "250-" before "250 ", and
 * come in pieces. When the code begins with 4 or 5, say QUIT; when the server ends, end.
 *
 * This connects and hears the greeting. Copy it to another name, such as my_mail.ts, and start the check in
 * another terminal; it tells how often to start yours, and takes clients in other languages as well:
 *
 *     deno run --allow-net=127.0.0.1:2525 scripts/exercises/check_smtp.ts
 *
 * One answer is scripts/mail/smtp_client.ts.
 *
 * @lecture 004 Sending mail the hard way
 * @python  socket.connect → Deno.connect, socket.recv → connection.read, socket.sendall → writeAll
 * @partner scripts/mail/smtp_server.ts
 * @run     deno run --allow-net=127.0.0.1:2525 scripts/exercises/smtp_starter.ts
 * @expect  S: 220 *
 * @log     still to do: HELO, MAIL FROM, RCPT TO, DATA, the mail, QUIT
 * @option  --host HOST  where the server is (default: 127.0.0.1)
 * @option  --port PORT  the server's port (default: 2525)
 * @see     https://www.rfc-editor.org/rfc/rfc5321#appendix-D
 * @module
 */

import { run } from "../../lib/cli.ts";
import { visible } from "../../lib/display.ts";
import { attempt } from "../../lib/errors.ts";

/** Hears one answer of the server. */
async function answer(connection: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(1024);
  const count = await attempt("hear the server", connection.read(buffer));
  if (count === null) throw new Error("the server has ended the conversation");
  const text = new TextDecoder().decode(buffer.subarray(0, count));
  console.log(`S: ${visible(text.trimEnd())}`);
  // yours: this is what happens to be there. Is it a whole answer? Are there more lines of it?
  return text;
}

export async function main({ host, port }: { host: string; port: number }): Promise<void> {
  using connection = await attempt(
    `connect to ${host} port ${port}`,
    Deno.connect({ hostname: host, port }),
  );
  await answer(connection);
  // yours: the lines, each followed by its answer. writeAll in lib/write_all.ts sends a text
  console.error("still to do: HELO, MAIL FROM, RCPT TO, DATA, the mail, QUIT");
}

if (import.meta.main) await run(main);
