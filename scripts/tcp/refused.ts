#!/usr/bin/env -S deno run --allow-net=127.0.0.1:5009,255.255.255.255:5009,no-such-host.invalid:5009
/**
 * How connections fail, and what each failure tells
 *
 * A failed connection raises an error, and the kind of error tells why. Here every kind is provoked on
 * purpose, on this machine: refused, timed out, reset, unreachable, unknown host. The last one looks like
 * a failure and is none: a connection that is closed in one direction only.
 *
 * @lecture 002 Connecting a Socket, Sending a Message · 004 What is a socket?
 * @python  ConnectionRefusedError → Deno.errors.ConnectionRefused,
 *          TimeoutError → AbortSignal.timeout,
 *          ConnectionResetError → Deno.errors.ConnectionReset,
 *          OSError → Deno.errors.NetworkUnreachable, socket.gaierror → Error,
 *          socket.shutdown → connection.closeWrite
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
import { UsageError } from "../../lib/usage.ts";
import { writeAll } from "../../lib/write_all.ts";

const hostname = "127.0.0.1";
let port = 0;

async function refused(): Promise<void> {
  (await Deno.connect({ hostname, port })).close();
}

async function timedOut(): Promise<void> {
  // a listener that never accepts, with room for one in its backlog. The lecture says that further clients
  // are refused; here they are left waiting
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
  expected: RegExp,
  meaning: string,
  experiment: () => Promise<void>,
): Promise<void> {
  try {
    await attempt(`provoke "${name}"`, experiment);
  } catch (error) {
    const { cause } = error as { cause: Error };
    const failure = `${cause.name}: ${cause.message}`;
    // a port that is taken, or a missing permission, is not the failure that was asked for
    if (!expected.test(failure)) throw error;
    console.log(`${name}: ${failure}\n  ${meaning}`);
    return;
  }
  throw new Error(`"${name}" did not fail: something listens on port ${port}, choose a free one`);
}

export async function main(options: { port: number }): Promise<void> {
  port = options.port;
  if (port === 0) throw new UsageError("--port must be a port of its own here, not 0");
  await provoke(
    "refused",
    /^ConnectionRefused/,
    "The machine is there, but nobody listens on that port: it says so at once.",
    refused,
  );
  await provoke(
    "timed out",
    /^TimeoutError/,
    "Nobody answers at all, here since the backlog is full: only a deadline of one's own ends the wait.",
    timedOut,
  );
  await provoke(
    "reset",
    /^ConnectionReset/,
    "The other side threw the conversation away, here before it had accepted it.",
    reset,
  );
  await provoke(
    "unreachable",
    /unreachable/i,
    "No route: 255.255.255.255 means every machine, and a TCP connection has exactly one other end.",
    unreachable,
  );
  await provoke(
    "unknown host",
    /failed to lookup/,
    "The name has no address: below .invalid no name ever has one (RFC 6761).",
    unknownHost,
  );
  await halfClosed();
}

if (import.meta.main) await run(main);
