/**
 * The client's end of an IMAP connection: lines go out, replies come in, and both are shown.
 *
 * @module
 */

import { ActionError, attempt } from "./errors.ts";
import { ImapSyntaxError } from "./imap_line.ts";
import { textOf } from "./imap_parser.ts";
import { type ImapReply, readImapReply } from "./imap_reply.ts";
import { Dialogue } from "./mail_dialogue.ts";
import { staysHere } from "./mail_login.ts";
import { Progress } from "./progress.ts";
import { LimitError, SocketReader } from "./reader.ts";
import { writeAll } from "./write_all.ts";

const STALL = 10_000; // milliseconds in which nothing comes
const LONGEST_ANSWER = 20_000; // milliseconds for one answer, besides those for literals
const LONGEST_TEXT = 16 * 1024 * 1024; // characters of one answer, besides its literals

/**
 * A connection to an IMAP server. What is read of one answer is limited in bytes and in time; the server may send
 * it in as many lines as it likes.
 *
 * @example
 * ```ts ignore
 * const tcp = await Deno.connect({ hostname: "127.0.0.1", port: 1143 });
 * using imap = new ImapConnection(tcp, { stop: new AbortController().signal, limit: 1_000_000 });
 * await imap.reply(); // the greeting
 * await imap.send("a1 LOGOUT");
 * ```
 */
export class ImapConnection implements Disposable {
  /** Shows both sides. */
  dialogue = new Dialogue();
  /** What the server can do, in capitals; empty as long as it has not said. */
  capabilities: string[] = [];
  readonly stop: AbortSignal;
  /** Whether what comes cannot be understood any more, or nothing comes. */
  lost = false;
  /** Whether nothing can be said any more. */
  over = false;
  readonly #limit: number;
  #connection: Deno.TcpConn | Deno.TlsConn;
  #reader: SocketReader;
  #due = Infinity;
  #literals = 0;
  #texts = 0;

  /**
   * @param options.stop aborted when the person has had enough: waits then end with its reason
   * @param options.limit the most bytes of literals, that is of mails, in one answer
   */
  constructor(connection: Deno.TcpConn, options: { stop: AbortSignal; limit: number }) {
    this.#connection = connection;
    this.#reader = new SocketReader(connection);
    this.stop = options.stop;
    this.#limit = options.limit;
  }

  /** Whether TLS is spoken. */
  get secure(): boolean {
    return "handshake" in this.#connection;
  }

  /** Whether nobody on the way can listen in. */
  get private(): boolean {
    return this.secure || staysHere(this.#connection.remoteAddr.hostname);
  }

  /** Sends a line, or what is left of it behind a literal. */
  async send(line: string): Promise<void> {
    if (line !== "") this.dialogue.client(line);
    await writeAll(this.#connection, `${line}\r\n`);
  }

  /** Sends a literal that was announced, and that the server waits for. */
  async sendLiteral(bytes: Uint8Array): Promise<void> {
    this.dialogue.client(new TextDecoder().decode(bytes));
    await writeAll(this.#connection, bytes);
  }

  /** Another answer begins, with its own limits. */
  beginAnswer(): void {
    this.#due = performance.now() + LONGEST_ANSWER;
    this.#literals = this.#texts = 0;
  }

  /**
   * The next reply, shown, whatever it is.
   *
   * @throws {ActionError} when none comes in time, when it is none, or when the answer is too long
   */
  async reply(signal: AbortSignal = this.stop): Promise<ImapReply> {
    using progress = new Progress();
    try {
      const reply = await readImapReply(this.#reader, {
        ...{ timeout: STALL, limit: 1024 * 1024, literalLimit: this.#limit, signal },
        onText: (text) => this.#onText(text),
        onAnnounced: ({ size }) => this.#onLiteral(size),
        onProgress: (bytes) => progress.add(bytes),
      });
      if (!reply) throw new Error("the server has closed the connection");
      this.#learn(reply);
      if (performance.now() > this.#due) {
        throw new Error(`one answer takes longer than ${LONGEST_ANSWER / 1_000} s`);
      }
      return reply;
    } catch (error) {
      signal.throwIfAborted();
      this.lost = true;
      const wrong = error instanceof ImapSyntaxError;
      throw new ActionError(
        "get the server's reply",
        wrong ? new Error(`no IMAP: ${error.message}`) : error,
      );
    }
  }

  #onText(text: string): void {
    this.dialogue.server(text);
    this.#texts += text.length;
    if (this.#texts > LONGEST_TEXT) throw new LimitError("an answer", LONGEST_TEXT);
  }

  #onLiteral(size: number): void {
    this.dialogue.server(`(${size} bytes)`);
    this.#literals += size;
    if (this.#literals > this.#limit) throw new LimitError("an answer", this.#limit);
    this.#due += STALL + size / 10;
  }

  /** Servers tell what they can do when they are asked, and with some other answers. */
  #learn(reply: ImapReply): void {
    let words: string[] | undefined;
    if (reply.kind === "data" && reply.name === "CAPABILITY") words = reply.values.map(textOf);
    if (reply.kind === "status" && reply.code === "CAPABILITY") words = reply.details?.split(" ");
    if (words) this.capabilities = words.map((word) => word.toUpperCase());
  }

  /**
   * Goes over to TLS. What was said before, anybody on the way may have changed.
   *
   * @param name what the certificate must be for
   * @param caCerts whom to trust besides the well-known authorities, as PEM texts
   */
  async startTls(name: string, caCerts: string[]): Promise<void> {
    // words that came in clear text behind the server's OK would be taken for its own
    if (this.#reader.buffered > 0) throw new Error("the server says more before TLS begins");
    this.over = true;
    const tcp = this.#connection as Deno.TcpConn;
    const action = `agree on TLS with ${name}`;
    const secure = await attempt(action, Deno.startTls(tcp, { hostname: name, caCerts }));
    this.#connection = secure;
    await attempt(action, secure.handshake());
    this.over = false;
    this.#reader = new SocketReader(this.#connection);
    this.capabilities = [];
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }
}
