/**
 * A client that resets its connection. Deno's close ends the stream first, so that the other side reads an end;
 * Node's sockets can leave without (SO_LINGER 0).
 *
 * @module
 */

import type { NetEndpoint } from "../address.ts";
import { within } from "../deadline.ts";

/**
 * Connects, sends, and resets the connection when the answer begins, or after `patience` milliseconds.
 *
 * @returns whether there was a connection
 */
export async function sendAndReset(
  { hostname, port }: NetEndpoint,
  bytes: Uint8Array | string,
  patience = 100,
): Promise<boolean> {
  const { connect } = await import("node:net");
  const socket = connect({ host: hostname, port });
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  let connected = false;
  socket.on("error", () => {});
  const answered = new Promise<void>((resolve) => {
    socket.once("data", () => resolve());
    socket.once("close", () => resolve());
  });
  socket.once("connect", () => {
    connected = true;
    socket.write(bytes);
  });
  await within(patience, answered).catch(() => {});
  socket.resetAndDestroy();
  await within(1_000, closed).catch(() => {});
  return connected;
}
