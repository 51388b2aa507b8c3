/**
 * The user's side of an interactive telnet session: keys become characters or lines for the server, and
 * `^]` leads to the prompt `telnet>`.
 *
 * @module
 */

import { quoted } from "./display.ts";
import { LineEditor } from "./line_editor.ts";
import { command, COMMANDS, type Verb } from "./telnet.ts";
import { optionName, OPTIONS } from "./telnet_options.ts";

/** What the keyboard wants of the conversation. */
export interface Remote {
  /** Whether the server echoes: each key is then sent at once, else whole lines. */
  readonly echoes: boolean;
  /** Whether the server has shown that it speaks telnet. */
  readonly speaksTelnet: boolean;
  /** Sends what was typed; LF is the end of a line. */
  type(text: Uint8Array): void;
  /** Sends bytes of the protocol as they are. */
  send(bytes: Uint8Array): void;
  /** Asks for an option to be on or off. */
  ask(verb: Verb, option: number): void;
  /** Ends our side of the conversation. */
  end(): void;
  /** What the command `status` tells, line by line. */
  status(): string[];
}

const ESCAPE = 0x1d; // ^]
const SENDABLE = ["AYT", "IP", "BRK", "AO", "EC", "EL", "EOF", "SUSP", "ABORT", "EOR", "GA", "NOP"];
const HELP = `Commands, each may be cut short:
  close   close the connection
  quit    close the connection and leave
  status  what is connected, and which options are on
  send    send ${SENDABLE.join(" ").toLowerCase()}, escape (the character ^]),
          or do|dont|will|wont OPTION; several at once
  help    this text
An empty line leads back to the session.`;

/** Takes the keys of a terminal in raw mode. */
export class Keyboard {
  readonly #remote: Remote;
  readonly #show: (text: string) => void;
  readonly #line = new LineEditor({ limit: 4096 });
  /** Set while the prompt is open. */
  #prompt: LineEditor | undefined;
  #closed: () => void = () => {};

  /** @param show writes to the terminal */
  constructor(remote: Remote, show: (text: string) => void) {
    this.#remote = remote;
    this.#show = show;
  }

  /** Resolves when no prompt is open: what the server says meanwhile has to wait. */
  async ready(): Promise<void> {
    while (this.#prompt) await new Promise<void>((resolve) => this.#closed = resolve);
  }

  /** Takes keys as they come; true when the user wants to leave. */
  feed(keys: Uint8Array): boolean {
    for (let at = 0; at < keys.length;) {
      if (this.#prompt) {
        if (this.#ask(this.#prompt, keys.subarray(at, at + 1))) return true;
        at++;
        continue;
      }
      const found = keys.indexOf(ESCAPE, at);
      const end = found < 0 ? keys.length : found;
      if (end > at) this.#forward(keys.subarray(at, end));
      if (found >= 0) this.#open();
      at = end + 1;
    }
    return false;
  }

  #forward(keys: Uint8Array): void {
    const remote = this.#remote;
    const encoder = new TextEncoder();
    if (remote.echoes) {
      const begun = this.#line.rest();
      if (begun) remote.type(encoder.encode(begun));
      // the Enter key is CR, and the end of a line is LF here
      remote.type(keys.map((key) => key === 0x0d ? 0x0a : key));
      return;
    }
    const { echo, typed } = this.#line.feed(keys);
    this.#show(echo);
    for (const each of typed) {
      if (each.type === "line") remote.type(encoder.encode(`${each.text}\n`));
      else if (each.type === "interrupt") {
        if (remote.speaksTelnet) remote.send(command(COMMANDS.IP));
        else remote.type(Uint8Array.of(3));
      } else if (remote.speaksTelnet) remote.send(command(COMMANDS.EOF));
      else remote.end();
    }
  }

  #open(): void {
    this.#prompt = new LineEditor();
    this.#show("\r\ntelnet> ");
  }

  /** One key at the prompt; true when the user wants to leave. */
  #ask(prompt: LineEditor, key: Uint8Array): boolean {
    if (key[0] === ESCAPE) return false;
    const { echo, typed } = prompt.feed(key);
    this.#show(echo);
    const [given] = typed;
    if (!given) return false;
    const leave = given.type === "line" && this.#obey(given.text.trim());
    if (!leave) this.#prompt = undefined;
    if (!leave) this.#closed();
    return leave;
  }

  #obey(line: string): boolean {
    const [word = "", ...rest] = line.toLowerCase().split(/\s+/);
    if (word === "") return false;
    const commands = ["close", "quit", "status", "send", "help"];
    const found = word === "?" ? "help" : commands.find((name) => name.startsWith(word));
    if (found === "quit" || found === "close") return true;
    if (found === "status") this.#print(this.#remote.status().join("\n"));
    else if (found === "help") this.#print(HELP);
    else if (found === "send") this.#send(rest);
    else this.#print("?Invalid command (help lists them)");
    return false;
  }

  #send(words: string[]): void {
    if (words.length === 0 || words[0] === "?") return this.#print(HELP);
    // all words are understood before any is sent
    const actions: (() => void)[] = [];
    for (let at = 0; at < words.length; at++) {
      const word = words[at]!.toUpperCase();
      if (["DO", "DONT", "WILL", "WONT"].includes(word)) {
        const option = optionNumber(words[++at] ?? "");
        if (option === undefined) {
          return this.#print(`?${word} needs an option: ${known()}, 0 to 255`);
        }
        actions.push(() => this.#remote.ask(word as Verb, option));
      } else if (word === "ESCAPE") {
        actions.push(() => this.#remote.type(Uint8Array.of(ESCAPE)));
      } else if (SENDABLE.includes(word)) {
        const code = COMMANDS[word as keyof typeof COMMANDS];
        actions.push(() => this.#remote.send(command(code)));
      } else {return this.#print(
          `?Cannot send ${quoted(words[at]!)} (send ? lists what can be sent)`,
        );}
    }
    for (const action of actions) action();
  }

  #print(text: string): void {
    this.#show(text.replaceAll("\n", "\r\n") + "\r\n");
  }
}

function known(): string {
  return Object.values(OPTIONS).map(optionName).join(" ").toLowerCase();
}

function optionNumber(word: string): number | undefined {
  if (/^\d{1,3}$/.test(word) && Number(word) < 256) return Number(word);
  return OPTIONS[word.toUpperCase() as keyof typeof OPTIONS];
}
