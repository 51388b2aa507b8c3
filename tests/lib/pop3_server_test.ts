import { assert, assertEquals, assertMatch } from "@std/assert";
import { createAuthority, issueCertificate } from "../../lib/certificate.ts";
import { Connection } from "../../lib/connection.ts";
import { Dialogue } from "../../lib/mail_dialogue.ts";
import { listMails, saveMail } from "../../lib/mail_folder.ts";
import { MailLogin } from "../../lib/mail_login.ts";
import { Pop3Client } from "../../lib/pop3_client.ts";
import { RefusedError } from "../../lib/pop3_errors.ts";
import { Mailbox } from "../../lib/pop3_maildrop.ts";
import { SocketReader } from "../../lib/reader.ts";
import { serveUpgradable, Upgradable } from "../../lib/upgradable.ts";
import { converse, type Service } from "../../scripts/mail/pop3_server.ts";
import { decode, encode, temporaryFolder } from "./helpers.ts";

const authority = await createAuthority();
const { certificate, key } = await issueCertificate(authority, ["localhost"]);
/** On the wire: the last line gets the end that it does not have. */
const SIZES = [38, 32, 38];
const quiet = new Dialogue({ print: () => {} });

const MAILS = [
  "Subject: one\r\n\r\nfirst\r\nsecond\r\nthird\r\n",
  "Subject: dots\r\n\r\n.\r\n..\r\n.dot\r\n\r\n",
  "Subject: three\r\n\r\nend without an end",
];

/** A server for a folder with mails, in this process. */
async function start(mails: string[] = MAILS, options: Partial<Service> = {}) {
  const folder = temporaryFolder();
  for (const mail of mails) await saveMail(folder.path, encode(mail));
  const shown: string[] = [];
  const service: Service = {
    login: new MailLogin("student", "example"),
    mailbox: new Mailbox(folder.path),
    stls: { cert: certificate, key },
    anyhow: false,
    print: (line) => shown.push(line.replace(/^\S+ /, "")),
    ...options,
  };
  const errors: unknown[] = [];
  const server = await serveUpgradable(
    { hostname: "127.0.0.1", port: 0, onError: (error) => errors.push(error) },
    (connection) => converse(connection, service),
  );
  const { port } = server.addr as Deno.NetAddr;
  const dial = () => Deno.connect({ hostname: "127.0.0.1", port });
  const logIn = async () => {
    const pop = new Pop3Client(await dial(), { dialogue: quiet });
    await pop.greeting();
    await pop.ask("USER student");
    await pop.ask("PASS example");
    return pop;
  };
  return {
    folder: folder.path,
    shown,
    errors,
    dial,
    logIn,
    service,
    left: async () => (await listMails(folder.path)).length,
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      folder[Symbol.dispose]();
    },
  };
}

/** Sends it all at once, and gives all that comes until the server closes. */
async function say(connection: Deno.TcpConn, text: string | Uint8Array): Promise<string[]> {
  using _closed = connection;
  if (text !== "") await connection.write(typeof text === "string" ? encode(text) : text);
  const all = await new SocketReader(connection).readAll();
  return decode(all).split("\r\n").slice(0, -1);
}

