/**
 * The SMTP server under siege, and against clients that want more than it gives.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { SocketReader } from "../../lib/reader.ts";
import { readSmtpReply } from "../../lib/smtp_reply.ts";
import { encode } from "../lib/helpers.ts";
import { attacks, type Target, tcpTarget } from "./attacks.ts";
import { memory, openFiles, startScript } from "./script.ts";
import { besiege, type Place, starve, type Subject } from "./siege.ts";
import { times, until, within } from "./waits.ts";

const SERVER = "scripts/mail/smtp_server.ts";

/** A port, and a folder for the mail. */
function somewhere(...words: string[]): Place & { folder: string } {
  const folder = Deno.makeTempDirSync({ prefix: "hostile-" });
  const at = (port: string) => ({
    words: ["--port", port, "--mails", `${folder}/mail`, ...words],
    flags: (flag: string) =>
      flag.replace("127.0.0.1:2525", `127.0.0.1:${port}`).replace("/tmp/mail", `${folder}/mail`),
    at,
    folder: `${folder}/mail`,
    [Symbol.dispose]: () => Deno.removeSync(folder, { recursive: true }),
  });
  return at("0");
}

/** A client by hand: one command, one reply. */
class Client implements Disposable {
  readonly #reader: SocketReader;

  constructor(readonly connection: Deno.Conn) {
    this.#reader = new SocketReader(connection);
  }

  static async greeted(target: Target): Promise<Client> {
    const client = new Client(await target.dial());
    assertEquals((await client.reply()).code, 220);
    assertEquals((await client.ask("EHLO client.example")).code, 250);
    return client;
  }

  /** In the middle of a mail: the server waits for its lines. */
  static async inData(target: Target): Promise<Client> {
    const client = await Client.greeted(target);
    await client.begin();
    return client;
  }

  async begin(): Promise<void> {
    assertEquals((await this.ask("MAIL FROM:<alice@example.org>")).code, 250);
    assertEquals((await this.ask("RCPT TO:<bob@example.org>")).code, 250);
    assertEquals((await this.ask("DATA")).code, 354);
  }

