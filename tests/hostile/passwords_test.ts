/**
 * No password on the screen of a server or client, however clumsily it is sent, or whoever repeats it.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { accepted } from "../../lib/accept.ts";
import { Dialogue } from "../../lib/mail_dialogue.ts";
import { SocketReader } from "../../lib/reader.ts";
import { SmtpSession } from "../../lib/smtp_session.ts";
import { logIn } from "../../scripts/mail/smtp_client.ts";
import { decode, encode, readAll } from "../lib/helpers.ts";
import { ENVIRONMENT, startDeno, startScript } from "./script.ts";
import { AT_ONCE, settles, until, within } from "./waits.ts";

const SECRET = "swordfish";
const BASE64 = encode(`\0student\0${SECRET}`).toBase64();
ENVIRONMENT.IMAP_PASSWORD = "another";
ENVIRONMENT.POP3_PASSWORD = "another";
ENVIRONMENT.FTP_PASSWORD = SECRET;

/** Telnet commands, in between, of which a client of FTP may send some; each character is a byte. */
const TELNET = "\xff\xf4\xff\xf2";

const SERVERS = [
  {
    ...{ path: "scripts/remote/ftp_server.ts", port: "2121", folder: "ftp", option: "--root" },
    login: ["PASS $", "pass $", "PASS\t$", " PASS $", "PASS:$", "PASSWORD $", "ACCT $", "AUTH $"],
    odd: [
      `${TELNET}PASS $`,
      `PA${TELNET}SS $`,
      "USER student $",
      "USER a\r\nPSAS $",
      "NOOP\rPASS $",
    ],
    harmless: "RETR passwords",
  },
  {
    ...{ path: "scripts/mail/pop3_server.ts", port: "1110", folder: "mail", option: "--mails" },
    login: ["PASS $", "pass $", "PASS\t$", " PASS $", "PASS$", "APOP student $", "AUTH PLAIN $"],
    odd: [`${TELNET}PASS $`, "USER student $", "USER a\r\n$", "USER a\r\npwd $", "NOOP\rPASS $"],
    harmless: "RETR auth",
  },
  {
    ...{ path: "scripts/mail/imap_server.ts", port: "1143", folder: "mail", option: "--mails" },
    login: ["a LOGIN student $", "a login x $", 'a  LOGIN "x" "$"', "LOGIN x $", " a LOGIN x $"],
    odd: [
      "a\tLOGIN x $",
      "a LOGIN {1+}\r\nx $",
      '"a" LOGIN x $',
      "a AUTHENTICATE PLAIN\r\n$",
      "PASS $",
    ],
    harmless: "a SEARCH TEXT login",
  },
  {
    ...{ path: "scripts/mail/smtp_server.ts", port: "2525", folder: "mail", option: "--mails" },
    login: ["AUTH PLAIN $", "auth login $", " AUTH PLAIN $", "AUTH\tPLAIN $", "PASS $"],
    odd: ["AUTH LOGIN\r\nc3R1ZGVudA==\r\n$", `${TELNET}AUTH PLAIN $`, "USER a\r\n$"],
    harmless: "VRFY password",
  },
];

for (const { path, port, folder, option, login, odd, harmless } of SERVERS) {
  Deno.test(`${path} shows no password, however it is sent`, async () => {
    const root = Deno.makeTempDirSync({ prefix: "hostile-" });
    await using server = startScript(path, {
      words: [
        "--port",
        "0",
        option,
        `${root}/${folder}`,
        ...(folder === "ftp" ? ["--samples"] : []),
      ],
      flags: (flag) =>
        flag.replace(`127.0.0.1:${port}`, "127.0.0.1:0").replace(
          `/tmp/${folder}`,
          `${root}/${folder}`,
        ),
    });
    if (folder === "mail") await Deno.mkdir(`${root}/mail`, { recursive: true });
    const address = await server.printed(/^listening on 127\.0\.0\.1:(.+)$/m);
    // one connection for each: the server ends it after some mistakes
    for (const said of [...login, ...odd, harmless]) {
      using connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(address) });
      const answers = readAll(connection);
      const text = `${said.replaceAll("$", SECRET)}\r\n${said.replaceAll("$", BASE64)}\r\n`;
      await connection.write(Uint8Array.from(text, (character) => character.charCodeAt(0)));
      await connection.closeWrite();
      assert(decode(await answers).length > 0);
      // what is not understood is told as it is, when nobody logs in
      if (said !== harmless) continue;
      await until(() => server.stderr, () => server.stderr.includes(harmless), 20_000);
    }
    assertEquals(await server.stop("SIGTERM"), 0);
    for (const secret of [SECRET, BASE64]) {
      assert(!server.stderr.includes(secret), `${server.stderr}`);
    }
    assertMatch(server.stderr, /\*\*\*/);
    Deno.removeSync(root, { recursive: true });
  });
}

