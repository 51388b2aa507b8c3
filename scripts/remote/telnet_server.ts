#!/usr/bin/env -S deno run --allow-net=127.0.0.1:2323
/**
 * Telnet server with a small shell of its own
 *
 * A telnet server talks to the person behind a terminal. At the beginning it offers to echo (WILL ECHO) and to
 * do without go-ahead (WILL SGA), and asks for the terminal's type (DO TTYPE) and the window's size (DO NAWS).
 * A client that says DO ECHO sends each key at once, and the line is edited here; another, such as nc, sends
 * whole lines, and is not echoed to: it only sees the few bytes of the questions.
 *
 * Each answer to an answer would call for another: the options of lib/telnet_options.ts keep the two sides from
 * going on for ever (RFC 1143). Nothing is encrypted in telnet, so this shell can do nothing of value: no
 * program is started, and no password asked for.
 *
 * @lecture 003 Protocol?, Twisted: Telnet · 004 What is a socket?
 * @python  socketserver.ThreadingTCPServer → Deno.listen, twisted.conch.telnet → Deno.listen
 * @run     deno run --allow-net=127.0.0.1:2323 scripts/remote/telnet_server.ts
 * @expect  listening on 127.0.0.1:2323
 * @log     127.0.0.1:* is user 1
 * @log     user 1 says "echo Are you there?"
 * @log     user 1 says "logout"
 * @log     user 1 left
 * @option  --host HOST     the address to listen on (default: 127.0.0.1)
 * @option  --port PORT     the port to listen on, 0 for a free one (default: 2323)
 * @option  --idle SECONDS  how long a user may be silent (default: 600)
 * @option  --users COUNT   how many users at once; further ones wait (default: 1000)
 * @see     https://www.rfc-editor.org/rfc/rfc854
 * @see     https://www.rfc-editor.org/rfc/rfc1143
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { after } from "../../lib/deadline.ts";
import { quoted, visible } from "../../lib/display.ts";
import { LineEditor } from "../../lib/line_editor.ts";
import { pause } from "../../lib/pause.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { type Connection, serve } from "../../lib/tcp.ts";
import * as telnet from "../../lib/telnet.ts";
import * as option from "../../lib/telnet_options.ts";

const { ECHO, SGA, TTYPE, NAWS } = option.OPTIONS;
const { IP, BRK, AYT, AO, EC, EL, EOF } = telnet.COMMANDS;
const MOST_LINES = 100; // typed ahead of the answers
const MOST_ANSWERS = 10_000; // to a client that negotiates without end

const HELP = `  help        this text
  who         who is here
  time        the time here
  size        the size of your window
  terminal    the type of your terminal
  echo TEXT   says it back
  count       counts to ten, one a second; Ctrl-C stops it
  logout      leaves`;

/** Everybody who is connected. */
const users = new Map<number, Session>();
let lastUser = 0;

