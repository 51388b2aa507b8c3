/**
 * POP3 from the server's side: reads commands, sends answers, and shows both.
 *
 * @module
 */

import { within } from "./deadline.ts";
import { visible } from "./display.ts";
import { Dialogue } from "./mail_dialogue.ts";
import { stuffed } from "./mail_lines.ts";
import { LimitError, SocketReader, UnexpectedEof } from "./reader.ts";
import type { ServerIdentity, Upgradable } from "./upgradable.ts";
import { WithoutPasswords } from "./without_passwords.ts";

/** How many commands may be refused before the connection is closed. */
const MISTAKES = 20;
/** Twice what RFC 2449 asks for, CR LF included. */
const LONGEST_COMMAND = 512;
/** How long a client may take nothing, in milliseconds, and how much it must take in the long run. */
const STALL = 60_000;
const LEAST_PER_SECOND = 1_024;

const COMMANDS = [
  "CAPA",
  "STLS",
  "USER",
  "STAT",
  "LIST",
  "UIDL",
  "RETR",
  "TOP",
  "DELE",
  "RSET",
  "NOOP",
  "QUIT",
];

/** A command: its verb in capitals, and what stands behind it. */
export interface Pop3Command {
  verb: string;
  argument: string;
}

/** One client. */
export class Pop3Session {
  /** Set when the conversation is to end. */
  over = false;
  readonly #connection: Upgradable;
  readonly #dialogue: Dialogue;
  readonly #print: (line: string) => void;
  readonly #lines = new WithoutPasswords(COMMANDS);
  #reader: SocketReader;
  #mistakes = 0;

  /** @param print where both sides are shown; on stderr unless told */
  constructor(connection: Upgradable, print = (line: string) => console.error(line)) {
    this.#connection = connection;
    this.#reader = new SocketReader(connection);
    const { remote } = connection;
    this.#print = (line) => print(`${remote} ${line}`);
    this.#dialogue = new Dialogue({ print: this.#print, width: 200 });
  }

  /** The client's IP address. */
  get from(): string {
    return (this.#connection.remoteAddr as Deno.NetAddr).hostname;
  }

  /** Whether the conversation was upgraded to TLS. */
  get secure(): boolean {
    return this.#connection.secure;
  }

  /**
   * The next command; `null` when the client has gone.
   *
   * @param timeout how long the client may think, in milliseconds
   */
  async command(timeout: number): Promise<Pop3Command | null> {
    for (;;) {
      let bytes: Uint8Array | null;
      try {
        bytes = await this.#reader.readUntil("\n", { limit: LONGEST_COMMAND, timeout });
      } catch (error) {
        if (error instanceof UnexpectedEof) return null; // it left in the middle of a command
        if (!(error instanceof LimitError)) throw error;
        await this.fail("That line is too long");
        return null;
      }
      if (bytes === null) return null;
      // people who type by hand end a line with LF alone
      const line = new TextDecoder().decode(bytes).replace(/\r$/, "");
      const [, word = "", argument = ""] = /^([^ ]*)(?: (.*))?$/s.exec(line) ?? [];
      const verb = word.toUpperCase();
      this.#dialogue.client(this.#lines.shown(line));
      if (!/[\p{Cc}\ufffd]/u.test(line)) return { verb, argument };
      await this.fail("Commands are UTF-8, without control characters");
      if (this.over) return null;
    }
  }

  /** Tells who runs the server. */
  tell(text: string): void {
    this.#print(visible(text));
  }

  /** Answers that it was done. */
  ok(text: string): Promise<void> {
    this.#mistakes = 0;
    return this.#say(`+OK ${text}`);
  }

  /** Answers that it was not done; who is refused too often is sent away. */
  async fail(text: string): Promise<void> {
    await this.#say(`-ERR ${text}`);
    if (++this.#mistakes === MISTAKES) this.over = true;
  }

  /** Answers that it was done, with a text, whose lines end in CR LF. */
  async text(title: string, bytes: Uint8Array): Promise<void> {
    await this.ok(title);
    await this.#write(stuffed(bytes));
  }

  /** Answers with a list. */
  async list(title: string, lines: string[]): Promise<void> {
    await this.ok(title);
    for (const line of lines.slice(0, 20)) this.#dialogue.server(line);
    if (lines.length > 20) this.#dialogue.server(`… (${lines.length - 20} more lines)`);
    this.#dialogue.server(".");
    const text = lines.map((line) => `${line}\r\n`).join("");
    await this.#write(stuffed(new TextEncoder().encode(text)));
  }

  /** Goes on over TLS; what the client had sent ahead in clear text is thrown away. */
  async startTls(identity: ServerIdentity): Promise<void> {
    await this.#connection.startTls(identity);
    this.#reader = new SocketReader(this.#connection);
  }

  async #say(line: string): Promise<void> {
    this.#dialogue.server(line);
    await this.#write(new TextEncoder().encode(`${line}\r\n`));
  }

  async #write(bytes: Uint8Array): Promise<void> {
    await within(
      STALL + bytes.length / LEAST_PER_SECOND * 1_000,
      this.#connection.write(bytes),
    );
  }
}
