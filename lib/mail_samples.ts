/**
 * Mails to read before any has come.
 *
 * @module
 */

import { attempt } from "./errors.ts";
import { listMails, saveMail } from "./mail_folder.ts";
import { withLineEnds } from "./mail_lines.ts";

/** Plain; with what needs care on the wire; and what is not ASCII. */
const SAMPLES = [
  `From: Ada <ada@example.org>
To: Student <student@example.org>
Subject: Sending mail the hard way
Date: Mon, 20 Jul 2026 09:00:00 +0000
Message-ID: <1@example.org>

This is a test
so nothing really
`,
  `From: Grace <grace@example.org>
To: Student <student@example.org>
Subject: Lines that look like something else
Date: Mon, 20 Jul 2026 09:05:00 +0000
Message-ID: <2@example.org>

A dot on a line of its own ends a mail on the wire, but not in it:
.
...and so do lines that begin with more dots.
* BYE is a word of IMAP's, and these are no replies:
a4 OK FETCH completed
+OK
-ERR no such mail
250 Ok: queued
`,
  `From: =?UTF-8?Q?J=C3=BCrgen?= <juergen@example.org>
To: Student <student@example.org>
Subject: =?UTF-8?B?R3LDvMOfZSBhdXMgVMOkZ2VyZmVsZGVuIOKciQ==?=
Date: Mon, 20 Jul 2026 09:10:00 +0000
Message-ID: <3@example.org>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Schöne Grüße: 8 bits a byte, ☕ included.
`,
];

/**
 * Puts three mails into a folder that is not there, or has none.
 *
 * Needs leave to read and write the folder.
 *
 * @returns how many were put there
 * @throws {ActionError} when it cannot be read or written
 *
 * @example
 * ```ts
 * import { makeSampleMails } from "./mail_samples.ts";
 * import { listMails } from "./mail_folder.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = Deno.makeTempDirSync();
 * assertEquals([await makeSampleMails(folder), await makeSampleMails(folder)], [3, 0]);
 * assertEquals((await listMails(folder)).length, 3);
 * Deno.removeSync(folder, { recursive: true });
 * ```
 */
export async function makeSampleMails(folder: string): Promise<number> {
  await attempt(
    `make the folder ${folder}`,
    () => Deno.mkdir(folder, { recursive: true, mode: 0o700 }),
  );
  if ((await listMails(folder, { count: 1 })).length > 0) return 0;
  for (const sample of SAMPLES) {
    await saveMail(folder, withLineEnds(new TextEncoder().encode(sample)));
  }
  return SAMPLES.length;
}
