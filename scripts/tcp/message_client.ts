#!/usr/bin/env -S deno run --allow-net=127.0.0.1:5008
/**
 * A client that sends a message and waits for the thanks
 *
 * The message ends in a line feed, and so does the reply: both sides know when they have all of it, however
 * the network cuts it up.
 *
 * The lecture's own server sends no line feed. When nothing more comes for half a second, what came is taken
 * for the reply: a guess, as in the server.
 *
 * @lecture 000 Setup a TCP Socket Client
 * @python  socket.connect → Deno.connect, socket.send → connection.write,
 *          socket.recv → connection.read
 * @partner scripts/tcp/message_server.ts
 * @run     deno run --allow-net=127.0.0.1:5008 scripts/tcp/message_client.ts
 * @expect  Thank you for reaching us
 * @run     deno run --allow-net=127.0.0.1:5008 scripts/tcp/message_client.ts "Hello from day 4"
 * @expect  Thank you for reaching us
 * @argument [MESSAGE]   one line of text (default: Call Slack to get the list of channels)
 * @option  --host HOST  where the server is (default: 127.0.0.1)
 * @option  --port PORT  the server's port (default: 5008)
 * @see     https://docs.deno.com/api/deno/~/Deno.connect
 * @module
 */

import { run } from "../../lib/cli.ts";
import { visible } from "../../lib/display.ts";
import { attempt } from "../../lib/errors.ts";
import { nextMessage } from "../../lib/messages.ts";
import { SocketReader } from "../../lib/reader.ts";
import { UsageError } from "../../lib/usage.ts";
import { writeAll } from "../../lib/write_all.ts";

export async function main(
  { message, host, port }: { message: string; host: string; port: number },
): Promise<void> {
  // it would arrive as two messages
  if (/[\r\n]/.test(message)) throw new UsageError("MESSAGE must be one line");

  using connection = await attempt(
    `connect to ${host} port ${port}`,
    () => Deno.connect({ hostname: host, port }),
  );
  await writeAll(connection, message + "\n");

  const reader = new SocketReader(connection);
  const reply = await attempt("read the reply", () => nextMessage(reader));
  if (reply === null) throw new Error("the server closed the connection without a reply");
  console.log(visible(reply));
}

if (import.meta.main) await run(main);
