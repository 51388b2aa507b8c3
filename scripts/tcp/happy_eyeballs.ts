#!/usr/bin/env -S deno run --allow-net=127.0.0.1:5013,[::1]:5013
/**
 * Happy Eyeballs: which of a host's addresses works?
 *
 * Most hosts have an IPv6 and an IPv4 address, and one of the two may lead nowhere. A client that tries one
 * after the other waits for many seconds; one that tries all at once burdens the network. RFC 8305 starts
 * with IPv6, begins with the next address after 250 ms, or at once when one is refused, and keeps the first
 * connection that is made. The others are given up.
 *
 * Without arguments it shows this on this machine; with addresses it connects to the server that has them.
 *
 * Deno.connect does the same by itself when it gets a name (its option autoSelectFamily is true by default).
 *
 * @lecture 003 extension for IPv6 (RFC 3493)
 * @python  asyncio.open_connection(happy_eyeballs_delay=0.25) → Deno.connect,
 *          socket.create_connection → Deno.connect
 * @run     deno run --allow-net=127.0.0.1:5013,[::1]:5013 scripts/tcp/happy_eyeballs.ts
 * @expect  both answer: ::1 is connected
 * @expect  IPv6 is refused: 127.0.0.1 is connected
 * @expect  IPv6 does not answer: 127.0.0.1 is connected
 * @expect  none answers: cannot connect to ::1 or 127.0.0.1 port 5013: *
 * @log     trying ::1
 * @log     trying ::1
 * @log     ::1: connection refused*
 * @log     trying 127.0.0.1
 * @log     trying ::1
 * @log     trying 127.0.0.1
 * @log     ::1: given up
 * @argument [ADDRESS...]   the IP addresses of a host, in the order of preference
 * @option  --port PORT           the server's port, or a free one for the experiments (default: 5013)
 * @option  --delay MILLISECONDS  when to begin with the next address, 10 to 2000 (default: 250)
 * @see     https://www.rfc-editor.org/rfc/rfc8305
 * @see     https://docs.deno.com/api/deno/~/Deno.ConnectOptions
 * @module
 */

import { run } from "../../lib/cli.ts";
import { within } from "../../lib/deadline.ts";
import { ActionError, attempt, explain } from "../../lib/errors.ts";
import { pause } from "../../lib/pause.ts";
import { UsageError } from "../../lib/usage.ts";

const PATIENCE = 10_000; // milliseconds for all attempts together

/** Connects to the first of a host's addresses that answers; times are in milliseconds. */
export async function connect(
  addresses: string[],
  port: number,
  delay: number,
  patience = PATIENCE,
): Promise<Deno.TcpConn> {
  const done = new AbortController();
  const failures = new Map<string, string>();
  const tryOne = async (hostname: string) => {
    console.error(`trying ${hostname}`);
    try {
      return await Deno.connect({ hostname, port, signal: done.signal });
    } catch (error) {
      const reason = done.signal.aborted ? "given up" : explain(error).reason;
      console.error(`${hostname}: ${reason}`);
      failures.set(hostname, reason);
      throw error;
    }
  };

  const attempts: Promise<Deno.TcpConn>[] = [];
  const first = async () => {
    for (const hostname of addresses) {
      const newest = tryOne(hostname);
      attempts.push(newest);
      // the next one begins when this one fails, or after the delay; or never, when one is connected
      const connected = await Promise.race([
        Promise.any(attempts).catch(() => false),
        newest.catch(() => false),
        pause(delay, done.signal).then(() => false),
      ]);
      if (connected || done.signal.aborted) break;
    }
    return await Promise.any(attempts);
  };
  let winner: Deno.TcpConn | undefined;
  try {
    return winner = await within(patience, first());
  } catch (error) {
    const reasons = new Set(failures.values());
    throw new ActionError(
      `connect to ${addresses.join(" or ")} port ${port}`,
      error instanceof AggregateError ? new Error([...reasons].join("; ")) : error,
    );
  } finally {
    // the attempts that are under way end here
    done.abort();
    // two may be connected at the same moment, and one is enough
    for (const attempt of attempts) {
      attempt.then((connection) => connection === winner || connection.close(), () => {});
    }
  }
}

/** Tries both loopback addresses of a port, and tells how it ended. */
async function experiment(name: string, port: number, delay: number): Promise<void> {
  try {
    using connection = await connect(["::1", "127.0.0.1"], port, delay);
    console.log(`${name}: ${connection.remoteAddr.hostname} is connected`);
  } catch (error) {
    console.log(`${name}: ${explain(error).reason}`);
  }
}

async function experiments(port: number, delay: number): Promise<void> {
  const listen = (hostname: string, tcpBacklog?: number) =>
    attempt(
      `listen on ${hostname} port ${port}`,
      () => Deno.listen({ hostname, port, tcpBacklog }),
    );
  {
    using _six = await listen("::1");
    using _four = await listen("127.0.0.1");
    await experiment("both answer", port, delay);
  }
  {
    using _four = await listen("127.0.0.1");
    await experiment("IPv6 is refused", port, delay);
  }
  {
    // a listener that never accepts, its backlog full: the next client hears nothing at all
    using _six = await listen("::1", 1);
    using waiting = new DisposableStack();
    for (let full = false; !full;) {
      const signal = AbortSignal.timeout(300);
      const client = Deno.connect({ hostname: "::1", port, signal });
      await client.then((connection) => waiting.use(connection), () => full = true);
    }
    using _four = await listen("127.0.0.1");
    await experiment("IPv6 does not answer", port, delay);
  }
  await experiment("none answers", port, delay);
}

export async function main(
  { address, port, delay }: { address: string[]; port: number; delay: number },
): Promise<void> {
  if (port === 0) throw new UsageError("--port must be a port of its own here, not 0");
  if (delay < 10 || delay > 2_000) {
    throw new UsageError(`--delay is 10 to 2000 (RFC 8305, section 5), not ${delay}`);
  }
  if (address.length === 0) return await experiments(port, delay);
  using connection = await connect(address, port, delay);
  console.log(`${connection.remoteAddr.hostname} is connected`);
}

if (import.meta.main) await run(main);
