/** The lessons about TLS with OpenSSL and Python on the other side. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { freePort, peerTest, startPeer, temporaryFolder } from "./peers.ts";
import { Process } from "./process.ts";
import { pathOf } from "./scripts.ts";
import { createAuthority, issueCertificate } from "../../lib/certificate.ts";

const encode = (text: string) => new TextEncoder().encode(text);

function deno(script: string, flags: string[], ...words: string[]): string[] {
  return [Deno.execPath(), "run", "--no-prompt", ...flags, pathOf(script), ...words];
}

async function startServer(folder: string) {
  const port = freePort();
  const flags = [`net=127.0.0.1:${port}`, `read=${folder}`, `write=${folder}`].map((grant) =>
    `--allow-${grant}`
  );
  const words = ["--port", String(port), "--folder", folder];
  const process = new Process(deno("tls/echo_server", flags, ...words));
  await process.stdout.line(/^listening on/);
  return { process, port, [Symbol.asyncDispose]: () => process[Symbol.asyncDispose]() };
}

/** Runs `openssl s_client` with a line to send; gives all that it prints. */
async function openssl(port: number, folder: string, ...words: string[]) {
  const trust = ["-CAfile", `${folder}/authority.pem`, "-verify_return_error"];
  const place = ["-connect", `127.0.0.1:${port}`];
  await using process = new Process([
    "openssl",
    "s_client",
    ...place,
    ...trust,
    "-ign_eof",
    ...words,
  ]);
  await process.send(encode("a line from openssl\n"));
  // s_client keeps the connection: the server's echo is the end of the test
  const echoed = process.stdout.line(/^a line from openssl$/).then(() => true, () => false);
  const good = await echoed;
  if (good) process.signal("SIGTERM");
  await process.end();
  return { good, text: process.stdout.text + process.stderr.text };
}

for (const [version, name] of [["-tls1_2", "TLSv1.2"], ["-tls1_3", "TLSv1.3"]] as const) {
  peerTest(`tls/echo_server talks ${name} with openssl, which finds its certificate good`, [
    "openssl",
  ], async () => {
    using folder = temporaryFolder();
    await using server = await startServer(folder.path);
    const words = [version, "-verify_hostname", "localhost", "-alpn", "echo"];
    const { good, text } = await openssl(server.port, folder.path, ...words);
    assertEquals(good, true, text);
    assertMatch(text, /Verify return code: 0 \(ok\)/);
    assertMatch(text, new RegExp(`New, ${name}`));
    assertMatch(text, /ALPN protocol: echo/);
  });
}

peerTest(
  "openssl refuses tls/echo_server's certificate for another name, or of another authority",
  ["openssl"],
  async () => {
    using folder = temporaryFolder();
    await using server = await startServer(folder.path);
    const other = await openssl(server.port, folder.path, "-verify_hostname", "example.org");
    assertEquals(other.good, false);
    assertMatch(other.text, /hostname mismatch/i);
    await Deno.writeTextFile(`${folder.path}/authority.pem`, (await createAuthority()).certificate);
    const stranger = await openssl(server.port, folder.path);
    assertEquals(stranger.good, false);
    assertMatch(stranger.text, /unable to get local issuer|self-signed certificate/);
  },
);

peerTest("tls/echo_server refuses TLS 1.1, which openssl offers", ["openssl"], async () => {
  using folder = temporaryFolder();
  await using server = await startServer(folder.path);
  // without @SECLEVEL=0 openssl would not even offer it
  const { good, text } = await openssl(
    server.port,
    folder.path,
    "-tls1_1",
    "-cipher",
    "ALL@SECLEVEL=0",
  );
  assertEquals(good, false);
  assertMatch(text, /alert (?:protocol version|handshake failure)/);
});

