/**
 * The SMTP client against servers that lie, stop or say too much.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { accepted } from "../../lib/accept.ts";
import { Dialogue } from "../../lib/mail_dialogue.ts";
import { SocketReader } from "../../lib/reader.ts";
import { SmtpSession } from "../../lib/smtp_session.ts";
import { hello, sendMail } from "../../scripts/mail/smtp_client.ts";
import { encode } from "../lib/helpers.ts";
import { behaviours, misbehave, type Peer, reset } from "./peers.ts";
import { startDeno } from "./script.ts";
import { AT_ONCE, settles, times, within } from "./waits.ts";

const CLIENT = "scripts/mail/smtp_client.ts";

/** How a lying server differs from an honest one. */
interface Lies {
  /** Replies in place of the honest ones, by verb; `null` ends the connection instead, "" says nothing. */
  replies?: Record<string, string | null>;
  /** Ends the connection after so many bytes of replies. */
  cut?: number;
  /** Sends each reply byte by byte. */
  drip?: boolean;
  /** Sends this when so many bytes of the mail have come, and reads no more. */
  inMail?: { after: number; say: string };
}

interface Liar extends Peer {
  port: number;
  /** The commands that came, and the lines of each mail. */
  commands: string[];
  mails: string[][];
  /** How many bytes of replies were sent. */
  sent: number;
}

const HONEST: Record<string, string> = {
  hello: "220 liar.example ESMTP",
  EHLO: "250-liar.example\r\n250-PIPELINING\r\n250-SIZE 1000000\r\n250 8BITMIME",
  HELO: "250 liar.example",
  MAIL: "250 ok",
  RCPT: "250 ok",
  DATA: "354 go on",
  ".": "250 kept",
  RSET: "250 ok",
  QUIT: "221 bye",
};

/** An SMTP server for one client after another, honest but for its lies. */
function lyingServer(lies: Lies = {}): Liar {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const liar = { commands: [] as string[], mails: [] as string[][], sent: 0 };
  let gone = false;
  const serveOne = async (connection: Deno.Conn) => {
    using _closed = connection;
    const replies = { ...HONEST, ...lies.replies };
    let left = lies.cut ?? Infinity;
    const say = async (verb: string) => {
      const reply = verb in replies ? replies[verb]! : "500 what";
      if (reply === null) return false;
      const bytes = reply === "" ? encode("") : encode(`${reply}\r\n`).subarray(0, left);
      for (let at = 0; at < bytes.length;) {
        at += await connection.write(lies.drip ? bytes.subarray(at, at + 1) : bytes.subarray(at));
      }
      liar.sent += bytes.length;
      left -= bytes.length;
      return left > 0;
    };
    if (!await say("hello")) return;
    const lines = new SocketReader(connection);
    let mail: string[] | undefined;
    for (let line; (line = await lines.readLine({ limit: 16 * 1024 * 1024 })) !== null;) {
      if (mail) {
        mail.push(line);
        const { inMail } = lies;
        if (inMail && mail.join("\r\n").length >= inMail.after) {
          await connection.write(encode(inMail.say));
          return;
        }
        if (line !== ".") continue;
        mail = undefined;
        if (!await say(".")) return;
        continue;
      }
      liar.commands.push(line);
      const verb = line.split(" ")[0]!;
      if (!await say(verb)) return;
      if (verb === "QUIT") return;
      const ready = (replies.DATA ?? "").startsWith("354");
      if (verb === "DATA" && ready) liar.mails.push(mail = []);
    }
    while (!gone && lies.replies && Object.values(lies.replies).includes("")) {
      await settles(new Promise(() => {}), 20);
    }
  };
  const serving = (async () => {
    for await (const connection of accepted(listener)) await serveOne(connection).catch(() => {});
  })().catch(() => {});
  const { port } = listener.addr;
  return Object.assign(liar, {
    port,
    address: String(port),
    release: () => void (gone = true),
    async [Symbol.asyncDispose]() {
      gone = true;
      listener.close();
      await settles(serving, AT_ONCE);
    },
  });
}

const MAIL = { from: "alice@example.org", to: ["bob@example.org", "carol@example.org"] };

/** Sends a mail by the client's own code, in this process; gives what was shown, and the error. */
async function send(
  port: number,
  mail: Uint8Array = encode("Subject: x\r\n\r\n.x\r\n"),
  timeout = 5_000,
) {
  const shown: string[] = [];
  const dialogue = new Dialogue({ print: (line) => shown.push(line), width: 100 });
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  using session = new SmtpSession(connection, { hostname: "127.0.0.1", dialogue, timeout });
  try {
    await session.reply("the connection");
    await hello(session);
    const delivery = await sendMail(session, { ...MAIL, mail });
    return { shown, delivery };
  } catch (error) {
    return { shown, error: error as Error & { explanation?: { reason: string; next?: string } } };
  } finally {
    await session.quit();
  }
}

