/**
 * A program in a real terminal, that of tmux: keys are typed, and the screen is looked at.
 *
 * @module
 */

import { temporaryFolder } from "./peers.ts";

const DEADLINE = 30_000; // thirty times what is needed alone

/** A terminal window with a program in it. */
export class Terminal implements AsyncDisposable {
  readonly #folder = temporaryFolder();

  private constructor() {}

  /**
   * Opens a window and starts a command of the shell in it. Before and after, the settings of the terminal are
   * noted, for {@linkcode settings}; then `ended with CODE` is printed, and the window stays open.
   */
  static async open(command: string, columns = 100, rows = 30): Promise<Terminal> {
    const terminal = new Terminal();
    const { path } = terminal.#folder;
    const shell = `stty -a > ${path}/before; ${command}
      echo "ended with $?"; stty -a > ${path}/after.new; mv ${path}/after.new ${path}/after; exec cat`;
    const size = ["-x", String(columns), "-y", String(rows)];
    await terminal.#tmux("-f", "/dev/null", "new-session", "-d", "-s", "0", ...size, shell);
    return terminal;
  }

  /** Types text as it is. */
  async type(text: string): Promise<void> {
    await this.#tmux("send-keys", "-t", "0", "-l", "--", text);
  }

  /** Presses keys by tmux's names: `Enter`, `C-c`, `C-]`, `BSpace`. */
  async press(...keys: string[]): Promise<void> {
    await this.#tmux("send-keys", "-t", "0", ...keys);
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux("resize-window", "-t", "0", "-x", String(columns), "-y", String(rows));
  }

  /** What is to be seen, without spaces and empty lines at the end. */
  async screen(): Promise<string> {
    return (await this.#tmux("capture-pane", "-p", "-S", "-", "-t", "0"))
      .replace(/ +$/gm, "").trimEnd();
  }

  /** Waits until the screen shows something; gives the screen. */
  async shows(pattern: RegExp): Promise<string> {
    const due = performance.now() + DEADLINE;
    for (;;) {
      const screen = await this.screen();
      if (pattern.test(screen)) return screen;
      if (performance.now() > due) throw new Error(`no ${pattern} on the screen:\n${screen}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** The settings of the terminal before and after the program; waits for its end. */
  async settings(): Promise<{ before: string; after: string }> {
    await this.shows(/ended with \d+/);
    const { path } = this.#folder;
    for (;;) {
      try {
        const after = await Deno.readTextFile(`${path}/after`);
        return { before: await Deno.readTextFile(`${path}/before`), after };
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux("kill-server");
    this.#folder[Symbol.dispose]();
  }

  async #tmux(...words: string[]): Promise<string> {
    const { code, stdout, stderr } = await new Deno.Command("tmux", {
      args: ["-u", "-S", `${this.#folder.path}/tmux`, ...words],
      env: { TERM: "xterm", SHELL: "/bin/sh", TMUX: "" },
      stdin: "null",
    }).output();
    if (code !== 0) throw new Error(`tmux ${words[0]}: ${new TextDecoder().decode(stderr)}`);
    return new TextDecoder().decode(stdout);
  }
}
