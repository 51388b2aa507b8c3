/**
 * A shell for a client without a terminal: a command a line, nothing but commands and `exit`.
 *
 * @module
 */

import type { Ending, SessionChannel } from "./ssh_channel.ts";

/** The longest line, in bytes. */
const MOST = 32 * 1024;

/**
 * Reads lines from the client and runs each, one after another. It prints no prompt: that is for people, and
 * there is no terminal. `exit` ends it with its number, or with how the last command ended; so does the end
 * of the input.
 *
 * @param runLine runs a line that is not empty and no `exit`; gives how it ended
 */
export async function runShell(
  channel: SessionChannel,
  runLine: (line: string) => Promise<Ending>,
): Promise<Ending> {
  let last: Ending = { code: 0 };
  for await (const line of lines(channel)) {
    if (line === undefined) {
      const text = `a line is longer than ${MOST} bytes\n`;
      await channel.write("stderr", new TextEncoder().encode(text));
      return { code: 2 };
    }
    const [, code] = /^\s*exit(?:\s+(\d{1,3}))?\s*$/.exec(line) ?? [];
    if (code !== undefined) return { code: Number(code) & 0xff };
    if (/^\s*exit\s*$/.test(line)) return last;
    if (/^\s*(#.*)?$/.test(line)) continue;
    last = await runLine(line);
    if (channel.gone.aborted) break;
  }
  return last;
}

/** The lines of the client's input; `undefined` for one that is too long. */
async function* lines(channel: SessionChannel): AsyncGenerator<string | undefined> {
  const decoder = new TextDecoder();
  let rest = "";
  for (let piece; (piece = await channel.read()) !== null;) {
    const parts = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = parts.pop()!;
    for (const part of parts) yield part.length > MOST ? undefined : part.replace(/\r$/, "");
    if (rest.length > MOST) return yield undefined;
  }
  if (rest !== "") yield rest;
}
