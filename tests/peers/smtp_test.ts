/**
 * Our SMTP server with swaks, Python's smtplib, curl and Postfix as clients; our client with Postfix and aiosmtpd
 * as servers.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { createAuthority } from "../../lib/certificate.ts";
import { certificateFiles } from "../../lib/certificate_files.ts";
import { freePort, peerTest, python, temporaryFolder } from "./peers.ts";
import { Process, within } from "./process.ts";
import { pathOf } from "./scripts.ts";

/** There is no program of this package, only the module. */
const AIOSMTPD = "../lib/python3/dist-packages/aiosmtpd/__init__.py";
/** In /usr/bin, unlike postfix itself; both come with the same package. */
const POSTFIX = "mailq";

/** A folder with certificates, and one for mail. */
async function stage() {
  const folder = temporaryFolder();
  // Postfix works as a user of its own
  await Deno.chmod(folder.path, 0o755);
  const certificates = `${folder.path}/certificates`;
  await certificateFiles(certificates);
  return {
    ...folder,
    certificates,
    authority: `${certificates}/authority.pem`,
    mail: `${folder.path}/mail`,
  };
}

type Stage = Awaited<ReturnType<typeof stage>>;

/** Our server with STARTTLS, as a process with narrow flags. */
async function ourServer(at: Stage, ...words: string[]) {
  const port = freePort();
  const folders = `${at.mail},${at.certificates}`;
  const flags = [
    `--allow-net=127.0.0.1:${port}`,
    `--allow-read=${folders}`,
    `--allow-write=${folders}`,
  ];
  const start = [Deno.execPath(), "run", "--no-prompt", ...flags, pathOf("mail/smtp_server")];
  const places = ["--mails", at.mail, "--certificate", at.certificates, "--port", String(port)];
  const process = new Process([...start, ...places, "--starttls", ...words]);
  await process.stdout.line(/^listening on /);
  return { process, port, [Symbol.asyncDispose]: () => process[Symbol.asyncDispose]() };
}

/** Our client, as a process with narrow flags. */
async function send(port: number, at: Stage, ...words: string[]) {
  const flags = [`--allow-net=127.0.0.1:${port}`, `--allow-read=${at.authority}`];
  const start = [Deno.execPath(), "run", "--no-prompt", "--allow-env=SMTP_PASSWORD", ...flags];
  const options = ["--port", String(port), "--ca", at.authority, "--timeout", "50"];
  const env = { SMTP_PASSWORD: words.includes("--wrong") ? "not it" : "secret word" };
  const rest = words.filter((word) => word !== "--wrong");
  await using client = new Process([...start, pathOf("mail/smtp_client"), ...options, ...rest], {
    env,
  });
  const code = await client.end();
  return { code, stdout: client.stdout.text, stderr: client.stderr.text };
}

async function run(command: string[]) {
  await using process = new Process(command);
  const code = await process.end();
  return { code, stdout: process.stdout.text, stderr: process.stderr.text };
}

/** The mails in the folder, in order. */
function stored({ mail }: Stage): string[] {
  const names = Array.from(Deno.readDirSync(mail), ({ name }) => name).sort();
  return names.map((name) => Deno.readTextFileSync(`${mail}/${name}`));
}

const bodyOf = (mail: string) => mail.slice(mail.indexOf("\r\n\r\n") + 4);

peerTest("smtp_server takes mail of Python's smtplib", ["python3"], async () => {
  using at = await stage();
  await using server = await ourServer(at, "--size", "100000");
  const client = await run(python("smtplib_client.py", "127.0.0.1", server.port, at.authority));
  assertEquals(client.code, 0, client.stderr);
  assertEquals(JSON.parse(client.stdout), {
    ehlo: 250,
    features: ["8bitmime", "pipelining", "size", "starttls"],
    rejected: { "bob@example.com": 550 },
    noop: 250,
    rset: 250,
    verify: 252,
    large: 552,
    line: 500,
    starttls: 220,
    secure_features: ["8bitmime", "pipelining", "size"],
    unsent: {},
  });
  const mails = stored(at);
  assertEquals(mails.length, 4);
  assertEquals(bodyOf(mails[0]!), ".\r\n..\r\n.dot\r\nlast without end\r\n");
  assertMatch(mails[1]!, /with ESMTPS[^]*Grüße|with ESMTPS[^]*=\?utf-8\?/);
  assertEquals(bodyOf(mails[2]!), "Grüße\r\n");
  assertMatch(
    mails[3]!,
    /^Return-Path: <>\r\nReceived: from client\.example .*\r\n\tby \S+ with SMTP\r\n/,
  );
});

