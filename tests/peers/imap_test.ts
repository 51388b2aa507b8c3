/**
 * Our IMAP client with Dovecot; Python's imaplib, curl and the library imapflow with our server.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { ImapFlow } from "npm:imapflow@1";
import type { ImapValue } from "../../lib/imap_parser.ts";
import { fetchedItems, readImapReply } from "../../lib/imap_reply.ts";
import { mimeParts } from "../../lib/mime_parts.ts";
import { makeSampleMails } from "../../lib/mail_samples.ts";
import { SocketReader } from "../../lib/reader.ts";
import { DOVECOT, type Dovecot, startDovecot } from "./dovecot.ts";
import { freePort, peerTest, python, temporaryFolder } from "./peers.ts";
import { Process } from "./process.ts";
import { pathOf } from "./scripts.ts";

const encode = (text: string) => new TextEncoder().encode(text);

const SUBJECT = "=?utf-8?Q?Gr=C3=BC=C3=9Fe?= =?utf-8?B?IGF1cyBXaWVu?=";

/** What a reader of mail must get through: as the server sends it, byte for byte. */
const MAILS = [
  `From: Ada <ada@example.org>\r\nSubject: ${SUBJECT}\r\n\r\nhello\r\n`,
  // lines that look like what the server says
  "From: mallory@example.org\r\nSubject: fake\r\n\r\n" +
  ")\r\na4 OK FETCH completed\r\na5 OK\r\n* BYE\r\n* 1 FETCH (BODY[] {5}\r\n+ go on\r\na4 NO\r\n",
  `From: a@example.org\r\nSubject: long\r\n\r\n${"0123456789abcdef".repeat(60) + "\r\n"}`.repeat(1),
  `Subject: big\r\n\r\n${("x".repeat(998) + "\r\n").repeat(5_000)}`,
  "Subject: bytes \xe9\xff\r\n\r\n\xe9\xff\x01\x7f\x80 and no line end",
].map((mail) => Uint8Array.from(mail, (character) => character.charCodeAt(0)));

interface ClientOptions {
  ca?: string;
  password?: string;
  host?: string;
}

async function client(port: number, words: string[], options: ClientOptions) {
  const { host = "127.0.0.1" } = options;
  const flags = ["--allow-env=IMAP_PASSWORD", `--allow-net=${host}:${port}`];
  if (options.ca) {
    flags.push(`--allow-read=${options.ca}`);
    words = [...words, "--ca", options.ca];
  }
  await using process = new Process(
    [
      ...[Deno.execPath(), "run", "--no-prompt", ...flags, pathOf("mail/imap_client")],
      ...["--host", host, "--port", String(port), ...words],
    ],
    { env: { IMAP_PASSWORD: options.password ?? "secret word" } },
  );
  const code = await process.end();
  const { stdout, stderr } = process;
  assert(!stderr.text.includes("secret word"), "the password is shown");
  return { code, stdout: stdout.text, bytes: stdout.bytes, stderr: stderr.text };
}

/** Everything that our client can do, over one kind of connection. */
async function useDovecot(
  { ports, ca }: Dovecot,
  how: string[],
  numbers = MAILS.map((_, index) => index + 1),
): Promise<void> {
  const port = how.includes("--tls") ? ports.imaps : ports.imap;
  const options = how.length > 0 ? { ca } : {};
  const [list, boxes, ...mails] = await Promise.all([
    client(port, [...how, "--headers", "--json"], options),
    client(port, [...how, "--mailboxes"], options),
    ...numbers.map((number) =>
      client(port, [...how, "--raw", "--message", String(number)], options)
    ),
  ]);
  assertEquals(list.code, 0, list.stderr);
  const told = list.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(told.map(({ number }) => number), [1, 2, 3, 4, 5]);
  assertEquals(told.map(({ uid }) => uid), [1, 2, 3, 4, 5]);
  assertEquals([told[0].subject, told[0].from], ["Grüße aus Wien", ["Ada <ada@example.org>"]]);
  assertEquals(told[0].size, MAILS[0]!.length);
  assertMatch(list.stderr, /^C: a\d EXAMINE "INBOX"\nS: (.*\n)*S: a\d OK \[READ-ONLY\]/m);
  assertMatch(list.stderr, /^C: a\d LOGIN "student" "?\*\*\*"?$/m);
  assertMatch(list.stderr, /^C: a\d LOGOUT\nS: \* BYE .*\nS: a\d OK /m);
  assertEquals(boxes.stdout.trimEnd().split("\n").toSorted(), ["Entwürfe & mehr", "INBOX"]);
  for (const [index, mail] of mails.entries()) {
    assertEquals(mail.code, 0, mail.stderr);
    const sent = MAILS[numbers[index]! - 1]!;
    assertEquals(await sha256(mail.bytes), await sha256(sent), mail.stderr);
    assertMatch(mail.stderr, /S: a\d OK Logout completed/);
  }
}

