#!/usr/bin/env -S deno run --allow-net=127.0.0.1:8445,localhost:8445
/**
 * Mutual TLS: the client shows a certificate, too
 *
 * As a rule only the server shows who it is, and the client logs in afterwards, with a password. With mutual
 * TLS the client proves in the handshake that it has the key of a certificate which the server's authority
 * has issued. No secret is sent, so none can be stolen on the way or from the server.
 *
 * Deno's client can show a certificate (Deno.connectTls, cert and key). Deno's own server cannot ask for one:
 * Deno.listenTls has no such option. Deno's copy of Node's tls module can (requestCert), and serves here.
 *
 * Both sides run in this one process: a client with a certificate, one with none, and one with a certificate
 * of an authority that the server does not know.
 *
 * @lecture 001 Advanced topics: security
 * @python  context.verify_mode = ssl.CERT_REQUIRED → tls.createServer({ requestCert: true }),
 *          context.load_cert_chain → Deno.connectTls, SSLSocket.getpeercert → socket.getPeerCertificate
 * @run     deno run --allow-net=127.0.0.1:8445,localhost:8445 scripts/tls/mutual.ts
 * @expect  with a certificate: the server says "hello, Ada"
 * @expect  with none: the server wants a certificate of the client as well (mutual TLS)
 * @expect  with one of another authority: the connection was cut*
 * @log     server: peer sent no certificates
 * @log     server: *
 * @option  --port PORT  a free port for the experiments (default: 8445)
 * @see     https://www.rfc-editor.org/rfc/rfc8446#section-4.3.2
 * @see     https://nodejs.org/api/tls.html#tlscreateserveroptions-secureconnectionlistener
 * @module
 */

import { once } from "node:events";
import { createServer, type Server } from "node:tls";
import { formatEndpoint } from "../../lib/address.ts";
import { type Certified, createAuthority, issueCertificate } from "../../lib/certificate.ts";
import { run } from "../../lib/cli.ts";
import { quoted } from "../../lib/display.ts";
import { attempt, explain } from "../../lib/errors.ts";
import { UsageError } from "../../lib/usage.ts";

/** A server that talks only to those who show a certificate of this authority. */
async function serve(authority: Certified, port: number): Promise<Server> {
  const { certificate: cert, key } = await issueCertificate(authority, ["localhost"]);
  const server = createServer({ cert, key, ca: [authority.certificate], requestCert: true });
  server.on("secureConnection", (socket) => {
    // whose certificate it is stands in its subject; the authority has vouched for it
    socket.end(`hello, ${socket.getPeerCertificate().subject.CN}`);
  });
  server.on("tlsClientError", (error) => console.error(`server: ${error.message}`));
  // tried out before: what goes wrong in Node's listen is thrown where nobody can catch it
  const place = { hostname: "127.0.0.1", port };
  await attempt(`listen on ${formatEndpoint(place)}`, () => Deno.listen(place).close());
  server.listen(port, place.hostname);
  await once(server, "listening");
  return server;
}

/** Connects, with or without a certificate of one's own; gives what the server says. */
async function talk(port: number, authority: Certified, own?: Certified): Promise<string> {
  const shown = own && { cert: own.certificate, key: own.key };
  const caCerts = [authority.certificate];
  using connection = await Deno.connectTls({ hostname: "localhost", port, caCerts, ...shown });
  const heard = new Uint8Array(64);
  // in TLS 1.3 the client is done before the server has looked at its certificate: the first read tells
  const count = await connection.read(heard) ?? 0;
  return `the server says ${quoted(heard.subarray(0, count))}`;
}

export async function main({ port }: { port: number }): Promise<void> {
  if (port === 0) throw new UsageError("--port must be a port of its own here, not 0");
  const authority = await createAuthority();
  const stranger = await createAuthority({ name: "Somebody else" });
  // the name is only a text here: clients have no host name
  const ada = await issueCertificate(authority, ["ada.example"], { name: "Ada", usage: "client" });
  const eve = await issueCertificate(stranger, ["ada.example"], { name: "Ada", usage: "client" });
  const server = await serve(authority, port);
  try {
    console.log(`with a certificate: ${await attempt("talk", talk(port, authority, ada))}`);
    for (
      const [how, own] of [["with none", undefined], [
        "with one of another authority",
        eve,
      ]] as const
    ) {
      const refusal = await talk(port, authority, own).catch((error) => explain(error).reason);
      console.log(`${how}: ${refusal}`);
    }
  } finally {
    server.close();
  }
}

if (import.meta.main) await run(main);
