/**
 * Our POP3 client with Dovecot; curl and Python's poplib with our server.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { listMails, saveMail } from "../../lib/mail_folder.ts";
import { chance, encode } from "../lib/helpers.ts";
import { DOVECOT, type Dovecot, startDovecot } from "./dovecot.ts";
import { peerTest, python, temporaryFolder } from "./peers.ts";
import { Process } from "./process.ts";
import { pathOf } from "./scripts.ts";

const SEED = 20_240_611;

/** Lines of all sizes that a mail may have, some of them with dots in front, and every byte. */
function manyLines(seed: number): Uint8Array<ArrayBuffer> {
  const random = chance(seed);
  const line = () =>
    Array.from({ length: random(5) === 0 ? 998 : random(80) }, () => {
      const byte = random(8) === 0 ? 46 : 1 + random(255);
      return byte === 10 || byte === 13 ? 32 : byte;
    });
  const body = Array.from({ length: 300 }, () => [...line(), 13, 10]).flat();
  return new Uint8Array([...encode("Subject: many lines\r\n\r\n"), ...body]);
}

const MAILS = [
  encode("Subject: one\r\n\r\nfirst\r\nsecond\r\n"),
  encode("Subject: dots\r\n\r\n.\r\n..\r\n...and more\r\n+OK\r\n-ERR no\r\n\r\n"),
  manyLines(SEED),
  encode("Subject: nothing in it\r\n\r\n"),
];

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

const run = [Deno.execPath(), "run", "--no-prompt", "--allow-env=POP3_PASSWORD"];

