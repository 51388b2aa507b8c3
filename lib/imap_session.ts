/**
 * What an IMAP server keeps of one client: its connection, how commands are read and replies are written.
 *
 * @module
 */

import { DeadlineError, within } from "./deadline.ts";
import { type ImapLine, ImapSyntaxError, readImapLine } from "./imap_line.ts";
import { ImapParser } from "./imap_parser.ts";
import type { Pieces } from "./imap_string.ts";
import { Dialogue } from "./mail_dialogue.ts";
import { LimitError, SocketReader } from "./reader.ts";
import type { ServerIdentity, Upgradable } from "./upgradable.ts";

/** The most bytes of a command, without its literals and with them; RFC 7162 asks for 8,192 at least. */
const LONGEST_COMMAND = 16 * 1024;
const LONGEST_LITERALS = 64 * 1024;
/** Milliseconds in which a client takes nothing of a reply. */
const STALL = 30_000;
const PIECE = 64 * 1024;
/** How many commands may not be understood before the connection is closed. */
const MISTAKES = 20;

/** A command that has come. */
export interface Command {
  tag: string;
  /** In capitals. */
  name: string;
  /** Reads the arguments. */
  parser: ImapParser;
}

/** A literal is too long, and the client waits to be told whether it may send it. */
class LiteralRefused extends Error {}

/** One client. */
export class ImapSession {
  /** Set when the conversation is to end. */
  over = false;
  readonly dialogue: Dialogue;
  readonly #connection: Upgradable;
  #reader: SocketReader;
  #mistakes = 0;
  /** Whether the tag of the command is not to be shown, which the answer repeats. */
  #tagHidden = false;

  constructor(connection: Upgradable, print: (line: string) => void = console.error) {
    this.#connection = connection;
    this.#reader = new SocketReader(connection);
    const { remote } = connection;
    this.dialogue = new Dialogue({ print: (line) => print(`${remote} ${line}`), width: 300 });
  }

  /** Whether TLS is spoken. */
  get secure(): boolean {
    return this.#connection.secure;
  }

  /** The client's IP address. */
  get from(): string {
    return (this.#connection.remoteAddr as Deno.NetAddr).hostname;
  }

  /**
   * Reads a command, and asks for its literals; `undefined` when the client has gone. A command with a literal that
   * is too long is refused, if the client has not sent it yet, and the next one read.
   *
   * @param show what is shown of a line
   * @throws {ImapSyntaxError} when a line end is none: where the next command begins is not sure then
   */
  async command(timeout: number, show: (line: string) => string): Promise<Command | undefined> {
    for (;;) {
      let begin: string | undefined, literals = 0;
      try {
        const line = await readImapLine(this.#reader, {
          ...{ timeout, limit: LONGEST_COMMAND, literalLimit: Infinity },
          onText: (text) => {
            if (begin === undefined) this.#showFirst(begin = text, show);
          },
          onAnnounced: ({ size, waits }) => this.#goAhead(literals += size, waits),
        });
        return line ? commandOf(line) : undefined;
      } catch (error) {
        if (!(error instanceof LiteralRefused)) throw error;
        const { tag } = commandOf([new TextEncoder().encode(begin)]);
        const most = `A command has at most ${LONGEST_LITERALS} bytes of literals`;
        await this.done(tag, `NO [TOOBIG] ${most}`);
      }
    }
  }

  #showFirst(text: string, show: (line: string) => string): void {
    const shown = show(text);
    this.dialogue.client(shown);
    this.#tagHidden = !shown.includes(text.trim().split(" ")[0]!);
  }

  async #goAhead(literals: number, waits: boolean): Promise<void> {
    if (literals > LONGEST_LITERALS) {
      // what is on its way already cannot be refused any more
      throw waits ? new LiteralRefused() : new LimitError("a literal", LONGEST_LITERALS);
    }
    if (waits) await this.send(["+ Go ahead\r\n"]);
  }

  /** Ends a command: `OK`, `NO` or `BAD`. */
  async done(tag: string, text: string): Promise<void> {
    if (text.startsWith("OK")) this.#mistakes = 0;
    if (text.startsWith("BAD") && ++this.#mistakes === MISTAKES) {
      this.over = true;
      await this.send(["* BYE Too many mistakes\r\n"]);
    }
    // it may be a password, on a line of its own
    const hide = this.#tagHidden && tag !== "*";
    if (hide) this.dialogue.server(`*** ${text}`);
    await this.send([`${tag} ${text}\r\n`], { show: !hide });
  }

  /** Tells the client something, or the answer to its question. */
  untagged(text: string): Promise<void> {
    return this.send([`* ${text}\r\n`]);
  }

  /** Sends a reply; shows its texts, and of literals the length, unless it is one of many. */
  async send(pieces: Pieces, options: { show?: boolean } = {}): Promise<void> {
    if (options.show ?? true) {
      const shown = pieces.map((each) =>
        typeof each === "string" ? each : `(${each.length} bytes)\r\n`
      );
      this.dialogue.serverText(shown.join(""));
    }
    let batch: Uint8Array[] = [], length = 0;
    for (const piece of pieces) {
      const bytes = typeof piece === "string" ? new TextEncoder().encode(piece) : piece;
      batch.push(bytes);
      length += bytes.length;
      if (length < PIECE) continue;
      for (const each of batch) await this.#write(each);
      [batch, length] = [[], 0];
    }
    const rest = new Uint8Array(length);
    let at = 0;
    for (const bytes of batch) {
      rest.set(bytes, at);
      at += bytes.length;
    }
    await this.#write(rest);
  }

  /** A client that takes a little now and then goes on; one that takes nothing is left. */
  async #write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += PIECE) {
      try {
        await within(STALL, this.#connection.write(bytes.subarray(at, at + PIECE)));
      } catch (error) {
        if (error instanceof DeadlineError) this.#connection.close(error);
        throw error;
      }
    }
  }

  /** Goes over to TLS. What came in clear text behind the command is thrown away, with its reader. */
  async startTls(identity: ServerIdentity): Promise<void> {
    await this.#connection.startTls(identity);
    this.#reader = new SocketReader(this.#connection);
  }
}

/** The tag, the name and the arguments of a command; no name, and the tag `*`, when they are not there. */
export function commandOf(line: ImapLine): Command {
  const parser = new ImapParser(line, { strict: true });
  let tag = "*";
  try {
    const word = parser.atom();
    // a tag that is * or + would make the reply look like another one
    if (/^[!-~]{1,100}$/.test(word) && !/[(){%*"\\+\]]/.test(word)) tag = word;
    return { tag, name: tag === "*" ? "" : parser.atom().toUpperCase(), parser };
  } catch (error) {
    if (error instanceof ImapSyntaxError) return { tag, name: "", parser };
    throw error;
  }
}
