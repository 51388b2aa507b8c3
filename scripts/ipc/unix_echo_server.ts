#!/usr/bin/env -S deno run --allow-net=unix:/tmp/echo.sock --allow-read=/tmp/echo.sock --allow-write=/tmp/echo.sock
/**
 * Echo server on a Unix domain socket
 *
 * For programs on one machine, a socket can have a path in place of an address and a port. Everything else
 * is as with TCP: the handler below is the echo of a TCP server, and does not know which one it serves.
 * Who may connect is a matter of file permissions.
 *
 * The path stays behind when a server is killed. Listening there again would fail, so the stale file is
 * removed first, but only when nothing answers on it.
 *
 * @lecture 001 Sockets · 002 Unix Domain Sockets
 * @python  socket(AF_UNIX) → Deno.listen, socket.bind → Deno.listen, os.unlink → Deno.remove
 * @run     deno run --allow-net=unix:/tmp/echo.sock --allow-read=/tmp/echo.sock --allow-write=/tmp/echo.sock scripts/ipc/unix_echo_server.ts
 * @expect  listening on unix:/tmp/echo.sock
 * @log     echoed 23 bytes
 * @option  --path PATH  where the socket is to be (default: /tmp/echo.sock)
 * @see     https://docs.deno.com/api/deno/~/Deno.listen
 * @module
 */

import { accepted } from "../../lib/accept.ts";
import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { attempt, explain } from "../../lib/errors.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { removeStaleSocket } from "../../lib/unix_socket.ts";
import { writeAll } from "../../lib/write_all.ts";

/** Echoes until the client ends its stream: the same for a TCP and a Unix connection. */
export async function echo(connection: Deno.Conn): Promise<number> {
  const buffer = new Uint8Array(4_096);
  for (let bytes = 0;;) {
    const reading = () => connection.read(buffer);
    const count = await attempt("hear from the client", reading, { timeout: 60_000 });
    if (count === null) return bytes;
    await writeAll(connection, buffer.subarray(0, count));
    bytes += count;
  }
}

/** One client's conversation; what goes wrong in it ends nothing else. */
async function serve(connection: Deno.Conn): Promise<void> {
  using _closedAtTheEnd = connection;
  try {
    // a client of a Unix socket has no address to be logged
    console.error(`echoed ${await echo(connection)} bytes`);
  } catch (error) {
    console.error(explain(error).reason);
  }
}

export async function main({ path }: { path: string }): Promise<void> {
  await removeStaleSocket(path);
  using listener = await attempt(
    `listen on ${path}`,
    () => Deno.listen({ transport: "unix", path }),
  );
  // closing the listener removes the file
  using _stopping = onInterrupt(() => listener.close());
  console.log(`listening on ${formatEndpoint(listener.addr)}`);
  for await (const connection of accepted(listener)) serve(connection);
}

if (import.meta.main) await run(main);
