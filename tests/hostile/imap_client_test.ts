/**
 * The IMAP client against servers that lie, stop or say too much, and against mails that look like replies.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { accepted } from "../../lib/accept.ts";
import { Mailboxes } from "../../lib/imap_mailboxes.ts";
import { Dialogue } from "../../lib/mail_dialogue.ts";
import { MailLogin } from "../../lib/mail_login.ts";
import { SocketReader } from "../../lib/reader.ts";
import { serveUpgradable } from "../../lib/upgradable.ts";
import { Imap, logIn } from "../../scripts/mail/imap_client.ts";
import { converse } from "../../scripts/mail/imap_server.ts";
import { decode, encode, temporaryFolder } from "../lib/helpers.ts";
import { behaviours, misbehave, NONSENSE, type Peer, reset } from "./peers.ts";
import { ENVIRONMENT, readNothing, startDeno } from "./script.ts";
import { AT_ONCE, pause, settles, times, within } from "./waits.ts";

const CLIENT = "scripts/mail/imap_client.ts";
const PASSWORD = "correct horse";
ENVIRONMENT.IMAP_PASSWORD = PASSWORD;

const MAIL = "From: =?utf-8?Q?J=C3=B6rg?= <j@example.org>\r\nSubject: fake\r\n\r\n" +
  ")\r\na4 OK done\r\na5 OK\r\n* BYE\r\n* 1 FETCH (BODY[] {3}\r\n+ x\r\na4 NO\r\n\x1b[2J\u202e\r\n";
const literal = (text: string) => `{${encode(text).length}}\r\n${text}`;
const ENVELOPE =
  `("Mon, 20 Jul 2026 09:00:00 +0000" ${literal("=?utf-8?Q?fake=0A?= \r\na4 OK x\x07\u009b")} ` +
  '((NIL NIL "j" "example.org")) NIL NIL NIL NIL NIL NIL NIL)';

/** What the server says to each command; `%` stands for its tag. */
type Replies = Record<string, string>;

const HONEST: Replies = {
  hello: "* OK [CAPABILITY IMAP4rev1] hello",
  CAPABILITY: "* CAPABILITY IMAP4rev1\r\n% OK",
  LOGIN: "% OK in",
  LIST: '* LIST () "/" INBOX\r\n% OK',
  EXAMINE: "* 1 EXISTS\r\n* OK [UIDVALIDITY 1] ok\r\n% OK [READ-ONLY] open",
  FETCH: `* 1 FETCH (BODY[] ${literal(MAIL)})\r\n% OK done`,
  HEADERS: `* 1 FETCH (UID 7 RFC822.SIZE 99 FLAGS (\\Seen) ENVELOPE ${ENVELOPE})\r\n% OK done`,
  LOGOUT: "* BYE bye\r\n% OK",
};

type Say = (text: string | Uint8Array) => Promise<void>;

interface Lies {
  replies?: Replies;
  /** What comes in place of the reply to a command; the connection ends when it returns. */
  instead?: Record<string, (say: Say, gone: () => boolean) => Promise<void>>;
  /** How many bytes are sent at once. */
  piece?: number;
}

/** An IMAP server for one client, honest but for its lies. */
function lyingServer({ replies, instead, piece = Infinity }: Lies): Peer & { commands: string[] } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const commands: string[] = [];
  const answers = { ...HONEST, ...replies };
  let gone = false;
  const serveOne = async (connection: Deno.TcpConn) => {
    using _closed = connection;
    connection.setNoDelay(true);
    const say: Say = async (text) => {
      const bytes = typeof text === "string" ? encode(text) : text;
      for (let at = 0; at < bytes.length;) {
        const end = Math.min(bytes.length, at + piece);
        at += await connection.write(bytes.subarray(at, end));
      }
    };
    await say(`${answers.hello}\r\n`);
    const reader = new SocketReader(connection, { timeout: 60_000 });
    for await (const line of reader) {
      commands.push(line);
      if (/\{\d+\}$/.test(line)) {
        await say("+ go on\r\n");
        commands.push((await reader.readLine())!);
      }
      const [tag, word] = line.split(" ");
      const verb = word === "FETCH" && line.includes("ENVELOPE") ? "HEADERS" : word!;
      if (instead?.[verb]) return await instead[verb](say, () => gone);
      await say(`${answers[verb]!.replaceAll("%", tag!)}\r\n`);
      if (verb === "LOGOUT") return;
    }
  };
  const serving = (async () => {
    for await (const connection of accepted(listener)) await serveOne(connection).catch(() => {});
  })().catch(() => {});
  return {
    commands,
    address: String(listener.addr.port),
    release: () => gone = true,
    async [Symbol.asyncDispose]() {
      gone = true;
      listener.close();
      await settles(serving, AT_ONCE);
    },
  };
}

