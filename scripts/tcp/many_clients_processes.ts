#!/usr/bin/env -S deno run --allow-net=127.0.0.1:10000 --allow-run=deno
/**
 * Many clients, shared by processes
 *
 * Where Python's ForkingMixIn copies the running program for each client (fork), a Deno program can start
 * programs, and a connection cannot be handed to them. So this one starts itself a few times, and every copy
 * listens on the same port (reusePort): Linux deals new connections out to them. Nothing is shared but the
 * port. A process that crashes, or runs out of memory, takes only its own clients with it: another is started
 * in its place, while the others go on. That is what processes are for, since threads cost less.
 *
 * The first process serves nobody. It holds each child's standard input open: when that ends, the child does,
 * so that none is left behind however its parent came to an end.
 *
 * --allow-run=deno permits a great deal: what a child may do is up to its own flags. Here they are --allow-net
 * for the one port.
 *
 * @lecture 001 How do we handle multiple connections concurrently? · 002 Homework 2
 * @python  os.fork → Deno.Command, socketserver.ForkingMixIn, multiprocessing.Process → Deno.Command,
 *          socket.setsockopt(SO_REUSEPORT) → Deno.listen({ reusePort: true })
 * @run     deno run --allow-net=127.0.0.1:10000 --allow-run=deno scripts/tcp/many_clients_processes.ts
 * @client  deno run --allow-net=127.0.0.1:10000 scripts/tcp/echo_client.ts "a process is free"
 * @expect  listening on 127.0.0.1:10000
 * @log     process * serves 127.0.0.1:*
 * @run     deno run --allow-net=127.0.0.1:10000 --allow-run=deno scripts/tcp/many_clients_processes.ts --processes 3
 * @client  deno run --allow-net=127.0.0.1:10000 scripts/tcp/echo_client.ts "three are"
 * @expect  listening on 127.0.0.1:10000
 * @log     3 processes share the port
 * @log     process * serves 127.0.0.1:*
 * @option  --host HOST  the address to listen on (default: 127.0.0.1)
 * @option  --port PORT  the port to listen on, 0 for a free one (default: 10000)
 * @option  --processes COUNT  how many; as many as the machine has cores, if not given
 * @option  --child      be one of the processes, until standard input ends: the first one starts them so
 * @see     https://docs.deno.com/api/deno/~/Deno.Command
 * @module
 */

import { formatEndpoint } from "../../lib/address.ts";
import { run } from "../../lib/cli.ts";
import { attempt } from "../../lib/errors.ts";
import { onInterrupt } from "../../lib/shutdown.ts";
import { SupervisedChild } from "../../lib/supervised_child.ts";
import { type Connection, serve } from "../../lib/tcp.ts";
import { UsageError } from "../../lib/usage.ts";

interface Options {
  host: string;
  port: number;
  processes?: number;
  child: boolean;
}

async function echo(connection: Connection): Promise<void> {
  console.error(`process ${Deno.pid} serves ${connection.remote}`);
  const buffer = new Uint8Array(4 * 1024);
  for (let count; (count = await connection.read(buffer)) !== null;) {
    await connection.write(buffer.subarray(0, count));
  }
}

/** One of the processes. */
async function beChild(hostname: string, port: number): Promise<void> {
  const server = await serve({ hostname, port, reusePort: true }, echo);
  console.log(`listening on ${formatEndpoint(server.addr)}`);
  // Ctrl-C goes to all processes of a terminal: this one leaves it to the first
  using _stopping = onInterrupt(() => {}, { grace: 10_000 });
  while (await Deno.stdin.read(new Uint8Array(64)) !== null);
  await server.shutdown();
}

/** The first process, which starts the others. */
async function beParent(hostname: string, port: number, count: number): Promise<void> {
  // with reusePort a second server of the same user could share the port unnoticed: this one asks for the
  // port alone first, and lets go
  const { addr } = await attempt(`listen on ${hostname} port ${port}`, () => {
    using listener = Deno.listen({ hostname, port });
    return listener;
  });
  const net = `--allow-net=${formatEndpoint(addr)}`;
  const where = ["--host", addr.hostname, "--port", String(addr.port)];
  const args = ["run", "--no-prompt", "--quiet", net, import.meta.url, "--child", ...where];

  const stopping = Promise.withResolvers<void>();
  using _stopping = onInterrupt(stopping.resolve, { grace: 5_000 });
  const children = Array.from({ length: count }, () => new SupervisedChild("deno", args));
  try {
    await Promise.all(children.map((child) => child.start()));
    console.log(`listening on ${formatEndpoint(addr)}`);
    console.error(`${count} ${count === 1 ? "process has" : "processes share"} the port`);
    await stopping.promise;
  } finally {
    await Promise.all(children.map((child) => child.stop()));
  }
}

export async function main(options: Options): Promise<void> {
  const { host, port, processes = navigator.hardwareConcurrency, child } = options;
  if (processes < 1 || processes > 64) {
    throw new UsageError(`--processes is 1 to 64, not ${processes}`);
  }
  await (child ? beChild(host, port) : beParent(host, port, processes));
}

if (import.meta.main) await run(main);
