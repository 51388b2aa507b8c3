#!/usr/bin/env -S deno run --allow-net=127.0.0.1:50000
/**
 * The life of a client socket, step by step
 *
 * Connects, speaks, listens to the answer and closes; each step is told as it happens. The client needs no
 * port of its own: the system gives it a free one, an ephemeral port, which the first line shows.
 *
 * @lecture 002 Client Side, Getting the Flow · 003 Socket Terminology
 * @python  socket.socket → Deno.connect, socket.connect → Deno.connect,
 *          socket.sendall → connection.write, socket.recv → connection.read,
 *          socket.close → connection.close
 * @partner scripts/tcp/conversation_server.ts
 * @run     deno run --allow-net=127.0.0.1:50000 scripts/tcp/conversation_client.ts
 * @expect  connected to 127.0.0.1:50000 from 127.0.0.1:*
 * @expect  sent "Hey, can you hear me?"
 * @expect  received "Yes, I hear you."
 * @expect  the server closed its side
 * @expect  closed the connection
 * @option  --host HOST  where the server is (default: 127.0.0.1)
 * @option  --port PORT  the server's port (default: 50000)
 * @see     https://docs.deno.com/api/deno/~/Deno.connect
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { quoted } from "../../lib/display.ts";
import { attempt } from "../../lib/errors.ts";
import { writeAll } from "../../lib/write_all.ts";

export async function main({ host, port }: { host: string; port: number }): Promise<void> {
  // socket and connect are one call in Deno
  using connection = await attempt(
    `connect to ${host} port ${port}`,
    () => Deno.connect({ hostname: host, port }),
  );
  const { localAddr, remoteAddr } = connection;
  console.log(`connected to ${formatEndpoint(remoteAddr)} from ${formatEndpoint(localAddr)}`);

  const message = "Hey, can you hear me?";
  await writeAll(connection, message);
  console.log(`sent "${message}"`);

  const buffer = new Uint8Array(32);
  const count = await attempt("hear from the server", () => connection.read(buffer));
  if (count === null) throw new Error("the server closed the connection without an answer");
  console.log(`received ${quoted(buffer.subarray(0, count))}`);

  // where Python's recv gives b"", Deno's read gives null: the stream has ended
  const rest = await attempt("see the server close", () => connection.read(buffer));
  console.log(rest === null ? "the server closed its side" : "the server has more to say");
  connection.close();
  console.log("closed the connection");
}

if (import.meta.main) await run(main);
