#!/usr/bin/env -S deno run --allow-net=127.0.0.1:8444
/**
 * How TLS refuses, and what each refusal tells
 *
 * Each kind is provoked on purpose, with a server in this same process and certificates made for the
 * occasion: an authority that is not trusted, a wrong name, a certificate that has expired or is not valid
 * yet, a certificate that is not for servers, TLS spoken to a server that speaks none, plain text sent to one
 * that does, and a version of TLS that is too old. Most look alike at first: "InvalidData". The message tells
 * them apart, and what to do is different each time. Never is it to turn the check off.
 *
 * @lecture 001 Advanced topics: security
 * @python  ssl.SSLCertVerificationError → Deno.errors.InvalidData, ssl.SSLError → Deno.errors.InvalidData
 * @run     deno run --allow-net=127.0.0.1:8444 scripts/tls/refused.ts
 * @expect  untrusted authority: *UnknownIssuer*
 * @expect  wrong name: *not valid for name "localhost"*example.org*
 * @expect  expired: *certificate expired*
 * @expect  not valid yet: *not valid yet*
 * @expect  not for servers: *extended key usage*
 * @expect  TLS to a plain server: *InvalidContentType*
 * @expect  plain text to a TLS server: *15 03 03 00 02 02 32*
 * @expect  a version too old: *15 03 03 00 02 02 46*
 * @expect  trusted: the server answers "hello"
 * @option  --port PORT  a free port for the experiments (default: 8444)
 * @see     https://www.rfc-editor.org/rfc/rfc8446#section-6
 * @module
 */

import { type Certified, createAuthority, issueCertificate } from "../../lib/certificate.ts";
import { run } from "../../lib/cli.ts";
import { quoted } from "../../lib/display.ts";
import { attempt } from "../../lib/errors.ts";
import { UsageError } from "../../lib/usage.ts";
import { writeAll } from "../../lib/write_all.ts";

const hostname = "127.0.0.1";
const DAY = 24 * 3_600_000;
let port = 0;

/** One server for one client: says hello by TLS. Not async itself: who calls it hears that it cannot listen. */
function serveOnce({ certificate: cert, key }: Certified): Promise<void> {
  return sayHello(Deno.listenTls({ hostname, port, cert, key }));
}

async function sayHello(listener: Deno.TlsListener): Promise<void> {
  using _closedAtTheEnd = listener;
  using connection = await listener.accept();
  try {
    await writeAll(connection, "hello");
    await connection.closeWrite();
  } catch {
    // the client tells what was wrong
  }
}

/** Talks to the server by TLS; gives what it says. */
async function hear(server: Promise<void>, authority: Certified): Promise<string> {
  try {
    const tcp = await Deno.connect({ hostname, port });
    const trust = { hostname: "localhost", caCerts: [authority.certificate] };
    using connection = await Deno.startTls(tcp, trust);
    const heard = new Uint8Array(64);
    const count = await connection.read(heard) ?? 0;
    // Deno tells an end without TLS's farewell from a real one
    if (count > 0) await connection.read(new Uint8Array(1));
    return quoted(heard.subarray(0, count));
  } finally {
    await server;
  }
}