Deno.test(`${CLIENT} sends the same when replies come byte by byte`, async () => {
  await using whole = lyingServer();
  await using dripping = lyingServer({ drip: true });
  assertEquals((await send(whole.port)).delivery?.accepted, MAIL.to);
  assertEquals((await send(dripping.port)).delivery?.accepted, MAIL.to);
  assertEquals(dripping.commands, whole.commands);
  assertEquals(whole.mails, [["Subject: x", "", "..x", "."]]);
  assertEquals(dripping.mails, whole.mails);
});

Deno.test(`${CLIENT} says what is wrong when replies are cut at any byte`, async () => {
  await using honest = lyingServer();
  const { shown } = await send(honest.port);
  const farewell = `${HONEST.QUIT}\r\n`.length;
  // with the last reply to the mail it is done: what comes after it does not matter
  const needed = honest.sent - farewell;
  assert(shown.length > 10);
  await times(needed + 2, 16, async (cut) => {
    if (cut === 0) return;
    await using peer = lyingServer({ cut });
    const { error, delivery } = await within(`cut at ${cut}`, send(peer.port));
    if (cut >= needed) return assertEquals(delivery?.accepted, MAIL.to, `cut at ${cut}`);
    assertMatch(error!.message, /closed the connection|reset|has already closed/, `cut at ${cut}`);
    // nobody is told that it was sent
    assertEquals(delivery, undefined);
  });
});

Deno.test(`${CLIENT} tells each step by its name when it is refused`, async () => {
  const cases: [Lies["replies"], RegExp, RegExp][] = [
    [{ hello: "554 no mail from you" }, /refuses the connection: 554 no mail/, /at all/],
    [{ hello: "421 busy" }, /refuses the connection: 421 busy/, /try again later/],
    [{ EHLO: "421 busy" }, /refuses EHLO .*: 421 busy/, /try again later/],
    [{ EHLO: "451 no" }, /refuses EHLO: 451/, /inside the server/],
    [{ EHLO: "500 what", HELO: "550 no" }, /refuses HELO .*: 550 no/, /./],
    [{ MAIL: "550 no" }, /refuses MAIL FROM:<alice@example.org>.*: 550/, /from this sender/],
    [{ MAIL: "451 4.3.0 later" }, /refuses MAIL FROM/, /inside the server; try again later/],
    [{ RCPT: "550 5.1.1 who" }, /refuses RCPT TO:<bob@example.org>: 550/, /no such mailbox/],
    [
      { RCPT: "450 4.2.2 full" },
      /refuses RCPT TO:<bob@example.org>: 450/,
      /full\. It may work later/,
    ],
    [{ DATA: "554 no" }, /refuses DATA: 554/, /no recipient/],
    [{ DATA: "250 what" }, /refuses DATA: 250/, /should not have been/],
    [{ ".": "552 5.3.4 big" }, /refuses the mail: 552/, /larger than this server takes/],
    [{ ".": "554 spam" }, /refuses the mail: 554 spam/, /may look like spam/],
    [{ ".": "452 full" }, /refuses the mail: 452/, /no room/],
  ];
  for (const [replies, reason, next] of cases) {
    await using peer = lyingServer({ replies });
    const sent = await send(peer.port);
    const error = sent.error ?? sent.delivery?.refused[0];
    // the greeting's code is looked at by main
    if (replies!.hello?.startsWith("554")) continue;
    assertMatch(error!.message, reason);
    assertMatch(error!.explanation!.next!, next);
    const over = Object.values(replies!).some((reply) => reply!.startsWith("421"));
    if (!over) assertEquals(peer.commands.at(-1), "QUIT", `${reason}`);
    // with all recipients refused, a 354 is answered with an empty mail
    const refused = replies!.RCPT ?? replies!.MAIL;
    if (refused) assertEquals(peer.mails, [["."]]);
  }
});

Deno.test(`${CLIENT} waits for each reply when PIPELINING is not offered, and sends no DATA for nobody`, async () => {
  await using peer = lyingServer({
    replies: { EHLO: "250-liar.example\r\n250 SIZE 0", RCPT: "550 no" },
  });
  const { delivery } = await send(peer.port);
  assertEquals(delivery!.accepted, []);
  assertEquals(delivery!.refused.map(({ step }) => step), MAIL.to.map((to) => `RCPT TO:<${to}>`));
  assertEquals(peer.commands.map((line) => line.split(" ")[0]), [
    "EHLO",
    "MAIL",
    "RCPT",
    "RCPT",
    "QUIT",
  ]);
  assertEquals(peer.mails, []);
});

