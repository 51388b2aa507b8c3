/**
 * Messages of lines, from peers that may not end them.
 *
 * @module
 */

import { DeadlineError } from "./deadline.ts";
import type { SocketReader } from "./reader.ts";

/** How long {@linkcode nextMessage} waits. */
export interface MessageOptions {
  /** For the first byte, in milliseconds; 10,000 unless told. */
  patience?: number;
  /** After the last byte of a line without an end, in milliseconds; 500 unless told. */
  silence?: number;
}

/**
 * The next message: a line, or what came before a silence; `null` at the end of the stream. The lectures'
 * programs send no line feed and wait: that a message is over can then only be guessed.
 *
 * @throws {DeadlineError} when nothing comes at all
 *
 * @example
 * ```ts
 * import { nextMessage } from "./messages.ts";
 * import { SocketReader } from "./reader.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const reader = SocketReader.from(new TextEncoder().encode("one\ntwo"));
 * assertEquals(await nextMessage(reader), "one");
 * assertEquals(await nextMessage(reader), "two");
 * assertEquals(await nextMessage(reader), null);
 * ```
 */
export async function nextMessage(
  reader: SocketReader,
  options: MessageOptions = {},
): Promise<string | null> {
  const { patience = 10_000, silence = 500 } = options;
  for (let timeout = reader.buffered > 0 ? silence : patience;; timeout = silence) {
    const line = reader.tryLine();
    if (line !== undefined) return line;
    try {
      if (!await reader.fill(reader.buffered + 1, { timeout })) return await reader.readLine();
    } catch (error) {
      if (!(error instanceof DeadlineError) || reader.buffered === 0) throw error;
      return new TextDecoder().decode(await reader.readExactly(reader.buffered) ?? undefined);
    }
  }
}
