/**
 * The IMAP server under siege, and against clients that want more than it gives.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Mailboxes } from "../../lib/imap_mailboxes.ts";
import { saveMail } from "../../lib/mail_folder.ts";
import { MailLogin } from "../../lib/mail_login.ts";
import { textOf } from "../../lib/imap_parser.ts";
import { fetchedItems, readImapReply } from "../../lib/imap_reply.ts";
import { SocketReader } from "../../lib/reader.ts";
import type { Upgradable } from "../../lib/upgradable.ts";
import { converse } from "../../scripts/mail/imap_server.ts";
import { decode, encode, readAll } from "../lib/helpers.ts";
import { attacks, type Target, tcpTarget } from "./attacks.ts";
import { ENVIRONMENT, startScript } from "./script.ts";
import { besiege, type Place, starve, type Subject } from "./siege.ts";
import { times, within } from "./waits.ts";

const SERVER = "scripts/mail/imap_server.ts";
const PASSWORD = "correct horse";
ENVIRONMENT.IMAP_PASSWORD = PASSWORD;

const LOGIN = `a LOGIN student "${PASSWORD}"\r\n`;
const EXAMINE = `${LOGIN}b EXAMINE INBOX\r\n`;

/** A port, and a folder with the samples. */
function somewhere(): Place {
  const folder = Deno.makeTempDirSync({ prefix: "hostile-" });
  const at = (port: string): Place => ({
    words: ["--port", port, "--samples", "--mails", `${folder}/mail`],
    flags: (flag) =>
      flag.replace("127.0.0.1:1143", `127.0.0.1:${port}`).replace("/tmp/mail", `${folder}/mail`),
    at,
    [Symbol.dispose]: () => Deno.removeSync(folder, { recursive: true }),
  });
  return at("0");
}

async function say(connection: Deno.Conn, said: string | Uint8Array): Promise<void> {
  const bytes = typeof said === "string" ? encode(said) : said;
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
}

/** Says it, ends its side, and gives all lines of the answer. */
async function answersTo(target: Target, said: string | Uint8Array): Promise<string[]> {
  using connection = await target.dial();
  const answers = readAll(connection);
  await say(connection, said);
  await connection.closeWrite();
  return decode(await answers).split("\r\n").slice(0, -1);
}

const done = async (work: Promise<unknown>) => void await work;

const server: Subject<Target> = {
  path: SERVER,
  target: (address) => tcpTarget(Number(address)),
  async goodClient(target) {
    using connection = await target.dial();
    await say(connection, `${EXAMINE}c FETCH 2 BODY[]\r\nd LOGOUT\r\n`);
    const reader = new SocketReader(connection);
    const told: string[] = [];
    let mail: unknown;
    for (let reply; (reply = await readImapReply(reader));) {
      if (reply.kind === "status" && reply.tag !== "*") told.push(`${reply.tag} ${reply.status}`);
      if (reply.kind === "data" && reply.name === "FETCH") {
        mail = textOf(fetchedItems(reply.values).get("BODY[]"));
      }
    }
    assertEquals(told, ["a OK", "b OK", "c OK", "d OK"]);
    assertMatch(String(mail), /^From: Grace [^]*\r\na4 OK FETCH completed\r\n/);
  },
  idleClient: (target) => target.dial(),
  taken:
    /^imap_server\.ts: cannot listen on 127\.0\.0\.1.*: another program has that address already$/m,
  attacks: {
    ...attacks,
    "clients announce literals and do not send them": (target) =>
      done(times(20, 10, async (index) => {
        using connection = await target.dial();
        const size = ["10", "65536", "4294967296", "99999999999999999999", "10+"][index % 5];
        await say(connection, `a LOGIN {${size}}\r\nx`);
        await connection.read(new Uint8Array(1_000));
      })),
    "clients leave in the middle of a mail": (target) =>
      done(times(20, 10, () => target.reset(encode(`${EXAMINE}c FETCH 3 BODY[]\r\n`), "answered"))),
    "clients ask for mails that they do not read": (target) =>
      done(
        times(3, 1, () =>
          target.reset(encode(EXAMINE + "c FETCH 1:* BODY[]\r\n".repeat(20_000)), "answered")),
      ),
    "clients send NULs, bare CR, bare LF and lines without end": (target) =>
      done(times(24, 12, async (index) => {
        const said = [
          ...[
            "\0".repeat(1_000) + "\r\n",
            "a NOOP\rb NOOP\r\n",
            "\n".repeat(5_000),
            "x".repeat(50_000),
          ],
          ...[
            LOGIN + "(".repeat(10_000) + "\r\n",
            `${EXAMINE}c SEARCH ${"NOT ".repeat(3_000)}\r\n`,
          ],
          ...[
            `${EXAMINE}c FETCH ${"1:*,".repeat(3_000)}1 FLAGS\r\n`,
            "a LOGIN {5}\r\nx\r\n\r\n{6}\r\n",
          ],
        ];
        await answersTo(target, said[index % said.length]!).catch(() => {});
      })),
    "clients ask for TLS that is not there": (target) =>
      done(
        times(20, 10, () =>
          answersTo(target, "a STARTTLS\r\n\x16\x03\x01\0\x05\r\n").catch(() => {})),
      ),
  },
};