/** A mailbox with a name, and no wait of some seconds for who comes after a wrong password. */
const more = `auth_failure_delay = 0
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
namespace inbox {
  inbox = yes
  separator = /
  mailbox "Entwürfe & mehr" {
    auto = create
  }
}`;

peerTest("imap_client reads what Dovecot has, byte for byte", [DOVECOT], async () => {
  await using dovecot = await startDovecot({ mails: MAILS, protocols: "imap", more });
  await useDovecot(dovecot, []);
  await useDovecot(dovecot, ["--starttls"], [2, 4]);
  await useDovecot(dovecot, ["--tls"], [2, 4]);

  const port = dovecot.ports.imap;
  const [wrong, nowhere, beyond, empty, small, stranger] = await Promise.all([
    client(port, [], { password: "guess" }),
    client(port, ["--mailbox", "nowhere"], {}),
    client(port, ["--message", "6"], {}),
    client(port, ["--mailbox", "Entwürfe & mehr", "--headers"], {}),
    client(port, ["--message", "4", "--limit", "100000"], {}),
    client(port, ["--starttls"], {}),
  ]);
  assertEquals([wrong.code, wrong.stdout], [1, ""]);
  assertMatch(wrong.stderr, /refuses LOGIN: NO \[AUTHENTICATIONFAILED\].*\nThe name or the pass/);
  assertMatch(wrong.stderr, /C: a2 LOGOUT/);
  assertMatch(nowhere.stderr, /refuses EXAMINE: NO .*\n(There is no|NO: there is no) such mailbox/);
  assertMatch(beyond.stderr, /there is no mail 6 in INBOX: it has 5/);
  assertEquals([empty.code, empty.stdout], [0, ""]);
  assertMatch(empty.stderr, /C: a3 EXAMINE "Entw&APw-rfe &- mehr"/);
  assertMatch(small.stderr, /a literal of 5\d+ bytes is longer than the limit of 100000 bytes/);
  assertMatch(stranger.stderr, /an authority that is not trusted here/);
  assertEquals([nowhere, beyond, small, stranger].map(({ code }) => code), [1, 1, 1, 1]);
});

peerTest("imap_client keeps its password from a Dovecot that wants TLS", [DOVECOT], async () => {
  // what comes from the address where it listens, it takes for safe
  const host = "127.0.0.2";
  await using dovecot = await startDovecot({
    ...{ mails: MAILS, protocols: "imap", strict: true, more: `listen = ${host}` },
  });
  const { ports: { imap, imaps }, ca } = dovecot;
  const refused = await client(imap, [], { host });
  assertEquals([refused.code, refused.stdout], [1, ""]);
  assertMatch(refused.stderr, /takes no password in clear text \(LOGINDISABLED\): give --starttls/);
  assert(!refused.stderr.includes("C: a1 LOGIN"), "it said LOGIN");
  const named = ["--name", "localhost", "--headers"];
  assertEquals((await client(imap, ["--starttls", ...named], { ca, host })).code, 0);
  assertEquals((await client(imaps, ["--tls", ...named], { ca, host })).code, 0);
});