/** One user's conversation. */
class Session implements Disposable {
  readonly number = ++lastUser;
  readonly since = new Date();
  terminal = "";
  size: option.WindowSize | undefined;
  readonly #connection: Connection;
  readonly #parser = new telnet.TelnetParser();
  readonly #options = new option.TelnetOptions({ local: [ECHO, SGA], remote: [SGA, TTYPE, NAWS] });
  readonly #text = new telnet.TelnetText();
  readonly #editor = new LineEditor();
  readonly #lines: string[] = [];
  #answers = 0;
  #leaving = false;
  #closing: Disposable | undefined;
  #working: Promise<void> | undefined;
  #interrupted = new AbortController();
  #writing: Promise<unknown> = Promise.resolve();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get remote(): string {
    return this.#connection.remote;
  }

  async converse(): Promise<void> {
    await this.#negotiate();
    await this.#say("Welcome, this is telnet_server.ts. Try help.\n> ");
    const buffer = new Uint8Array(4 * 1024);
    for (;;) {
      const count = await this.#connection.read(buffer);
      if (count === null) break;
      if (this.#leaving) continue; // until the client ends its side too
      for (const event of this.#parser.push(buffer.subarray(0, count))) await this.#hear(event);
      if (this.#lines.length > MOST_LINES) await this.#working;
    }
    // the client has said all it wanted to say, and may still want to hear the answers
    await this.#working;
    const rest = this.#editor.rest();
    if (rest && !this.#leaving) await this.#obey(rest);
  }

  #negotiate(): Promise<unknown> {
    const asked = [
      this.#options.request("local", ECHO, true)!,
      this.#options.request("local", SGA, true)!,
      this.#options.request("remote", TTYPE, true)!,
      this.#options.request("remote", NAWS, true)!,
    ];
    return this.#write(Uint8Array.from(asked.flatMap((bytes) => [...bytes])));
  }

  async #hear(event: telnet.TelnetEvent): Promise<void> {
    switch (event.type) {
      case "data":
        return await this.#type(event.bytes);
      case "command":
        return await this.#command(event.code);
      case "negotiation": {
        const { reply, changed } = this.#options.receive(event.verb, event.option);
        if (reply) await this.#answer(reply);
        if (changed?.on && changed.side === "remote" && changed.option === TTYPE) {
          await this.#answer(telnet.subnegotiation(TTYPE, option.askTerminalType));
        }
        return;
      }
      case "subnegotiation":
        // only what was asked for, and agreed on, is believed
        if (!this.#options.on("remote", event.option)) return;
        if (event.option === NAWS) this.size = option.readWindowSize(event.bytes) ?? this.size;
        if (event.option === TTYPE) this.terminal = option.readTerminalType(event.bytes) ?? "";
    }
  }

  /** What a command of one byte asks for. */
  async #command(code: number): Promise<void> {
    if (code === AYT) await this.#say("\n[telnet_server.ts: yes]\n");
    else if (code === EC) await this.#type(Uint8Array.of(0x7f));
    else if (code === EL) await this.#type(Uint8Array.of(0x15));
    else if (code === IP || code === BRK || code === AO) await this.#type(Uint8Array.of(0x03));
    else if (code === EOF) await this.#type(Uint8Array.of(0x04));
  }

  async #type(keys: Uint8Array): Promise<void> {
    const { echo, typed } = this.#editor.feed(keys);
    if (echo && this.#options.on("local", ECHO)) await this.#say(echo);
    for (const each of typed) {
      if (each.type === "end") this.#lines.push("logout");
      else if (each.type === "line") {
        this.#lines.push(each.tooLong ? "the line is too long" : each.text);
      } else if (this.#working) {
        this.#lines.length = 0;
        this.#interrupted.abort();
      } else await this.#say("> ");
    }
    if (this.#lines.length > 0) this.#working ??= this.#work();
  }

  /** Obeys what was typed, while more is heard: Ctrl-C must get through. */
  async #work(): Promise<void> {
    try {
      for (let line; (line = this.#lines.shift()) !== undefined && !this.#leaving;) {
        this.#interrupted = new AbortController();
        await this.#obey(line);
      }
    } catch (error) {
      this.#connection.close(error as Error);
    } finally {
      this.#working = undefined;
    }
  }

  async #obey(line: string): Promise<void> {
    console.error(`user ${this.number} says ${quoted(line, { limit: 64 })}`);
    const [, word = "", rest = ""] = /^\s*(\S*)\s*(.*)$/s.exec(line) ?? [];
    if (word === "logout" || word === "exit" || word === "quit") {
      this.#leaving = true;
      await this.#say("Goodbye.\n");
      // to close at once could cost the client the last words: it has two seconds to end its side
      await this.#connection.closeWrite();
      this.#closing = after(2_000, () => this.#connection.close());
      return;
    }
    if (word === "count") await this.#count();
    else await this.#say(this.#reply(word, rest));
    await this.#say("> ");
  }

  #reply(word: string, rest: string): string {
    switch (word) {
      case "":
        return "";
      case "help":
        return `${HELP}\n`;
      case "who":
        return [...users.values()].slice(0, 50).map((user) => `${user.describe(this)}\n`).join("");
      case "time":
        return `${new Date().toISOString()}\n`;
      case "size":
        return this.size
          ? `${this.size.columns} columns, ${this.size.rows} rows\n`
          : "Your client does not tell its size.\n";
      case "terminal":
        return `${this.terminal || "Your client does not tell its terminal."}\n`;
      case "echo":
        return `${visible(rest)}\n`;
      default:
        return `There is no command "${visible(word.slice(0, 32))}", try help.\n`;
    }
  }

  describe(asker: Session): string {
    const { number, remote, since, terminal } = this;
    const what = [`user ${number}`, remote, `since ${since.toISOString()}`, terminal];
    return what.filter(Boolean).join(", ") + (this === asker ? " (you)" : "");
  }

  async #count(): Promise<void> {
    for (let number = 1; number <= 10; number++) {
      await this.#say(`${number}\n`);
      if (number < 10 && !await pause(1_000, this.#interrupted.signal)) return;
    }
  }

  #say(text: string): Promise<unknown> {
    return this.#write(this.#text.encode(new TextEncoder().encode(text)));
  }

  async #answer(bytes: Uint8Array): Promise<void> {
    if (++this.#answers > MOST_ANSWERS) throw new Error("the client negotiates without end");
    await this.#write(bytes);
  }

  [Symbol.dispose](): void {
    this.#closing?.[Symbol.dispose]();
  }

  /** The shell and the echo write at the same time: one after the other. */
  #write(bytes: Uint8Array): Promise<unknown> {
    const written = this.#writing.then(() => this.#connection.write(bytes));
    this.#writing = written.catch(() => {}); // told to whoever wrote
    return written;
  }
}

async function welcome(connection: Connection): Promise<void> {
  using session = new Session(connection);
  console.error(`${connection.remote} is user ${session.number}`);
  users.set(session.number, session);
  try {
    await session.converse();
  } finally {
    users.delete(session.number);
    console.error(`user ${session.number} left`);
  }
}

export async function main(
  options: { host: string; port: number; idle: number; users: number },
): Promise<void> {
  const server = await serve({
    hostname: options.host,
    port: options.port,
    idleTimeout: options.idle * 1_000,
    maxConnections: options.users,
  }, welcome);
  using _stopping = onInterrupt(() => server.shutdown());
  console.log(`listening on ${formatEndpoint(server.addr)}`);
  await server.finished;
}

if (import.meta.main) await run(main);
