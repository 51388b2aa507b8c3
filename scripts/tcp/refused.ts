#!/usr/bin/env -S deno run --allow-net=127.0.0.1:5009,255.255.255.255:5009,no-such-host.invalid:5009
/**
 * How connections fail, and what each failure tells
 *
 * A failed connection raises an error, and the kind of error tells why. Here every kind is provoked on
 * purpose, on this machine: refused, timed out, reset, unreachable, unknown host. The last one looks like
 * a failure and is none: a connection that is closed in one direction only.
 *
 * @lecture 002 Connecting a Socket, Sending a Message · 004 What is a socket?
 * @python  ConnectionRefusedError, TimeoutError, ConnectionResetError, OSError, socket.gaierror, socket.shutdown
 * @run     deno run --allow-net=127.0.0.1:5009,255.255.255.255:5009,no-such-host.invalid:5009 scripts/tcp/refused.ts
 * @expect  refused: ConnectionRefused*
 * @expect  timed out: TimeoutError*
 * @expect  reset: ConnectionReset*
 * @expect  unreachable: *unreachable*
 * @expect  unknown host: *failed to lookup*
 * @expect  half-closed: received "still here" after closeWrite
 * @option  --port PORT  a free port for the experiments (default: 5009)
 * @see     https://docs.deno.com/api/deno/~/Deno.errors
 * @module
 */

import { run } from "../../lib/cli.ts";
import { quoted } from "../../lib/display.ts";
import { attempt } from "../../lib/errors.ts";
import { writeAll } from "../../lib/write_all.ts";

const hostname = "127.0.0.1";
let port = 0;

async function refused(): Promise<void> {
  (await Deno.connect({ hostname, port })).close();
}

async function timedOut(): Promise<void> {
  // a listener that never accepts, with room for one in its backlog: further clients are left waiting
  using _listener = Deno.listen({ hostname, port, tcpBacklog: 1 });
  const waiting: Deno.Conn[] = [];
  try {
    for (let client = 0; client < 10; client++) {
      waiting.push(await Deno.connect({ hostname, port, signal: AbortSignal.timeout(300) }));
    }
  } finally {
    for (const connection of waiting) connection.close();
  }
}

async function reset(): Promise<void> {
  const listener = Deno.listen({ hostname, port });
  using client = await Deno.connect({ hostname, port });
  listener.close();
  await client.read(new Uint8Array(16));
}

async function unreachable(): Promise<void> {
  (await Deno.connect({ hostname: "255.255.255.255", port })).close();
}

async function unknownHost(): Promise<void> {
  (await Deno.connect({ hostname: "no-such-host.invalid", port })).close();
}

async function halfClosed(): Promise<void> {
  using listener = Deno.listen({ hostname, port });
  using client = await Deno.connect({ hostname, port });
  using server = await listener.accept();
  const buffer = new Uint8Array(16);
  // Python: shutdown(SHUT_WR)
  await client.closeWrite();
  const end = await server.read(buffer);
  if (end !== null) throw new Error("the server did not see the end");
  await writeAll(server, "still here");
  const count = await client.read(buffer) ?? 0;
  console.log(`half-closed: received ${quoted(buffer.subarray(0, count))} after closeWrite`);
  console.log("  No failure: one side has said all it has to say, and still listens to the other.");
}

/** Runs an experiment that must fail; tells how it failed and what that means. */
async function provoke(
  name: string,
  meaning: string,
  experiment: () => Promise<void>,
): Promise<void> {
  try {
    await attempt(name, experiment());
  } catch (error) {
    const { cause } = error as { cause: Error };
    // these are not the failures that were asked for
    if (cause instanceof Deno.errors.NotCapable || cause instanceof Deno.errors.AddrInUse) {
      throw error;
    }
    console.log(`${name}: ${cause.name}: ${cause.message}\n  ${meaning}`);
    return;
  }
  throw new Error(`"${name}" did not fail as it should`);
}

export async function main(options: { port: number }): Promise<void> {
  port = options.port;
  await provoke(
    "refused",
    "The machine is there, but nobody listens on that port: it says so at once.",
    refused,
  );
  await provoke(
    "timed out",
    "Nobody answers at all, here since the backlog is full: only a deadline of one's own ends the wait.",
    timedOut,
  );
  await provoke(
    "reset",
    "The other side threw the conversation away, here before it had accepted it.",
    reset,
  );
  await provoke(
    "unreachable",
    "No way leads there: TCP is between two, and this is the address of everybody.",
    unreachable,
  );
  await provoke(
    "unknown host",
    "The name has no address: below .invalid no name ever has one (RFC 6761).",
    unknownHost,
  );
  await halfClosed();
}

if (import.meta.main) await run(main);
