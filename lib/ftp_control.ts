/**
 * The control connection of FTP, from the client's side.
 *
 * @module
 */

import { ActionError } from "./errors.ts";
import { RefusedError } from "./ftp_codes.ts";
import { readReply, type Reply } from "./ftp_reply.ts";
import { withoutTelnet } from "./ftp_telnet.ts";
import { Dialogue } from "./mail_dialogue.ts";
import { SocketReader } from "./reader.ts";
import { UsageError } from "./usage.ts";
import { writeAll } from "./write_all.ts";

const PATIENCE = 10_000;

/**
 * The client's side of a control connection: a command goes out, a reply comes back, and both are shown on
 * stderr.
 *
 * @example
 * ```ts ignore
 * const connection = await Deno.connect({ hostname: "127.0.0.1", port: 2121 });
 * using control = new Control(connection, "127.0.0.1", new AbortController().signal);
 * await control.reply(); // the greeting
 * await control.ask("USER anonymous");
 * await control.quit();
 * ```
 */
export class Control implements Disposable {
  /** Shows both sides. */
  dialogue = new Dialogue();
  readonly #connection: Deno.TcpConn;
  readonly #reader: SocketReader;
  #lost = false;

  /**
   * @param hostname how the server was called
   * @param stop aborted when the person has had enough: waits then end with its reason
   */
  constructor(
    connection: Deno.TcpConn,
    readonly hostname: string,
    readonly stop: AbortSignal,
  ) {
    this.#connection = connection;
    this.#reader = new SocketReader(withoutTelnet(connection));
  }

  /** The server's IP address. */
  get address(): string {
    return this.#connection.remoteAddr.hostname;
  }

  /** Sends a command. */
  async send(command: string): Promise<void> {
    checkWords(command);
    this.dialogue.client(command);
    await writeAll(this.#connection, `${command}\r\n`);
  }

  /**
   * The next reply, all lines of it.
   *
   * @param timeout in milliseconds; 10,000 unless told
   * @throws {ActionError} when none comes in time, or what comes is none
   */
  async reply(timeout = PATIENCE, signal: AbortSignal | undefined = this.stop): Promise<Reply> {
    const onLine = (line: string) => this.dialogue.server(line);
    const masked = (text: string) => this.dialogue.masked(text);
    try {
      return await readReply(this.#reader, { timeout, onLine, masked, signal });
    } catch (error) {
      signal?.throwIfAborted();
      this.#lost = true;
      throw new ActionError("get the server's reply", error);
    }
  }

  /** Sends a command and gives the reply, whatever it is. */
  async ask(command: string): Promise<Reply> {
    await this.send(command);
    return await this.reply();
  }

  /** Sends a command that must be answered with one of these codes. */
  async must(command: string, ...codes: number[]): Promise<Reply> {
    const reply = await this.ask(command);
    if (!codes.includes(reply.code)) throw new RefusedError(command, reply);
    return reply;
  }

  /** Says goodbye, when the server still listens; a reply about a broken transfer may come before. */
  async quit(): Promise<void> {
    if (this.#lost) return;
    try {
      await this.send("QUIT");
      const signal = AbortSignal.timeout(2_000);
      while ((await this.reply(2_000, signal)).code !== 221);
    } catch {
      // it has gone first: nothing is lost
    }
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }
}

/**
 * A line end in a name would begin another command.
 *
 * @throws {UsageError} for words that no command can carry
 */
export function checkWords(...words: string[]): void {
  if (words.every((word) => !/[\r\n\0]/.test(word))) return;
  throw new UsageError("a name or password has no line end and no NUL in it");
}