peerTest("tls/echo_server serves Python's ssl with default checks", ["python3"], async () => {
  using folder = temporaryFolder();
  await using server = await startServer(folder.path);
  const program = `import socket, ssl
context = ssl.create_default_context(cafile="${folder.path}/authority.pem")
with socket.create_connection(("127.0.0.1", ${server.port})) as tcp:
    with context.wrap_socket(tcp, server_hostname="localhost") as s:
        data = bytes(range(256)) * 2000
        import threading
        threading.Thread(target=lambda: (s.sendall(data))).start()
        got = b""
        while len(got) < len(data): got += s.recv(65536)
        print(got == data, s.version())`;
  await using process = new Process(["python3", "-c", program]);
  assertEquals(await process.end(), 0, process.stderr.text);
  assertMatch(process.stdout.text, /^True TLSv1\.[23]/);
});

interface ServerCase {
  name: string;
  names?: string[];
  notAfter?: Date;
  /** Trusts another authority, of this name. */
  stranger?: string;
  version?: string;
  alpn?: string[];
  more?: string[];
  answer: RegExp;
  code: number;
}

const CASES: ServerCase[] = [
  { name: "is good", answer: /handshake done: the server is localhost/, code: 0 },
  { name: "speaks TLS 1.2 only", version: "-tls1_2", answer: /handshake done/, code: 0 },
  {
    name: "has a certificate for another name",
    names: ["example.org"],
    answer: /is not for the name localhost, only for example\.org/,
    code: 1,
  },
  {
    name: "has an expired certificate",
    notAfter: new Date(Date.now() - 60_000),
    answer: /has expired/,
    code: 1,
  },
  {
    name: "was certified by a stranger",
    stranger: "Somebody else",
    answer: /an authority that is not trusted here/,
    code: 1,
  },
  {
    name: "was certified by a stranger of the same name",
    stranger: "Lecture authority",
    answer: /names an authority that is trusted here, but did not sign it/,
    code: 1,
  },
  { name: "has no ALPN", alpn: [], answer: /application protocol none, TLS/, code: 0 },
  {
    name: "wants a certificate of the client by TLS 1.2",
    version: "-tls1_2",
    more: ["-Verify", "1"],
    answer: /no kind of encryption in common, or the server wants a certificate of the client/,
    code: 1,
  },
  {
    name: "wants a certificate of the client by TLS 1.3",
    version: "-tls1_3",
    more: ["-Verify", "1"],
    answer: /the server wants a certificate of the client as well/,
    code: 1,
  },
  {
    name: "speaks TLS 1.1 only",
    version: "-tls1_1",
    answer: /no version of TLS in common|ended the TLS handshake/,
    code: 1,
  },
];

const ECHO = ["-alpn", "echo"];
for (const each of CASES) {
  const { name, names = ["localhost"], notAfter, stranger, version, answer, code } = each;
  peerTest(
    `tls/echo_client says what it finds when openssl's server ${name}`,
    ["openssl"],
    async () => {
      using folder = temporaryFolder();
      const authority = await createAuthority();
      const own = await issueCertificate(authority, names, { notAfter });
      const trusted = stranger ? await createAuthority({ name: stranger }) : authority;
      const [ca, cert, key] = ["ca.pem", "cert.pem", "key.pem"].map((file) =>
        `${folder.path}/${file}`
      ) as [string, string, string];
      await Deno.writeTextFile(ca, trusted.certificate);
      await Deno.writeTextFile(cert, own.certificate);
      await Deno.writeTextFile(key, own.key, { mode: 0o600 });
      const port = freePort();
      const old = version === "-tls1_1" ? ["-cipher", "ALL@SECLEVEL=0"] : [];
      // -rev sends each line back, reversed
      const serve = [
        "openssl",
        "s_server",
        "-accept",
        `127.0.0.1:${port}`,
        "-cert",
        cert,
        "-key",
        key,
        ...each.alpn ?? ECHO,
        ...each.more ?? [],
        "-rev",
      ];
      await using server = await startPeer([
        "sh",
        "-c",
        `exec "$@" 1>&2`,
        "sh",
        ...serve,
        ...(version ? [version] : []),
        ...old,
      ], /^ACCEPT/);
      const flags = [`--allow-net=127.0.0.1:${port}`, `--allow-read=${ca}`];
      // a line that reads the same backwards
      await using client = new Process(
        deno("tls/echo_client", flags, "--port", String(port), "--ca", ca, "anna\n"),
      );
      assertEquals(await client.end(), code, client.stderr.text);
      assertMatch(client.stderr.text, answer);
      await server.stop("SIGTERM");
    },
  );
}