interface Case {
  name: string;
  peer(): Peer | Promise<Peer>;
  words?: string[];
  code?: number;
  stdout?: RegExp;
  stderr?: RegExp;
}

const lie = (name: string, lies: Lies, outcome: Omit<Case, "name" | "peer">): Case => ({
  name,
  peer: () => lyingServer(lies),
  ...outcome,
});

const forever = async (say: Say, text: string, gone: () => boolean) => {
  const bytes = encode(text.repeat(Math.ceil(10_000 / text.length)));
  while (!gone()) await say(bytes);
};

const READ =
  /^From: Jörg <j@example\.org>\nSubject: fake\n\n\)\na4 OK done\na5 OK\n\* BYE\n.*\n\+ x\na4 NO\n\\x1b\[2J\\u202e\n$/;

const cases: Case[] = [
  ...Object.entries({
    "is silent": /nothing came within 10 s/,
    "sends a byte every 50 ms": /nothing came within 10 s/,
    "closes without a word": /the server has closed the connection/,
    "closes in mid-answer": /ended after 3 bytes|reset/,
    "never stops sending": /longer than the limit of 1048576 bytes/,
    "sends nonsense": /no IMAP: /,
  }).map(([name, stderr]) => ({ name, stderr, peer: () => misbehave(behaviours[name]!) })),
  { name: "resets the connection", stderr: /reset|has closed/, peer: () => reset("connection") },
  lie("is honest", {}, {
    code: 0,
    stdout: READ,
    stderr: /C: a5 LOGOUT\nS: \* BYE bye\nS: a5 OK\n$/,
  }),
  lie("sends a byte at a time", { piece: 1 }, { code: 0, stdout: READ }),
  lie("lists a mail with line ends and bells in its subject", {}, {
    words: ["--headers"],
    code: 0,
    stdout:
      /^ {2}1 {2}2026-07-20 09:00 {2}j@example\.org {2}fake\\n \\r\\na4 OK x\\x07\\u009b {2}\(99 B\)\n$/,
  }),
  lie("lists a mail with a date that is nearly all spaces", {
    replies: {
      HEADERS: `* 1 FETCH (UID 7 RFC822.SIZE 99 FLAGS () ENVELOPE (${
        literal(`x${" ".repeat(3_000_000)}y`)
      } NIL NIL NIL NIL NIL NIL NIL NIL NIL))\r\n% OK done`,
    },
  }, { words: ["--headers"], code: 0, stdout: /^ {2}1 {2}x {99} .*\(99 B\)\n$/ }),
  lie("lists a mail whose date has a comment", {
    replies: { HEADERS: HONEST.HEADERS!.replace("+0000", "+0200 (CEST (summer))") },
  }, { words: ["--headers"], code: 0, stdout: /^ {2}1 {2}2026-07-20 07:00 {2}/ }),
  lie("lists it for programs", {}, {
    words: ["--headers", "--json"],
    code: 0,
    stdout:
      /^\{"number":1,"uid":7,"flags":\["\\\\Seen"\],"size":99,.*"subject":"fake\\n \\r\\na4 OK x\\u0007\\u009b".*\}\n$/,
  }),
  lie("tells news at every moment", {
    replies: Object.fromEntries(
      Object.entries(HONEST).slice(1).map(([verb, answer]) => [
        verb,
        `* 5 EXISTS\r\n* OK [ALERT] {3}\r\n* 9 FETCH (FLAGS (\\Seen))\r\n* 1 RECENT\r\n* X-NEW ((a) "b")\r\n${answer}`,
      ]),
    ),
  }, { code: 0, stdout: READ }),
  lie("says nothing of what it can, and is asked", { replies: { hello: "* OK hello" } }, {
    code: 0,
    stderr: /C: a1 CAPABILITY\n[^]*C: a2 LOGIN/,
  }),
  lie("knows the client already", { replies: { hello: "* PREAUTH hello" } }, {
    code: 0,
    stderr: /C: a1 LIST/,
  }),
  lie("is busy", { replies: { hello: "* BYE too many" } }, {
    stderr:
      /the server refuses to talk: BYE too many|the server ends the conversation: BYE too many/,
  }),
  lie("is no IMAP server", { replies: { hello: "220 mail.example.org ESMTP" } }, {
    stderr: /no IMAP: it begins with no tag/,
  }),
  lie("refuses the password", { replies: { LOGIN: "% NO [AUTHENTICATIONFAILED] no" } }, {
    stderr: /refuses LOGIN: NO \[AUTHENTICATIONFAILED\] no\nThe name or the password/,
  }),
  lie("repeats the password", { replies: { LOGIN: `% BAD what is LOGIN student "${PASSWORD}"` } }, {
    stderr: /refuses LOGIN: BAD/,
  }),
  lie("wants no LOGIN", { replies: { hello: "* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi" } }, {
    stderr: /takes no password in clear text \(LOGINDISABLED\): give --starttls or --tls/,
  }),
  lie("leaves in the middle", { replies: { LIST: "* BYE I go" } }, {
    stderr: /the server ends the conversation: BYE I go\n/,
  }),
  lie("has no such mailbox", { replies: { EXAMINE: "% NO [NONEXISTENT] none" } }, {
    stderr: /refuses EXAMINE: NO \[NONEXISTENT\] none\nThere is no such mailbox/,
  }),
  lie("has an empty mailbox", { replies: { EXAMINE: "* 0 EXISTS\r\n% OK" } }, {
    stderr: /there is no mail 1 in INBOX: it has 0/,
  }),
  lie("says OK and sends no mail", { replies: { FETCH: "% OK done" } }, {
    stderr: /says OK, but has not sent mail 1/,
  }),
  lie("sends another mail", { replies: { FETCH: "* 2 FETCH (BODY[] {1}\r\nx)\r\n% OK" } }, {
    stderr: /says OK, but has not sent mail 1/,
  }),
  lie("sends NIL for a mail", { replies: { FETCH: "* 1 FETCH (BODY[] NIL)\r\n% OK" } }, {
    stderr: /says OK, but has not sent mail 1/,
  }),
  lie("sends half a pair", { replies: { FETCH: "* 1 FETCH (BODY[])\r\n% OK" } }, {
    stderr: /FETCH tells no pairs/,
  }),
  lie("answers with another tag", { replies: { FETCH: "a9 OK" } }, {
    stderr: /the server answers a9, which was not asked/,
  }),
  lie("says + for nothing", { replies: { LIST: "+ go on" } }, {
    stderr: /says \+ where nothing was announced/,
  }),
  lie("announces 4 GB", {
    instead: {
      FETCH: (say, gone) => say("* 1 FETCH (BODY[] {4294967296}\r\n").then(() => wait(gone)),
    },
  }, { stderr: /a literal of 4294967296 bytes is longer than the limit of 67108864 bytes/ }),
  lie("closes in the middle of a mail", {
    instead: { FETCH: (say) => say("* 1 FETCH (BODY[] {100}\r\nhalf") },
  }, { stderr: /cannot get the server's reply: the stream ended after 4 of 100 bytes|reset/ }),
  lie("falls silent in the middle of a mail", {
    instead: {
      FETCH: (say, gone) => say("* 1 FETCH (BODY[] {100}\r\nhalf").then(() => wait(gone)),
    },
  }, { stderr: /cannot get the server's reply: nothing came within \d+ s/ }),
  lie("never ends its untagged lines", {
    instead: { LIST: (say, gone) => forever(say, "* OK still here\r\n", gone) },
  }, { stderr: /answers LIST by more than 5000 lines/ }),
  lie("never ends its list of lists", {
    instead: { LIST: (say, gone) => forever(say, "* LIST (((((((((( ", gone) },
  }, { stderr: /longer than the limit|lists in each other/ }),
  lie("never ends its literals", {
    instead: { LIST: (say, gone) => forever(say, "* LIST {1}\r\nx {1}\r\nx {1}\r\n", gone) },
  }, { stderr: /no IMAP: a line has more than 1000 literals/ }),
  lie("drips a line every 50 ms", {
    instead: {
      LIST: async (say, gone) => {
        while (!gone()) {
          await say("* OK wait\r\n");
          await settles(new Promise(() => {}), 50);
        }
      },
    },
  }, { stderr: /one answer takes longer than 20 s/ }),
  lie("sends one mail after another", {
    instead: {
      FETCH: (say, gone) =>
        forever(say, `* 2 FETCH (BODY[] ${literal("x".repeat(90_000))})\r\n`, gone),
    },
  }, {
    words: ["--limit", "1000000"],
    stderr: /an answer is longer than the limit of 1000000 bytes/,
  }),
  lie("ends its lines in LF", { replies: { LIST: "* LIST () NIL INBOX\n% OK" } }, {
    stderr: /no IMAP: a line ends in LF without CR/,
  }),
  lie("puts a CR into a line", { replies: { LIST: "* LIST () NIL a\rb\r\n% OK" } }, {
    stderr: /no IMAP: a CR stands in the middle of a line/,
  }),
  lie("puts a NUL into a line", { replies: { LIST: "* LIST () NIL a\0b\r\n% OK" } }, {
    stderr: /no IMAP: a NUL stands in a line/,
  }),
  lie("sends nonsense in its place", { instead: { LIST: (say) => say(NONSENSE) } }, {
    stderr: /no IMAP: /,
  }),
  lie("names mailboxes in UTF-8", { replies: { LIST: '* LIST () "/" "Größe"\r\n% OK' } }, {
    words: ["--mailbox", "Größe"],
    code: 0,
    stderr: /C: a3 EXAMINE \{7\}\n[^]*C: Größe\n/,
  }),
  lie("names mailboxes in modified UTF-7", {
    replies: { LIST: '* LIST () "/" "Gr&APYA3w-e"\r\n% OK' },
  }, {
    words: ["--mailbox", "Größe"],
    code: 0,
    stderr: /C: a3 EXAMINE "Gr&APYA3w-e"\n/,
  }),
  lie("names mailboxes with brackets", {
    replies: { LIST: '* LIST () "/" x[1]y\r\n* LIST () "/" x[y\r\n% OK' },
  }, { words: ["--mailboxes"], code: 0, stdout: /^x\[1\]y\nx\[y\n$/ }),
  lie(
    "names mailboxes with bells",
    { replies: { LIST: "* LIST () NIL {4}\r\n\x07\r\na\r\n% OK" } },
    {
      words: ["--mailboxes"],
      code: 0,
      stdout: /^\\x07\\r\\na\n$/,
    },
  ),
  // STARTTLS
  lie("offers no STARTTLS", {}, { words: ["--starttls"], stderr: /offers no STARTTLS/ }),
  lie("logs in before STARTTLS", {
    replies: { hello: "* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] hi" },
  }, { words: ["--starttls"], stderr: /logged this client in before TLS: not believed/ }),
  lie("refuses STARTTLS that it offers", {
    replies: { hello: "* OK [CAPABILITY IMAP4rev1 STARTTLS] hi", STARTTLS: "% NO not now" },
  }, { words: ["--starttls"], stderr: /refuses STARTTLS: NO not now/ }),
  lie("says more in clear text behind STARTTLS", {
    replies: {
      hello: "* OK [CAPABILITY IMAP4rev1 STARTTLS] hi",
      STARTTLS: "% OK go\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN",
    },
  }, { words: ["--starttls"], stderr: /says more before TLS begins|does not speak TLS/ }),
  lie("speaks no TLS after STARTTLS", {
    replies: { hello: "* OK [CAPABILITY IMAP4rev1 STARTTLS] hi" },
    instead: { STARTTLS: (say) => say("a1 OK go\r\n").then(() => say("* OK")) },
  }, { words: ["--starttls"], stderr: /cannot agree on TLS|says more before TLS begins/ }),
];

async function wait(gone: () => boolean): Promise<void> {
  while (!gone()) await settles(new Promise(() => {}), 50);
}

function startClient(port: string, words: string[] = []) {
  const flags = ["--allow-env=IMAP_PASSWORD", `--allow-net=127.0.0.1:${port}`];
  return startDeno(flags, CLIENT, { words: ["--port", port, ...words] });
}

Deno.test(`${CLIENT} ends in time with one clear message when the server`, async (test) => {
  const results = await times(cases.length, 12, async (index) => {
    const { peer: start, words } = cases[index]!;
    await using peer = await start();
    await using client = startClient(peer.address, words);
    const code = await within("the client's end", client.ended, 120_000);
    peer.release();
    const commands = "commands" in peer ? peer.commands as string[] : [];
    return { code, commands, stdout: client.stdout, stderr: client.stderr };
  });
  for (const [index, result] of results.entries()) {
    const { name, code = 1, stdout = /^$/, stderr = /^/ } = cases[index]!;
    await test.step(name, () => {
      assertMatch(result.stderr, stderr);
      assertEquals(result.code, code, result.stderr);
      if (code !== 0 || cases[index]!.stdout) assertMatch(result.stdout, stdout);
      assertEquals(/^ +at .*|Uncaught/m.exec(result.stderr)?.[0], undefined);
      assert(!result.stderr.includes(PASSWORD), "the password is shown");
      const shown = (result.stderr + result.stdout).replaceAll("\n", "");
      assertEquals(/[\p{Cc}\p{Bidi_Control}]/u.exec(shown)?.[0], undefined);
      const secrets = result.commands.filter((line) => line.includes(PASSWORD));
      if (/STARTTLS|LOGINDISABLED/i.test(name)) assertEquals(secrets, []);
    });
  }
});

Deno.test(`${CLIENT} writes a mail byte for byte when asked to`, async () => {
  const bytes = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).join("");
  const mail = `Subject: all bytes\r\n\r\n${bytes}`;
  const raw = Uint8Array.from(mail, (character) => character.charCodeAt(0));
  await using peer = lyingServer({
    instead: {
      async FETCH(say) {
        await say(`* 1 FETCH (BODY[] {${raw.length}}\r\n`);
        await say(raw);
        await say(")\r\na4 OK\r\n* BYE\r\na5 OK\r\n");
      },
    },
  });
  const command = new Deno.Command(Deno.execPath(), {
    args: [
      ...[
        "run",
        "--no-prompt",
        "--allow-env=IMAP_PASSWORD",
        `--allow-net=127.0.0.1:${peer.address}`,
      ],
      ...[new URL(`../../${CLIENT}`, import.meta.url).pathname, "--port", peer.address, "--raw"],
    ],
    env: ENVIRONMENT,
  });
  const { code, stdout } = await command.output();
  assertEquals([code, stdout], [0, raw]);
});

/** A server with one mail of 3 MB, more than a pipe holds. */
const largeMail = () =>
  lyingServer({
    replies: { FETCH: `* 1 FETCH (BODY[] ${literal("a line\r\n".repeat(375_000))})\r\n% OK done` },
  });

const rawArguments = (port: string) => [
  ...["run", "--no-prompt", "--allow-env=IMAP_PASSWORD", `--allow-net=127.0.0.1:${port}`],
  ...[new URL(`../../${CLIENT}`, import.meta.url).pathname, "--port", port, "--raw"],
];

Deno.test(`${CLIENT} waits for a reader of its output as long as that takes`, async () => {
  await using peer = largeMail();
  const child = new Deno.Command(Deno.execPath(), {
    ...{ args: rawArguments(peer.address), env: ENVIRONMENT, stdin: "null" },
    ...{ stdout: "piped", stderr: "null" },
  }).spawn();
  // longer than a server may take nothing
  await pause(15_000);
  const { length } = new Uint8Array(await new Response(child.stdout).arrayBuffer());
  assertEquals([(await child.status).code, length], [0, 3_000_000]);
});

Deno.test(`${CLIENT} does not blame the server when nobody reads its output any more`, async () => {
  await using peer = largeMail();
  const { code, stderr } = await readNothing(rawArguments(peer.address));
  assertEquals(code, 1, stderr);
  assertMatch(stderr, /\nimap_client\.ts: nobody reads its output any more\n$/);
});

Deno.test(`${CLIENT} lists more mails than one answer may have lines`, async () => {
  using folder = temporaryFolder();
  const names = Array.from({ length: 5_001 }, (_, index) => String(index).padStart(4, "0"));
  for (const name of names) {
    await Deno.writeTextFile(`${folder.path}/${name}.eml`, `Subject: ${name}\r\n\r\n`);
  }
  const service = {
    ...{ login: new MailLogin("student", PASSWORD), mailboxes: new Mailboxes(folder.path) },
    anyhow: false,
  };
  await using server = await serveUpgradable(
    { hostname: "127.0.0.1", port: 0 },
    (connection) => converse(connection, service, () => {}),
  );
  const port = String((server.addr as Deno.NetAddr).port);
  await using client = startClient(port, ["--headers", "--last", "9000", "--json"]);
  assertEquals(await within("its end", client.ended, 60_000), 0, client.stderr);
  const subjects = client.stdout.trimEnd().split("\n").map((line) => JSON.parse(line).subject);
  assertEquals(subjects, names);
});

Deno.test(`${CLIENT} sends no name that would be two commands`, async () => {
  await using peer = lyingServer({});
  const wrong = [["--user", "x\r\na2 LOGOUT"], ["--mailbox", "a\nb"], ["--user", "a\rb"]];
  for (const words of wrong) {
    await using client = startClient(peer.address, words);
    assertEquals(await within("its end", client.ended, 40_000), 2);
    assertMatch(client.stderr, /has no line end/);
  }
  assertEquals(peer.commands, []);
  await using client = startClient(peer.address, ["--user", 'a" "b', "--mailbox", 'in" "x\\']);
  assertEquals(await within("its end", client.ended, 40_000), 0);
  assertEquals(peer.commands[0], `a1 LOGIN "a\\" \\"b" "${PASSWORD}"`);
  assertEquals(peer.commands[2], 'a3 EXAMINE "in\\" \\"x\\\\"');
});

Deno.test(`${CLIENT} says LOGOUT when it is stopped in the middle of a mail`, async () => {
  const begun = Promise.withResolvers<void>();
  const said: string[] = [];
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    using connection = await listener.accept();
    const say = (text: string) => connection.write(encode(`${text}\r\n`));
    await say(HONEST.hello!);
    for await (const line of new SocketReader(connection)) {
      said.push(line);
      const [tag, verb] = line.split(" ");
      if (verb !== "FETCH") await say(HONEST[verb!]!.replaceAll("%", tag!));
      else {
        await say("* 1 FETCH (BODY[] {1000}");
        begun.resolve();
      }
      if (verb === "LOGOUT") return;
    }
  })();
  const client = startClient(String(listener.addr.port));
  await within("the mail's beginning", begun.promise, 40_000);
  assertEquals(await client.stop("SIGINT"), 1);
  await serving;
  listener.close();
  assertMatch(client.stderr, /\nC: a5 LOGOUT\n[^]*imap_client\.ts: stopped\n$/);
  assertEquals(said.at(-1), "a5 LOGOUT");
});

Deno.test(`${CLIENT} sends no password in clear text to another machine, unless it is asked to`, async () => {
  const said: string[] = [];
  const elsewhere = () => {
    const source = SocketReader.from(encode(`${HONEST.hello}\r\na1 OK in\r\n`));
    return {
      remoteAddr: { transport: "tcp", hostname: "192.0.2.1", port: 143 },
      read: (into: Uint8Array) => source.read(into),
      write(bytes: Uint8Array) {
        said.push(decode(bytes));
        return Promise.resolve(bytes.length);
      },
    } as unknown as Deno.TcpConn;
  };
  const options = { host: "mail.example.org", user: "student", tls: false, starttls: false };
  const connected = () => {
    const imap = new Imap(elsewhere(), { stop: new AbortController().signal, limit: 1_000 });
    imap.dialogue = new Dialogue({ print: () => {} });
    return imap;
  };
  await assertRejects(
    () => logIn(connected(), PASSWORD, [], { ...options, insecureLogin: false }),
    Error,
    "the password would go in clear text over the network: give --starttls or --tls",
  );
  assertEquals(said, []);
  await logIn(connected(), PASSWORD, [], { ...options, insecureLogin: true });
  assertEquals(said, [`a1 LOGIN "student" "${PASSWORD}"\r\n`]);
});

Deno.test(`${CLIENT} shows no password, whichever characters it has`, async () => {
  for (const secret of ['quo"te\\d', "größe", "x".repeat(2_000)]) {
    const repeated = "% NO what is $ doing here, and $$?";
    await using peer = lyingServer({ replies: { LOGIN: repeated.replaceAll("$", secret) } });
    const flags = ["--allow-env=IMAP_PASSWORD", `--allow-net=127.0.0.1:${peer.address}`];
    const words = ["run", "--no-prompt", ...flags, CLIENT, "--port", peer.address];
    const command = new Deno.Command(Deno.execPath(), {
      args: words,
      cwd: new URL("../../", import.meta.url),
      env: { IMAP_PASSWORD: secret },
    });
    const { code, stderr } = await command.output();
    const shown = decode(stderr);
    assertEquals(code, 1);
    assertMatch(shown, /refuses LOGIN: NO what is \*\*\* doing here, and \*\*\*\*\*\*\?/);
    for (const form of [secret, secret.replace(/["\\]/g, "\\$&")]) {
      assert(!shown.includes(form), shown);
    }
    assertEquals(peer.commands[0]!.startsWith("a1 LOGIN"), true);
  }
});
