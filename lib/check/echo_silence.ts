/**
 * Why an echo server does not answer a few bytes.
 *
 * @module
 */

import { letters } from "./echo_mistakes.ts";
import type { Exchange } from "./exchange.ts";

/**
 * Sends what a server may wait for, one after another, until it answers.
 *
 * @param patience how long is waited each time, in milliseconds
 */
export async function whySilent(exchange: Exchange, patience: number): Promise<string> {
  const answered = async () => (await exchange.hear(1, patience)).bytes.length > 0;
  await exchange.send("\n");
  if (await answered()) {
    return "it waits for the end of a line: a message is bytes, of which none need be a line feed";
  }
  await exchange.send(letters(4 * 1024));
  if (await answered()) {
    return "it waits until its buffer is full: recv gives what is there, but not with MSG_WAITALL, nor does read(16) of " +
      "makefile()";
  }
  await exchange.send(letters(64 * 1024));
  if (await answered()) {
    return "what it writes stays in a buffer until that is full: flush after each write, or use sendall; or it " +
      "waits for so much: recv gives what is there, but not with MSG_WAITALL";
  }
  await exchange.end();
  return await answered()
    ? "it waits for the end of the stream before it answers: send each piece back as it comes"
    : "it accepts the connection, but does not send: look whether recv and sendall are reached";
}