/** A server that answers each line of one client. */
function answering(greeting: string, answer: (line: string) => string) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const connection of accepted(listener)) {
      using _closed = connection;
      await connection.write(encode(greeting));
      for await (const line of new SocketReader(connection)) {
        await connection.write(encode(`${answer(line)}\r\n`));
      }
    }
  })().catch(() => {});
  return {
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await settles(serving, AT_ONCE);
    },
  };
}

Deno.test("ftp_client shows no password that a server repeats", async () => {
  for (const repeated of ["530 what is $?", "530-$\r\n530 $", "$ is not it", "230 welcome, $"]) {
    await using server = answering("220 hello\r\n", (line) => {
      if (line.startsWith("USER")) return "331 password";
      if (line === "QUIT") return "221 bye";
      return line === `PASS ${SECRET}` ? repeated.replaceAll("$", SECRET) : "500 what";
    });
    await using client = startDeno(
      ["--allow-net=127.0.0.1", "--allow-env=FTP_PASSWORD"],
      "scripts/remote/ftp_client.ts",
      { words: [`127.0.0.1:${server.port}`, "ls", "--user", "student"] },
    );
    assertEquals(await within("its end", client.ended, 40_000), 1);
    assert(!(client.stdout + client.stderr).includes(SECRET), client.stderr);
    assertMatch(client.stderr, /^C: PASS \*\*\*$/m);
    assertMatch(client.stderr, /^S: (530|230)?.*\*\*\*/m);
  }
});

Deno.test("imap_client shows no password that a server repeats, even as a tag", async () => {
  for (const repeated of ["$ OK", "* OK $", "* BYE $", "% NO $", "% BAD [$] $", "+ $", "$"]) {
    await using server = answering("* OK [CAPABILITY IMAP4rev1] hello\r\n", (line) => {
      const [tag, verb] = line.split(" ");
      return verb === "LOGIN"
        ? repeated.replaceAll("$", SECRET).replace("%", tag!)
        : `${tag} BAD no`;
    });
    const flags = [`--allow-net=127.0.0.1:${server.port}`, "--allow-env=IMAP_PASSWORD"];
    await using client = startDeno(flags, "scripts/mail/imap_client.ts", {
      words: ["--port", String(server.port), "--headers"],
      env: { IMAP_PASSWORD: SECRET },
    });
    // what is only said in between is no end: it waits for one
    if (repeated === "* OK $") {
      await until(() => client.stderr, () => client.stderr.includes("S: * OK *"), 40_000);
    } else assertEquals(await within("its end", client.ended, 40_000), 1);
    assert(!(client.stdout + client.stderr).includes(SECRET), client.stderr);
    assertMatch(client.stderr, /^S: .*\*\*\*/m);
  }
});

/** As if TLS were spoken, without which it gives no password. */
class Secured extends SmtpSession {
  override get secure(): boolean {
    return true;
  }
}

Deno.test("smtp_client shows no password that a server repeats", async () => {
  for (const repeated of ["535 what is $?", "535-$\r\n535 $", "$ is not it", "421 no $ here"]) {
    const base64 = encode(`\0student\0${SECRET}`).toBase64();
    for (const form of [SECRET, base64]) {
      await using server = answering("", () => repeated.replaceAll("$", form));
      const connection = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
      const shown: string[] = [];
      const dialogue = new Dialogue({ print: (line) => shown.push(line) });
      using session = new Secured(connection, { hostname: "127.0.0.1", dialogue });
      session.extensions = new Map([["AUTH", "PLAIN"]]);
      const error = await logIn(session, "student", SECRET).catch((error) => error);
      const told = [...shown, String(error), JSON.stringify(error.explanation ?? {})].join("\n");
      assert(!told.includes(form), told);
      assertMatch(told, /C: AUTH PLAIN \*\*\*/);
    }
  }
});
