import { assert, assertEquals, assertMatch } from "@std/assert";
import { certificateFiles } from "../../lib/certificate_files.ts";
import { Dialogue } from "../../lib/mail_dialogue.ts";
import { joined } from "../../lib/mail_lines.ts";
import { SocketReader } from "../../lib/reader.ts";
import { SmtpSession } from "../../lib/smtp_session.ts";
import { hello, logIn, secure, sendMail } from "../../scripts/mail/smtp_client.ts";
import { serveMail } from "../../scripts/mail/smtp_server.ts";
import { serveUpgradable } from "../../lib/upgradable.ts";
import { decode, encode } from "./helpers.ts";

const folder = Deno.makeTempDirSync({ prefix: "smtp-" });
const { server: own } = await certificateFiles(folder);
const { server: elsewhere } = await certificateFiles(`${folder}/elsewhere`, {
  names: ["mail.example.org"],
});
const authority = `${folder}/authority.pem`;
const identity = { cert: own.certificate, key: own.key };
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

const ANY = { hostname: "127.0.0.1", port: 0 } as const;

async function sessionWith(
  addr: Deno.Addr,
  timeout = 5_000,
): Promise<SmtpSession & { shown: string[] }> {
  const { port } = addr as Deno.NetAddr;
  const shown: string[] = [];
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const dialogue = new Dialogue({ print: (line) => shown.push(line) });
  const session = new SmtpSession(connection, { hostname: "127.0.0.1", dialogue, timeout });
  await session.reply("the connection");
  return Object.assign(session, { shown });
}

function start(patience?: number) {
  const stored: string[] = [];
  const store = (pieces: Uint8Array[]) =>
    Promise.resolve({ name: `${stored.push(decode(joined(pieces)))}` });
  const onError = () => {};
  return serveMail({ ...ANY, onError }, { store, identity, patience, log: () => {} })
    .then((server) => Object.assign(server, { stored }));
}

Deno.test("a mail over TLS arrives, and the server begins anew after STARTTLS", async () => {
  await using server = await start();
  using session = await sessionWith(server.addr);
  await hello(session);
  assert(session.extensions.has("STARTTLS"));
  await secure(session, authority);
  assert(!session.extensions.has("STARTTLS"));
  assertEquals((await session.ask("STARTTLS")).code, 503);
  const mail = encode("Subject: x\r\n\r\n.\r\n");
  await sendMail(session, { from: "alice@example.org", to: ["bob@example.org"], mail });
  await session.quit();
  assertMatch(server.stored[0]!, /with ESMTPS\r\n[^]*Subject: x\r\n\r\n\.\r\n$/);
});

Deno.test("what was said before STARTTLS is forgotten, the sender too", async () => {
  await using server = await start();
  using session = await sessionWith(server.addr);
  await hello(session);
  await session.must("MAIL FROM:<mallory@example.org>", 250);
  await session.must("STARTTLS", 220);
  await session.startTls([Deno.readTextFileSync(authority)]);
  assertEquals((await session.ask("RCPT TO:<bob@example.org>")).code, 503);
  assertEquals((await session.ask("MAIL FROM:<alice@example.org>")).code, 503);
});

Deno.test("the server ends it when something stands behind STARTTLS in clear text", async () => {
  await using server = await start();
  using session = await sessionWith(server.addr);
  await session.say("EHLO x", "STARTTLS", "MAIL FROM:<mallory@example.org>");
  await session.reply("EHLO x");
  const error = await session.reply("STARTTLS").catch((error) => error);
  assertMatch(error.message, /421 STARTTLS is said alone/);
});

/** A server by hand that offers STARTTLS and then says something of its own. */
function lying(answer: string, shows = identity) {
  return serveUpgradable({ ...ANY, onError: () => {} }, async (connection) => {
    const say = (text: string) => connection.write(encode(`${text}\r\n`));
    await say("220 hello");
    for await (const line of new SocketReader(connection)) {
      if (line.startsWith("EHLO")) await say("250-x\r\n250-STARTTLS\r\n250 AUTH PLAIN");
      else if (line === "STARTTLS") {
        await say(answer);
        break;
      }
    }
    await connection.startTls(shows);
    await new SocketReader(connection).readLine();
  });
}

async function failure(server: Awaited<ReturnType<typeof lying>>, ca = authority): Promise<string> {
  using session = await sessionWith(server.addr);
  await hello(session);
  const error = await secure(session, ca).catch((error) => error);
  assert(error instanceof Error, "it was taken");
  await session.quit();
  // nothing more goes in clear text
  assertEquals(session.shown.at(-1)!.startsWith("C: MAIL"), false);
  return error.message;
}

Deno.test("the client takes no reply that came in clear text behind the go-ahead for one over TLS", async () => {
  await using server = await lying("220 go on\r\n250 injected");
  assertMatch(await failure(server), /said more than its go-ahead/);
});

Deno.test("the client sends nothing to a server that refuses TLS, or shows what is not trusted", async () => {
  {
    await using server = await lying("454 not now");
    assertMatch(await failure(server), /refuses STARTTLS: 454 not now/);
  }
  {
    await using server = await lying("220 go on");
    assertMatch(await failure(server, `${folder}/elsewhere/authority.pem`), /cannot agree on TLS/);
  }
  {
    // for another name
    const { certificate, key } = elsewhere;
    await using server = await lying("220 go on", { cert: certificate, key });
    assertMatch(await failure(server, `${folder}/elsewhere/authority.pem`), /cannot agree on TLS/);
  }
});

Deno.test("the client says no password without TLS", async () => {
  await using server = await lying("220 go on");
  using session = await sessionWith(server.addr);
  await hello(session);
  const error = await logIn(session, "alice", "secret").catch((error) => error);
  assertMatch(error.message, /a password goes over TLS only/);
  assertEquals(session.shown.filter((line) => line.includes("AUTH") && line.startsWith("C:")), []);
});

Deno.test("the server says goodbye to who is silent, or sends a command byte by byte", async () => {
  await using server = await start(400);
  using silent = await sessionWith(server.addr);
  const error = await silent.reply("nothing").catch((error) => error);
  assertMatch(error.message, /421 You were silent for too long/);
  const { port } = server.addr as Deno.NetAddr;
  using slow = await Deno.connect({ hostname: "127.0.0.1", port });
  const heard = new SocketReader(slow).readAll();
  let gone = false;
  heard.finally(() => gone = true).catch(() => {});
  while (!gone) {
    await slow.write(encode("x")).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assertMatch(decode(await heard), /^220 .*\r\n421 You were silent for too long\r\n$/);
});
