#!/usr/bin/env -S deno run --allow-net=127.0.0.1:5015
/**
 * A chat client: listens and speaks at the same time
 *
 * Two things may happen next: you type a line, or a line comes from the others. Who waits for one misses the
 * other. The lecture asks select which of the two sockets is ready; here two loops run side by side, each
 * waiting for its own.
 *
 * At the end of the input (Ctrl-D) it ends its own direction only, and hears the server out.
 *
 * @lecture 002 Homework 2 · 003 blocking vs non-blocking · 001 Python Socket module
 * @python  select.select → Promise.race, sys.stdin.readline → Deno.stdin.read,
 *          socket.recv → connection.read, socket.shutdown → connection.closeWrite
 * @partner scripts/tcp/chat_server.ts
 * @run     deno run --allow-net=127.0.0.1:5015 scripts/tcp/chat_client.ts
 * @stdin   Ada
 * @stdin   /who
 * @stdin   Is anybody here?
 * @expect  What is your name?
 * @expect  Welcome, Ada. Here now: Ada.*
 * @expect  Here now: Ada
 * @expect  Goodbye, Ada.
 * @option  --host HOST  where the server is (default: 127.0.0.1)
 * @option  --port PORT  the server's port (default: 5015)
 * @see     https://docs.deno.com/api/deno/~/Deno.stdin
 * @module
 */

import { run } from "../../lib/cli.ts";
import { visible } from "../../lib/display.ts";
import { attempt } from "../../lib/errors.ts";
import { SocketReader } from "../../lib/reader.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { writeAll } from "../../lib/write_all.ts";

const LONGEST_LINE = 64 * 1024; // bytes
const PATIENCE = 3_000; // milliseconds for the server to take a line, and to end the conversation after us

/** Prints what the others say, until the server ends the conversation. */
async function listen(connection: Deno.Conn): Promise<void> {
  // a room may be silent for hours
  const reader = new SocketReader(connection, { limit: LONGEST_LINE, timeout: Infinity });
  for await (const line of reader) console.log(visible(line));
}

/** Sends what is typed, line by line. */
async function speak(connection: Deno.Conn): Promise<void> {
  const reader = new SocketReader(Deno.stdin, { timeout: Infinity });
  for await (const line of reader) {
    await writeAll(connection, `${line}\n`, { timeout: PATIENCE });
    if (line === "/quit") break;
  }
}

export async function main({ host, port }: { host: string; port: number }): Promise<void> {
  using connection = await attempt(
    `connect to ${host} port ${port}`,
    () => Deno.connect({ hostname: host, port }),
  );
  const interrupted = Promise.withResolvers<void>();
  using _stopping = onInterrupt(interrupted.resolve);
  const listening = listen(connection);

  const first = await Promise.race([
    attempt("hear from the server", listening, { timeout: Infinity }).then(() => "server"),
    speak(connection).then(() => "we"),
    interrupted.promise,
  ]);
  if (first === "server") throw new Error("the server has ended the conversation");
  // Python: shutdown(SHUT_WR). The server reads the end, says goodbye and ends its side as well
  await attempt("end the conversation", () => connection.closeWrite());
  await attempt("hear the server's goodbye", listening, { timeout: PATIENCE });
  // after Ctrl-C a read of the keyboard is still under way: it would keep the process
  Deno.exit(0);
}

if (import.meta.main) await run(main);
