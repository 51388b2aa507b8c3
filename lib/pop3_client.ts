/**
 * POP3 from the client's side: a command goes out, one line comes back, and after some of them a text.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc1939 RFC 1939}
 * @module
 */

import { DeadlineError } from "./deadline.ts";
import { visible } from "./display.ts";
import { ActionError, attempt } from "./errors.ts";
import { Dialogue } from "./mail_dialogue.ts";
import { DotReader, joined } from "./mail_lines.ts";
import { Pop3Error, RefusedError } from "./pop3_errors.ts";
import { LimitError, SocketReader, UnexpectedEof } from "./reader.ts";
import { UsageError } from "./usage.ts";
import { writeAll } from "./write_all.ts";

/** How long the server may say nothing, in milliseconds, and how much it must send in the long run. */
const PATIENCE = 10_000;
const LEAST_PER_SECOND = 1_024;
const LONGEST_LINE = 4_096;
const LONGEST_MAIL = 64 * 1024 * 1024;

/** What a client may be told. */
export interface Pop3Options {
  /** Shows both sides; on stderr unless told. */
  dialogue?: Dialogue;
  /** Aborted when the person has had enough: waits then end with its reason. */
  stop?: AbortSignal;
}

/**
 * A conversation with a server over an open connection, which it closes when it is disposed of.
 *
 * @example
 * ```ts ignore
 * const connection = await Deno.connect({ hostname: "127.0.0.1", port: 1110 });
 * using pop = new Pop3Client(connection);
 * await pop.greeting();
 * await pop.ask("USER student");
 * await pop.ask("PASS example");
 * await pop.ask("RETR 1");
 * const mail = await pop.text();
 * await pop.ask("QUIT");
 * ```
 */
export class Pop3Client implements Disposable {
  readonly dialogue: Dialogue;
  readonly #stop: AbortSignal | undefined;
  #connection: Deno.TcpConn | Deno.TlsConn;
  #reader: SocketReader;
  #lost = false;

  constructor(connection: Deno.TcpConn | Deno.TlsConn, options: Pop3Options = {}) {
    this.dialogue = options.dialogue ?? new Dialogue();
    this.#stop = options.stop;
    this.#connection = connection;
    this.#reader = new SocketReader(connection);
  }

  /** The server's IP address. */
  get address(): string {
    return (this.#connection.remoteAddr as Deno.NetAddr).hostname;
  }

  /** Whether TLS is spoken. */
  get secure(): boolean {
    return "handshake" in this.#connection;
  }

  /** Whether the conversation broke: nothing more can be said. */
  get lost(): boolean {
    return this.#lost;
  }

  /** What the server says first. */
  greeting(): Promise<string> {
    return this.#reply("the connection");
  }

  /**
   * Sends a command; gives what stands behind `+OK` in the answer.
   *
   * @throws {RefusedError} when the answer is `-ERR`
   * @throws {ActionError} when none comes in time, or what comes is none
   * @throws {UsageError} for a command with control characters: a line end would begin another command
   */
  async ask(command: string): Promise<string> {
    if (/\p{Cc}/u.test(command)) {
      throw new UsageError("a name or password has no line end and no control character in it");
    }
    this.#mustBeQuiet();
    this.dialogue.client(command);
    await this.#watched("send to the server", writeAll(this.#connection, `${command}\r\n`));
    return await this.#reply(command.split(" ")[0]!);
  }

  /**
   * The lines that follow, to the one with a single dot: each ends in CR LF, and added dots are gone.
   *
   * @param limit how many bytes at most; 64 MiB unless told
   * @throws {ActionError} when they do not come whole, or by less than 1 KiB a second
   */
  text(limit = LONGEST_MAIL): Promise<Uint8Array<ArrayBuffer>> {
    return this.#watched("get the text from the server", this.#text(limit));
  }

  /**
   * The lines that follow, of a list.
   *
   * @throws {ActionError} when they do not come whole, or have more than 8 MiB
   */
  async lines(): Promise<string[]> {
    const text = new TextDecoder().decode(await this.text(8 * 1024 * 1024));
    this.dialogue.serverText(text);
    this.dialogue.server(".");
    return text.split("\r\n").slice(0, -1);
  }

  /**
   * Goes on over TLS, once the server has said yes to STLS.
   *
   * @param options.hostname the name that the certificate must hold
   * @throws {ActionError} when the two do not agree
   */
  async startTls(options: { hostname: string; caCerts?: string[] }): Promise<void> {
    // what has come in clear text behind the yes may be somebody else's (CVE-2011-0411)
    this.#mustBeQuiet();
    const tcp = this.#connection;
    if ("handshake" in tcp) throw new Error("this connection speaks TLS already");
    const action = `agree on TLS with ${options.hostname}`;
    this.#lost = true;
    const connection = await attempt(action, Deno.startTls(tcp, options));
    this.#connection = connection;
    await attempt(action, connection.handshake());
    this.#lost = false;
    this.#reader = new SocketReader(connection);
  }

  [Symbol.dispose](): void {
    this.#connection[Symbol.dispose](); // unlike close, it may come twice
  }

  async #reply(command: string): Promise<string> {
    const line = await this.#watched("get the server's reply", this.#line());
    this.dialogue.server(line);
    const [, status, text = ""] = /^(\+OK|-ERR)(?: (.*))?$/.exec(line) ?? [];
    if (status === "-ERR") throw new RefusedError(command, this.dialogue.masked(text));
    if (status) return text;
    this.#lost = true;
    const shown = visible(this.dialogue.masked(line).slice(0, 80));
    throw new Pop3Error(`"${shown}" is no POP3 reply`);
  }

  async #line(): Promise<string> {
    const bytes = await this.#reader.readUntil("\n", {
      limit: LONGEST_LINE,
      timeout: PATIENCE,
      signal: this.#stop,
    });
    if (bytes === null) throw new Pop3Error("the server closed the connection without one");
    return new TextDecoder().decode(bytes).replace(/\r$/, "");
  }

  async #text(limit: number): Promise<Uint8Array<ArrayBuffer>> {
    const began = performance.now();
    const dots = new DotReader();
    const pieces: Uint8Array[] = [];
    for (let size = 0, ended = false; !ended;) {
      // a byte now and then would otherwise keep this client for ever
      const due = began + PATIENCE + size / LEAST_PER_SECOND * 1_000;
      const timeout = Math.min(PATIENCE, due - performance.now());
      if (timeout <= 0) {
        throw new Pop3Error(`it sends less than ${LEAST_PER_SECOND} bytes a second`);
      }
      if (!await this.#reader.fill(1, { timeout, signal: this.#stop })) {
        throw new UnexpectedEof(size, "the line with a dot");
      }
      const piece = this.#reader.tryExactly(this.#reader.buffered)!;
      const taken = dots.push(piece);
      pieces.push(taken.text);
      size += taken.text.length;
      ended = taken.ended;
      if (size > limit) throw new LimitError("the text", limit);
      if (taken.used < piece.length) throw new Pop3Error("it goes on behind the end of its text");
    }
    return joined(pieces);
  }

  /** A server that speaks without being asked has two answers for the next question. */
  #mustBeQuiet(): void {
    if (this.#reader.buffered === 0) return;
    this.#lost = true;
    throw new Pop3Error("the server said more than it was asked for");
  }

  async #watched<T>(action: string, work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      this.#lost = true;
      this.#stop?.throwIfAborted();
      if (error instanceof ActionError) throw error;
      throw new ActionError(
        action,
        error instanceof DeadlineError ? new DeadlineError(PATIENCE) : error,
      );
    }
  }
}