Deno.test(`${CLIENT} says that it does not know when the connection ends behind the last dot`, async () => {
  await using peer = lyingServer({ replies: { ".": null } });
  const { error } = await send(peer.port);
  assertStringIncludes(error!.message, "cannot know whether the server has taken the mail");
});

Deno.test(`${CLIENT} tells what the server said when it closes in DATA`, async () => {
  const mail = encode(`${"x".repeat(98)}\r\n`.repeat(9_000));
  {
    await using peer = lyingServer({ inMail: { after: 1_000, say: "" } });
    const { error } = await within("its end", send(peer.port, mail));
    assertMatch(error!.message, /cannot (send|know whether)/);
  }
  for (
    const [say, reason] of [["421 shutting down\r\n", /421 shutting down/], [
      "552 too big\r\n",
      /552 too big/,
    ]] as const
  ) {
    await using peer = lyingServer({ inMail: { after: 1_000, say } });
    const { error } = await within("its end", send(peer.port, mail));
    // a reset may have swallowed what was said
    assert(reason.test(error!.message) || /reset|closed/.test(error!.message), error!.message);
  }
});

Deno.test(`${CLIENT} sends nothing when an address would be two commands`, async () => {
  await using peer = lyingServer();
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: peer.port });
  const dialogue = new Dialogue({ print: () => {} });
  using session = new SmtpSession(connection, { hostname: "127.0.0.1", dialogue, timeout: 5_000 });
  await session.reply("the connection");
  await hello(session);
  for (const to of ["bob@example.org>\r\nDATA", "b\nob", "b\0", "b\r"]) {
    const error = await sendMail(session, { from: "a@b", to: [to], mail: encode("x") }).catch((e) =>
      e
    );
    assertMatch(error.message, /no address, name or password has a line end/);
  }
  await session.quit();
  assertEquals(peer.commands.length, 2);
});

interface Case {
  name: string;
  peer(): Peer | Promise<Peer>;
  words?: string[];
  code?: number;
  stdout?: RegExp;
  stderr?: RegExp;
}

const withReplies = (replies: Lies["replies"]) => () => lyingServer({ replies });

const cases: Case[] = [
  ...Object.entries({
    "is silent": /cannot get the server's reply to the connection: nothing came within 2 s/,
    "sends a byte every 50 ms": /nothing came within 2 s/,
    "closes without a word": /closed the connection without a reply|reset/,
    "closes in mid-answer": /in the middle of a reply|reset/,
    "never stops sending": /longer than 4096 bytes/,
    "sends nonsense": /is no SMTP reply/,
  }).map(([name, stderr]) => ({ name, stderr, peer: () => misbehave(behaviours[name]!) })),
  { name: "resets the connection", stderr: /reset/, peer: () => reset("connection") },
  {
    name: "is honest",
    code: 0,
    stdout: /^accepted for bob@example\.org$/m,
    peer: () => lyingServer(),
  },
  {
    name: "takes no mail at all",
    stderr: /refuses the connection: 554 no\n.*at all/,
    peer: withReplies({ hello: "554 no" }),
  },
  {
    name: "greets without end",
    stderr: /more than 200 lines/,
    peer: withReplies({ hello: "220-x\r\n".repeat(100_000) }),
  },
  {
    name: "changes the code inside a reply",
    stderr: /began with 250 and went on with 220/,
    peer: withReplies({ EHLO: "250-x\r\n220 y" }),
  },
  {
    name: "does not answer to EHLO",
    stderr: /cannot get the server's reply to EHLO \[127\.0\.0\.1\]: nothing came within 2 s/,
    peer: withReplies({ EHLO: "" }),
  },
  {
    name: "is silent behind the last dot",
    stderr: /cannot know whether the server has taken the mail: nothing came within 2 s/,
    peer: withReplies({ ".": "" }),
  },
  {
    name: "draws on the screen",
    code: 0,
    stderr: /^S: 250 \\x1b\[2J\\x1b\]0;owned\\x07$/m,
    peer: withReplies({ ".": "250 \x1b[2J\x1b]0;owned\x07" }),
  },
  {
    name: "knows only HELO",
    code: 0,
    stderr: /^S: 502 what\nC: HELO/m,
    peer: withReplies({ EHLO: "502 what" }),
  },
  {
    name: "takes less than the mail",
    stderr: /at most 100 bytes, and this one has \d+/,
    peer: withReplies({ EHLO: "250-x\r\n250 SIZE 100" }),
  },
  {
    name: "does not offer STARTTLS",
    words: ["--starttls"],
    stderr: /does not offer STARTTLS: the mail was not sent/,
    peer: () => lyingServer(),
  },
  {
    name: "refuses both of two",
    words: ["--to", "bob@example.org", "--to", "carol@example.org"],
    stderr:
      /refuses RCPT TO:<bob@example\.org>: 550 no\nThere is no such[^]*refuses RCPT TO:<carol[^]*nobody has got it: 2 of 2/,
    peer: withReplies({ RCPT: "550 no" }),
  },
  {
    name: "does not offer SMTPUTF8 for an address that needs it",
    words: ["--to", "jürgen@example.org"],
    stderr: /does not offer SMTPUTF8/,
    peer: () => lyingServer(),
  },
];

