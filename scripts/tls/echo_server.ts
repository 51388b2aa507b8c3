#!/usr/bin/env -S deno run --allow-net=127.0.0.1:8443 --allow-read=/tmp/lecture-tls --allow-write=/tmp/lecture-tls
/**
 * The echo server over TLS
 *
 * The same echo as over TCP: what is read is written back. Between the two stands TLS: each client first
 * gets the server's certificate, both agree on a key, and from then on everything is encrypted, and nothing
 * can be changed on the way without being noticed. Whoever listens in sees who talks to whom, and how much.
 *
 * A client that speaks no TLS, or does not trust the certificate, fails in its own handshake; the next ones
 * are served all the same. Deno speaks TLS 1.2 and 1.3, nothing older. One that falls silent in its handshake is
 * given up after 10 seconds; but Deno keeps its socket until the client itself goes.
 *
 * The certificate comes from a folder, where certificate.ts has made it, for whatever names; if there is none,
 * it is made now, for this machine.
 *
 * @lecture 001 Advanced topics: security · 002 Homework
 * @python  ssl.SSLContext.load_cert_chain → Deno.listenTls,
 *          context.wrap_socket(server_side=True) → listener.accept,
 *          SSLSocket.do_handshake → connection.handshake
 * @run     deno run --allow-net=127.0.0.1:8443 --allow-read=/tmp/lecture-tls --allow-write=/tmp/lecture-tls scripts/tls/echo_server.ts
 * @expect  listening on 127.0.0.1:8443
 * @client  deno run --allow-net=127.0.0.1:8443 --allow-read=/tmp/lecture-tls/authority.pem scripts/tls/echo_client.ts
 * @log     clients trust /tmp/lecture-tls/authority.pem
 * @log     127.0.0.1:*: handshake done, application protocol echo
 * @log     127.0.0.1:*: echoed 18 bytes
 * @option  --host HOST     the address to listen on (default: 127.0.0.1)
 * @option  --port PORT     the port to listen on, 0 for a free one (default: 8443)
 * @option  --folder FOLDER where the certificate is (default: /tmp/lecture-tls)
 * @see     https://docs.deno.com/api/deno/~/Deno.listenTls
 * @see     https://www.rfc-editor.org/rfc/rfc8446
 * @module
 */

import { accepted } from "../../lib/accept.ts";
import { formatEndpoint } from "../../lib/address.ts";
import { serverCertificate } from "../../lib/certificate_files.ts";
import { run } from "../../lib/cli.ts";
import { attempt, explain } from "../../lib/errors.ts";
import { finish } from "../../lib/finish.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { writeAll } from "../../lib/write_all.ts";

const PATIENCE = { timeout: 60_000 };

/** One conversation. */
export async function echo(connection: Deno.TlsConn, client: string): Promise<void> {
  // Deno would do it at the first read: done here, its errors and its outcome can be told
  const { alpnProtocol } = await attempt("agree on TLS", () => connection.handshake());
  console.error(`${client}: handshake done, application protocol ${alpnProtocol ?? "not named"}`);
  const piece = new Uint8Array(4_096);
  let bytes = 0;
  for (;;) {
    const count = await attempt("hear from the client", () => connection.read(piece), PATIENCE);
    if (count === null) break;
    await attempt("send to the client", writeAll(connection, piece.subarray(0, count)), PATIENCE);
    bytes += count;
  }
  console.error(`${client}: echoed ${bytes} bytes`);
}

async function converse(connection: Deno.TlsConn): Promise<void> {
  using _closedAtTheEnd = connection;
  const client = formatEndpoint(connection.remoteAddr);
  try {
    await echo(connection, client);
    // says farewell in TLS as well (close_notify): the client then knows that nothing was cut off
    await finish(connection);
  } catch (error) {
    console.error(`${client}: ${explain(error).reason}`);
  }
}

export async function main(options: { host: string; port: number; folder: string }): Promise<void> {
  const { host: hostname, port, folder } = options;
  const identity = await serverCertificate(folder);
  using listener = await attempt(
    `listen on ${formatEndpoint({ hostname, port })}`,
    () => Deno.listenTls({ hostname, port, ...identity, alpnProtocols: ["echo"] }),
  );
  using _interrupt = onInterrupt(() => listener.close());
  console.log(`listening on ${formatEndpoint(listener.addr)}`);
  // not awaited: the next client need not wait for this one
  for await (const connection of accepted(listener)) converse(connection);
}

if (import.meta.main) await run(main);
