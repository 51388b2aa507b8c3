#!/usr/bin/env -S deno run --allow-net=127.0.0.1:5008
/**
 * A server that thanks for each message
 *
 * It reads with a buffer of 20 bytes, as in the lecture, and a message of 39 bytes comes in two pieces. The
 * lecture's server takes each piece for a message and thanks twice: --naive shows it. The fix is to agree
 * on where a message ends, here at a line feed, and to put the pieces together until it comes.
 *
 * The lecture's own client sends no line feed. When nothing more comes for half a second, what came is
 * taken for a message: a guess, and the reason why protocols mark the end.
 *
 * @lecture 000 Connect to TCP Socket Server
 * @python  socket.recv → connection.read, socket.send → connection.write
 * @run     deno run --allow-net=127.0.0.1:5008 scripts/tcp/message_server.ts
 * @expect  listening on 127.0.0.1:5008
 * @log     received 20 bytes: "Call Slack to get th"
 * @log     received 19 bytes: "e list of channels\n"
 * @expect  received message: "Call Slack to get the list of channels"
 * @run     deno run --allow-net=127.0.0.1:5008 scripts/tcp/message_server.ts --naive
 * @expect  received message: "Call Slack to get th"
 * @expect  received message: "e list of channels\n"
 * @option  --host HOST  the address to listen on (default: 127.0.0.1)
 * @option  --port PORT  the port to listen on, 0 for a free one (default: 5008)
 * @option  --naive      take each piece for a message, as in the lecture
 * @see     https://docs.python.org/3/howto/sockets.html#using-a-socket
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { DeadlineError } from "../../lib/deadline.ts";
import { quoted } from "../../lib/display.ts";
import { SocketReader } from "../../lib/reader.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { type Connection, serve } from "../../lib/tcp.ts";

const BUFFER_SIZE = 20; // the lecture: "Normally 1024, but we want fast response"
const LONGEST_MESSAGE = 1024;
const LINE_FEED = 0x0a;

/** Puts the pieces of a conversation together to messages. */
async function* messages(connection: Connection, naive: boolean): AsyncGenerator<Uint8Array> {
  const reader = new SocketReader(connection);
  const buffer = new Uint8Array(BUFFER_SIZE);
  const message: number[] = [];
  for (;;) {
    const count = await reader.read(buffer, { timeout: message.length > 0 ? 500 : 60_000 })
      .catch((error) => {
        if (error instanceof DeadlineError && message.length > 0) return 0;
        throw error;
      });
    if (count === null) break;
    const piece = buffer.subarray(0, count);
    if (count > 0) console.error(`received ${count} bytes: ${quoted(piece)}`);
    if (naive) {
      yield piece;
      continue;
    }
    for (const byte of piece) {
      if (byte !== LINE_FEED) message.push(byte);
      else yield new Uint8Array(message.splice(0));
    }
    if (message.length > LONGEST_MESSAGE) {
      throw new Error(`a message is longer than ${LONGEST_MESSAGE} bytes`);
    }
    if (count === 0) yield new Uint8Array(message.splice(0));
  }
  if (message.length > 0) yield new Uint8Array(message);
}

export async function main(
  { host, port, naive }: { host: string; port: number; naive: boolean },
): Promise<void> {
  const thanks = new TextEncoder().encode("Thank you for reaching us\n");
  const server = await serve({ hostname: host, port }, async (connection) => {
    console.error(`connection address: ${connection.remote}`);
    for await (const message of messages(connection, naive)) {
      console.log(`received message: ${quoted(message)}`);
      await connection.write(thanks);
    }
  });
  using _stopping = onInterrupt(() => server.shutdown());
  console.log(`listening on ${formatEndpoint(server.addr)}`);
  await server.finished;
}

if (import.meta.main) await run(main);
