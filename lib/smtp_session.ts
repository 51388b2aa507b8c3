/**
 * The wire of SMTP, from the client's side: commands go out, replies come back, both are shown.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc5321 RFC 5321}
 * @module
 */

import { after } from "./deadline.ts";
import { ActionError, attempt } from "./errors.ts";
import { Dialogue } from "./mail_dialogue.ts";
import { SocketReader } from "./reader.ts";
import { SmtpRefusal } from "./smtp_codes.ts";
import { readSmtpReply, type SmtpReply } from "./smtp_reply.ts";
import { UsageError } from "./usage.ts";
import { writeAll } from "./write_all.ts";

/** What a session needs to know. */
export interface SmtpSessionOptions {
  /** How the server was called: its certificate must be for this name. */
  hostname: string;
  /** Milliseconds for each reply, in place of the two to ten minutes of RFC 5321, 4.5.3.2. */
  timeout?: number;
  /** Aborted when the person has had enough: waits then end with its reason. */
  stop?: AbortSignal;
  /** Shows both sides; on stderr unless told. */
  dialogue?: Dialogue;
}

const MINUTE = 60_000;
const NOTICE = 10_000; // milliseconds of silence, then the person is told

/** What the standard gives a server for its reply to a step. */
function patience(step: string): number {
  if (step === "the mail") return 10 * MINUTE; // who gives up here sends it twice
  return step === "DATA" ? 2 * MINUTE : 5 * MINUTE;
}

/**
 * A session with a server; it closes the connection when it is disposed of.
 *
 * @example
 * ```ts ignore
 * const connection = await Deno.connect({ hostname: "127.0.0.1", port: 2525 });
 * using session = new SmtpSession(connection, { hostname: "127.0.0.1" });
 * await session.reply("the connection");
 * await session.must("HELO client.example.org", 250);
 * await session.quit();
 * ```
 */
export class SmtpSession implements Disposable {
  /** What the server's EHLO offers, with the parameters: `SIZE` → `10485760`. */
  extensions: ReadonlyMap<string, string> = new Map();
  readonly hostname: string;
  readonly #options: SmtpSessionOptions;
  readonly #dialogue: Dialogue;
  #connection: Deno.TcpConn | Deno.TlsConn;
  #reader: SocketReader;
  #secure = false;
  /** Set when a QUIT would be of no use, or taken for a part of the mail. */
  #broken = false;

  constructor(connection: Deno.TcpConn, options: SmtpSessionOptions) {
    this.#connection = connection;
    this.#reader = new SocketReader(connection);
    this.#options = options;
    this.#dialogue = options.dialogue ?? new Dialogue();
    this.hostname = options.hostname;
  }

  /** Whether TLS is spoken. */
  get secure(): boolean {
    return this.#secure;
  }

  /** How this client calls itself: a machine without a name gives its address (RFC 5321, 4.1.3). */
  get ownName(): string {
    const { hostname } = this.#connection.localAddr as Deno.NetAddr;
    return hostname.includes(":") ? `[IPv6:${hostname}]` : `[${hostname}]`;
  }

  /** Has these appear as `***` wherever they are shown. */
  hide(...secrets: string[]): void {
    this.#dialogue.hide(...secrets);
  }

  /**
   * Says commands, all in one write, and waits for nothing.
   *
   * @throws {UsageError} for a line end inside one: it would begin another command
   */
  async say(...commands: string[]): Promise<void> {
    if (commands.some((command) => /[\r\n\0]/.test(command))) {
      throw new UsageError("no address, name or password has a line end or NUL in it");
    }
    for (const command of commands) this.#dialogue.client(command);
    await this.#write(commands.map((command) => `${command}\r\n`).join(""));
  }

  /** Sends a text that ends with the single dot, and shows its first lines. */
  async sendText(text: Uint8Array): Promise<void> {
    this.#broken = true;
    this.#dialogue.clientText(text);
    for (let at = 0; at < text.length; at += 64 * 1024) {
      await this.#write(text.subarray(at, at + 64 * 1024));
    }
    this.#broken = false;
  }