peerTest("smtp_server takes mail of swaks, over TLS and pipelined", ["swaks"], async () => {
  using at = await stage();
  await using server = await ourServer(at);
  const swaks = (...words: string[]) =>
    run([
      "/usr/bin/swaks",
      ...["--server", "127.0.0.1", "--port", String(server.port), "--timeout", "50"],
      ...["--from", "alice@example.org", "--helo", "client.example", ...words],
    ]);
  const plain = await swaks("--to", "bob@example.org", "--body", ".\\n..\\ntwo dots\\n");
  assertEquals(plain.code, 0, plain.stdout + plain.stderr);
  const secure = await swaks("--to", "bob@example.org,carol@example.org", "--tls", "--pipeline");
  assertEquals(secure.code, 0, secure.stdout + secure.stderr);
  const relay = await swaks("--to", "bob@example.com");
  assertEquals(relay.code, 24, relay.stdout); // no recipient was accepted
  assertMatch(relay.stdout, /^<\*\* 550 No relay/m);
  const mails = stored(at);
  assertEquals(mails.length, 2);
  assertMatch(bodyOf(mails[0]!), /^\.\r\n\.\.\r\ntwo dots\r\n/);
  assertMatch(mails[1]!, /^\tby localhost with ESMTPS; /m);
});

peerTest(
  "smtp_server takes mail of curl, over TLS with the certificate checked",
  ["curl"],
  async () => {
    using at = await stage();
    await using server = await ourServer(at);
    const file = `${at.path}/mail.txt`;
    const text = "Subject: by curl\r\n\r\n.\r\n..two\r\n\r\nGrüße\r\n";
    await Deno.writeTextFile(file, text);
    const curl = (host: string, to: string) =>
      run([
        ...["/usr/bin/curl", "-sS", "--max-time", "50", "--ssl-reqd", "--cacert", at.authority],
        ...["--mail-from", "alice@example.org", "--mail-rcpt", to, "--upload-file", file],
        `smtp://${host}:${server.port}/client.example`,
      ]);
    const sent = await curl("127.0.0.1", "bob@example.org");
    assertEquals(sent.code, 0, sent.stderr);
    const refused = await curl("127.0.0.1", "bob@example.com");
    assertEquals(refused.code, 55, refused.stderr);
    const [mail, ...others] = stored(at);
    assertEquals(others, []);
    assert(mail!.endsWith(`\r\n${text}`), mail);
  },
);