/** Runs openssl; gives what it prints. */
async function runOpenssl(...words: string[]): Promise<string> {
  await using process = new Process(["openssl", ...words]);
  await process.send();
  assertEquals(await process.end(), 0, process.stdout.text + process.stderr.text);
  return process.stdout.text;
}

peerTest(
  "openssl finds good what tls/certificate makes, and the same in it",
  ["openssl"],
  async () => {
    using folder = temporaryFolder();
    const at = `${folder.path}/tls`;
    const flags = [`--allow-read=${at}`, `--allow-write=${at}`];
    const words = ["--folder", at, "mail.example.org", "10.0.0.7", "::1"];
    await using process = new Process(deno("tls/certificate", flags, ...words));
    assertEquals(await process.end(), 0, process.stderr.text);
    const [authority, server] = [`${at}/authority.pem`, `${at}/server.pem`];
    const trust = ["verify", "-x509_strict", "-CAfile", authority];
    for (const name of [["-verify_hostname", "mail.example.org"], ["-verify_ip", "10.0.0.7"]]) {
      await runOpenssl(...trust, "-purpose", "sslserver", ...name, server);
    }
    const told = await runOpenssl("x509", "-in", server, "-noout", "-fingerprint", "-sha256");
    const [, fingerprint] = /=([\dA-F:]+)/.exec(told)!;
    assertMatch(process.stdout.text, new RegExp(fingerprint!.replaceAll(":", "").toLowerCase()));
    const text = await runOpenssl("x509", "-in", server, "-noout", "-text");
    assertMatch(text, /DNS:mail\.example\.org, IP Address:10\.0\.0\.7, IP Address:0:0:0:0:0:0:0:1/);
    for (const key of ["authority.key", "server.key"]) {
      await runOpenssl("pkey", "-in", `${at}/${key}`, "-noout", "-check");
      assertEquals((await Deno.stat(`${at}/${key}`)).mode! & 0o777, 0o600);
    }
  },
);

peerTest(
  "openssl's server takes a client certificate of its authority, and no other",
  ["openssl"],
  async () => {
    using folder = temporaryFolder();
    const authority = await createAuthority();
    const stranger = await createAuthority();
    const own = await issueCertificate(authority, ["localhost"]);
    const files = { ca: authority.certificate, cert: own.certificate, key: own.key };
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${folder.path}/${name}`, text, { mode: 0o600 });
    }
    const port = freePort();
    const [ca, cert, key] = ["ca", "cert", "key"].map((name) => `${folder.path}/${name}`);
    const words = ["-accept", `127.0.0.1:${port}`, "-cert", cert!, "-key", key!, "-CAfile", ca!];
    await using server = await startPeer(
      // what it says stands on stdout
      [
        "sh",
        "-c",
        `exec openssl s_server "$@" 1>&2`,
        "sh",
        ...words,
        "-Verify",
        "1",
        "-verify_return_error",
        "-rev",
      ],
      /^ACCEPT/,
    );
    const talk = async (by?: typeof authority, usage: "client" | "server" = "client") => {
      const shown = by && await issueCertificate(by, ["ada.example"], { usage });
      using connection = await Deno.connectTls({
        hostname: "localhost",
        port,
        caCerts: [authority.certificate],
        ...(shown && { cert: shown.certificate, key: shown.key }),
      });
      await connection.write(encode("abc\n"));
      const buffer = new Uint8Array(16);
      const count = await connection.read(buffer);
      return new TextDecoder().decode(buffer.subarray(0, count ?? 0));
    };
    assertEquals(await talk(authority), "cba\n");
    await assertRejects(() => talk());
    await assertRejects(() => talk(stranger));
    await assertRejects(() => talk(authority, "server"));
    assertEquals(await talk(authority), "cba\n");
    await server.stop("SIGTERM");
  },
);