/** Sends bytes that are no TLS, or none that is spoken today; gives what comes back, an alert. */
async function send(server: Promise<void>, bytes: Uint8Array): Promise<string> {
  using connection = await Deno.connect({ hostname, port });
  await writeAll(connection, bytes);
  const alert = new Uint8Array(64);
  const count = await connection.read(alert) ?? 0;
  await server;
  return [...alert.subarray(0, count)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

/** A server that speaks no TLS, and says what it is told. */
function plainOnce(answer: string): Promise<void> {
  return answerOnce(Deno.listen({ hostname, port }), answer);
}

async function answerOnce(listener: Deno.Listener, answer: string): Promise<void> {
  using _closedAtTheEnd = listener;
  using connection = await listener.accept();
  await connection.read(new Uint8Array(1_024));
  await writeAll(connection, answer);
}

/** The first message of a client that knows TLS 1.1 (version 03 02) and nothing newer. */
function oldHello(): Uint8Array {
  const random = crypto.getRandomValues(new Uint8Array(32));
  const signatures = [0, 13, 0, 4, 0, 2, 4, 3]; // an extension that servers want to see
  const rest = [0, 0, 2, 0xc0, 0x09, 1, 0, 0, signatures.length, ...signatures];
  const body = [3, 2, ...random, ...rest];
  const message = [1, 0, 0, body.length, ...body]; // 1: ClientHello
  return new Uint8Array([22, 3, 1, 0, message.length, ...message]); // 22: a handshake message
}

/** Runs an experiment that must be refused; tells how it was, and what that means. */
async function provoke(
  name: string,
  expected: RegExp,
  meaning: string,
  experiment: () => Promise<string>,
): Promise<void> {
  let said: string;
  try {
    said = await attempt(`provoke "${name}"`, experiment);
  } catch (error) {
    const { cause } = error as { cause: Error };
    said = `${cause.name}: ${cause.message}`;
    // a port that is taken, or a missing permission, is not the refusal that was asked for
    if (!expected.test(said)) throw error;
  }
  if (!expected.test(said)) throw new Error(`"${name}" was not refused: ${said}`);
  console.log(`${name}: ${said}\n  ${meaning}`);
}

export async function main(options: { port: number }): Promise<void> {
  port = options.port;
  if (port === 0) throw new UsageError("--port must be a port of its own here, not 0");
  const authority = await createAuthority();
  const stranger = await createAuthority({ name: "Somebody else" });
  const issue = (name: string, more = {}) => issueCertificate(authority, [name], more);
  const good = await issue("localhost");
  const now = Date.now();

  await provoke(
    "untrusted authority",
    /UnknownIssuer/,
    "Nobody here knows who issued it. Trust the authority (caCerts), if you know it by another way.",
    () => hear(serveOnce(good), stranger),
  );
  const elsewhere = await issue("example.org");
  await provoke(
    "wrong name",
    /not valid for name/,
    "A good certificate, but of another: perhaps a mistake in the name, perhaps somebody in between.",
    () => hear(serveOnce(elsewhere), authority),
  );
  const old = await issue("localhost", { notAfter: new Date(now - DAY) });
  await provoke(
    "expired",
    /certificate expired/,
    "The server's administrator has to renew it, or the clock of this machine is wrong.",
    () => hear(serveOnce(old), authority),
  );
  const future = { notBefore: new Date(now + DAY), notAfter: new Date(now + 2 * DAY) };
  const early = await issue("localhost", future);
  await provoke(
    "not valid yet",
    /not valid yet/,
    "Most often the clock of this machine is wrong: it may have started without knowing the date.",
    () => hear(serveOnce(early), authority),
  );
  const client = await issue("localhost", { usage: "client" });
  await provoke(
    "not for servers",
    /extended key usage/,
    "It was issued for a client to show, and may not stand for a server.",
    () => hear(serveOnce(client), authority),
  );
  await provoke(
    "TLS to a plain server",
    /InvalidContentType/,
    "What came back is no TLS: the right host, perhaps, but the wrong port.",
    () => hear(plainOnce("220 mail.example.org ESMTP\r\n"), authority),
  );
  await provoke(
    "plain text to a TLS server",
    /^15 03 03 00 02 02 32$/,
    "The server answers with an alert (15): fatal (02), decode error (32). A person sees rubbish.",
    () => send(serveOnce(good), new TextEncoder().encode("GET / HTTP/1.0\r\n\r\n")),
  );
  await provoke(
    "a version too old",
    /^15 03 03 00 02 02 46$/,
    "An alert again: protocol version (46). TLS 1.1 has been broken for years; here it is 1.2 or 1.3.",
    () => send(serveOnce(good), oldHello()),
  );
  const hello = await attempt("be served", () => hear(serveOnce(good), authority));
  console.log(`trusted: the server answers ${hello}`);
}

if (import.meta.main) await run(main);