besiege(server, somewhere);
starve(server, somewhere);

Deno.test(`${SERVER} gives nobody what is not in its mailbox, nor the password`, async (test) => {
  using place = somewhere();
  await using script = startScript(SERVER, place);
  const target = server.target(await script.printed(/^listening on 127\.0\.0\.1:(.+)$/m));
  const folder = place.words.at(-1)!;
  const told = async (said: string) =>
    (await answersTo(target, said)).filter((line) => !line.startsWith("*"));

  await test.step("200 clients at once get what they came for", async () => {
    await within("all of them", times(200, 200, () => server.goodClient(target)), 60_000);
  });

  await test.step("links, folders, hidden and half-written files are no mails and no mailboxes", async () => {
    await Deno.writeTextFile(`${folder}/../secret`, "secret");
    await Deno.symlink("../secret", `${folder}/link.eml`);
    await Deno.symlink("/etc", `${folder}/etc`);
    await Deno.mkdir(`${folder}/folder.eml`);
    await Deno.writeTextFile(`${folder}/.hidden.eml`, "secret");
    await Deno.writeTextFile(`${folder}/.half.eml.part`, "secret");
    const answers = await answersTo(target, `${EXAMINE}c LIST "" *\r\nd LIST "../" %\r\n`);
    assert(answers.includes("* 3 EXISTS"), answers.join("\n"));
    assertEquals(
      answers.filter((line) => line.startsWith("* LIST")).map((line) => line.split("/")[1]),
      [
        '" "INBOX"',
        '" "folder.eml"',
      ],
    );
    for (
      const name of ["..", "../mail", "/etc", "etc", ".", '""', "link.eml", "&AC4ALg-", "INBOX/"]
    ) {
      assertMatch((await told(`${LOGIN}b EXAMINE ${name}\r\n`))[1]!, /^b NO \[NONEXISTENT\]/, name);
      assertMatch((await told(`${LOGIN}b STATUS ${name} (MESSAGES)\r\n`))[1]!, /^b NO/, name);
    }
    await Deno.remove(`${folder}/folder.eml`);
  });

  await test.step("what is said in the wrong state is refused", async () => {
    for (
      const command of [
        'LIST "" *',
        "EXAMINE INBOX",
        "FETCH 1 BODY[]",
        "UID FETCH 1 FLAGS",
        "CLOSE",
      ]
    ) {
      assertEquals(await told(`a ${command}\r\n`), ["a BAD That cannot be said now"], command);
    }
    for (
      const command of ["FETCH 1 BODY[]", "SEARCH ALL", "CHECK", "LOGIN student x", "STARTTLS"]
    ) {
      assertEquals(
        (await told(`${LOGIN}b ${command}\r\n`))[1],
        "b BAD That cannot be said now",
        command,
      );
    }
    const after = await told(`${EXAMINE}c EXAMINE nowhere\r\nd FETCH 1 FLAGS\r\n`);
    assertMatch(after[2]!, /^c NO/);
    assertMatch(after[3]!, /^d BAD/);
  });

  await test.step("what is not understood gets BAD, and the next command its answer", async () => {
    for (
      const wrong of [
        ...[
          "FETCH",
          "FETCH 1",
          "FETCH 0 FLAGS",
          "FETCH 4 FLAGS",
          "FETCH 1 BODY[HEAD]",
          "FETCH 1 (FLAGS",
        ],
        ...["FETCH 1 FLAGS UID", "FETCH a FLAGS", "FETCH 1 ()", "FETCH 1 NIL", 'FETCH 1 "FLAGS"'],
        ...[
          `FETCH 1 (${"UID ".repeat(60)})`,
          "SEARCH",
          "SEARCH WHAT",
          "SEARCH OR SEEN",
          "SEARCH NOT",
        ],
        ...[
          "SEARCH SINCE 31-Feb-2026",
          "SEARCH LARGER x",
          "SEARCH UID",
          "SEARCH toString",
          "EXAMINE",
        ],
        ...["SEARCH 4", "SEARCH 1000", "SEARCH NOT 3:4", "SEARCH OR 9 ALL", "UID SEARCH (1 4)"],
        ...["FETCH 1,4 FLAGS", "FETCH *:5 FLAGS", "FETCH 4:* FLAGS"],
        ...["STATUS INBOX (FOO)", "STATUS INBOX ()", "STATUS INBOX (MESSAGES FOO)"],
        ...[
          "STATUS INBOX",
          "STATUS INBOX MESSAGES",
          "STATUS INBOX ((MESSAGES))",
          "STATUS nowhere ()",
        ],
        ...['STATUS INBOX ("MESSAGES")', "STATUS INBOX (toString)", "STATUS INBOX (MESSAGES) x"],
        ...["NOOP x", "CAPABILITY x", "LOGOUT x", 'LOGOUT ""', "NOOP ()", "CHECK x", "CLOSE x"],
        ...["UNSELECT x", "EXPUNGE 1", "EXAMINE INBOX x", 'LIST "" * x', 'LIST ""', 'NOOP "'],
        ...['EXAMINE "IN\\BOX"', 'SEARCH TEXT "a\\b"', 'EXAMINE "INBOX\\'],
        ...[
          "UID",
          "UID FETCH",
          "STATUS",
          "LIST",
          'EXAMINE "INBOX',
          "FETCH 1 BODY[]<0>",
          "XYZZY",
          "",
        ],
        ...[
          "toString",
          "__proto__",
          "SEARCH __proto__ x",
          "FETCH 1 constructor",
          "FETCH 1 BODY[1.2.3.]",
        ],
      ]
    ) {
      const answers = await told(`${EXAMINE}c ${wrong}\r\nd FETCH 1 UID\r\n`);
      assertMatch(answers[2]!, /^c BAD /, wrong);
      assertEquals(answers[3], "d OK That is all", wrong);
    }
    for (
      const login of [
        '"stu\\dent" x',
        '"student" "x\\y"',
        "student",
        "student x y",
        '"a\\"',
        "() x",
      ]
    ) {
      const [answer, next] = await told(`a LOGIN ${login}\r\nb NOOP\r\n`);
      assertMatch(answer!, /^a BAD /, login);
      assertEquals(next, "b OK Still here");
    }
    // what is legal stays so
    for (const login of ['"stu\\"dent" "x\\\\y"', "stu-dent x", '"ü" x']) {
      assertMatch(
        (await told(`a LOGIN ${login}\r\n`))[0]!,
        /^a NO \[AUTHENTICATIONFAILED\]/,
        login,
      );
    }
    const status = "STATUS inbox (messages UNSEEN RECENT UIDNEXT)";
    assertEquals((await answersTo(target, `${LOGIN}b ${status}\r\n`)).slice(2), [
      '* STATUS "inbox" (MESSAGES 3 UNSEEN 3 RECENT 0 UIDNEXT 4)',
      "b OK That is its state",
    ]);
    for (
      const line of [
        ...["", " ", "* NOOP", "+ NOOP", "()", '"a" NOOP', "a]b NOOP"],
        ...["ü NOOP", "\u{1f600} NOOP", "aé NOOP"],
      ]
    ) {
      const answers = await answersTo(target, `${line}\r\nz NOOP\r\n`);
      assertMatch(answers[1]!, /^\* BAD /, line);
      assertEquals(answers[2], "z OK Still here");
    }
    const odd = await told(`${EXAMINE}c FETCH 1 (BODY[9] BODY[1.MIME] BODY[]<5000.1>)\r\n`);
    assertEquals(odd.at(-1), "c OK That is all");
    const charset = await told(`${EXAMINE}c SEARCH CHARSET KOI8-R TEXT x\r\n`);
    assertMatch(charset[2]!, /^c NO \[BADCHARSET/);
    for (
      const command of ["STORE 1 +FLAGS (\\Seen)", "EXPUNGE", "COPY 1 x", "UID STORE 1 FLAGS ()"]
    ) {
      assertMatch((await told(`${EXAMINE}c ${command}\r\n`))[2]!, /^c NO \[NOPERM\]/, command);
    }
  });

  await test.step("a mailbox with brackets in its name is opened", async () => {
    for (const name of ["x[1]y", "x[y", "[x]"]) {
      await Deno.mkdir(`${folder}/${name}`);
      const answers = await told(`${LOGIN}b EXAMINE ${name}\r\nc STATUS ${name} (MESSAGES)\r\n`);
      assertEquals(answers[1], "b OK [READ-ONLY] Opened for reading", name);
      assertEquals(answers[2], "c OK That is its state", name);
      await Deno.remove(`${folder}/${name}`);
    }
  });

  await test.step("a section of many digits is refused before it was tried in all ways", async () => {
    const digits = "1".repeat(1_000);
    const asked = told(`${EXAMINE}c FETCH 1 BODY[${digits}X]\r\nd NOOP\r\n`);
    const answers = await within("the answer", asked, 60_000);
    assertEquals(answers.slice(2), ["c BAD that is no section of a mail", "d OK Still here"]);
  });

  await test.step("a line end that is none, and what is too long, ends the conversation", async () => {
    for (
      const [said, bye] of [
        ["a NOOP\nb NOOP\r\n", "a line ends in LF without CR"],
        ["a NO\rOP\r\nb NOOP\r\n", "a CR stands in the middle of a line"],
        ["a NO\0OP\r\nb NOOP\r\n", "a NUL stands in a line"],
        ["a LOGIN {65537+}\r\n", "That is longer than this server takes"],
        ["a LOGIN {7+}\r\nstudent {65530+}\r\n", "That is longer than this server takes"],
        [`a ${"x".repeat(20_000)}\r\nb NOOP\r\n`, "That is longer than this server takes"],
      ] as const
    ) {
      const answers = await answersTo(target, said);
      assertEquals(answers.slice(1), [`* BYE ${bye}`], said.slice(0, 30));
    }
  });

  await test.step("a literal that is too long is refused before it is sent, and the next command read", async () => {
    const refused = "NO [TOOBIG] A command has at most 65536 bytes of literals";
    for (const size of ["65537", "4294967296", "9999999999999999999"]) {
      const said = `${LOGIN}b APPEND INBOX {${size}}\r\nc NOOP\r\n`;
      assertEquals((await told(said)).slice(1), [`b ${refused}`, "c OK Still here"], size);
    }
    const second = "a LOGIN {7}\r\nstudent {65530}\r\nb NOOP\r\n";
    assertEquals(await told(second), ["+ Go ahead", `a ${refused}`, "b OK Still here"]);
    assertEquals(await told("()LOGIN {65537}\r\nb NOOP\r\n"), ["b OK Still here"]);
  });

  await test.step("a name in a literal is asked for, and no second command hides in it", async () => {
    const hidden = "x\r\nb LOGIN student x\r\n";
    const answers = await answersTo(target, `a LOGIN {${hidden.length}}\r\n${hidden} y\r\n`);
    assertEquals(answers.slice(1), [
      "+ Go ahead",
      "a NO [AUTHENTICATIONFAILED] Wrong name or password",
    ]);
    const unasked = await answersTo(target, `a LOGIN {7+}\r\nstudent {13+}\r\n${PASSWORD}\r\n`);
    assertMatch(unasked[1]!, /^a OK /);
  });

  await test.step("passwords cannot be guessed for long, and mistakes not made for ever", async () => {
    const wrong = (tag: string) => `${tag} LOGIN student guess\r\n`;
    const three = await answersTo(target, [..."abcde"].map(wrong).join(""));
    assertEquals(three.length, 5);
    assertEquals(three[3], "* BYE Too many attempts to log in");
    assertMatch(three[4]!, /^c NO \[AUTHENTICATIONFAILED\]/);
    await server.goodClient(target);
    for (let round = 0; round < 4; round++) await answersTo(target, [..."abc"].map(wrong).join(""));
    assertMatch((await told(LOGIN))[0]!, /^a NO \[UNAVAILABLE\] .*wait a minute/);
    const fool = await answersTo(target, "a WHAT\r\n".repeat(50));
    assertEquals(fool.length, 1 + 20 + 1);
    assertEquals(fool.at(-2), "* BYE Too many mistakes");
  });

  assert(!(script.stdout + script.stderr).includes(PASSWORD), "the password is shown");
  assertEquals(await script.stop("SIGTERM"), 0);
});

Deno.test(`${SERVER} tells a reader what comes and goes, and keeps the numbers until then`, async () => {
  using place = somewhere();
  await using script = startScript(SERVER, place);
  const target = server.target(await script.printed(/^listening on 127\.0\.0\.1:(.+)$/m));
  const folder = place.words.at(-1)!;
  using connection = await target.dial();
  const reader = new SocketReader(connection);
  await reader.readLine();
  const ask = async (command: string) => {
    await say(connection, `t ${command}\r\n`);
    const lines: string[] = [];
    do lines.push((await reader.readLine())!); while (!lines.at(-1)!.startsWith("t "));
    return lines;
  };
  await ask(`LOGIN student "${PASSWORD}"`);
  await ask("EXAMINE INBOX");
  const names = Array.from(Deno.readDirSync(folder)).map(({ name }) => name).toSorted();
  await Deno.remove(`${folder}/${names[0]}`);
  await saveMail(folder, encode("Subject: new\r\n\r\n"));
  // it has gone, and the client does not know yet
  assertEquals(await ask("FETCH 1:3 (UID BODY.PEEK[TEXT]<0.1>)"), [
    "* 2 FETCH (UID 2 BODY[TEXT]<0> {1}",
    "A)",
    "* 3 FETCH (UID 3 BODY[TEXT]<0> {1}",
    "S)",
    "t NO [EXPUNGEISSUED] Some of these mails have gone",
  ]);
  assertEquals(await ask("SEARCH TEXT example.org"), ["* SEARCH 2 3", "t OK Those fit"]);
  assertEquals(await ask("NOOP"), ["* 1 EXPUNGE", "* 3 EXISTS", "t OK Still here"]);
  assertEquals(await ask("UID SEARCH ALL"), ["* SEARCH 2 3 4", "t OK Those fit"]);
  // what is changed in place is another mail
  const grown = `${folder}/${names[1]}`;
  await Deno.utime(folder, 1_000_000_000, 1_000_000_000);
  assertEquals(await ask("NOOP"), ["t OK Still here"]);
  const size = (await Deno.readFile(grown)).length;
  assertEquals((await ask("FETCH 1 RFC822.SIZE"))[0], `* 1 FETCH (RFC822.SIZE ${size})`);
  await Deno.writeTextFile(grown, "more\r\n", { append: true });
  const gone = "t NO [EXPUNGEISSUED] Some of these mails have gone";
  assertEquals(await ask("FETCH 1 (BODY.PEEK[])"), [gone]);
  assertEquals(await ask("NOOP"), ["* 1 EXPUNGE", "* 3 EXISTS", "t OK Still here"]);
  assertEquals(await ask("FETCH 3 (UID RFC822.SIZE)"), [
    `* 3 FETCH (UID 5 RFC822.SIZE ${size + 6})`,
    "t OK That is all",
  ]);
  for (const { name } of Deno.readDirSync(folder)) await Deno.remove(`${folder}/${name}`);
  assertEquals(await ask("NOOP"), ["* 3 EXPUNGE", "* 2 EXPUNGE", "* 1 EXPUNGE", "t OK Still here"]);
  // a number is that of a mail, and so is *; a UID may have gone
  for (
    const command of [
      ...[
        "FETCH 1 FLAGS",
        "FETCH 1:* FLAGS",
        "FETCH * FLAGS",
        "SEARCH 1",
        "SEARCH *",
        "UID SEARCH 1:*",
      ],
    ]
  ) {
    assertEquals(await ask(command), ["t BAD the mailbox has 0 mails"], command);
  }
  for (const set of ["1", "1:*", "*", "7:9"]) {
    assertEquals(await ask(`UID FETCH ${set} FLAGS`), ["t OK That is all"], set);
    assertEquals(await ask(`SEARCH UID ${set}`), ["* SEARCH", "t OK Those fit"], set);
  }
  assertEquals(await ask("SEARCH ALL"), ["* SEARCH", "t OK Those fit"]);
  // the folder itself has gone: the server says so, and goes on
  await Deno.remove(folder, { recursive: true });
  assertMatch((await ask("NOOP")).at(-1)!, /^t NO \[SERVERBUG\]/);
  assertMatch(script.stderr, /cannot look at .*: there is no such file/);
  await Deno.mkdir(folder);
  assertEquals(await ask("NOOP"), ["t OK Still here"]);
});

Deno.test(`${SERVER} takes no password in clear text from elsewhere`, async () => {
  const said: string[] = [];
  const source = SocketReader.from(encode(`${LOGIN}b CAPABILITY\r\n`));
  const elsewhere = {
    ...{ remote: "192.0.2.1:50000", secure: false, closedFor: undefined },
    remoteAddr: { transport: "tcp", hostname: "192.0.2.1", port: 50_000 },
    read: (into: Uint8Array) => source.read(into),
    write(bytes: Uint8Array) {
      said.push(...decode(bytes).trimEnd().split("\r\n"));
      return Promise.resolve(bytes.length);
    },
  };
  const service = {
    ...{ login: new MailLogin("student", PASSWORD), mailboxes: new Mailboxes("/nowhere") },
    anyhow: false,
  };
  await converse(elsewhere as unknown as Upgradable, service, () => {});
  assertMatch(said[0]!, /^\* OK \[CAPABILITY .*LOGINDISABLED\]/);
  assertMatch(said[1]!, /^a NO \[PRIVACYREQUIRED\]/);
  assertMatch(said[2]!, /^\* CAPABILITY .*LOGINDISABLED$/);
});