/** Waits until the server has noticed that its client has gone. */
async function unlocked(folder: string): Promise<void> {
  for (;;) {
    using drop = await new Mailbox(folder).open();
    if (drop) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const LOGIN = "USER student\r\nPASS example\r\n";

Deno.test("pop3_server answers each command as RFC 1939 has it", async () => {
  await using server = await start();
  const answers = await say(
    await server.dial(),
    `${LOGIN}STAT\r\nLIST\r\nLIST 2\r\nRETR 2\r\nTOP 1 1\r\nTOP 1 0\r\nTOP 2 99\r\nDELE 1\r\n` +
      "LIST\r\nSTAT\r\nRSET\r\nSTAT\r\nNOOP\r\nQUIT\r\n",
  );
  assertEquals(answers.slice(2), [
    "+OK 3 mails",
    "+OK 3 108",
    ...["+OK 3 mails", ...SIZES.map((size, at) => `${at + 1} ${size}`), "."],
    "+OK 2 32",
    ...["+OK 32 bytes", "Subject: dots", "", "..", "...", "..dot", "", "."],
    ...["+OK The beginning", "Subject: one", "", "first", "."],
    ...["+OK The beginning", "Subject: one", "", "."],
    ...["+OK The beginning", "Subject: dots", "", "..", "...", "..dot", "", "."],
    "+OK It goes when you say QUIT",
    ...["+OK 2 mails", "2 32", "3 38", "."],
    "+OK 2 70",
    "+OK Nothing will be deleted",
    "+OK 3 108",
    "+OK Still here",
    "+OK Goodbye",
  ]);
  assertEquals(await server.left(), 3);
  assert(server.shown.includes("C: PASS ***"));
  assert(!server.shown.join().includes("example"));
});

Deno.test("pop3_server refuses what does not fit", async () => {
  await using server = await start();
  const wrong = [
    ...[
      "RETR",
      "RETR 0",
      "RETR 4",
      "RETR -1",
      "RETR 1 2",
      "RETR 99999999999",
      "RETR one",
      "LIST 4",
    ],
    ...["UIDL x", "TOP 1", "TOP 1 -1", "TOP 1 1 1", "TOP", "DELE", "DELE 4", "USER a", "PASS b"],
    ...["STLS", "", "RETR\t1"],
  ];
  const say1 = (words: string[]) => `${LOGIN}NOOP\r\n${words.join("\r\nNOOP\r\n")}\r\nQUIT\r\n`;
  const answers = await say(await server.dial(), say1(wrong));
  assertEquals(answers.filter((line) => line.startsWith("-ERR")).length, wrong.length);
  assertEquals(answers.at(-1), "+OK Goodbye");

  const early = ["STAT", "RETR 1", "NOOP", "PASS example", "DELE 1", "XYZZY"];
  const before = await say(await server.dial(), `${early.join("\r\n")}\r\nQUIT\r\n`);
  assertEquals(before.map((line) => line.slice(0, 4)), [
    "+OK ",
    ...early.map(() => "-ERR"),
    "+OK ",
  ]);
});

Deno.test("pop3_server takes no USER without a name, and then no PASS", async () => {
  await using server = await start();
  for (const user of ["USER", "USER ", "user   ", "USER\t", "USER  \t "]) {
    const answers = await say(await server.dial(), `${user}\r\nPASS example\r\n${LOGIN}QUIT\r\n`);
    const codes = answers.map((line) => line.split(" ")[0]);
    assertEquals(codes, ["+OK", "-ERR", "-ERR", "+OK", "+OK", "+OK"], user);
  }
});

Deno.test("pop3_server says -ERR to a second DELE, and to RETR of what is marked", async () => {
  await using server = await start();
  using pop = await server.logIn();
  await pop.ask("DELE 2");
  for (const command of ["DELE 2", "RETR 2", "TOP 2 0", "LIST 2", "UIDL 2"]) {
    const refused = await pop.ask(command).catch((error) => error);
    assert(refused instanceof RefusedError, command);
  }
  await pop.ask("QUIT");
  assertEquals(await server.left(), 2);
});

Deno.test("pop3_server deletes at QUIT, and not when the connection is lost", async () => {
  await using server = await start();
  {
    using lost = await server.logIn();
    await lost.ask("DELE 1");
    await lost.ask("DELE 2");
  }
  await unlocked(server.folder);
  for (const end of ["", "QUI", "QUIT"]) {
    const cut = await server.dial();
    await cut.write(encode(`${LOGIN}DELE 1\r\n${end}`));
    await cut.closeWrite();
    await say(cut, "");
  }
  assertEquals(await server.left(), 3);
  await say(await server.dial(), `${LOGIN}DELE 1\r\nDELE 3\r\nQUIT\r\n`);
  assertEquals(await server.left(), 1);
  const [, , , only] = await say(await server.dial(), `${LOGIN}STAT\r\nQUIT\r\n`);
  assertEquals(only, "+OK 1 32");
});

Deno.test("pop3_server keeps what came during a session for the next one", async () => {
  await using server = await start();
  using pop = await server.logIn();
  await saveMail(server.folder, encode("Subject: late\r\n\r\n"));
  assertEquals(await pop.ask("STAT"), "3 108");
  await pop.ask("QUIT");
  using next = await server.logIn();
  assertEquals(await next.ask("STAT"), "4 125");
});

Deno.test("pop3_server gives each mail one name for ever, and other mails other names", async () => {
  await using server = await start();
  Deno.writeTextFileSync(`${server.folder}/a name\n.eml`, "Subject: x\n\n");
  Deno.writeTextFileSync(`${server.folder}/${"long".repeat(50)}.eml`, "Subject: x\n\n");
  const names = async () => {
    using pop = await server.logIn();
    await pop.ask("UIDL");
    const lines = await pop.lines();
    await pop.ask("QUIT");
    return lines.map((line) => line.split(" ")[1]!);
  };
  const first = await names();
  assertEquals([first.length, new Set(first).size], [5, 5]);
  for (const name of first) assertMatch(name, /^[\x21-\x7e]{1,70}$/);
  Deno.removeSync(`${server.folder}/${first[0]}.eml`);
  assertEquals((await names()).toSorted(), first.slice(1).toSorted());
});

Deno.test("pop3_server lets one session in at a time, also from another process", async () => {
  await using server = await start();
  const other = async () => {
    const [, , last] = await say(await server.dial(), `${LOGIN}QUIT\r\n`);
    return last;
  };
  {
    using pop = await server.logIn();
    assertMatch(await other() ?? "", /^-ERR \[IN-USE\]/);
    assertEquals(await new Mailbox(server.folder).open(), undefined);
    await pop.ask("QUIT");
    assertEquals(await other(), "+OK 3 mails");
  }
  using elsewhere = await new Mailbox(server.folder).open();
  assertMatch(await other() ?? "", /^-ERR \[IN-USE\]/);
  elsewhere![Symbol.dispose]();
  assertEquals(await other(), "+OK 3 mails");
});

Deno.test("pop3_server ends a connection after three wrong passwords", async () => {
  await using server = await start();
  const guesses = [
    "USER student\r\nPASS a\r\n",
    "USER root\r\nPASS example\r\n",
    LOGIN.slice(0, -4),
  ];
  const answers = await say(await server.dial(), `${guesses.join("")}\r\n${LOGIN}`);
  assertEquals(answers.filter((line) => line === "-ERR [AUTH] Wrong name or password").length, 3);
  assertEquals(answers.at(-1), "-ERR [AUTH] Wrong name or password");
});

Deno.test("pop3_server lets an address wait after ten wrong passwords, over all connections", async () => {
  await using server = await start();
  const guess = "USER student\r\nPASS guess\r\n".repeat(3);
  const crowd = await Promise.all(
    Array.from({ length: 8 }, async () => await say(await server.dial(), guess)),
  );
  const wrong = crowd.flat().filter((line) => line.startsWith("-ERR [AUTH]"));
  assertEquals(wrong.length, 10);
  const [, , answer] = await say(await server.dial(), `${LOGIN}QUIT\r\n`);
  assertMatch(answer!, /^-ERR \[SYS\/TEMP\] Too many wrong passwords/);
});

Deno.test("pop3_server takes no password unencrypted from another machine", async () => {
  const identity = { cert: certificate, key };
  for (const anyhow of [false, true]) {
    await using server = await start(MAILS, { anyhow });
    // the same server, told that its client is somewhere else
    await using far = await serveUpgradable({ hostname: "127.0.0.1", port: 0 }, ({ plain }) => {
      const elsewhere = { transport: "tcp", hostname: "192.0.2.1", port: 5 } as const;
      const stream = {
        read: (into: Uint8Array) => plain.read(into),
        write: (bytes: Uint8Array) => plain.write(bytes),
        closeWrite: () => plain.closeWrite(),
        close: () => plain.close(),
        localAddr: plain.localAddr,
        remoteAddr: elsewhere,
      };
      return converse(new Upgradable(new Connection(stream)), {
        ...server.service,
        stls: identity,
      });
    });
    const connection = await Deno.connect({
      hostname: "127.0.0.1",
      port: (far.addr as Deno.NetAddr).port,
    });
    const answers = await say(connection, `CAPA\r\n${LOGIN}QUIT\r\n`);
    assertEquals(answers.includes("USER"), anyhow);
    assertEquals(answers.includes("+OK 3 mails"), anyhow);
    assertEquals(
      answers.filter((line) => /TLS: say STLS first$/.test(line)).length,
      anyhow ? 0 : 2,
    );
  }
});

Deno.test("pop3_server goes on over TLS after STLS, and forgets what was said before", async () => {
  await using server = await start();
  const tcp = await server.dial();
  const reader = new SocketReader(tcp);
  await reader.readLine();
  // the second and third line came in clear text, from whomever
  await tcp.write(encode("USER student\r\nSTLS\r\nUSER student\r\nPASS example\r\n"));
  assertEquals(await reader.readLine(), "+OK And the password?");
  assertMatch(await reader.readLine() ?? "", /^\+OK .*TLS/);
  using secured = await Deno.startTls(tcp, {
    hostname: "localhost",
    caCerts: [authority.certificate],
  });
  await secured.write(encode(`PASS example\r\nCAPA\r\n${LOGIN}STAT\r\nQUIT\r\n`));
  const lines = decode(await new SocketReader(secured).readAll()).split("\r\n");
  assertMatch(lines[0]!, /^-ERR Say USER first/);
  assert(!lines.includes("STLS"));
  assert(lines.includes("+OK 3 108"));
});

Deno.test("pop3_server refuses STLS where it has no certificate", async () => {
  await using server = await start(MAILS, { stls: undefined });
  const answers = await say(await server.dial(), "CAPA\r\nSTLS\r\nQUIT\r\n");
  assert(!answers.includes("STLS"));
  assertMatch(answers.at(-2)!, /^-ERR /);
});

Deno.test("pop3_server refuses lines that are no commands, and ends lines without end", async () => {
  await using server = await start();
  const odd = ["NOOP\0", "NOOP\rQUIT", "\x1b[2J", "USER a\rPASS b", "\tQUIT"];
  const answers = await say(await server.dial(), `${odd.join("\r\n")}\r\nQUIT\r\n`);
  assertEquals(
    answers.filter((line) => line.startsWith("-ERR Commands are UTF-8")).length,
    odd.length,
  );
  const bytes = new Uint8Array([...encode("USER "), 0xff, 0xfe, ...encode("\r\nQUIT\r\n")]);
  assertMatch((await say(await server.dial(), bytes))[1]!, /^-ERR Commands are UTF-8/);
  // LF alone is what a person types into nc
  assertEquals((await say(await server.dial(), `${LOGIN}QUIT\r\n`.replaceAll("\r", ""))).length, 4);

  const longest = `USER ${"x".repeat(505)}`;
  assertEquals(
    (await say(await server.dial(), `${longest}\r\nQUIT\r\n`))[1],
    "+OK And the password?",
  );
  const long = await say(await server.dial(), `USER ${"x".repeat(600)}\r\nQUIT\r\n`);
  assertEquals(long.slice(1), ["-ERR That line is too long"]);
});

Deno.test("pop3_server ends a connection after twenty mistakes in a row", async () => {
  await using server = await start();
  const answers = await say(await server.dial(), "WHAT\r\n".repeat(100));
  assertEquals(answers.length, 21);
});

Deno.test("pop3_server says so and goes on when a mail has gone from the folder", async () => {
  await using server = await start();
  using pop = await server.logIn();
  const [first] = await listMails(server.folder);
  Deno.removeSync(first!.path);
  const refused = await pop.ask("RETR 1").catch((error) => error);
  assertMatch(refused.text, /^\[SYS\/TEMP\]/);
  await pop.ask("RETR 2");
  assertEquals((await pop.text()).length, 32);
  await pop.ask("DELE 1");
  await pop.ask("QUIT"); // gone is gone
  assertEquals(await server.left(), 2);
});

Deno.test("pop3_server says -ERR at QUIT when a mail cannot be deleted", async () => {
  await using server = await start();
  using pop = await server.logIn();
  await pop.ask("DELE 1");
  const [first] = await listMails(server.folder);
  Deno.removeSync(first!.path);
  // a folder that is not empty cannot be removed as a file is
  Deno.mkdirSync(`${first!.path}/inside`, { recursive: true });
  const refused = await pop.ask("QUIT").catch((error) => error);
  assertMatch(refused.text, /^\[SYS\/TEMP\] 1 mails could not be deleted/);
});

Deno.test("pop3_server sends files with LF as lines with CR LF, and counts them so", async () => {
  await using server = await start([]);
  Deno.writeTextFileSync(`${server.folder}/a.eml`, "Subject: a\n\n.one\ntwo");
  using pop = await server.logIn();
  assertEquals(await pop.ask("LIST 1"), "1 25");
  await pop.ask("RETR 1");
  assertEquals(decode(await pop.text()), "Subject: a\r\n\r\n.one\r\ntwo\r\n");
});

Deno.test("pop3_server serves on when clients say STLS and then no TLS, or nothing", async () => {
  await using server = await start();
  const said = ["USER student\r\n".repeat(50), "\x16\x03\x01\x40\0\x01", "\0".repeat(10_000), ""];
  await Promise.all(said.map(async (garbage) => {
    using tcp = await server.dial();
    const reader = new SocketReader(tcp);
    await reader.readLine();
    await tcp.write(encode("STLS\r\n"));
    assertMatch(await reader.readLine() ?? "", /^\+OK .*TLS/);
    await tcp.write(encode(garbage));
    await tcp.closeWrite();
    // an alert of TLS, or a reset: in any case nothing of POP3
    const rest = await reader.readAll().catch(() => new Uint8Array());
    assert(!decode(rest).includes("+OK"));
  }));
  using pop = await server.logIn();
  assertEquals(await pop.ask("STAT"), "3 108");
  assert(server.errors.every((error) => String(error).includes("cannot agree on TLS")));
});
