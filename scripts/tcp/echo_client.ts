#!/usr/bin/env -S deno run --allow-net=127.0.0.1:10000
/**
 * TCP echo client
 *
 * Sends one message to an echo server, collects the reply and prints it. The client knows that the reply
 * is as long as its message, so it reads until it has that many bytes, 16 at a time, however they arrive.
 *
 * It sends and receives at the same time: with a long message, a client that sent all of it first would
 * wait for the server to read on, while the server waits for the client to take the first replies.
 *
 * @lecture 002 Homework · 003 ex91C
 * @python  socket.connect → Deno.connect, socket.sendall → connection.write,
 *          socket.recv → connection.read, socket.close → connection.close
 * @partner scripts/tcp/echo_server.ts
 * @run     deno run --allow-net=127.0.0.1:10000 scripts/tcp/echo_client.ts "this is my message"
 * @log     connecting to 127.0.0.1 port 10000
 * @log     sending "this is my message"
 * @log     received "this is my messa"
 * @log     received "ge"
 * @log     closing socket
 * @expect  this is my message
 * @argument MESSAGE     the text to send, or - to send what comes on standard input
 * @option  --host HOST  where the server is (default: 127.0.0.1)
 * @option  --port PORT  the server's port (default: 10000)
 * @see     https://docs.deno.com/api/deno/~/Deno.connect
 * @module
 */

import { run } from "../../lib/cli.ts";
import { quoted } from "../../lib/display.ts";
import { attempt } from "../../lib/errors.ts";
import { writeOutput } from "../../lib/write_output.ts";

/** Sends all of a message: Python's sendall. Deno's write, like send, may stop short. */
async function sendAll(connection: Deno.Conn, message: Uint8Array): Promise<void> {
  for (let sent = 0; sent < message.length;) {
    sent += await attempt("send", () => connection.write(message.subarray(sent)));
  }
}

/** Receives exactly `length` bytes. */
async function receive(connection: Deno.Conn, length: number): Promise<Uint8Array> {
  const reply = new Uint8Array(length);
  for (let received = 0; received < length;) {
    const piece = reply.subarray(received, received + 16);
    const count = await attempt("receive", () => connection.read(piece));
    if (count === null) {
      throw new Error(`the server closed the connection after ${received} of ${length} bytes`);
    }
    console.error(`received ${quoted(piece.subarray(0, count))}`);
    received += count;
  }
  return reply;
}

/** Sends a message to an echo server and gives back what it answers. */
export async function echo(host: string, port: number, message: Uint8Array): Promise<Uint8Array> {
  console.error(`connecting to ${host} port ${port}`);
  using connection = await attempt(
    `connect to ${host} port ${port}`,
    () => Deno.connect({ hostname: host, port }),
  );
  try {
    console.error(`sending ${quoted(message, { limit: 64 })}`);
    const [reply] = await Promise.all([
      receive(connection, message.length),
      sendAll(connection, message),
    ]);
    return reply;
  } finally {
    console.error("closing socket");
  }
}

export async function main(
  { message, host, port }: { message: string; host: string; port: number },
): Promise<void> {
  const bytes = message === "-"
    ? await new Response(Deno.stdin.readable).bytes()
    : new TextEncoder().encode(message);
  const reply = await echo(host, port, bytes);
  if (reply.some((byte, at) => byte !== bytes[at])) {
    // what somebody else wrote may hold control characters
    console.log(quoted(reply));
    throw new Error("what came back is not the message");
  }
  await writeOutput(Deno.stdout, reply);
  if (message !== "-") console.log();
}

if (import.meta.main) await run(main);