  reply() {
    return readSmtpReply(this.#reader);
  }

  async say(text: string | Uint8Array): Promise<void> {
    const bytes = typeof text === "string" ? encode(text) : text;
    for (let sent = 0; sent < bytes.length;) {
      sent += await this.connection.write(bytes.subarray(sent));
    }
  }

  async ask(command: string) {
    await this.say(`${command}\r\n`);
    return await this.reply();
  }

  /** The codes of commands. */
  async codes(...commands: string[]): Promise<number[]> {
    const codes: number[] = [];
    for (const command of commands) codes.push((await this.ask(command)).code);
    return codes;
  }

  async ended(): Promise<void> {
    assertEquals(await within("the end", this.connection.read(new Uint8Array(1))), null);
  }

  [Symbol.dispose](): void {
    this.connection.close();
  }
}

const done = async (work: Promise<unknown>) => void await work;

const server: Subject<Target> = {
  path: SERVER,
  target: (address) => tcpTarget(Number(address)),
  async goodClient(target) {
    using client = await Client.inData(target);
    assertEquals(await client.codes("Subject: x\r\n\r\n..x\r\n.", "QUIT"), [250, 221]);
  },
  idleClient: (target) => target.dial(),
  taken:
    /^smtp_server\.ts: cannot listen on 127\.0\.0\.1.*: another program has that address already$/m,
  attacks: {
    ...attacks,
    "clients leave in the middle of a mail": (target) =>
      done(times(20, 10, async (index) => {
        using client = await Client.inData(target);
        await client.say(".".repeat(index * 10));
        if (index % 2 === 0) await client.connection.closeWrite();
      })),
    "a mail's line never ends, nor does the mail": (target) =>
      done(times(2, 2, async (index) => {
        using client = await Client.inData(target);
        const piece = encode(index === 0 ? "x".repeat(65_536) : "xxxxxxx\r\n".repeat(7_000));
        const flooding = async () => {
          for (let sent = 0; sent < 64 * 1024 * 1024; sent += piece.length) await client.say(piece);
        };
        const error = await within("the server's end of it", flooding().catch((error) => error));
        assert(error instanceof Error, "64 MiB were taken");
      })),
    "200 clients send mail at once": (target) =>
      done(times(200, 200, () => server.goodClient(target))),
  },
};

besiege(server, () => somewhere());
starve(server, () => somewhere());

/** What is stored, without the two fields of the server, in order. */
function storedIn(folder: string): string[] {
  const names = Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
  assertEquals(names.filter((name) => !/^\d{8}T[\w.-]+\.eml$/.test(name)), []);
  return names.map((name) =>
    Deno.readTextFileSync(`${folder}/${name}`).split("\r\n").slice(4).join("\r\n")
  );
}

Deno.test(`${SERVER} takes what is right, and nothing else`, async (test) => {
  using place = somewhere("--size", "100000");
  await using script = startScript(SERVER, place);
  const target = server.target(await script.printed(/^listening on 127\.0\.0\.1:(.+)$/m));
  const { folder } = place;
  const clear = () => {
    for (const { name } of Deno.readDirSync(folder)) Deno.removeSync(`${folder}/${name}`);
  };

  await test.step("it passes nothing on for strangers", async () => {
    using client = await Client.greeted(target);
    assertEquals(await client.codes("MAIL FROM:<alice@example.org>"), [250]);
    const relayed = [
      ..."bob@example.com bob@sub.example.org bob@example.org.example.com bob@[127.0.0.1]".split(
        " ",
      ),
      ...[
        "@example.org:bob@example.com",
        "bob@example.com@example.net",
        '"bob@example.org"@example.com',
      ],
    ];
    for (const address of relayed) {
      const { code, text } = await client.ask(`RCPT TO:<${address}>`);
      assert(code === 550 || code === 553, `${address}: ${text}`);
    }
    assertEquals((await client.ask("DATA")).code, 503);
    const own = ["bob%example.com@example.org", "Postmaster", "@example.com:bob@EXAMPLE.org"];
    for (const address of own) assertEquals((await client.ask(`RCPT TO:<${address}>`)).code, 250);
  });

  await test.step("commands in the wrong order, or written wrongly", async () => {
    using client = new Client(await target.dial());
    await client.reply();
    assertEquals(await client.codes("NOOP\t", "NOOP \t \t", "VRFY bob\t", "NOOP\r"), [
      ...[250, 250, 252, 501],
    ]);
    const early = ["MAIL FROM:<a@example.org>", "RCPT TO:<a@example.org>", "DATA", "HELO", "EHLO"];
    assertEquals(await client.codes(...early), [503, 503, 503, 501, 501]);
    assertEquals(await client.codes("helo x", "noop", "VRFY bob", "HELP", "EXPN x", "RSET"), [
      ...[250, 250, 252, 214, 502, 250],
    ]);
    using other = await Client.greeted(target);
    const wrong = {
      "MAIL FROM:alice@example.org": 501,
      "MAIL TO:<alice@example.org>": 501,
      "MAIL FROM:<alice>": 553,
      "MAIL FROM:<ülice@example.org>": 553,
      "MAIL FROM:<a@example.org> SIZE=100001": 552,
      "MAIL FROM:<a@example.org> SIZE=x": 555,
      "MAIL FROM:<a@example.org> SIZE=1 SIZE=2": 501,
      "MAIL FROM:<a@example.org> SMTPUTF8": 555,
      "MAIL FROM:<a@example.org> BODY=BINARYMIME": 555,
      "MAIL FROM: <a@example.org> size=99 body=8bitmime \t": 250,
      "MAIL FROM:<b@example.org>": 503,
      "RCPT TO:<b@example.org> NOTIFY=NEVER": 555,
      "RCPT TO:<b@example.org>\t": 250,
      "DATA now": 501,
      "STARTTLS": 502,
      "AUTH PLAIN AGEAYg==": 500,
      "RSET": 250,
      "DATA": 503,
      "MAIL FROM:<>": 250,
    };
    for (const [command, code] of Object.entries(wrong)) {
      assertEquals((await other.ask(command)).code, code, command);
    }
  });

  await test.step("lines that are too long, and control characters, in commands", async () => {
    using client = await Client.greeted(target);
    assertEquals(await client.codes(`NOOP ${"x".repeat(507)}`), [250]);
    for (const length of [1_100, 5_000, 200_000]) {
      assertEquals(await client.codes("x".repeat(length), "NOOP"), [500, 250]);
    }
    assertEquals(
      await client.codes("NO\0OP", "NOOP\0", "NOOP a\rNOOP b", "NOOP a\nNOOP b", "\x1b[2J"),
      [
        ...[501, 501, 501, 501, 501],
      ],
    );
    // a byte that is no UTF-8
    await client.say(Uint8Array.of(78, 79, 79, 80, 32, 255, 13, 10));
    assertEquals((await client.reply()).code, 501);
    assertEquals(await client.codes("NOOP", "constructor", "__proto__", "toString x"), [
      250,
      500,
      500,
      500,
    ]);
  });

  await test.step("a bare CR or LF ends nothing: no second mail is smuggled in", async () => {
    const ends = [
      "\n.\n",
      "\n.\r\n",
      "\r\n.\n",
      "\r.\r\n",
      "\r\n.\r",
      "\r.\r",
      "\r\n.\r\r\n",
      "\n\n.\r\n",
    ];
    for (const end of ends) {
      clear();
      using client = await Client.inData(target);
      const smuggled =
        `MAIL FROM:<boss@example.org>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\nforged`;
      await client.say(`Subject: first\r\n\r\none${end}${smuggled}\r\n.\r\n`);
      assertEquals((await client.reply()).code, 550, JSON.stringify(end));
      assertEquals(await client.codes("NOOP", "QUIT"), [250, 221]);
      assertEquals(storedIn(folder), []);
    }
    using client = await Client.inData(target);
    assertEquals(await client.codes("a\0b\r\n."), [550]);
  });

  await test.step("mails and lines of the longest length are taken, longer ones refused", async () => {
    clear();
    using client = await Client.greeted(target);
    const longest = `${".".repeat(998)}\r\n`;
    const send = async (mail: string) => {
      await client.begin();
      return await client.codes(`${mail.replace(/^\./gm, "..")}.`);
    };
    assertEquals(await send(longest), [250]);
    assertEquals(await send(`.${longest}`), [500]);
    assertEquals(await send(`${"x".repeat(100_000)}\r\n`), [500]);
    assertEquals(await send(longest.repeat(100)), [250]);
    assertEquals(await send(`x${longest.repeat(100)}`.replace("x..", "x.").slice(1) + "x\r\n"), [
      552,
    ]);
    assertEquals(await send(""), [250]);
    assertEquals(storedIn(folder), [longest, longest.repeat(100), ""]);
  });

  await test.step("what comes cut at every byte, or all at once, is one mail each time", async () => {
    clear();
    const all =
      "MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\nx\r\n..y\r\n.\r\nRSET\r\n";
    using client = await Client.greeted(target);
    // pipelined, and what follows DATA comes before its 354
    for (const sayIt of [(text: string) => client.say(text), sayByBytes(client)]) {
      await sayIt(all);
      const codes: number[] = [];
      while (codes.length < 5) codes.push((await client.reply()).code);
      assertEquals(codes, [250, 250, 354, 250, 250]);
    }
    assertEquals(storedIn(folder), ["x\r\n.y\r\n", "x\r\n.y\r\n"]);
  });

  await test.step("recipients are limited, and mistakes, and HTTP ends it at once", async () => {
    using client = await Client.greeted(target);
    await client.ask("MAIL FROM:<a@example.org>");
    const commands = Array.from({ length: 101 }, (_, index) => `RCPT TO:<b${index}@example.org>`);
    assertEquals((await client.codes(...commands)).slice(98), [250, 250, 452]);
    using fool = new Client(await target.dial());
    await fool.reply();
    let tries = 1;
    while ((await fool.ask("FOO")).code !== 421) tries++;
    assertEquals(tries, 20);
    await fool.ended();
    using browser = new Client(await target.dial());
    await browser.reply();
    await browser.say(
      "POST / HTTP/1.1\r\nHost: localhost\r\n\r\nEHLO x\r\nMAIL FROM:<a@example.org>\r\n",
    );
    assertEquals((await browser.reply()).code, 421);
    await browser.ended().catch(() => {});
  });

  await test.step("many mails of empty lines take no more memory than their bytes", async () => {
    clear();
    const before = memory(script.pid);
    const clients: Client[] = [];
    while (clients.length < 40) clients.push(await Client.inData(target));
    // kept line by line, each would take a hundred times its two bytes
    const lines = encode("\r\n".repeat(49_000));
    await Promise.all(clients.map((client) => client.say(lines)));
    for (const client of clients) assertEquals(await client.codes("."), [250]);
    const growth = memory(script.pid) - before;
    for (const client of clients) client[Symbol.dispose]();
    assert(growth < 64 * 1024 * 1024, `grew by ${growth} bytes for 4 MB`);
    assertEquals(storedIn(folder), Array(40).fill("\r\n".repeat(49_000)));
  });

  await test.step("a name in HELO does not get into the mail's fields", async () => {
    clear();
    using client = new Client(await target.dial());
    await client.reply();
    await client.ask("EHLO x by evil; (");
    await client.begin();
    await client.ask("x\r\n.");
    const [{ name }] = [...Deno.readDirSync(folder)] as [Deno.DirEntry];
    assertMatch(
      Deno.readTextFileSync(`${folder}/${name}`),
      /^Return-Path: <alice@example\.org>\r\nReceived: from unknown \(\[127\.0\.0\.1\]\)\r\n\tby /,
    );
  });

  await test.step("who cannot be stored for is told to come again", async () => {
    clear();
    Deno.removeSync(folder);
    Deno.writeTextFileSync(folder, "");
    using client = await Client.inData(target);
    assertEquals(await client.codes("x\r\n.", "NOOP"), [451, 250]);
    assertStringIncludes(script.stderr, "cannot store a mail in ");
  });

  assertEquals(/^ +at .*|.*(?:ncaught|Error:).*/m.exec(script.stderr)?.[0], undefined);
  const waiting = await Client.greeted(target);
  const stopping = script.stop("SIGTERM");
  assertEquals((await waiting.reply()).code, 421);
  waiting[Symbol.dispose]();
  assertEquals(await stopping, 0);
});

function sayByBytes(client: Client): (text: string) => Promise<void> {
  return async (text) => {
    for (const each of text) await client.say(each);
  };
}

Deno.test(`${SERVER} serves on when clients misbehave in STARTTLS`, async () => {
  using place = somewhere("--starttls");
  const certificates = `${place.folder}-certificates`;
  await using script = startScript(SERVER, {
    words: [...place.words, "--certificate", certificates],
    flags: (flag) =>
      place.flags(flag).replace(/^(--allow-(?:read|write)=.*)$/, `$1,${certificates}`),
  });
  const target = server.target(await script.printed(/^listening on 127\.0\.0\.1:(.+)$/m));
  const files = openFiles(script.pid);
  const clientHello = Uint8Array.of(22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3);
  const next: ((client: Client) => Promise<unknown>)[] = [
    () => Promise.resolve(),
    (client) => client.say(clientHello),
    (client) => client.say("MAIL FROM:<alice@example.org>\r\n".repeat(20)),
    (client) => client.say(crypto.getRandomValues(new Uint8Array(5_000))).catch(() => {}),
    (client) => client.connection.closeWrite(),
  ];
  await times(200, 50, async (index) => {
    using client = await Client.greeted(target);
    assertEquals((await client.ask("STARTTLS")).code, 220);
    await next[index % next.length]!(client);
    // half of them stay until the server has ended it, but for those whose silence it would wait for
    if (index % 2 === 0 && index % next.length > 1) {
      await within("the end", client.connection.read(new Uint8Array(1_000)).catch(() => null));
    }
  });
  await within("a good client's answer", server.goodClient(target));
  await until(() => "files stay open", () => openFiles(script.pid) === files);
  assertEquals(/^ +at .*|.*(?:ncaught|Error:).*/m.exec(script.stderr)?.[0], undefined);
  assertEquals(await script.stop("SIGINT"), 0);
});

Deno.test(`${SERVER} has on the disk what it has answered with 250 when it is killed`, async () => {
  using place = somewhere();
  await using script = startScript(SERVER, place);
  const target = server.target(await script.printed(/^listening on 127\.0\.0\.1:(.+)$/m));
  const answered: string[] = [];
  const sending = times(20, 20, async (index) => {
    try {
      using client = await Client.greeted(target);
      for (let mail = 0; mail < 50; mail++) {
        await client.begin();
        const text = `mail ${index} ${mail}\r\n`;
        const { code } = await client.ask(`${text}.`);
        if (code === 250) answered.push(text);
        if (answered.length === 100) Deno.kill(script.pid, "SIGKILL");
      }
    } catch {
      // it was killed in the middle
    }
  });
  await sending;
  await script.ended;
  assert(answered.length >= 100);
  const kept = Array.from(Deno.readDirSync(place.folder), ({ name }) => name)
    .filter((name) => !name.startsWith("."))
    .map((name) => Deno.readTextFileSync(`${place.folder}/${name}`));
  for (const mail of kept) assertMatch(mail, /^Return-Path: [^]*\r\nmail \d+ \d+\r\n$/);
  const texts = new Set(kept.map((mail) => mail.split("\r\n").at(-2)));
  for (const text of answered) assert(texts.has(text.trimEnd()), `${text} is lost`);
});

Deno.test(`${SERVER} ends with 2 when a domain or a size is none`, async () => {
  for (const words of [["--domain", "a b"], ["--domain", "x\r\n250 y"], ["--size", "0"]]) {
    using place = somewhere(...words);
    await using script = startScript(SERVER, place);
    assertEquals(await within("its end", script.ended, 30_000), 2, script.stderr);
    assertMatch(script.stderr, /is no domain|at least 1 byte/);
  }
});

Deno.test(`${SERVER} takes mail for the domains that it is told, and for no other`, async () => {
  using place = somewhere("--domain", "Example.COM", "--domain", "bücher.example");
  await using script = startScript(SERVER, place);
  const target = server.target(await script.printed(/^listening on 127\.0\.0\.1:(.+)$/m));
  using client = await Client.greeted(target);
  const to = ["example.com", "xn--bcher-kva.example", "BÜCHER.example", "example.org"];
  const commands = to.map((domain) => `RCPT TO:<bob@${domain}>`);
  assertEquals(await client.codes("MAIL FROM:<>", ...commands), [250, 250, 250, 250, 550]);
});
