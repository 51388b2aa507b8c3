#!/usr/bin/env -S deno run --allow-net=unix:/tmp/echo.sock --allow-read=/tmp/echo.sock --allow-write=/tmp/echo.sock
/**
 * Echo client on a Unix domain socket
 *
 * Connects to a path, sends a message, ends its side of the stream, and prints all that comes back until
 * the server ends its side too. Connecting needs permission to read and write the path, as for a file.
 *
 * @lecture 001 Sockets · 002 Unix Domain Sockets
 * @python  socket(AF_UNIX) → Deno.connect, socket.connect → Deno.connect,
 *          socket.shutdown → connection.closeWrite
 * @partner scripts/ipc/unix_echo_server.ts
 * @run     deno run --allow-net=unix:/tmp/echo.sock --allow-read=/tmp/echo.sock --allow-write=/tmp/echo.sock scripts/ipc/unix_echo_client.ts "from process to process"
 * @expect  from process to process
 * @argument MESSAGE     the text to send, or - to send what comes on standard input
 * @option  --path PATH  where the server's socket is (default: /tmp/echo.sock)
 * @see     https://docs.deno.com/api/deno/~/Deno.connect
 * @module
 */

import { run } from "../../lib/cli.ts";
import { quoted } from "../../lib/display.ts";
import { attempt } from "../../lib/errors.ts";
import { SocketReader } from "../../lib/reader.ts";
import { writeAll } from "../../lib/write_all.ts";
import { writeOutput } from "../../lib/write_output.ts";

/** Sends a message and gives all that the server answers. */
export async function echo(path: string, message: Uint8Array): Promise<Uint8Array> {
  using connection = await attempt(
    `connect to ${path}`,
    () => Deno.connect({ transport: "unix", path }),
  );
  const send = async () => {
    await writeAll(connection, message);
    // Python: shutdown(SHUT_WR)
    await connection.closeWrite();
  };
  // at the same time: the server does not read on while its answers are not taken
  const limit = 16 * 1024 * 1024;
  const receiving = new SocketReader(connection).readAll({ limit });
  const [reply] = await Promise.all([attempt("receive", receiving, { timeout: 30_000 }), send()]);
  return reply;
}

export async function main({ message, path }: { message: string; path: string }): Promise<void> {
  const bytes = message === "-"
    ? await new Response(Deno.stdin.readable).bytes()
    : new TextEncoder().encode(message);
  const reply = await echo(path, bytes);
  if (reply.length !== bytes.length || reply.some((byte, at) => byte !== bytes[at])) {
    // what somebody else wrote may hold control characters
    console.log(quoted(reply));
    throw new Error("what came back is not the message");
  }
  await writeOutput(Deno.stdout, reply);
  if (message !== "-") console.log();
}

if (import.meta.main) await run(main);
