/**
 * What a Windows command prints, on its way to stdout or stderr: from its code page to UTF-8, without
 * control characters when it goes to a terminal.
 *
 * @module
 */

import { visible } from "./display.ts";
import { errorText } from "./powershell.ts";
import { UsageError } from "./usage.ts";
import { writeOutput } from "./write_output.ts";

/** Windows' numbers for encodings, and the web's names for the same. */
const ENCODINGS: Record<number, string> = {
  65001: "utf-8",
  866: "ibm866",
  874: "windows-874",
  932: "shift_jis",
  936: "gbk",
  949: "euc-kr",
  950: "big5",
  20866: "koi8-r",
  28591: "iso-8859-1",
  28592: "iso-8859-2",
  28605: "iso-8859-15",
};
for (let page = 1250; page <= 1258; page++) ENCODINGS[page] = `windows-${page}`;

/** The most of PowerShell's errors that is kept to be read as a whole. */
const MOST_ERRORS = 1024 * 1024;

/** Where it goes: `Deno.stdout`, `Deno.stderr`. */
export interface Target {
  write(bytes: Uint8Array): Promise<number>;
  isTerminal(): boolean;
}

/**
 * Prints the pieces of one stream. A character may be cut in two between pieces.
 *
 * @example
 * ```ts
 * import { OutputPrinter } from "./winrm_output.ts";
 * import { assertEquals } from "@std/assert";
 *
 * let shown = "";
 * const write = (bytes: Uint8Array) => {
 *   shown += new TextDecoder().decode(bytes);
 *   return Promise.resolve(bytes.length);
 * };
 * const printer = new OutputPrinter({ write, isTerminal: () => false }, { codePage: 932 });
 * await printer.print(new Uint8Array([0x93]));
 * await printer.print(new Uint8Array([0xfa]));
 * await printer.end();
 * assertEquals(shown, "日");
 * ```
 */
export class OutputPrinter {
  readonly #target: Target;
  readonly #decoder: TextDecoder;
  readonly #raw: boolean;
  #errors: string | undefined;
  #held = "";

  /**
   * @param options.codePage how the command's output is encoded
   * @param options.clixml whether PowerShell's errors are looked for: they are read as a whole, at the end
   * @throws {UsageError} for a code page that is not known here
   */
  constructor(target: Target, options: { codePage: number; clixml?: boolean }) {
    const { codePage, clixml } = options;
    const encoding = ENCODINGS[codePage];
    if (encoding === undefined) {
      const known = Object.keys(ENCODINGS).join(", ");
      throw new UsageError(`the code page ${codePage} is not known here, only ${known}`);
    }
    this.#target = target;
    this.#decoder = new TextDecoder(encoding, { ignoreBOM: true });
    // a file gets the bytes as they are
    this.#raw = codePage === 65001 && !target.isTerminal() && !clixml;
    if (clixml) this.#errors = "";
  }

  /** Prints a piece. */
  async print(bytes: Uint8Array): Promise<void> {
    if (this.#raw) return await writeOutput(this.#target, bytes);
    await this.#show(this.#decoder.decode(bytes, { stream: true }));
  }

  /** Prints what was kept back. */
  async end(): Promise<void> {
    if (this.#raw) return;
    const rest = this.#decoder.decode();
    const kept = this.#errors;
    this.#errors = undefined;
    await this.#show(kept === undefined ? rest : errorText(kept + rest), true);
  }

  async #show(text: string, last = false): Promise<void> {
    if (this.#errors !== undefined) {
      this.#errors += text;
      if (this.#errors.length <= MOST_ERRORS) return;
      text = this.#errors;
      this.#errors = undefined;
    }
    if (this.#target.isTerminal()) {
      // Windows ends lines by two characters, which may come in two pieces
      text = this.#held + text;
      this.#held = text.endsWith("\r") && !last ? "\r" : "";
      text = text.slice(0, text.length - this.#held.length).replaceAll("\r\n", "\n");
      // line ends and tabs may move the cursor, nothing else
      text = text.replace(/[^\t\n]+/g, visible);
    }
    await writeOutput(this.#target, text);
  }
}