/** Postfix on a free port, which passes all mail for example.org on to another port. */
async function postfix(at: Stage, relay: number) {
  const port = freePort();
  const place = `${at.path}/postfix`;
  for (const name of ["etc", "queue", "data"]) {
    await Deno.mkdir(`${place}/${name}`, { recursive: true });
  }
  await new Deno.Command("chown", { args: ["postfix", `${place}/data`] }).output();
  const main = {
    compatibility_level: "3.6",
    queue_directory: `${place}/queue`,
    data_directory: `${place}/data`,
    myhostname: "postfix.example",
    mydestination: "",
    inet_interfaces: "127.0.0.1",
    inet_protocols: "ipv4",
    mynetworks: "",
    relay_domains: "example.org",
    smtpd_relay_restrictions: "reject_unauth_destination",
    relayhost: `[127.0.0.1]:${relay}`,
    maillog_file: "/dev/stdout",
    alias_maps: "",
    alias_database: "",
    relay_recipient_maps: "",
    disable_dns_lookups: "yes",
    smtp_host_lookup: "native",
    smtpd_tls_cert_file: `${at.certificates}/server.pem`,
    smtpd_tls_key_file: `${at.certificates}/server.key`,
    smtpd_tls_security_level: "may",
    // to our server TLS or nothing
    smtp_tls_security_level: "encrypt",
    smtp_tls_CAfile: at.authority,
  };
  const unix =
    "pickup cleanup qmgr tlsmgr trivial-rewrite:rewrite bounce bounce:defer bounce:trace verify proxymap smtp " +
    "smtp:relay error error:retry discard anvil scache";
  const services = unix.split(" ").map((each) => {
    const [program, name = program] = each.split(":");
    const wakeup = program === "pickup" || program === "qmgr" ? 5 : 0;
    const single = ["pickup", "qmgr", "tlsmgr", "verify", "anvil", "scache"].includes(program!);
    const open = ["pickup", "cleanup", "qmgr"].includes(program!);
    return `${name} unix ${open ? "n" : "-"} - n ${wakeup || "-"} ${single ? 1 : 0} ${program}`;
  });
  const lines = (facts: object) =>
    Object.entries(facts).map(([name, value]) => `${name} = ${value}\n`);
  await Deno.writeTextFile(`${place}/etc/main.cf`, lines(main).join(""));
  await Deno.writeTextFile(
    `${place}/etc/master.cf`,
    [
      `127.0.0.1:${port} inet n - n - - smtpd`,
      ...services,
      "postlog unix-dgram n - n - 1 postlogd",
      "",
    ].join("\n"),
  );
  const process = new Process(["/usr/sbin/postfix", "-c", `${place}/etc`, "start-fg"]);
  const end = async () => {
    try {
      const pid = await Deno.readTextFile(`${place}/queue/pid/master.pid`);
      Deno.kill(Number(pid), "SIGTERM");
      await process.end();
    } finally {
      await process[Symbol.asyncDispose]();
    }
  };
  try {
    await process.stdout.line(/daemon started/);
  } catch (error) {
    await end();
    throw error;
  }
  return { process, port, [Symbol.asyncDispose]: end };
}

peerTest("smtp_client to Postfix to smtp_server, over TLS each time", [POSTFIX], async () => {
  using at = await stage();
  await using server = await ourServer(at);
  await using relay = await postfix(at, server.port);
  const text = `.\n..\n.dot\n${"long ".repeat(400)}\nGrüße, 大きさ\n`;
  const more = ["--from", "Alice Müller <alice@example.org>", "--subject", "Grüße"];
  const plain = await send(relay.port, at, "--to", "bob@example.org", "--", "first\n.\n");
  assertEquals(plain.code, 0, plain.stderr);
  const recipients = ["bob@example.org", "carol@example.org", "dave@example.com"];
  const to = recipients.flatMap((each) => ["--to", each]);
  const secure = await send(relay.port, at, "--starttls", ...more, ...to, "--", text);
  assertEquals(secure.code, 1, secure.stderr);
  assertEquals(secure.stdout, "accepted for bob@example.org\naccepted for carol@example.org\n");
  assertMatch(
    secure.stderr,
    /refuses RCPT TO:<dave@example\.com>: 454|refuses RCPT TO:<dave@example\.com>: 554/,
  );
  assertMatch(secure.stderr, /^C: STARTTLS\nS: 220 /m);
  const nobody = await send(relay.port, at, "--to", "dave@example.com");
  assertEquals(nobody.code, 1, nobody.stderr);
  assertMatch(nobody.stderr, /nobody has got it: 1 of 1 refused/);
  const stranger = `${at.authority}.stranger`;
  const { certificate } = await createAuthority({ name: "Somebody else" });
  await Deno.writeTextFile(stranger, certificate);
  const untrusted = await send(relay.port, { ...at, authority: stranger }, "--starttls");
  assertEquals(untrusted.code, 1, untrusted.stderr);
  assertMatch(untrusted.stderr, /issued by an authority that is not trusted here/);
  // the old way, without EHLO
  const old = await send(relay.port, at, "--helo", "--", "third");
  assertEquals(old.code, 0, old.stderr);
  const arrival = new Promise<void>((resolve) => {
    const look = () => stored(at).length >= 3 ? resolve() : void setTimeout(look, 50);
    look();
  });
  await within(arrival, () => `three mails: ${relay.process.stdout.text}`);
  const mails = stored(at);
  const find = (subject: RegExp) => mails.find((mail) => subject.test(mail))!;
  assertEquals(bodyOf(find(/first/)), "first\r\n.\r\n");
  const second = find(/^Subject: =\?utf-8\?/m);
  assertMatch(second, /^Received: from postfix\.example .*\r\n\tby localhost with ESMTPS/m);
  assertMatch(second, /^From: =\?utf-8\?.*\r\n <alice@example\.org>\r$/m);
  // quoted-printable, as Python reads it
  const python3 = "import email, email.policy, sys, json\n" +
    "mail = email.message_from_binary_file(sys.stdin.buffer, policy=email.policy.default)\n" +
    "print(json.dumps([mail['subject'], mail['from'], mail['to'], mail.get_content(), len(mail.defects)]))";
  await using reader = new Process(["/usr/bin/python3", "-c", python3]);
  await reader.send(new TextEncoder().encode(second));
  await reader.send();
  assertEquals(await reader.end(), 0, reader.stderr.text);
  assertEquals(JSON.parse(reader.stdout.text), [
    "Grüße",
    "Alice Müller <alice@example.org>",
    recipients.join(", "),
    text,
    0,
  ]);
}, { ignore: Deno.uid() !== 0 && "Postfix starts as root only" });

