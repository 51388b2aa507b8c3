#!/usr/bin/env -S deno run --allow-net=127.0.0.1:8443 --allow-read=/tmp/lecture-tls/authority.pem
/**
 * The echo client over TLS
 *
 * It connects by TCP, as ever, and then has the connection speak TLS: it says which name it wants (that
 * goes unencrypted, since one server may have certificates for many names), gets the certificate, and checks
 * it: issued by an authority that is trusted here, for this name, for today. Only then does it send.
 *
 * The authority is trusted because --ca names it, and for no other reason. With --name a certificate for
 * another name is asked for, which this server does not have: see how it is refused. refused.ts shows all
 * the ways in which TLS refuses.
 *
 * @lecture 001 Advanced topics: security · 002 Homework
 * @python  ssl.create_default_context(cafile=…) → Deno.startTls,
 *          context.wrap_socket(server_hostname=…) → Deno.startTls,
 *          SSLSocket.selected_alpn_protocol → connection.handshake, SSLSocket.sendall → connection.write
 * @partner scripts/tls/echo_server.ts
 * @run     deno run --allow-net=127.0.0.1:8443 --allow-read=/tmp/lecture-tls/authority.pem scripts/tls/echo_client.ts
 * @log     connected to 127.0.0.1:8443
 * @log     handshake done: the server is localhost, application protocol echo, TLS 1.2 or newer
 * @expect  this is my message
 * @run     deno run --allow-net=127.0.0.1:8443 --allow-read=/tmp/lecture-tls/authority.pem scripts/tls/echo_client.ts --name 127.0.0.1 "by address"
 * @log     handshake done: the server is 127.0.0.1, application protocol echo, TLS 1.2 or newer
 * @expect  by address
 * @argument [MESSAGE]   what to send (default: this is my message)
 * @option  --host HOST  where the server is (default: 127.0.0.1)
 * @option  --port PORT  the server's port (default: 8443)
 * @option  --name NAME  the name that its certificate must hold (default: localhost)
 * @option  --ca FILE    the authority to trust (default: /tmp/lecture-tls/authority.pem)
 * @see     https://docs.deno.com/api/deno/~/Deno.startTls
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { readAuthority } from "../../lib/authority_file.ts";
import { certificateName } from "../../lib/certificate_name.ts";
import { run } from "../../lib/cli.ts";
import { quoted } from "../../lib/display.ts";
import { attempt } from "../../lib/errors.ts";
import { SocketReader } from "../../lib/reader.ts";
import { writeAll } from "../../lib/write_all.ts";

export interface Options {
  message: string;
  host: string;
  port: number;
  name: string;
  ca: string;
}

export async function main({ message, host, port, ca, ...options }: Options): Promise<void> {
  const name = certificateName(options.name);
  const authority = await readAuthority(ca, `read ${ca}, which the server makes when it starts`);
  const place = formatEndpoint({ hostname: host, port });
  const tcp = await attempt(`connect to ${place}`, () => Deno.connect({ hostname: host, port }));
  console.error(`connected to ${place}`);
  // from here on nothing is said on the TCP connection but TLS
  const action = `agree on TLS with ${name}`;
  const trust = { hostname: name, caCerts: [authority], alpnProtocols: ["echo"] };
  using connection = await attempt(action, () => Deno.startTls(tcp, trust));
  const { alpnProtocol } = await attempt(action, () => connection.handshake());
  // which version it became, Deno does not tell; it offers no older one
  const protocol = alpnProtocol ?? "none";
  console.error(
    `handshake done: the server is ${name}, application protocol ${protocol}, TLS 1.2 or newer`,
  );
  await attempt("send", writeAll(connection, message));
  await connection.closeWrite();
  // an end without TLS's farewell would be an error here: somebody may have cut the answer short
  const answer = await attempt("receive", new SocketReader(connection).readAll());
  const text = new TextDecoder().decode(answer);
  if (text !== message) throw new Error(`the server sent back ${quoted(answer)}`);
  console.log(text);
}

if (import.meta.main) await run(main);
