/**
 * Ten thousand generated mails through the server and off the wire again.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import fc from "npm:fast-check@^4.3.0";
import { fetchedItems, readImapReply } from "../../lib/imap_reply.ts";
import { Mailboxes } from "../../lib/imap_mailboxes.ts";
import { MailLogin } from "../../lib/mail_login.ts";
import { SocketReader } from "../../lib/reader.ts";
import { connect } from "../../lib/tcp.ts";
import { serveUpgradable } from "../../lib/upgradable.ts";
import { converse } from "../../scripts/mail/imap_server.ts";
import { encode, temporaryFolder } from "./helpers.ts";

const SEED = 20_261_125;
const MAILS = 10_000;

/** Lines as a mail may have them, all ended by CR LF but perhaps the last. */
const line = fc.oneof(
  fc.constantFrom(...[
    "",
    ".",
    "..",
    ")",
    "a3 OK done",
    "* BYE",
    "{3}",
    "+ go",
    "* 1 FETCH (BODY[] {2}",
  ]),
  fc.constantFrom(...[
    "From: a@b",
    "Subject: =?utf-8?Q?=C3=A9?=",
    "x".repeat(998),
    "\r",
    "\0",
    " ",
    "--x",
  ]),
  fc.uint8Array({ max: 255, maxLength: 40 }).map((bytes) =>
    String.fromCharCode(...bytes).replaceAll("\n", "")
  ),
);
const mail = fc.tuple(fc.array(line, { maxLength: 8 }), fc.boolean()).map(([lines, ended]) => {
  const text = lines.join("\r\n") + (ended ? "\r\n" : "");
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
});

Deno.test(`${MAILS} generated mails come as they are stored, byte for byte but for NUL (seed ${SEED})`, async () => {
  const mails = fc.sample(mail, { numRuns: MAILS, seed: SEED });
  using folder = temporaryFolder();
  for (const [index, bytes] of mails.entries()) {
    Deno.writeFileSync(`${folder.path}/${String(index).padStart(5, "0")}.eml`, bytes);
  }
  const service = {
    ...{ login: new MailLogin("student", "example"), mailboxes: new Mailboxes(folder.path) },
    anyhow: false,
  };
  await using server = await serveUpgradable(
    { hostname: "127.0.0.1", port: 0 },
    (connection) => converse(connection, service, () => {}),
  );
  using connection = await connect(server.addr as Deno.NetAddr);
  const commands = [
    "LOGIN student example",
    "EXAMINE INBOX",
    "FETCH 1:* (UID RFC822.SIZE BODY.PEEK[])",
  ];
  await connection.write(encode([...commands, "LOGOUT"].map((each) => `a ${each}\r\n`).join("")));
  const reader = new SocketReader(connection);
  let fetched = 0;
  const ends: string[] = [];
  for (let reply; (reply = await readImapReply(reader));) {
    if (reply.kind === "status" && reply.tag === "a") ends.push(reply.status);
    if (reply.kind !== "data" || reply.name !== "FETCH") continue;
    const items = fetchedItems(reply.values);
    const bytes = items.get("BODY[]") as Uint8Array, stored = mails[fetched++]!;
    assertEquals([items.get("UID"), items.get("RFC822.SIZE")], [`${fetched}`, `${stored.length}`]);
    // a literal holds no NUL
    const same = bytes.every((byte, at) => byte === (stored[at] || 0x80));
    assert(bytes.length === stored.length && same, `${fetched}`);
  }
  assertEquals([fetched, ends], [MAILS, ["OK", "OK", "OK", "OK"]]);
});
