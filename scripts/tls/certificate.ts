#!/usr/bin/env -S deno run --allow-read=/tmp/lecture-tls --allow-write=/tmp/lecture-tls
/**
 * An authority and a certificate of one's own
 *
 * TLS encrypts, but to whom? The server shows a certificate: "this public key belongs to this name", signed
 * by an authority. The client checks four things: that it trusts the authority, that the signature is the
 * authority's, that the name is the one it wanted, and that today lies between the two dates. Then the
 * server proves that it has the private key that belongs to the certificate.
 *
 * Browsers come with some 150 authorities that they trust. Here you are the authority: what it issues is
 * believed by nobody but by those who name authority.pem. That is better than to turn the check off, as
 * `verify=False` does in Python: an unchecked certificate can be anybody's.
 *
 * The keys (.key) are secret, and only you may read the files: if others can, that is changed, and said. The
 * certificates (.pem) are for everybody.
 *
 * @lecture 001 Advanced topics: security
 * @python  ssl.create_default_context(cafile="authority.pem") → Deno.startTls,
 *          context.load_cert_chain → Deno.listenTls
 * @run     deno run --allow-read=/tmp/lecture-tls --allow-write=/tmp/lecture-tls scripts/tls/certificate.ts
 * @expect  authority: CN=Lecture authority, issued by CN=Lecture authority
 * @expect  server: CN=localhost, issued by CN=Lecture authority
 * @expect  *for localhost, 127.0.0.1, ::1
 * @expect  *from 20* to 20*
 * @expect  *SHA-256 *
 * @log     made authority in /tmp/lecture-tls
 * @log     made server in /tmp/lecture-tls
 * @run     deno run --allow-read=/tmp/lecture-tls --allow-write=/tmp/lecture-tls scripts/tls/certificate.ts --new localhost 127.0.0.1 mail.example.org 10.0.0.7
 * @expect  server: CN=localhost, issued by CN=Lecture authority
 * @expect  *for localhost, 127.0.0.1, mail.example.org, 10.0.0.7
 * @argument [NAME...]      host names and addresses to issue the server's certificate for, in place of one that is for others; unless told, what is there is kept, and made for this machine if there is none
 * @option  --folder FOLDER where to keep them (default: /tmp/lecture-tls)
 * @option  --new           make all anew; what the old authority issued is then no longer trusted
 * @see     https://www.rfc-editor.org/rfc/rfc5280
 * @module
 */

import { certificateFiles } from "../../lib/certificate_files.ts";
import { readCertificate } from "../../lib/certificate.ts";
import { run } from "../../lib/cli.ts";
import { visible } from "../../lib/display.ts";

export async function main(
  options: { name: string[]; folder: string; new: boolean },
): Promise<void> {
  const { folder, name, new: renew } = options;
  const names = name.length > 0 ? name : undefined;
  const { authority, server, made, notes } = await certificateFiles(folder, { names, renew });
  for (const note of notes) console.error(note);
  for (const each of made) console.error(`made ${each} in ${folder}`);
  for (const [what, { certificate }] of Object.entries({ authority, server })) {
    const told = await readCertificate(certificate);
    console.log(visible(`${what}: ${told.subject}, issued by ${told.issuer}`));
    // an authority vouches for others, and is for no host itself
    if (told.names.length > 0) console.log(visible(`  for ${told.names.join(", ")}`));
    const [from, to] = [told.notBefore, told.notAfter].map((date) =>
      date.toISOString().slice(0, 10)
    );
    console.log(`  from ${from} to ${to}`);
    console.log(`  SHA-256 ${told.fingerprint}`);
  }
}

if (import.meta.main) await run(main);
