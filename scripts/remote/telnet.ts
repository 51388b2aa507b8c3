#!/usr/bin/env -S deno run --allow-net=127.0.0.1:2323
/**
 * Speak to any server by hand: telnet
 *
 * What you type goes to the server, what it says is shown. Most protocols of the Internet are text, so one
 * can speak HTTP, SMTP or IMAP with this. With a telnet server it does more: bytes behind a 255 (IAC) are
 * commands, and by them both sides agree on options. Here the server may echo (ECHO, then each key is sent at
 * once, else whole lines), leave out go-ahead (SGA), and ask for the terminal's type (TTYPE) and its size
 * (NAWS). All else is refused. Nothing is asked for before the server begins: a web server never sees an IAC.
 *
 * On a terminal, `^]` (Ctrl and ]) leads to the prompt `telnet>`, even when the server hangs: quit, close,
 * status, send, help. Ctrl-C goes to the server. A telnet server may send control sequences, which the terminal
 * obeys: that is what it is for, so connect only to those you trust. What comes from a server that never spoke
 * telnet is text, and its control characters are shown, not obeyed. A bare LF begins a line at its left end, as
 * Deno's raw mode leaves that to the terminal.
 *
 * Without a terminal, stdin is sent, line ends as CR LF, and stdout gets what comes, byte by byte. When stdin
 * ends the connection stays open until the server closes it: other telnets hang up there and lose the answer.
 * A server that says no more for --wait seconds is told the end (half-close), since some, as an echo server,
 * wait for that; but not at once, since others take it for a hang-up. For a server that wants its turn,
 * pause between lines: `(sleep 1; echo HELO me; sleep 1; echo QUIT) | telnet.ts 127.0.0.1 25`.
 *
 * @lecture 003 Protocol? (IMAP4) · 004 Sending mail the hard way
 * @python  telnetlib.Telnet → Deno.connect, telnetlib.Telnet.interact → Deno.stdin.setRaw
 * @partner scripts/remote/telnet_server.ts
 * @partner scripts/http/sample_server.ts
 * @run     deno run --allow-net=127.0.0.1:2323 scripts/remote/telnet.ts 127.0.0.1 2323
 * @stdin   echo Are you there?
 * @stdin   size
 * @stdin   logout
 * @log     Trying 127.0.0.1...
 * @log     Connected to 127.0.0.1.
 * @log     Escape character is '^]'.
 * @log     Connection closed by foreign host.
 * @expect  *Are you there?
 * @expect  *Your client does not tell its size.
 * @expect  *Goodbye.
 * @run     deno run --allow-net=127.0.0.1:8000 scripts/remote/telnet.ts 127.0.0.1 8000
 * @stdin   GET /notes.txt HTTP/1.1
 * @stdin   Host: 127.0.0.1:8000
 * @stdin   Connection: close
 * @stdin
 * @log     Connected to 127.0.0.1.
 * @log     Connection closed by foreign host.
 * @expect  HTTP/1.1 200 OK
 * @expect  content-length: 18
 * @expect  Networking: day 4
 * @online  deno run --allow-net=www.usfca.edu:80 scripts/remote/telnet.ts www.usfca.edu 80
 * @argument HOST               a name or an IP address
 * @argument [SERVICE]          a port, or the name of a service such as http, smtp or imap (default: telnet)
 * @option  --terminal NAME     the type of terminal the server is told; $TERM with --allow-env=TERM, else xterm
 * @option  --wait SECONDS      how long the server may be silent after the end of stdin (default: 5)
 * @option  --timeout SECONDS   how long connecting may take, for each address (default: 10)
 * @option  --bytes             send and show bytes as they are, whatever ends their lines
 * @see     https://www.rfc-editor.org/rfc/rfc854
 * @see     https://www.rfc-editor.org/rfc/rfc1143
 * @module
 */

import { run } from "../../lib/cli.ts";
import { after } from "../../lib/deadline.ts";
import { visible } from "../../lib/display.ts";
import { attempt } from "../../lib/errors.ts";
import { serviceByName, WELL_KNOWN } from "../../lib/services.ts";
import * as telnet from "../../lib/telnet.ts";
import { connect, ConnectError } from "../../lib/telnet_connect.ts";
import { Keyboard, type Remote } from "../../lib/telnet_keyboard.ts";
import * as option from "../../lib/telnet_options.ts";
import { onResize, rawMode, terminalSize } from "../../lib/terminal.ts";
import { UsageError } from "../../lib/usage.ts";
import { writeAll } from "../../lib/write_all.ts";
import { writeOutput } from "../../lib/write_output.ts";

const { ECHO, SGA, TTYPE, NAWS } = option.OPTIONS;
const MOST_ANSWERS = 10_000; // to a server that negotiates without end
const MOST_WAITING = 64 * 1024; // bytes typed that a server does not take

interface Options {
  host: string;
  service: string;
  terminal?: string;
  wait: number;
  timeout: number;
  bytes: boolean;
}