  async #write(data: Uint8Array | string): Promise<void> {
    const { timeout = 3 * MINUTE, stop } = this.#options;
    stop?.throwIfAborted();
    using _closing = whenAborted(stop, () => this[Symbol.dispose]());
    try {
      await writeAll(this.#connection, data, { timeout });
    } catch (error) {
      this.#broken = true;
      stop?.throwIfAborted();
      // a server that ends the conversation in the middle has perhaps said why
      const reply = await this.#read("to go on", 2_000).catch((error) =>
        error instanceof SmtpRefusal ? error.reply : undefined
      );
      throw reply ? new SmtpRefusal("to go on", reply) : error;
    }
  }

  /**
   * The next reply, whatever it is.
   *
   * @param step what it answers: a command, `the connection`, or `the mail`
   * @throws {ActionError} when none comes in time, or what comes is none
   */
  async reply(step: string): Promise<SmtpReply> {
    const { timeout = patience(step), stop } = this.#options;
    const minutes = timeout > MINUTE ? `${timeout / MINUTE} minutes` : `${timeout / 1_000} s`;
    using _notice = timeout > NOTICE
      ? after(NOTICE, () => console.error(`still waiting: the server has ${minutes} for its reply`))
      : undefined;
    try {
      return await this.#read(step, timeout);
    } catch (error) {
      this.#broken = true;
      stop?.throwIfAborted();
      if (error instanceof SmtpRefusal) throw error;
      throw new ActionError(`get the server's reply to ${step}`, error);
    }
  }

  async #read(step: string, timeout: number): Promise<SmtpReply> {
    const onLine = (line: string) => this.#dialogue.server(line);
    const signal = this.#options.stop;
    const masked = (text: string) => this.#dialogue.masked(text);
    const reply = await readSmtpReply(this.#reader, { timeout, onLine, masked, signal });
    // sent by a server that is about to close, at any moment (RFC 5321, 3.8)
    if (reply.code === 421) {
      this.#broken = true;
      throw new SmtpRefusal(step, reply);
    }
    return reply;
  }

  /** Says a command and gives the reply, whatever it is. */
  async ask(command: string, step = command): Promise<SmtpReply> {
    await this.say(command);
    return await this.reply(step);
  }

  /**
   * Says a command that must be answered with one code.
   *
   * @param step how it is called when it is refused, where the command holds a secret
   */
  async must(command: string, code: number, step = command): Promise<SmtpReply> {
    const reply = await this.ask(command, step);
    if (reply.code !== code) throw new SmtpRefusal(step, reply);
    return reply;
  }

  /**
   * Goes on over TLS, after the server's go-ahead. What the server has offered so far counts no more.
   *
   * @throws {ActionError} when the certificate is not to be trusted, or is for another name
   */
  async startTls(caCerts: string[]): Promise<void> {
    const { hostname, timeout = 30_000 } = this.#options;
    // what came in clear text behind the go-ahead may be somebody else's
    if (this.#reader.buffered > 0) {
      throw new Error("the server said more than its go-ahead for TLS");
    }
    this.#broken = true;
    const plain = this.#connection as Deno.TcpConn;
    await attempt(`agree on TLS with ${hostname}`, async () => {
      this.#connection = await Deno.startTls(plain, { hostname, caCerts });
      await this.#connection.handshake();
    }, { timeout });
    this.#broken = false;
    this.#reader = new SocketReader(this.#connection);
    this.#secure = true;
    this.extensions = new Map();
  }

  /** Says goodbye, when the server still listens. */
  async quit(): Promise<void> {
    if (this.#broken || this.#options.stop?.aborted) return;
    try {
      await this.say("QUIT");
      await this.#read("QUIT", 2_000);
    } catch {
      // it has gone first: nothing is lost
    }
  }

  [Symbol.dispose](): void {
    try {
      this.#connection.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error; // it may come twice
    }
  }
}

function whenAborted(signal: AbortSignal | undefined, act: () => void): Disposable {
  signal?.addEventListener("abort", act, { once: true });
  return { [Symbol.dispose]: () => signal?.removeEventListener("abort", act) };
}
