#!/usr/bin/env -S deno run --allow-net=127.0.0.1:50000
/**
 * The life of a server socket, step by step
 *
 * Listens, accepts one connection, hears what the client says, answers, closes the connection, and waits
 * for the next client; each step is told as it happens. Start the client in a second terminal and watch
 * both: what one sends, the other receives.
 *
 * The listener only accepts. Each conversation has a connection of its own, a new socket with the same
 * local port and the client's address at its other end.
 *
 * @lecture 002 Server Side, Getting the Flow · 003 Socket Terminology
 * @python  socket.socket → Deno.listen, socket.bind → Deno.listen, socket.listen → Deno.listen,
 *          socket.accept → listener.accept, socket.recv → connection.read,
 *          socket.close → connection.close
 * @run     deno run --allow-net=127.0.0.1:50000 scripts/tcp/conversation_server.ts
 * @expect  listening on 127.0.0.1:50000
 * @expect  accepted a connection from 127.0.0.1:*
 * @expect  received "Hey, can you hear me?"
 * @expect  sent "Yes, I hear you."
 * @expect  closed the connection
 * @expect  closed the listener
 * @option  --host HOST  the address to listen on (default: 127.0.0.1)
 * @option  --port PORT  the port to listen on, 0 for a free one (default: 50000)
 * @see     https://docs.deno.com/api/deno/~/Deno.listen
 * @module
 */

import { accepted } from "../../lib/accept.ts";
import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { quoted } from "../../lib/display.ts";
import { attempt, explain } from "../../lib/errors.ts";
import { finish } from "../../lib/finish.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { writeAll } from "../../lib/write_all.ts";

/** Receives, answers and closes. */
export async function converse(connection: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(32);
  // one read takes what is there, at most 32 bytes; a longer or slower message takes more reads
  const count = await attempt("hear from the client", () => connection.read(buffer));
  if (count === null) return console.log("the client closed without a word");
  console.log(`received ${quoted(buffer.subarray(0, count))}`);

  const answer = "Yes, I hear you.";
  await writeAll(connection, answer);
  console.log(`sent "${answer}"`);
}

export async function main({ host, port }: { host: string; port: number }): Promise<void> {
  // socket, bind and listen are one call in Deno
  using listener = await attempt(
    `listen on ${host} port ${port}`,
    () => Deno.listen({ hostname: host, port }),
  );
  using _stopping = onInterrupt(() => listener.close());
  console.log(`listening on ${formatEndpoint(listener.addr)}`);

  for await (const connection of accepted(listener)) {
    console.log(`accepted a connection from ${formatEndpoint(connection.remoteAddr)}`);
    try {
      await converse(connection);
    } catch (error) {
      console.log(explain(error).reason);
    }
    // to close while unread bytes wait would send a reset, and the client might lose the answer: this reads
    // them first
    await finish(connection);
    console.log("closed the connection");
  }
  console.log("closed the listener");
}

if (import.meta.main) await run(main);
