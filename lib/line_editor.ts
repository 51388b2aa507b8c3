/**
 * A line that somebody types: echoed, corrected, and handed on when Enter is pressed. What the system's
 * terminal driver does by itself is needed here where the terminal is in raw mode, or at the other end of a
 * telnet connection.
 *
 * @module
 */

/** What was typed. */
export type Typed =
  | { type: "line"; text: string; tooLong: boolean }
  /** Ctrl-C; what was typed of the line is gone. */
  | { type: "interrupt" }
  /** Ctrl-D on an empty line. */
  | { type: "end" };

/** What comes of some keys. */
export interface Edit {
  /** What the terminal is to show. */
  echo: string;
  typed: Typed[];
}

// characters that take two columns
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;

/**
 * Edits one line after another. Backspace takes a character back, Ctrl-W a word, Ctrl-U all; CR, LF and CR LF
 * are Enter.
 *
 * @example
 * ```ts
 * import { LineEditor } from "./line_editor.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const { echo, typed } = new LineEditor().feed(new TextEncoder().encode("hey\x7fllo\r"));
 * assertEquals(typed, [{ type: "line", text: "hello", tooLong: false }]);
 * assertEquals(echo, "hey\b \bllo\r\n");
 * ```
 */
export class LineEditor {
  readonly #limit: number;
  readonly #decoder = new TextDecoder();
  #characters: string[] = [];
  #afterCr = false;
  #tooLong = false;

  /** @param options.limit the most characters of a line; what is more is not taken; 1,024 unless told */
  constructor(options: { limit?: number } = {}) {
    this.#limit = options.limit ?? 1024;
  }

  /** Takes keys as they come, UTF-8 cut anywhere. */
  feed(keys: Uint8Array): Edit {
    const edit: Edit = { echo: "", typed: [] };
    const echo: string[] = [];
    for (const key of this.#decoder.decode(keys, { stream: true })) {
      const again = key === "\n" && this.#afterCr;
      this.#afterCr = key === "\r";
      if (!again) echo.push(this.#key(key, edit.typed));
    }
    edit.echo = echo.join("");
    return edit;
  }

  /** What has been typed of a line that did not end, as at the end of the stream. */
  rest(): string {
    return this.#take();
  }

  #key(key: string, typed: Typed[]): string {
    switch (key) {
      case "\r":
      case "\n": {
        const tooLong = this.#tooLong;
        typed.push({ type: "line", text: this.#take(), tooLong });
        return "\r\n";
      }
      case "\x7f":
      case "\b":
        return this.#erase(1);
      case "\x15":
        return this.#erase(this.#characters.length);
      case "\x17":
        return this.#erase(/\S*\s*$/.exec(this.#characters.join(""))![0].length);
      case "\x03":
        this.#take();
        typed.push({ type: "interrupt" });
        return "^C\r\n";
      case "\x04":
        if (this.#characters.length === 0) typed.push({ type: "end" });
        return "";
    }
    if (this.#characters.length === this.#limit) {
      const first = !this.#tooLong;
      this.#tooLong = true;
      return first ? "\x07" : "";
    }
    this.#characters.push(key);
    return shown(key);
  }

  #take(): string {
    const line = this.#characters.join("");
    this.#characters = [];
    this.#tooLong = false;
    return line;
  }

  #erase(count: number): string {
    if (count === 0) return "";
    const gone = this.#characters.splice(-count);
    this.#tooLong = false;
    return "\b \b".repeat(gone.reduce((sum, character) => sum + width(character), 0));
  }
}

/** Control characters are shown as terminals do: Ctrl-A as ^A. */
function shown(character: string): string {
  if (!/\p{Cc}/u.test(character)) return character;
  const code = character.codePointAt(0)!;
  return code < 0x20 ? `^${String.fromCharCode(code + 0x40)}` : "?";
}

function width(character: string): number {
  if (/\p{Mn}|\p{Cf}/u.test(character)) return 0;
  return WIDE.test(character) ? 2 : shown(character).length > 1 && character < " " ? 2 : 1;
}
