/**
 * Both sides of a conversation by text, as the lectures show it: `C:` is what the client says, `S:` what the
 * server says. Mail comes from anybody: control characters are shown, never obeyed, and secrets are `***`.
 *
 * @module
 */

import { visible } from "./display.ts";

/** How a dialogue is shown. */
export interface DialogueOptions {
  /** Where a line goes; to stderr unless told. */
  print?: (line: string) => void;
  /** The most characters of a line that are shown; 1,000 unless told. */
  width?: number;
  /** The most lines of one text that are shown; 200 unless told. */
  height?: number;
}

const HIDDEN = "***";

/**
 * Prints a dialogue line by line.
 *
 * @example
 * ```ts
 * import { Dialogue } from "./mail_dialogue.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const shown: string[] = [];
 * const dialogue = new Dialogue({ print: (line) => shown.push(line) });
 * dialogue.hide("swordfish");
 * dialogue.client("PASS swordfish");
 * dialogue.server("+OK \x1b[2J");
 * dialogue.serverText("first\r\nsecond\r\n");
 * assertEquals(shown, ["C: PASS ***", "S: +OK \\x1b[2J", "S: first", "S: second"]);
 * ```
 */
export class Dialogue {
  readonly #print: (line: string) => void;
  readonly #width: number;
  readonly #height: number;
  readonly #secrets = new Set<string>();

  constructor(options: DialogueOptions = {}) {
    this.#print = options.print ?? ((line) => console.error(line));
    this.#width = options.width ?? 1_000;
    this.#height = options.height ?? 200;
  }

  /** Has each of these appear as `***` from now on, on both sides: a server may repeat what it got. */
  hide(...secrets: string[]): void {
    for (const secret of secrets) if (secret !== "") this.#secrets.add(secret);
  }

  /** Shows a line of the client, without its line end. */
  client(line: string): void {
    this.#show("C", line);
  }

  /** Shows a line of the server, without its line end. */
  server(line: string): void {
    this.#show("S", line);
  }

  /** Shows the lines of a text that the client sends, of a long one the first; see {@linkcode Dialogue.serverText}. */
  clientText(text: string | Uint8Array): void {
    this.#showText("C", text);
  }

  /** Shows the lines of a text that the server sends; how many lines are left out of a long one is told. */
  serverText(text: string | Uint8Array): void {
    this.#showText("S", text);
  }

  #showText(side: "C" | "S", text: string | Uint8Array): void {
    const whole = typeof text === "string" ? text : new TextDecoder().decode(text);
    const lines = whole.split("\n");
    if (lines.at(-1) === "") lines.pop();
    const shown = lines.slice(0, this.#height);
    for (const line of shown) this.#show(side, line.replace(/\r$/, ""));
    const rest = lines.length - shown.length;
    if (rest > 0) this.#print(`${side}: … (${rest} more lines)`);
  }

  /** A text without the secrets, for an error that quotes what the server said: it may repeat what it got. */
  masked(text: string): string {
    // the longest first: one secret may be a part of another
    const secrets = [...this.#secrets].sort((one, other) => other.length - one.length);
    return secrets.reduce((masked, secret) => masked.replaceAll(secret, HIDDEN), text);
  }

  #show(side: "C" | "S", line: string): void {
    const text = this.masked(line);
    const rest = text.length - this.#width;
    const end = rest > 0 ? `… (${rest} more characters)` : "";
    this.#print(`${side}: ${visible(text.slice(0, this.#width))}${end}`);
  }
}
