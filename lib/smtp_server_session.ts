/**
 * What an SMTP server keeps of one client, and what it is told to do with mail.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc5321 RFC 5321}
 * @module
 */

import { visible } from "./display.ts";
import { attempt } from "./errors.ts";
import { Room } from "./mail_blocks.ts";
import { SocketReader } from "./reader.ts";
import type { ServerIdentity, Upgradable } from "./upgradable.ts";
import { WithoutPasswords } from "./without_passwords.ts";

const MOST_MISTAKES = 20; // then the connection is closed
const PATIENCE = 300_000; // milliseconds for a command, RFC 5321, 4.5.3.2.7
const MiB = 1024 * 1024;
const COMMANDS = [
  "HELO",
  "EHLO",
  "MAIL",
  "RCPT",
  "DATA",
  "RSET",
  "STARTTLS",
  "NOOP",
  "VRFY",
  "EXPN",
];

/** How mail is taken. */
export interface MailServerOptions {
  /** Puts a mail where it is safe, and gives its name there: the sender is then told that we have it. */
  store: (pieces: Uint8Array[]) => Promise<{ name: string }>;
  /** Whose mail is taken, in small letters; example.org and localhost unless told. */
  domains?: string[];
  /** The most bytes of a mail; 10 MiB unless told. */
  size?: number;
  /** How long a client has for a command, in milliseconds; 5 minutes unless told. */
  patience?: number;
  /** Offers STARTTLS. */
  identity?: ServerIdentity;
  /** Told what happens; prints it on stderr unless told. */
  log?: (line: string) => void;
}

/** The same, with nothing left out. */
export interface MailServerSettings extends Required<Omit<MailServerOptions, "identity">> {
  identity: ServerIdentity | undefined;
  /** How the server calls itself. */
  name: string;
  /** For all mails that come in at the same time. */
  room: Room;
}

/**
 * Fills in what is not told.
 *
 * @example
 * ```ts
 * import { settingsOf } from "./smtp_server_session.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const { domains, size } = settingsOf({ store: () => Promise.resolve({ name: "1.eml" }) });
 * assertEquals([domains, size], [["example.org", "localhost"], 10 * 1024 * 1024]);
 * ```
 */
export function settingsOf(options: MailServerOptions): MailServerSettings {
  const { store, identity, size = 10 * MiB, patience = PATIENCE } = options;
  const { domains = ["example.org", "localhost"], log = (line) => console.error(line) } = options;
  const room = new Room(Math.max(64 * MiB, 2 * size));
  return { store, identity, size, patience, domains, log, name: "localhost", room };
}

/** What is known of one client. */
export class Session {
  /** How it calls itself; empty until it has said so. */
  hello = "";
  extended = false;
  /** The envelope: who sends, once MAIL was said, and who is to get it. */
  from: string | undefined;
  to: string[] = [];
  /** Set when the conversation is to end. */
  over = false;
  reader: SocketReader;
  /** What is shown of its commands. */
  readonly lines = new WithoutPasswords([...COMMANDS, "HELP", "QUIT"]);
  #mistakes = 0;

  constructor(
    readonly connection: Upgradable,
    readonly settings: MailServerSettings,
  ) {
    this.reader = new SocketReader(connection);
  }

  /** Sends a reply in one piece: `250-…` for each line but the last, `250 …`. */
  async reply(code: number, ...lines: string[]): Promise<void> {
    if (code >= 500 && ++this.#mistakes >= MOST_MISTAKES) {
      [code, lines] = [421, ["Too many mistakes"]];
      this.over = true;
    }
    const text = lines.map((line, index) =>
      `${code}${index < lines.length - 1 ? "-" : " "}${line}\r\n`
    ).join("");
    await attempt("reply", this.connection.write(new TextEncoder().encode(text)));
  }

  /** Forgets the envelope, not who the client is. */
  reset(): void {
    this.from = undefined;
    this.to = [];
  }

  /** Tells who runs the server; at most 300 characters. */
  say(text: string): void {
    this.settings.log(`${this.connection.remote}: ${visible(text.slice(0, 300))}`);
  }
}