/** Our server, with the mails in its folder. */
async function ourServer(...words: string[]) {
  const folder = temporaryFolder();
  const { path } = folder;
  for (const mail of MAILS) await saveMail(`${path}/mails`, mail);
  const server = new Process(
    [
      ...run,
      "--allow-net=127.0.0.1:0",
      `--allow-read=${path}`,
      `--allow-write=${path}`,
      pathOf("mail/pop3_server"),
      ...["--port", "0", "--mails", `${path}/mails`, "--certificate", `${path}/tls`, ...words],
    ],
    { env: { POP3_PASSWORD: "example" } },
  );
  const [, port] = await server.stdout.line(/^listening on 127\.0\.0\.1:(\d+)$/);
  return {
    server,
    port: port!,
    ca: `${path}/tls/authority.pem`,
    left: async () => (await listMails(`${path}/mails`)).length,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

/** Our client against Dovecot, with nothing but what it needs. */
async function ourClient(dovecot: Dovecot, port: number, inbox: string, ...words: string[]) {
  await using client = new Process(
    [
      ...run,
      `--allow-net=127.0.0.1:${port}`,
      `--allow-read=${inbox},${dovecot.ca}`,
      `--allow-write=${inbox}`,
      pathOf("mail/pop3_client"),
      ...["--port", String(port), ...words],
    ],
    { env: { POP3_PASSWORD: "secret word" } },
  );
  const code = await client.end();
  const stdout = client.stdout.bytes;
  return { code, stdout, text: client.stdout.text, stderr: client.stderr.text };
}

for (const how of ["plain", "stls", "tls"] as const) {
  peerTest(`pop3_server serves Python's poplib, ${how}`, ["python3"], async () => {
    const words = { plain: [], stls: ["--starttls"], tls: ["--tls"] }[how];
    await using ours = await ourServer(...words);
    await using client = new Process(
      python(
        "poplib_client.py",
        how === "plain" ? "127.0.0.1" : "localhost",
        ours.port,
        how,
        ours.ca,
      ),
    );
    assertEquals(await client.end(), 0, client.stderr.text);
    const said = JSON.parse(client.stdout.text);
    const sizes = MAILS.map(({ length }) => length);
    assertMatch(said.wrong, /^-ERR \[AUTH\]/);
    assertEquals(said.stat, [4, sizes.reduce((sum, size) => sum + size)]);
    assertEquals(said.list, sizes.map((size, at) => `${at + 1} ${size}`));
    assertEquals(new Set(said.uidl).size, 4);
    const wanted = await Promise.all(MAILS.map(async (mail) => [mail.length, await sha256(mail)]));
    assertEquals(said.retr, wanted);
    assertEquals(said.top, ["Subject: dots", "", "."]);
    assertMatch(said.marked, /^-ERR /);
    assertMatch(said.quit, /^\+OK/);
    for (const name of ["TOP", "UIDL", "USER", "RESP-CODES"]) assert(name in said.capa, name);
    assertEquals(await ours.left(), 3);
    assert(!ours.server.stderr.text.includes("example"));
    assertEquals(await ours.server.stop("SIGINT"), 0);
  });
}

async function curl(...words: string[]) {
  await using client = new Process(["/usr/bin/curl", "-sS", "--max-time", "20", ...words]);
  const code = await client.end();
  return { code, bytes: client.stdout.bytes, stderr: client.stderr.text };
}

peerTest("pop3_server serves curl, in clear text, after STLS and over TLS", ["curl"], async () => {
  const ways = [
    { words: [], url: "pop3://127.0.0.1", options: [] },
    { words: ["--starttls"], url: "pop3://127.0.0.1", options: ["--ssl-reqd"] },
    { words: ["--tls"], url: "pop3s://127.0.0.1", options: [] },
  ];
  for (const { words, url, options } of ways) {
    await using ours = await ourServer(...words);
    const at = `${url}:${ours.port}`;
    const login = [
      "--user",
      "student:example",
      ...options,
      ...words.length ? ["--cacert", ours.ca] : [],
    ];
    const list = await curl(...login, `${at}/`);
    assertEquals(list.code, 0, list.stderr);
    assertMatch(new TextDecoder().decode(list.bytes), /^1 31\r\n2 /);
    // curl wants no added dots, and sends no QUIT before the last
    for (const [index, mail] of MAILS.entries()) {
      const { code, bytes, stderr } = await curl(...login, `${at}/${index + 1}`);
      assertEquals(code, 0, stderr);
      assertEquals(bytes, mail, `${url} ${index + 1}`);
    }
    const gone = await curl(...login, "--request", "DELE", `${at}/4`, "--list-only");
    assertEquals(gone.code, 0, gone.stderr);
    assertEquals(await ours.left(), 3);
    assertEquals((await curl("--user", "student:guess", ...login.slice(2), `${at}/`)).code, 67);
  }
});

peerTest(
  "pop3_client reads from Dovecot, in clear text, after STLS and over TLS",
  [DOVECOT],
  async () => {
    using inbox = temporaryFolder();
    await using dovecot = await startDovecot({ mails: MAILS, protocols: "pop3" });
    const { pop3, pop3s } = dovecot.ports;
    const user = ["--user", "student"];
    // it offers STLS, which is taken at its word
    const list = await ourClient(dovecot, pop3, inbox.path, ...user, "--ca", dovecot.ca, "--json");
    assertEquals(list.code, 0, list.stderr);
    assertEquals(
      JSON.parse(list.text).map(({ size }: { size: number }) => size),
      MAILS.map(({ length }) => length),
    );
    assertMatch(list.stderr, /C: STLS\nS: \+OK .*\nC: USER student\nS: \+OK.*\nC: PASS \*\*\*\n/);
    assert(!list.stderr.includes("secret word"));

    for (const [index, mail] of MAILS.entries()) {
      const tls = ["--tls", "--ca", dovecot.ca];
      const one = await ourClient(dovecot, pop3s, inbox.path, ...user, ...tls, String(index + 1));
      assertEquals(one.code, 0, one.stderr);
      assertEquals(one.stdout, mail);
    }
    const top = await ourClient(
      dovecot,
      pop3,
      inbox.path,
      ...user,
      "--ca",
      dovecot.ca,
      "--lines",
      "1",
      "1",
    );
    assertEquals(top.text, "Subject: one\r\n\r\nfirst\r\n");

    const untrusted = await ourClient(dovecot, pop3, inbox.path, ...user);
    assertEquals(untrusted.code, 1);
    assertStringIncludes(untrusted.stderr, "an authority that is not trusted here");
    assert(!untrusted.stderr.includes("C: USER"));
    const otherName = await ourClient(
      dovecot,
      pop3s,
      inbox.path,
      "--tls",
      "--ca",
      dovecot.ca,
      "--name",
      "example.org",
    );
    assertStringIncludes(otherName.stderr, "is not for the name example.org");
    const stranger = await ourClient(
      dovecot,
      pop3,
      inbox.path,
      "--user",
      "root",
      "--ca",
      dovecot.ca,
    );
    assertEquals(stranger.code, 1);
    assertStringIncludes(stranger.stderr, "The user name or the password is wrong (--user).");
  },
);

peerTest(
  "pop3_client saves all mails of Dovecot, and deletes them only then",
  [DOVECOT],
  async () => {
    using inbox = temporaryFolder();
    await using dovecot = await startDovecot({ mails: MAILS, protocols: "pop3" });
    const { pop3 } = dovecot.ports;
    const save = (...words: string[]) =>
      ourClient(
        dovecot,
        pop3,
        `${inbox.path}/in`,
        "--ca",
        dovecot.ca,
        "--output",
        `${inbox.path}/in`,
        ...words,
      );
    const kept = await save();
    assertEquals(kept.code, 0, kept.stderr);
    assertEquals(dovecot.mails().length, 4);

    // no such mail: what was marked before stays
    const failed = await save("--delete", "1", "7");
    assertEquals(failed.code, 1);
    assertMatch(failed.stderr, /C: DELE 1\n[^]*C: RSET\n[^]*C: QUIT\n/);
    assertEquals(dovecot.mails().length, 4);

    const taken = await save("--delete");
    assertEquals(taken.code, 0, taken.stderr);
    assertEquals(taken.text, kept.text);
    assertEquals(dovecot.mails(), []);
    const paths = taken.text.trim().split("\n");
    assertEquals(await Promise.all(paths.map((path) => Deno.readFile(path))), MAILS);
    const nothing = await save();
    assertEquals([nothing.code, nothing.text], [0, ""]);
  },
);
