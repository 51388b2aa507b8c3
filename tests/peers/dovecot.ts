/**
 * Dovecot, for mail to be fetched from: POP3 and IMAP, in clear text, after STLS or STARTTLS, and over TLS.
 *
 * @module
 */

import { createAuthority, issueCertificate } from "../../lib/certificate.ts";
import { freePort, temporaryFolder } from "./peers.ts";
import { Process } from "./process.ts";

/** In /usr/bin, unlike dovecot itself; both come with the same package. */
export const DOVECOT = "doveconf";

/** A Dovecot with one mailbox. Its user is `student`, by the password `secret word`. */
export interface Dovecot extends AsyncDisposable {
  ports: { pop3: number; pop3s: number; imap: number; imaps: number };
  /** What to trust, as a file; the certificate is for localhost and 127.0.0.1. */
  ca: string;
  /** The mails that are there now. */
  mails(): string[];
}

/** What is asked of it. */
export interface DovecotOptions {
  /** Put into the inbox of `student`. */
  mails: (string | Uint8Array)[];
  /** `pop3`, `imap`, or both with a space between. */
  protocols: string;
  /** Takes passwords only over TLS, also from this machine. */
  strict?: boolean;
  /** Lines to add to the configuration. */
  more?: string;
}

/** Starts one on free ports, with its own configuration in a folder that is removed in the end. */
export async function startDovecot(options: DovecotOptions): Promise<Dovecot> {
  const folder = temporaryFolder();
  const { path } = folder;
  const ports = { pop3: freePort(), pop3s: freePort(), imap: freePort(), imaps: freePort() };
  const inbox = `${path}/mail/student`;
  for (const part of ["cur", "new", "tmp"]) {
    await Deno.mkdir(`${inbox}/${part}`, { recursive: true });
  }
  for (const [at, mail] of options.mails.entries()) {
    // Dovecot numbers mails by the time in front of their names
    const name = `${inbox}/new/${1_700_000_000 + at}.${at}.localhost`;
    await Deno.writeFile(name, typeof mail === "string" ? new TextEncoder().encode(mail) : mail);
  }
  const authority = await createAuthority();
  const { certificate, key } = await issueCertificate(authority, ["localhost", "127.0.0.1"]);
  await Deno.writeTextFile(`${path}/server.pem`, certificate);
  await Deno.writeTextFile(`${path}/server.key`, key, { mode: 0o600 });
  await Deno.writeTextFile(`${path}/ca.pem`, authority.certificate);
  await Deno.writeTextFile(`${path}/users`, "student:{PLAIN}secret word\n");
  await Deno.writeTextFile(`${path}/dovecot.conf`, configuration(path, ports, options));
  // it gives its rights away, and must still reach its files
  await Deno.chmod(path, 0o755);
  await run("chown", "-R", "mail:mail", `${path}/mail`);
  const process = new Process(["/usr/sbin/dovecot", "-F", "-c", `${path}/dovecot.conf`]);
  const end = async () => {
    try {
      process.signal("SIGTERM"); // at SIGKILL its children would go on for a while
      await process.end();
    } finally {
      await process[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    }
  };
  try {
    await process.stderr.line(/starting up for /);
  } catch (error) {
    await end();
    throw error;
  }
  return {
    ports,
    ca: `${path}/ca.pem`,
    mails: () =>
      ["new", "cur"].flatMap((part) => Array.from(Deno.readDirSync(`${inbox}/${part}`)))
        .map(({ name }) => name),
    [Symbol.asyncDispose]: end,
  };
}

function configuration(
  path: string,
  ports: Dovecot["ports"],
  { protocols, strict, more = "" }: DovecotOptions,
): string {
  const listeners = (name: "pop3" | "imap") =>
    protocols.includes(name)
      ? `service ${name}-login {
  inet_listener ${name} {
    port = ${ports[name]}
  }
  inet_listener ${name}s {
    port = ${ports[`${name}s`]}
    ssl = yes
  }
}
`
      : "";
  return `base_dir = ${path}/run
state_dir = ${path}/state
log_path = /dev/stderr
protocols = ${protocols}
listen = 127.0.0.1
ssl = ${strict ? "required" : "yes"}
ssl_cert = <${path}/server.pem
ssl_key = <${path}/server.key
disable_plaintext_auth = ${strict ? "yes" : "no"}
mail_location = maildir:${path}/mail/%u
first_valid_uid = 1
first_valid_gid = 1
passdb {
  driver = passwd-file
  args = ${path}/users
}
userdb {
  driver = static
  args = uid=mail gid=mail home=${path}/mail/%u
}
${listeners("pop3")}${listeners("imap")}${more}
`;
}

async function run(program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args }).output();
  if (!success) throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
}