/** Our server over a folder with the sample mails, some more, and a mailbox below it. */
async function ourServer(...words: string[]) {
  const folder = temporaryFolder();
  const mails = `${folder.path}/mail`;
  await makeSampleMails(mails);
  await Deno.writeTextFile(`${mails}/with LF.eml`, "Subject: by hand\n\none\ntwo\n");
  await Deno.writeFile(`${mails}/z-long.eml`, MAILS[3]!);
  await Deno.writeFile(`${mails}/z-multi.eml`, encode(MULTIPART));
  await Deno.mkdir(`${mails}/Entwürfe`);
  await Deno.writeTextFile(`${mails}/Entwürfe/1.eml`, "Subject: draft\r\n\r\nsoon\r\n");
  const port = freePort();
  const tls = `${folder.path}/tls`;
  const flags = [
    "--allow-env=IMAP_PASSWORD",
    `--allow-net=127.0.0.1:${port}`,
    `--allow-read=${mails},${tls}`,
    `--allow-write=${tls}`,
  ];
  const start = () =>
    new Process([
      ...[Deno.execPath(), "run", "--no-prompt", ...flags, pathOf("mail/imap_server")],
      ...["--port", String(port), "--mails", mails, "--certificate", tls, ...words],
    ], { env: { IMAP_PASSWORD: "secret word" } });
  const process = start();
  await process.stdout.line(/^listening on/);
  return {
    ...{ port, mails, process, start, ca: `${tls}/authority.pem` },
    async [Symbol.asyncDispose]() {
      await process[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

const MULTIPART = [
  "From: Team: ada@example.org, Grace <grace@example.org>;",
  'To: "Last, First" <first@example.org>',
  "Subject: parts",
  "MIME-Version: 1.0",
  'Content-Type: multipart/mixed; boundary="outer"',
  "",
  "preamble",
  "--outer",
  "Content-Type: multipart/alternative; boundary=inner",
  "",
  "--inner",
  "Content-Type: text/plain; charset=utf-8",
  "Content-Transfer-Encoding: quoted-printable",
  "",
  "Gr=C3=BC=C3=9Fe",
  "--inner",
  "Content-Type: text/html",
  "",
  "<b>hi</b>",
  "--inner--",
  "--outer",
  'Content-Type: application/octet-stream; name="a \\"b\\".bin"',
  "Content-Disposition: attachment; filename=a.bin",
  "Content-Transfer-Encoding: base64",
  "",
  "AAECAw==",
  "--outer",
  "Content-Type: message/rfc822",
  "",
  "Subject: inside",
  "From: eve@example.org",
  "",
  "the inner text",
  "--outer--",
  "",
].join("\r\n");

async function sha256(bytes: Uint8Array): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes.slice())).toHex();
}

/** The mails of a folder as they must come, in the order of their names. */
async function expected(mails: string): Promise<Uint8Array[]> {
  const names = Array.from(Deno.readDirSync(mails)).map(({ name }) => name)
    .filter((name) => name.endsWith(".eml")).toSorted();
  return await Promise.all(names.map(async (name) => {
    const bytes = await Deno.readFile(`${mails}/${name}`);
    return name === "with LF.eml" ? encode("Subject: by hand\r\n\r\none\r\ntwo\r\n") : bytes;
  }));
}

for (const tls of [false, true]) {
  const how = tls ? " after STARTTLS" : "";
  peerTest(`imap_server serves Python's imaplib${how}`, ["python3"], async () => {
    await using server = await ourServer(...(tls ? ["--starttls"] : []));
    const { port, mails, ca, process } = server;
    const words = [port, "student", "secret word", tls ? ca : "-"];
    await using client = new Process(python("imaplib_client.py", ...words));
    assertEquals(await client.end(), 0, client.stderr.text + process.stderr.text);
    const said = JSON.parse(client.stdout.text);
    assert(said.capabilities.includes("IMAP4REV1"));
    assertEquals(said.capabilities.includes("STARTTLS"), tls);
    if (tls) assert(!said.after_tls.includes("STARTTLS"));
    assertMatch(said.wrong, /AUTHENTICATIONFAILED/);
    const contents = await expected(mails);
    assertEquals(said.sha256, await Promise.all(contents.map(sha256)));
    assertEquals([said.count, said.uids], [6, [1, 2, 3, 4, 5, 6]]);
    assertEquals(said.subjects.length, 5);
    assertEquals(said.subjects[0], "Subject: Lines that look like something else\r\n\r\n");
    assertEquals(said.search, {
      ...{ subject: [1], from: [1, 2, 6], body: [3], not: [2, 3, 4, 5, 6], large: [3] },
      ...{ sent: [1, 2, 3], since: [1, 2, 3, 4, 5, 6], set: [2, 3, 4, 5, 6], seen: [] },
      literal: [3],
    });
    assertMatch(said.status, /^"INBOX" \(MESSAGES 6 UIDNEXT 7 UIDVALIDITY \d+ UNSEEN 6\)$/);
    for (const [what, status] of Object.entries(said.refused)) assertEquals(status, "NO", what);
    assertStringIncludes(said.list.join("\n"), '"Entw&APw-rfe"');
    assertEquals([said.drafts, said.noop, said.logout], ["soon\r\n", "OK", "BYE"]);
    assert(!process.stderr.text.includes("secret word"), "the password is shown");
    assertEquals(await process.stop("SIGINT"), 0);
  });
}

peerTest(
  "imap_server serves an empty mailbox to imaplib, curl and imapflow",
  ["python3", "curl"],
  async () => {
    await using server = await ourServer();
    const { port, mails, process } = server;
    await Deno.mkdir(`${mails}/empty`);

    await using imaplib = new Process(
      python("imaplib_empty.py", port, "student", "secret word", "empty"),
    );
    assertEquals(await imaplib.end(), 0, imaplib.stderr.text);
    const said = JSON.parse(imaplib.stdout.text);
    assertEquals([said.select, said.search, said.uids], ["0", [""], [""]]);
    assertEquals(said.by_uid, [["OK", [null]], ["OK", [null]]]);
    for (const bad of said.bad) assertMatch(bad, /BAD \[b'the mailbox has 0 mails'\]/);
    assertMatch(said.status, /^"empty" \(MESSAGES 0 UNSEEN 0\)$/);
    assertEquals([said.noop, said.close, said.logout], ["OK", "OK", "BYE"]);

    // what curl does with a mail that is not there is the same as with Dovecot: 78, no such file
    for (const [place, code] of [["?ALL", 0], [";UID=1", 78], [";MAILINDEX=1", 78]] as const) {
      const url = `imap://127.0.0.1:${port}/empty${place}`;
      await using curl = new Process(
        ["/usr/bin/curl", "-sS", "--max-time", "60", "-u", "student:secret word", url],
      );
      assertEquals(await curl.end(), code, curl.stderr.text);
      assertEquals(curl.stdout.text.trim(), code === 0 ? "* SEARCH" : "");
    }

    const flow = new ImapFlow({
      ...{ host: "127.0.0.1", port, secure: false, logger: false },
      ...{ doSTARTTLS: false, auth: { user: "student", pass: "secret word" } },
    });
    await flow.connect();
    try {
      assertEquals((await flow.mailboxOpen("empty", { readOnly: true })).exists, 0);
      for (const range of ["1:*", "*", "1"]) {
        assertEquals(await flow.fetchAll(range, { uid: true }, { uid: true }), [], range);
      }
      // it makes of * the last number, and knows that there is none; of the others Dovecot, too, says BAD
      assertEquals(await flow.fetchAll("*", { uid: true, envelope: true }), []);
      await assertRejects(() => flow.fetchAll("1:*", { uid: true }), Error, "Command failed");
      assertEquals(await flow.search({ all: true }), []);
      assertEquals(await flow.search({ seen: false }, { uid: true }), []);
      assertEquals((await flow.status("empty", { messages: true, uidNext: true })).messages, 0);
      await flow.noop();
      await Deno.writeTextFile(`${mails}/empty/1.eml`, "Subject: first\r\n\r\n");
      await flow.noop();
      const [first] = await flow.fetchAll("1:*", { uid: true, envelope: true });
      assertEquals([first!.seq, first!.uid, first!.envelope?.subject], [1, 1, "first"]);
      assertEquals(await flow.search({ all: true }), [1]);
    } finally {
      await flow.logout();
    }
    assertEquals(await process.stop("SIGINT"), 0);
  },
);

/** What a server answers to commands of one who has logged in and opened the inbox: the items of its FETCH replies. */
async function fetched(port: number, ...commands: string[]) {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const said = ['LOGIN student "secret word"', "EXAMINE INBOX", ...commands, "LOGOUT"];
  await connection.write(encode(said.map((each) => `a ${each}\r\n`).join("")));
  const reader = new SocketReader(connection);
  const items: Record<string, ImapValue> = {};
  for (let reply; (reply = await readImapReply(reader));) {
    if (reply.kind === "status" && reply.tag === "a") assertEquals(reply.status, "OK", reply.text);
    if (reply.kind !== "data" || reply.name !== "FETCH") continue;
    for (const [name, value] of fetchedItems(reply.values)) items[name] = value;
  }
  return items;
}

peerTest("imap_server makes of NUL what Dovecot makes of it", [DOVECOT], async () => {
  const field = 'Content-Type: text/plain; name="q\0r"';
  const mail = encode(`Subject: a\0b\r\n${field}\r\n\r\none\0two\0\r\n\0\0\r\n`);
  await using dovecot = await startDovecot({ mails: [mail], protocols: "imap" });
  await using server = await ourServer();
  for (const { name } of Deno.readDirSync(server.mails)) {
    await Deno.remove(`${server.mails}/${name}`, { recursive: true });
  }
  await Deno.writeFile(`${server.mails}/1.eml`, mail);
  const asked = [
    ...["RFC822.SIZE", "BODY.PEEK[]", "BODY.PEEK[HEADER]", "BODY.PEEK[TEXT]", "BODY.PEEK[1]"],
    ...["BODY.PEEK[]<9.5>", "BODY.PEEK[HEADER.FIELDS (SUBJECT)]", "ENVELOPE"],
  ];
  const [theirs, ours] = await Promise.all(
    [dovecot.ports.imap, server.port].map((port) => fetched(port, `FETCH 1 (${asked.join(" ")})`)),
  );
  assertEquals(ours, theirs);
  assertEquals(ours!["RFC822.SIZE"], String(mail.length));
  assertEquals(ours!["BODY[]"], mail.map((byte) => byte || 0x80));
  assertEquals(ours!["BODY[]<9>"], Uint8Array.of(97, 0x80, 98, 13, 10));
});

peerTest("imap_server serves curl", ["curl"], async () => {
  await using server = await ourServer("--starttls");
  const { port, mails, ca, process } = server;
  const curl = async (...words: string[]) => {
    await using process = new Process(["/usr/bin/curl", "-sS", "--max-time", "60", ...words]);
    const code = await process.end();
    return {
      code,
      bytes: process.stdout.bytes,
      text: process.stdout.text,
      stderr: process.stderr.text,
    };
  };
  const url = `imap://127.0.0.1:${port}`;
  const login = ["-u", "student:secret word"];
  for (const how of [[], ["--ssl-reqd", "--cacert", ca]]) {
    const all = await curl(...login, ...how, url);
    assertEquals(all.code, 0, all.stderr);
    assertMatch(all.text, /^\* LIST .* "INBOX"\r\n\* LIST .* "Entw&APw-rfe"\r\n$/);
    for (const [index, mail] of (await expected(mails)).entries()) {
      const got = await curl(...login, ...how, `${url}/INBOX;UID=${index + 1}`);
      assertEquals(got.code, 0, got.stderr);
      assertEquals(await sha256(got.bytes), await sha256(mail), String(index));
    }
    const found = await curl(...login, ...how, `${url}/INBOX?SUBJECT%20parts`);
    assertEquals(found.text, "* SEARCH 6\r\n");
    const header = await curl(...login, ...how, `${url}/INBOX;MAILINDEX=4;SECTION=HEADER`);
    assertEquals(header.text, "Subject: by hand\r\n\r\n");
  }
  assertEquals((await curl("-u", "student:guess", url)).code, 67);
  // it takes any mailbox that cannot be opened for a login that failed
  assertEquals((await curl(...login, `${url}/nowhere;UID=1`)).code, 67);
  assertEquals((await curl(...login, "-T", `${mails}/with LF.eml`, `${url}/INBOX`)).code, 25);
  assertEquals(await process.stop("SIGINT"), 0);
});

peerTest("imap_server serves curl over TLS from the first byte", ["curl"], async () => {
  await using server = await ourServer("--tls");
  const url = `imaps://127.0.0.1:${server.port}/INBOX;UID=2`;
  const words = [
    "-sS",
    "--max-time",
    "60",
    "--cacert",
    server.ca,
    "-u",
    "student:secret word",
    url,
  ];
  await using curl = new Process(["/usr/bin/curl", ...words]);
  assertEquals(await curl.end(), 0, curl.stderr.text);
  assertEquals(await sha256(curl.stdout.bytes), await sha256((await expected(server.mails))[1]!));
  const again = await client(server.port, ["--tls", "--headers"], { ca: server.ca });
  assertEquals([again.code, again.stdout.split("\n").length], [0, 7], again.stderr);
  assertEquals(await server.process.stop("SIGINT"), 0);
});

peerTest("imap_server serves the mail library imapflow", [], async () => {
  await using server = await ourServer("--starttls");
  const { port, mails, ca, process } = server;
  const flow = new ImapFlow({
    ...{ host: "127.0.0.1", port, secure: false, doSTARTTLS: true, logger: false },
    auth: { user: "student", pass: "secret word" },
    tls: { ca: await Deno.readTextFile(ca), servername: "localhost" },
  });
  await flow.connect();
  try {
    assertEquals((await flow.list()).map(({ path }) => path), ["INBOX", "Entwürfe"]);
    const box = await flow.mailboxOpen("INBOX", { readOnly: true });
    assertEquals([box.exists, box.readOnly, box.uidNext], [6, true, 7]);
    const contents = await expected(mails);
    const asked = { uid: true, envelope: true, source: true, size: true, bodyStructure: true };
    const got = await flow.fetchAll("1:*", asked);
    assertEquals(got.map(({ size }) => size), contents.map(({ length }) => length));
    for (const [index, { source }] of got.entries()) {
      assertEquals(await sha256(new Uint8Array(source!)), await sha256(contents[index]!));
    }
    assertEquals(got[2]!.envelope?.subject, "Grüße aus Tägerfelden ✉");
    assertEquals(got[2]!.envelope?.from?.[0]?.name, "Jürgen");
    assertEquals(got[5]!.envelope?.to, [{ name: "Last, First", address: "first@example.org" }]);
    assertEquals(leaves(got[5]!.bodyStructure), [
      "1.1 text/plain",
      "1.2 text/html",
      "2 application/octet-stream",
      "3 message/rfc822",
    ]);
    // by its structure it finds the text, and decodes it
    const read = async (part: string) => {
      const { content } = await flow.download("6", part);
      const pieces: Uint8Array[] = [];
      for await (const piece of content) pieces.push(piece as Uint8Array);
      return new TextDecoder().decode(pieces[0]);
    };
    assertEquals([await read("1.1"), await read("2")], ["Grüße", "\0\x01\x02\x03"]);
    assertEquals(mimeParts(encode(MULTIPART)).parts.length, 3);
    assertEquals(await flow.search({ from: "grace", not: { subject: "parts" } }), [2]);
    assertEquals((await flow.status("INBOX", { messages: true, unseen: true })).messages, 6);

    const news = Promise.withResolvers<number>();
    flow.on("exists", ({ count }) => news.resolve(count));
    await Deno.writeTextFile(`${mails}/zz-new.eml`, "Subject: new\r\n\r\n");
    await flow.noop();
    assertEquals(await news.promise, 7);
    const gone = Promise.withResolvers<number>();
    flow.on("expunge", ({ seq }) => gone.resolve(seq!));
    await Deno.remove(`${mails}/with LF.eml`);
    await flow.noop();
    assertEquals(await gone.promise, 4);
    // the others keep their UIDs
    assertEquals((await flow.fetchAll("1:*", { uid: true })).map(({ uid }) => uid), [
      1,
      2,
      3,
      5,
      6,
      7,
    ]);
  } finally {
    await flow.logout();
  }
  assertEquals(await process.stop("SIGTERM"), 0);

  // over a restart UIDs stay, until something changes
  const uidsAfterRestart = async () => {
    await using again = server.start();
    await again.stdout.line(/^listening on/);
    await using client = new Process(python("imaplib_uids.py", port, "student", "secret word"));
    assertEquals(await client.end(), 0, client.stderr.text);
    assertEquals(await again.stop("SIGTERM"), 0);
    return JSON.parse(client.stdout.text);
  };
  const [first, second] = [await uidsAfterRestart(), await uidsAfterRestart()];
  assertEquals(first, second);
  await Deno.remove(`${mails}/zz-new.eml`);
  const third = await uidsAfterRestart();
  assert(third.uidvalidity > second.uidvalidity, "the UIDs changed, and clients are not told");
});

interface Structure {
  part?: string;
  type: string;
  childNodes?: Structure[];
}

function leaves(node: Structure | undefined): string[] {
  if (!node) return [];
  if (node.type === "message/rfc822" || !node.childNodes) return [`${node.part} ${node.type}`];
  return node.childNodes.flatMap(leaves);
}
