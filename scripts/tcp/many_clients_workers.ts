#!/usr/bin/env -S deno run --allow-net=127.0.0.1:10000
/**
 * Many clients, shared by threads
 *
 * JavaScript's threads are Workers: each has its own memory, its own event loop, and messages are all that
 * goes between them. A connection cannot be sent to another Worker, so a thread for each client, as Python's
 * ThreadingMixIn starts, is not to be had. Instead every Worker listens on the same port itself (reusePort),
 * Linux deals new connections out to them, and each serves thousands as many_clients_async.ts does. Without
 * reusePort only one of them could listen, and would have to pass every byte on to the others as a message,
 * which costs more than the echo. One Worker for each core is enough: two threads on one core only take turns.
 *
 * The Workers' code is the text of a function. To load a module, as a Worker starts, Deno wants read
 * permission for the file and all that it imports; a function that needs nothing from outside needs none.
 * A Worker that fails is replaced and the others serve on; but when one runs out of memory, all end with it.
 *
 * @lecture 001 How do we handle multiple connections concurrently? · 002 Homework 2
 * @python  threading.Thread → new Worker, socketserver.ThreadingMixIn,
 *          socket.setsockopt(SO_REUSEPORT) → Deno.listen({ reusePort: true })
 * @run     deno run --allow-net=127.0.0.1:10000 scripts/tcp/many_clients_workers.ts
 * @client  deno run --allow-net=127.0.0.1:10000 scripts/tcp/echo_client.ts "a thread is free"
 * @expect  listening on 127.0.0.1:10000
 * @log     worker * serves 127.0.0.1:*
 * @run     deno run --allow-net=127.0.0.1:10000 scripts/tcp/many_clients_workers.ts --workers 3
 * @client  deno run --allow-net=127.0.0.1:10000 scripts/tcp/echo_client.ts "three are"
 * @expect  listening on 127.0.0.1:10000
 * @log     3 workers share the port
 * @log     worker * serves 127.0.0.1:*
 * @option  --host HOST  the address to listen on (default: 127.0.0.1)
 * @option  --port PORT  the port to listen on; 0 for a free one, with --allow-net=127.0.0.1 (default: 10000)
 * @option  --workers COUNT  how many threads; as many as the machine has cores, if not given
 * @see     https://docs.deno.com/runtime/reference/web_platform_apis/#web-workers
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { attempt } from "../../lib/errors.ts";
import { requireGivenPort } from "../../lib/require_net.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { codeOf, SupervisedWorker } from "../../lib/supervised_worker.ts";
import { UsageError } from "../../lib/usage.ts";

/** What a Worker is told. */
interface Task {
  hostname: string;
  port: number;
  number: number;
}

/** Runs in each Worker. Only its text gets there: it can use nothing that is declared outside of it. */
function work(): void {
  const PATIENCE = 60_000;
  /** Open connections, and when each was last heard. */
  const heard = new Map<Deno.Conn, number>();
  /** From inside, the main thread looks as a Worker does from outside. */
  const main = globalThis as unknown as Worker;
  let listener: Deno.TcpListener | undefined;

  main.onmessage = ({ data }: MessageEvent<Task | "stop">) => {
    if (data !== "stop") return listen(data);
    listener?.close();
    listener = undefined;
    endWhenIdle();
  };

  function listen({ hostname, port, number }: Task) {
    try {
      listener = Deno.listen({ hostname, port, reusePort: true });
      main.postMessage("listening");
    } catch (error) {
      const { name, message } = error as Error;
      return main.postMessage({ name, message });
    }
    acceptAll(number);
  }

  async function acceptAll(number: number) {
    for (let failures = 0; listener;) {
      try {
        converse(await listener.accept(), number);
        failures = 0;
      } catch (error) {
        // closed, or the client reset before it was accepted
        if (!listener || error instanceof Deno.errors.NotConnected) continue;
        // too many open files, most often: the clients wait until others have gone
        if (failures++ === 0) console.error(`worker ${number} cannot accept a client: ${error}`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  async function converse(connection: Deno.TcpConn, number: number) {
    try {
      heard.set(connection, Date.now());
      const { hostname, port } = connection.remoteAddr;
      const name = hostname.includes(":") ? `[${hostname}]` : hostname;
      console.error(`worker ${number} serves ${name}:${port}`);
      await echo(connection);
    } catch {
      // what goes wrong with one client is no matter to the others
    }
    close(connection);
    heard.delete(connection);
    endWhenIdle();
  }

  async function echo(connection: Deno.TcpConn) {
    connection.setNoDelay();
    const buffer = new Uint8Array(4 * 1024);
    for (let count; (count = await connection.read(buffer)) !== null;) {
      heard.set(connection, Date.now());
      for (let sent = 0; sent < count;) {
        sent += await connection.write(buffer.subarray(sent, count));
      }
    }
  }

  function close(connection: Deno.Conn) {
    try {
      connection.close();
    } catch {
      // it was silent for too long, and is closed
    }
  }

  function endWhenIdle() {
    if (!listener && heard.size === 0) main.postMessage("over");
  }

  setInterval(() => {
    const before = Date.now() - PATIENCE;
    for (const [connection, at] of heard) if (at < before) close(connection);
  }, PATIENCE / 4);
}

/** Starts the Workers, and serves until it is interrupted. */
export async function main(
  { host, port, workers = navigator.hardwareConcurrency }: {
    host: string;
    port: number;
    workers?: number;
  },
): Promise<void> {
  if (workers < 1 || workers > 64) throw new UsageError(`--workers is 1 to 64, not ${workers}`);
  // with reusePort a second server of the same user could share the port unnoticed: this one asks for the
  // port alone first, and lets go
  const { addr } = await attempt(`listen on ${host} port ${port}`, () => {
    using listener = Deno.listen({ hostname: host, port });
    return listener;
  });
  await requireGivenPort(addr, port);

  const code = codeOf(work);
  const pool = Array.from(
    { length: workers },
    (_, index) =>
      new SupervisedWorker(code, `worker ${index + 1}`, {
        hostname: addr.hostname,
        port: addr.port,
        number: index + 1,
      }),
  );
  const { promise: interrupted, resolve: interrupt } = Promise.withResolvers<void>();
  using _stopping = onInterrupt(interrupt);
  await attempt(
    `listen on ${formatEndpoint(addr)} in a worker`,
    () => Promise.all(pool.map((worker) => worker.start())),
  );
  console.log(`listening on ${formatEndpoint(addr)}`);
  console.error(`${workers} ${workers === 1 ? "worker has" : "workers share"} the port`);
  await interrupted;
  await Promise.all(pool.map((worker) => worker.stop()));
}

if (import.meta.main) await run(main);
