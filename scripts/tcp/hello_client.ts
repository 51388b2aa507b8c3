#!/usr/bin/env -S deno run --allow-net=127.0.0.1:9000
/**
 * A client that listens
 *
 * Connects and prints all that the server says until the server closes. The lecture's client calls recv
 * once and takes what came; only a loop up to the end of the stream gets a greeting of any length.
 *
 * @lecture 001 Python Socket module
 * @python  socket.connect → Deno.connect, socket.recv → connection.read
 * @partner scripts/tcp/hello_server.ts
 * @run     deno run --allow-net=127.0.0.1:9000 scripts/tcp/hello_client.ts
 * @expect  Hello 127.0.0.1:*
 * @option  --host HOST  where the server is (default: 127.0.0.1)
 * @option  --port PORT  the server's port (default: 9000)
 * @see     https://docs.deno.com/api/deno/~/Deno.Conn
 * @module
 */

import { run } from "../../lib/cli.ts";
import { visible } from "../../lib/display.ts";
import { attempt } from "../../lib/errors.ts";

const LIMIT = 16 * 1024 * 1024;
const PATIENCE = 10_000; // milliseconds for all of the greeting

export async function main({ host, port }: { host: string; port: number }): Promise<void> {
  using connection = await attempt(
    `connect to ${host} port ${port}`,
    () => Deno.connect({ hostname: host, port }),
  );

  const buffer = new Uint8Array(1024);
  // a character of several bytes may come in two pieces: the decoder keeps the first until the second
  const decoder = new TextDecoder();
  const due = performance.now() + PATIENCE;
  for (let received = 0;;) {
    const count = await attempt("hear from the server", () => connection.read(buffer));
    if (count === null && received === 0) {
      throw new Error("the server closed the connection without a greeting");
    }
    if (count === null) break;
    received += count;
    if (performance.now() > due) {
      throw new Error(`the server did not end its greeting within ${PATIENCE / 1000} s`);
    }
    if (received > LIMIT) throw new Error(`the server said more than ${LIMIT} bytes`);
    show(decoder.decode(buffer.subarray(0, count), { stream: true }));
  }
  show(decoder.decode());
}

/** Prints what came; a server must not be able to steer the terminal. */
function show(text: string): void {
  const lines = text.split("\n").map(visible).join("\n");
  for (let bytes = new TextEncoder().encode(lines); bytes.length > 0;) {
    bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
  }
}

if (import.meta.main) await run(main);