for (const mechanism of ["PLAIN", "LOGIN"]) {
  peerTest(
    `smtp_client logs in to aiosmtpd by ${mechanism}, over TLS only`,
    ["python3", AIOSMTPD],
    async () => {
      using at = await stage();
      const port = freePort();
      const pair = [`${at.certificates}/server.pem`, `${at.certificates}/server.key`];
      await using peer = new Process(python("aiosmtpd_server.py", port, ...pair, mechanism));
      await peer.stderr.line(/^listening/);
      const words = [
        "--starttls",
        "--user",
        "alice",
        "--to",
        "jürgen@bücher.example",
        "--to",
        "nobody@example.org",
      ];
      const sent = await send(port, at, ...words, "--", ".\nGrüße");
      assertEquals(sent.code, 1, sent.stderr);
      assertEquals(sent.stdout, "accepted for jürgen@xn--bcher-kva.example\n");
      assertMatch(sent.stderr, /^There is no such mailbox at that domain\.$/m);
      const hidden = new TextEncoder().encode("secret word").toBase64();
      for (const secret of ["secret word", hidden, btoa("\0alice\0secret word")]) {
        assert(!sent.stderr.includes(secret), "the password is shown");
      }
      assertMatch(sent.stderr, mechanism === "PLAIN" ? /^C: AUTH PLAIN \*\*\*$/m : /^C: \*\*\*$/m);
      const [line] = await peer.stdout.line(/^\{.*/);
      const { mail, ...facts } = JSON.parse(line);
      assertEquals(facts.to, ["jürgen@xn--bcher-kva.example"]);
      assertEquals([facts.utf8, facts.tls, facts.login], [true, true, true]);
      const text = new TextDecoder().decode(Uint8Array.fromBase64(mail));
      assertMatch(text, /^To: jürgen@xn--bcher-kva\.example,/m);
      assert(text.endsWith("\r\n\r\n.\r\nGr=C3=BC=C3=9Fe\r\n"), text);

      const wrong = await send(port, at, "--wrong", "--starttls", "--user", "alice");
      assertEquals(wrong.code, 1);
      assertMatch(
        wrong.stderr,
        /refuses the login of alice: 535 .*\nUser name or password are not right\.$/m,
      );
      const without = await send(port, at, "--starttls");
      assertMatch(
        without.stderr,
        /: 530 .*\nThe server wants a login or TLS first: --starttls and --user\.$/m,
      );
      const clear = await send(port, at, "--user", "alice");
      assertEquals(clear.code, 2);
      assertMatch(clear.stderr, /a password never goes in clear text/);
    },
  );
}