Deno.test(`${CLIENT} ends in time, with one clear error, when`, async (test) => {
  const results = await times(cases.length, 8, async (index) => {
    const { peer: start, words = [] } = cases[index]!;
    await using peer = await start();
    const flags = [`--allow-net=127.0.0.1:${peer.address}`, "--allow-read=/tmp/none.pem"];
    await using client = startDeno(flags, CLIENT, {
      words: ["--port", peer.address, "--ca", "/tmp/none.pem", "--timeout", "2", ...words],
    });
    const code = await within("the client's end", client.ended, 30_000);
    peer.release();
    return { code, stdout: client.stdout, stderr: client.stderr };
  });
  for (const [index, { name, code = 1, stdout, stderr }] of cases.entries()) {
    await test.step(`the server ${name}`, () => {
      const result = results[index]!;
      const text = result.stdout + result.stderr;
      assertEquals(/(?!\n)[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u.exec(text)?.[0], undefined);
      assertEquals(/^ +at .*|^.*Uncaught.*/m.exec(text)?.[0], undefined);
      assertEquals(result.code, code, text);
      if (stdout) assertMatch(result.stdout, stdout);
      if (stderr) assertMatch(result.stderr, stderr);
      const errors = result.stderr.split("\n").filter((line) =>
        line.startsWith("smtp_client.ts: ")
      );
      assertEquals(errors.length, code, result.stderr);
      if (code !== 0) assertEquals(result.stdout, "");
    });
  }
});

const LATIN1 = Uint8Array.of(0x47, 0x72, 0xfc, 0xdf, 0x65, 0x0a);

Deno.test(`${CLIENT} ends with 2, and says nothing to the server, when an argument is not right`, async () => {
  await using peer = lyingServer();
  const wrong: [string[], RegExp][] = [
    [["--to", "bob@example.org>\r\nRCPT TO:<x@example.org"], /is no mail address/],
    [["--from", "alice@example.org\nBcc: x"], /is no mail address/],
    [["--from", "alice"], /"alice" is no mail address: write name@example\.org/],
    [["--subject", "x\r\nBcc: everybody@example.org"], /a subject has no line ends/],
    [["--user", "alice"], /--user needs --starttls: a password never goes in clear text/],
    [["--timeout", "0"], /--timeout must be more than 0/],
    [["--helo", "--starttls"], /--starttls needs EHLO/],
    [["-"], /the text on stdin is not UTF-8: convert it first/],
    [
      ["--to", ...Array(101).fill("b@example.org").join(" --to ").split(" ")],
      /1 to 100 recipients/,
    ],
  ];
  await times(wrong.length, 4, async (index) => {
    const [words, message] = wrong[index]!;
    await using client = startDeno([`--allow-net=127.0.0.1:${peer.port}`], CLIENT, {
      words: ["--port", peer.address, ...words],
      stdin: LATIN1,
    });
    assertEquals(await within("its end", client.ended, 30_000), 2, client.stderr);
    assertMatch(client.stderr, message);
    assertMatch(client.stderr, /^usage: /m);
  });
  assertEquals(peer.commands.filter((line) => !/^(EHLO|QUIT)/.test(line)), []);
});

Deno.test(`${CLIENT} sends what stands on stdin with its byte order mark`, async () => {
  await using peer = lyingServer();
  await using client = startDeno([`--allow-net=127.0.0.1:${peer.port}`], CLIENT, {
    words: ["--port", peer.address, "-"],
    stdin: encode("\ufeffGrüße\n"),
  });
  assertEquals(await within("its end", client.ended, 30_000), 0, client.stderr);
  assertEquals(peer.mails[0]!.slice(-2), [encode("\ufeffGrüße\r\n").toBase64(), "."]);
});

Deno.test(`${CLIENT} stopped by Ctrl-C in the middle of a mail sends no more of it`, async () => {
  await using peer = lyingServer({ replies: { ".": "" } });
  await using client = startDeno([`--allow-net=127.0.0.1:${peer.port}`], CLIENT, {
    words: ["--port", peer.address],
  });
  while (!peer.mails[0]?.includes(".")) await settles(new Promise(() => {}), 20);
  assertEquals(await client.stop("SIGINT"), 1);
  assertMatch(client.stderr, /^smtp_client\.ts: /m);
  assertEquals(client.stdout, "");
  assertEquals(peer.commands.at(-1), "DATA");
});
