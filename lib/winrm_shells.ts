/**
 * The shells of a WinRM server: few at a time, and none for ever.
 *
 * @module
 */

import { after } from "./deadline.ts";
import type { ShellProcess } from "./winrm_process.ts";
import { Refusal } from "./wsman_reply.ts";

/** What shells may cost. */
export interface ShellLimits {
  /** How many there are at once; 25 unless told. */
  most?: number;
  /** How long one may be left alone, in milliseconds; 180,000 unless told. */
  idle?: number;
}

interface Shell {
  commands: Map<string, ShellProcess>;
  /** How many requests about it are being answered. */
  busy: number;
  end?: Disposable;
}

/** How many programs run at once in a shell. */
const MOST_COMMANDS = 5;

/** All shells, by id. */
export class Shells implements AsyncDisposable {
  readonly #shells = new Map<string, Shell>();
  readonly #running = new Set<Promise<void>>();
  readonly #most: number;
  readonly #idle: number;

  constructor({ most = 25, idle = 180_000 }: ShellLimits = {}) {
    this.#most = most;
    this.#idle = idle;
  }

  /** Opens a shell; throws a {@linkcode Refusal} when there are too many. */
  open(): string {
    if (this.#shells.size >= this.#most) {
      throw new Refusal(
        "w:QuotaLimit",
        `This user is allowed ${this.#most} shells at once; close one of them.`,
        { code: "2150859173" },
      );
    }
    const id = crypto.randomUUID().toUpperCase();
    this.#shells.set(id, { commands: new Map(), busy: 0 });
    this.#leave(id);
    return id;
  }

  /**
   * Does something with a shell, which is not idle meanwhile; throws a {@linkcode Refusal} when there is no
   * such shell.
   */
  async use<T>(id: string | undefined, work: (shell: string) => Promise<T> | T): Promise<T> {
    const shell = this.#shell(id);
    shell.busy++;
    shell.end?.[Symbol.dispose]();
    try {
      return await work(id!);
    } finally {
      shell.busy--;
      this.#leave(id!);
    }
  }

  /** Puts a program into a shell, and gives it an id. */
  add(id: string, start: () => ShellProcess): string {
    const { commands } = this.#shell(id);
    if (commands.size >= MOST_COMMANDS) {
      throw new Refusal("w:QuotaLimit", `A shell runs ${MOST_COMMANDS} commands at once.`, {
        code: "2150859174",
      });
    }
    const commandId = crypto.randomUUID().toUpperCase();
    const process = start();
    commands.set(commandId, process);
    const ended = process.ended.finally(() => this.#running.delete(ended));
    this.#running.add(ended);
    return commandId;
  }

  /** A program of a shell. */
  command(id: string, commandId: string | undefined): ShellProcess {
    const found = this.#shell(id).commands.get(commandId?.toUpperCase() ?? "");
    if (found) return found;
    throw new Refusal("w:InvalidParameter", "There is no such command in the shell.");
  }

  /** Ends a program and frees its place. */
  remove(id: string, commandId: string): void {
    this.command(id, commandId).terminate();
    this.#shell(id).commands.delete(commandId.toUpperCase());
  }

  /** Closes a shell and ends its programs. */
  close(id: string): void {
    const { commands, end } = this.#shell(id);
    end?.[Symbol.dispose]();
    for (const process of commands.values()) process.terminate();
    this.#shells.delete(id.toUpperCase());
  }

  /** Closes all. */
  closeAll(): void {
    for (const id of this.#shells.keys()) this.close(id);
  }

  /** Closes all, and waits until no program runs any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.closeAll();
    await Promise.allSettled(this.#running);
  }

  #shell(id: string | undefined): Shell {
    const found = this.#shells.get(id?.toUpperCase() ?? "");
    if (found) return found;
    throw new Refusal(
      "w:InvalidSelectors",
      "The shell was not found on the server: the ShellId is wrong, or the shell was closed.",
      { code: "2150858843" },
    );
  }

  #leave(id: string): void {
    const shell = this.#shells.get(id.toUpperCase());
    if (!shell || shell.busy > 0) return;
    shell.end = after(this.#idle, () => {
      console.error(`closed a shell that nobody used for ${this.#idle / 1_000} s`);
      this.close(id);
    });
  }
}
