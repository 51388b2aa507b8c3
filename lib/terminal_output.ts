/**
 * Output of a program that nobody here knows, for a terminal: its control characters are shown, not obeyed.
 *
 * @module
 */

import { visible } from "./display.ts";
import { writeOutput } from "./write_output.ts";

/** Where bytes go, as `Deno.stdout` is one. */
export interface Sink {
  write(bytes: Uint8Array): Promise<number>;
}

/**
 * A sink before a terminal: line ends and tabs pass, other control characters are made visible. What goes
 * into a file or a pipe passes as it is.
 *
 * @example
 * ```ts
 * import { safeForTerminal } from "./terminal_output.ts";
 * import { assertEquals } from "@std/assert";
 *
 * let shown = "";
 * const write = (bytes: Uint8Array) => {
 *   shown += new TextDecoder().decode(bytes);
 *   return Promise.resolve(bytes.length);
 * };
 * const terminal = { write, isTerminal: () => true };
 * await safeForTerminal(terminal).write(new TextEncoder().encode("one\x1b[2J\ttwo\n"));
 * assertEquals(shown, "one\\x1b[2J\ttwo\n");
 * ```
 */
export function safeForTerminal(sink: Sink & { isTerminal(): boolean }): Sink {
  if (!sink.isTerminal()) return sink;
  // a character may come in two pieces
  const decoder = new TextDecoder();
  return {
    async write(bytes) {
      const text = decoder.decode(bytes, { stream: true });
      const safe = text.replace(/[^\n\t]+/g, visible);
      await writeOutput(sink, safe);
      return bytes.length;
    },
  };
}