/** A conversation with a server, which may turn out to speak telnet. */
export class Conversation implements Remote {
  readonly #connection: Deno.Conn;
  readonly #options: Options;
  /** On a terminal: without one there is nothing to echo on, and no window. */
  readonly #agreed: option.TelnetOptions;
  readonly #parser: telnet.TelnetParser;
  readonly #text = new telnet.TelnetText();
  readonly #failure = Promise.withResolvers<never>();
  #sending: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #answers = 0;
  #ended = false;
  speaksTelnet = false;
  /** How many bytes have come, and when the last of them were shown. */
  received = 0;
  lastHeard = performance.now();
  /** Pending while nobody takes what is to be shown: meanwhile the server is not heard, and not silent. */
  shown: Promise<void> = Promise.resolve();

  constructor(connection: Deno.Conn, options: Options, onTerminal: boolean) {
    this.#connection = connection;
    this.#options = options;
    this.#parser = new telnet.TelnetParser({ bytes: options.bytes });
    this.#agreed = new option.TelnetOptions(
      onTerminal
        ? { local: [SGA, TTYPE, NAWS], remote: [SGA, ECHO] }
        : { local: [SGA, TTYPE], remote: [SGA] },
    );
  }

  /** Rejects when something could not be sent. */
  get failure(): Promise<never> {
    return this.#failure.promise;
  }

  get echoes(): boolean {
    return this.#agreed.on("remote", ECHO);
  }

  /** Hears the server out; what it says goes to `show`, what it negotiates is answered. */
  async hear(show: (bytes: Uint8Array) => Promise<void>): Promise<void> {
    const buffer = new Uint8Array(16 * 1024);
    const heard = () => {
      this.lastHeard = performance.now();
    };
    for (;;) {
      const count = await attempt("hear from the server", this.#connection.read(buffer), {
        timeout: Infinity,
      });
      if (count === null) return;
      this.received += count;
      for (const event of this.#parser.push(buffer.subarray(0, count))) {
        if (event.type === "data") await (this.shown = show(event.bytes).then(heard));
        else this.#negotiate(event);
      }
      heard();
      // a server that takes no answers gets no further questions in
      await this.#sending;
    }
  }

  #negotiate(event: telnet.TelnetEvent): void {
    this.speaksTelnet = this.#text.crNul = true;
    if (event.type === "negotiation") {
      const { reply, changed } = this.#agreed.receive(event.verb, event.option);
      if (reply) this.#answer(reply);
      if (changed?.side === "local" && changed.option === NAWS && changed.on) this.tellSize();
    } else if (event.type === "subnegotiation" && event.option === TTYPE) {
      const asked = option.asksTerminalType(event.bytes) && this.#agreed.on("local", TTYPE);
      const name = this.#options.terminal!;
      if (asked) this.#answer(telnet.subnegotiation(TTYPE, option.terminalType(name)));
    }
  }

  /** Tells the server how large the window is, if it wants to know. */
  tellSize(): void {
    const size = terminalSize();
    if (!size || !this.#agreed.on("local", NAWS)) return;
    this.#answer(telnet.subnegotiation(NAWS, option.windowSize(size)));
  }

  #answer(bytes: Uint8Array): void {
    if (++this.#answers > MOST_ANSWERS) {
      this.#failure.reject(new Error(`the server negotiates without end, ${MOST_ANSWERS} answers`));
    } else this.send(bytes);
  }

  /** Sends bytes one after the other; without waiting, since the keyboard must stay alive. */
  send(bytes: Uint8Array): Promise<unknown> {
    // after the half-close nothing can be answered, and the server may still have much to say
    if (this.#ended || this.#waiting > MOST_WAITING) return this.#sending;
    // a pipe gets every byte
    const marked = this.speaksTelnet && Deno.stdout.isTerminal();
    if (marked && telnet.interrupts(bytes)) this.#parser.markExpected = true;
    this.#waiting += bytes.length;
    this.#sending = this.#sending
      .then(() => writeAll(this.#connection, bytes, { timeout: Infinity }))
      .then(() => this.#waiting -= bytes.length)
      .catch(this.#failure.reject);
    return this.#sending;
  }

  type(text: Uint8Array): Promise<unknown> {
    this.#parser.markExpected = false;
    return this.send(this.#options.bytes ? telnet.escaped(text) : this.#text.encode(text));
  }

  async end(): Promise<void> {
    const sent = this.send(this.#text.end());
    this.#ended = true;
    await sent;
    await this.#connection.closeWrite().catch(() => {}); // the server was faster
  }

  ask(verb: telnet.Verb, number: number): void {
    const side = verb === "WILL" || verb === "WONT" ? "local" : "remote";
    const bytes = this.#agreed.request(side, number, verb === "WILL" || verb === "DO");
    if (bytes) this.send(bytes);
  }

  status(): string[] {
    const names = (side: option.Side) =>
      this.#agreed.all(side).map(option.optionName).join(" ") || "none";
    return [
      `Connected to ${this.#options.host}.`,
      this.speaksTelnet ? "It speaks telnet." : "It has not spoken telnet so far.",
      this.echoes ? "Each key is sent at once; the server echoes." : "Lines are sent, echoed here.",
      `Options on its side: ${names("remote")}; on ours: ${names("local")}`,
      "Escape character is '^]'.",
    ];
  }
}

/** The terminal and the server, until one of them leaves. Gives who that was. */
async function interact(conversation: Conversation): Promise<"user" | "server"> {
  const screen = Deno.stdout.isTerminal() ? Deno.stdout : Deno.stderr;
  let showing: Promise<unknown> = Promise.resolve();
  const keyboard = new Keyboard(conversation, (text) => {
    showing = showing.then(() => writeOutput(screen, text));
  });
  const type = async () => {
    const keys = new Uint8Array(1024);
    for (;;) {
      const count = await Deno.stdin.read(keys);
      const leave = count === null || keyboard.feed(keys.slice(0, count));
      await showing;
      if (leave) return "user" as const;
    }
  };
  using _raw = rawMode();
  using _resizing = onResize(() => conversation.tellSize());
  const show = output(conversation);
  const hear = conversation.hear(async (bytes) => {
    await keyboard.ready();
    // behind what the keyboard has shown, and before the prompt
    await (showing = showing.then(() => show(bytes)));
  });
  return await Promise.race([hear.then(() => "server" as const), type(), conversation.failure]);
}

/** stdin and stdout as pipes or files. Gives who ended the conversation. */
async function pass(conversation: Conversation, wait: number): Promise<"user" | "server"> {
  const say = async () => {
    const piece = new Uint8Array(16 * 1024);
    for (let count; (count = await Deno.stdin.read(piece)) !== null;) {
      await conversation.type(piece.slice(0, count));
    }
    conversation.lastHeard = performance.now();
    await silence(conversation, wait);
    await conversation.end();
    conversation.lastHeard = performance.now();
    await silence(conversation, Math.max(wait, 1));
    if (conversation.received === 0) throw new Error(`the server said nothing within ${wait} s`);
    return "user" as const;
  };
  const hear = conversation.hear(output(conversation)).then(() => "server" as const);
  return await Promise.race([hear, say(), conversation.failure]);
}

async function silence(conversation: Conversation, seconds: number): Promise<void> {
  for (;;) {
    await conversation.shown;
    const left = conversation.lastHeard + seconds * 1_000 - performance.now();
    if (left <= 0) return;
    await new Promise<void>((resolve) => after(left, resolve));
  }
}

/** Shows what the server says: as it is, but on a terminal only when the server speaks telnet. */
function output(conversation: Conversation): (bytes: Uint8Array) => Promise<void> {
  const decoder = new TextDecoder();
  let afterCr = false;
  return (bytes) => {
    const asItIs = !Deno.stdout.isTerminal() || conversation.speaksTelnet;
    if (asItIs) return writeOutput(Deno.stdout, bytes);
    const text = decoder.decode(bytes, { stream: true });
    // CR LF may be cut in two
    const rest = afterCr && text.startsWith("\n") ? text.slice(1) : text;
    afterCr = text.endsWith("\r");
    const shown = rest.replace(
      /\r\n?|[^\r\n\t]+/g,
      (part) => part[0] === "\r" ? "\r\n" : visible(part),
    );
    return writeOutput(Deno.stdout, shown);
  };
}

/** What most terminals are like, unless the variable that tells it may be read. */
async function terminalName(): Promise<string> {
  const { state } = await Deno.permissions.query({ name: "env", variable: "TERM" });
  return (state === "granted" ? Deno.env.get("TERM") : undefined) || "xterm";
}

export async function main(options: Options): Promise<void> {
  const { host, service } = options;
  const port = /^\d{1,5}$/.test(service)
    ? Number(service)
    : serviceByName(WELL_KNOWN, service, "tcp")?.port ?? 0;
  if (port < 1 || port > 65_535) {
    throw new UsageError(`SERVICE is a port from 1 to 65535 or a known name, not "${service}"`);
  }
  let connection: Deno.Conn;
  try {
    connection = await connect(host, port, options.timeout * 1_000);
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    console.error(`telnet: ${error.message}\n${error.next}`);
    Deno.exit(1);
  }
  console.error(`Connected to ${host}.\nEscape character is '^]'.`);
  const onTerminal = Deno.stdin.isTerminal();
  options.terminal ??= await terminalName();
  const conversation = new Conversation(connection, options, onTerminal);
  const who = onTerminal ? await interact(conversation) : await pass(conversation, options.wait);
  console.error(who === "server" ? "Connection closed by foreign host." : "Connection closed.");
  // a read of stdin may still wait, and would keep the process
  Deno.exit(0);
}

if (import.meta.main) await run(main);
